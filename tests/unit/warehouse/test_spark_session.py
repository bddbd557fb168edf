"""A build on Spark says what is missing before it begins anything."""

import sys
from pathlib import Path

import pytest

from perinatal.errors import PerinatalError
from warehouse import builder


@pytest.mark.parametrize("module", ["pyspark", "sqlglot"])
def test_a_missing_extra_is_named_with_its_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    monkeypatch.setattr("warehouse.spark.session.find_spec", lambda name: name != module)
    monkeypatch.setitem(sys.modules, module, None)  # type: ignore[arg-type]
    with pytest.raises(PerinatalError, match=rf"^Spark needs the extra `spark` \({module} is missing\): run `make"):
        builder.build(tmp_path / "run", tmp_path / "dbt", [], [], "spark")
    assert not (tmp_path / "run").exists()


def test_missing_java_is_named_with_its_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warehouse.spark.session.find_spec", lambda _: True)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(PerinatalError, match=r"^Spark needs Java 17: install openjdk-17-jre-headless, or"):
        builder.build(tmp_path / "run", tmp_path / "dbt", [], [], "spark")
