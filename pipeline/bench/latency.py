"""From a dropped file to an edition in Airflow, beside as many empty tasks and the build alone: end to end."""

from __future__ import annotations

import re
import sys
from typing import Any

from perinatal.errors import PerinatalError
from perinatal.settings import PROJECT_ROOT
from pipeline.bench import process
from pipeline.bench.figures import Figure

TEST = PROJECT_ROOT / "tests" / "e2e" / "test_latency.py"


def measure() -> tuple[list[Figure], dict[str, Any]]:
    """Run the measurement of the end-to-end tests; it needs the project's own folder."""
    if not TEST.exists():
        raise PerinatalError(f"{TEST}: not here; the latency is measured from a checkout of the project")
    ran = process.run(sys.executable, "-m", "pytest", TEST, "-m", "bench", "-s", "-q", "-p", "no:cacheprovider")
    ratio = re.search(r"^ratio ([0-9.]+)", ran.out, re.MULTILINE)
    if not ratio:
        raise PerinatalError(f"{TEST.name} printed no ratio: {ran.out[-500:]}")
    medians = ", ".join(": ".join(row) for row in re.findall(r"^\| (the .+?) \| (.+?) \|", ran.out, re.MULTILINE))
    figure = Figure(
        "event_to_edition",
        "File dropped → edition in Airflow, beside as many empty tasks and the build's own seconds",
        float(ratio[1]),
        "×",
        "lower",
        note=medians,
    )
    return [figure], {"event_to_edition": ran.out.strip().splitlines()}
