"""How fast a large file is landed, and with how much memory, beside those who check nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from perinatal.console import say
from perinatal.errors import PerinatalError
from pipeline.bench import process, scaled
from pipeline.bench.contestants import CONTESTANTS
from pipeline.bench.figures import Figure, paired

GB: Final = 1000  # megabytes
# the sizes that targets are set for, in GB
SPEED_AT, MEMORY_AT = 1.0, 2.0
OTHERS: Final = {"duckdb": "bare DuckDB", "pandas": "pandas", "dlt": "dlt into DuckDB"}
FASTER_THAN: Final = {"duckdb": 0.6, "pandas": 1.0, "dlt": 1.0}


def measure(folder: Path, sizes: Sequence[float], rounds: int) -> tuple[list[Figure], dict[str, Any]]:
    """Land a generated Fingertips file of each size (GB), everybody in turn, each in a process of its own."""
    if find_spec("dlt") is None:
        raise PerinatalError("dlt is not installed: install the extra `bench`, or leave `landing` out")
    figures: list[Figure] = []
    runs: dict[str, Any] = {}
    for size in sizes:
        file = folder / f"synthetic-{size:g}_child502_parent6.csv"
        made = scaled.fingertips_of_size(file, size * GB)
        took = _rounds(file, rounds)
        file.unlink()
        figures += _figures(size, took)
        runs[f"landing_{size:g}gb"] = {
            "rows": made.rows,
            **{
                who: [
                    {
                        "seconds": ran.said["seconds"],
                        "gate": ran.said["gate"],
                        "process_seconds": ran.seconds,
                        "peak_mb": ran.peak_mb,
                        "imports_mb": ran.said["imports_mb"],
                    }
                    for ran in group
                ]
                for who, group in took.items()
            },
        }
    return figures, runs


def _rounds(file: Path, rounds: int) -> dict[str, list[process.Ran]]:
    took: dict[str, list[process.Ran]] = {who: [] for who in CONTESTANTS}
    for _ in range(rounds):
        for who, group in took.items():
            with tempfile.TemporaryDirectory(dir=file.parent) as own:
                # dlt looks at Airflow, which would make a folder in the user's home
                places = {"PERINATAL_HOME": own, "AIRFLOW_HOME": own}
                ran = process.child("pipeline.bench.contestants", who, file, own, env=places)
            say(f"  {file.name}: {who} {ran.said['seconds']:.1f} s, {ran.peak_mb:,.0f} MB")
            group.append(ran)
    return took


def _figures(size: float, took: dict[str, list[process.Ran]]) -> list[Figure]:
    """Return speed beside each of the others, and the memory; megabytes of the file a second go with them as a note."""
    seconds = {who: [ran.said["seconds"] for ran in group] for who, group in took.items()}
    ungated = [ran.said["seconds"] - ran.said["gate"] for ran in took["perinatal"]]
    found = []
    for who, name in OTHERS.items():
        ratio, spread = paired(ungated, seconds[who])
        gated, _ = paired(seconds["perinatal"], seconds[who])
        found.append(
            Figure(
                f"landing_{size:g}gb_beside_{who}",
                f"Landing {size:g} GB (hash, archive, typed Parquet): speed beside {name}",
                ratio,
                "×",
                "higher",
                FASTER_THAN[who] if size == SPEED_AT else None,
                0.3,
                f"{spread}; with the arrival gate {gated:.2f}×",
            )
        )
    peaks = {who: max(ran.peak_mb for ran in group) for who, group in took.items()}
    beyond = max(ran.peak_mb - ran.said["imports_mb"] for ran in took["perinatal"])
    others = ", ".join(f"{name} {peaks[who]:,.0f}" for who, name in OTHERS.items())
    speed = size * GB / min(seconds["perinatal"])
    found.append(
        Figure(
            f"landing_{size:g}gb_memory",
            f"Landing {size:g} GB, arrival gate included: most memory, imports apart",
            beyond,
            "MB",
            "lower",
            600 if size == MEMORY_AT else None,
            0.2,
            f"with imports {peaks['perinatal']:,.0f}, {others}; best run {speed:,.0f} MB/s",
        )
    )
    return found
