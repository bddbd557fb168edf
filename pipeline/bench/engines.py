"""The models of the sample and of its multiples on each engine: DuckDB, Spark on one machine, Spark on a cluster."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from perinatal.console import say
from pipeline.bench import building, cluster, process
from pipeline.bench.figures import Figure

DUCKDB: Final = "DuckDB"
LOCAL: Final = {"Spark local[1]": "local[1]", "Spark local[2]": "local[2]"}
STANDALONE: Final = "Spark standalone, two workers of one core"


def measure(folder: Path, scales: Sequence[int]) -> tuple[list[Figure], dict[str, Any]]:
    """Make the models on each engine in turn, at each multiple; nothing but them, in a folder that is thrown away."""
    env = {"PERINATAL_HOME": str(folder / "engines")}
    contestants = {DUCKDB: {"PERINATAL_ENGINE": "duckdb"}} | {
        name: {"PERINATAL_ENGINE": "spark", "PERINATAL_SPARK_MASTER": master} for name, master in LOCAL.items()
    }
    runs: dict[str, Any] = {}
    figures: list[Figure] = []
    for times, rows, _ in building.landed_multiples(scales, env):
        ran = {name: _models(times, name, env | own) for name, own in contestants.items()}
        with cluster.started(folder / f"cluster-{times}") as standalone:
            beside = [process.pid for process in standalone.processes]
            ran[STANDALONE] = _models(times, STANDALONE, env | standalone.environment, beside)
        figures += [_figure(times, rows, name, one, ran[DUCKDB]) for name, one in ran.items() if name != DUCKDB]
        runs[f"engines_{times}"] = {"rows": rows} | {
            name: {
                "seconds": one.said["seconds"],
                "processor_seconds": one.processor_seconds,
                "peak_mb": one.peak_mb,
            }
            for name, one in ran.items()
        }
    return figures, runs


def _models(times: int, name: str, env: dict[str, str], beside: Sequence[int] = ()) -> process.Ran:
    ran = process.child("pipeline.bench.builder", "models", env=env, beside=beside)
    say(
        f"  {times} ×: {name} {ran.said['seconds']:.1f} s, {ran.processor_seconds:.1f} s on processors, "
        f"{ran.peak_mb:,.0f} MB"
    )
    return ran


def _figure(times: int, rows: int, name: str, ran: process.Ran, duckdb: process.Ran) -> Figure:
    spark_seconds, seconds = float(ran.said["seconds"]), float(duckdb.said["seconds"])
    return Figure(
        f"engine_{name.partition(',')[0].lower().replace(' ', '_')}_{times}x",
        f"Models of {times} × the sample on {name}, beside DuckDB",
        spark_seconds / seconds,
        "×",
        "lower",
        note=(
            f"{rows:,} rows; {spark_seconds:.0f} s beside {seconds:.0f} s; on processors "
            f"{ran.processor_seconds / duckdb.processor_seconds:.2f} ×; most memory {ran.peak_mb:,.0f} MB beside "
            f"{duckdb.peak_mb:,.0f}"
        ),
    )
