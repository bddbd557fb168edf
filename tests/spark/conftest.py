"""One Spark session for all tests of the engine; without the extra or Java they skip and say why."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from warehouse.spark.session import missing, session

HERE = Path(__file__).parent
# sessions of tests live too short for Java's second compiler to pay for itself
os.environ.setdefault("SPARK_SUBMIT_OPTS", "-XX:TieredStopAtLevel=1")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    lack = missing()
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.spark)
            if not item.get_closest_marker("timeout"):
                item.add_marker(pytest.mark.timeout(1800))  # a limit that cuts a call off ends the session for all
            if lack:
                item.add_marker(pytest.mark.skip(reason=lack))


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Open a session on this machine, two threads wide."""
    with session("local[2]", "1g", tmp_path_factory.mktemp("events")) as opened:
        yield opened
