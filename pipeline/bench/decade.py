"""Ten years of months as large as the publisher's, from landed files to an edition; then the next month on top."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from perinatal.console import say
from pipeline.bench import process
from pipeline.bench.figures import Figure
from pipeline.bench.ten_years import MONTHS

MINUTES: Final = 20
MEMORY_MB: Final = 12_000
DISK_MB: Final = 60_000
NEXT_MONTH: Final = 0.15  # of the build of everything


def measure(folder: Path) -> tuple[list[Figure], dict[str, Any]]:
    """Land all months but one, build; land the last one, build again. In a folder that is thrown away."""
    env = {"PERINATAL_HOME": str(folder / "decade"), "PERINATAL_KEEP_EDITIONS": "1"}
    landed = process.child("pipeline.bench.builder", "months", "0", str(MONTHS - 1), env=env)
    rows = int(landed.said["rows"])
    say(f"  {rows:,} synthetic rows landed in {landed.seconds:.0f} s, {landed.peak_mb:,.0f} MB")
    with process.most_disk(folder) as disk:
        whole = process.child("pipeline.bench.builder", "build", env=env)
    say(f"  built in {whole.said['seconds']:.0f} s, {whole.peak_mb:,.0f} MB, {disk[0]:,.0f} MB of disk")
    process.child("pipeline.bench.builder", "months", str(MONTHS - 1), str(MONTHS), env=env)
    later = process.child("pipeline.bench.builder", "next", env=env)
    say(f"  with the next month in {later.said['seconds']:.0f} s")
    about, seconds = f"{rows:,} rows of {MONTHS - 1} months", float(whole.said["seconds"])
    share = float(later.said["seconds"]) / seconds
    files = later.said["files"]
    figures = [
        Figure("decade_seconds", f"Build of {about}, all steps", seconds, "s", "lower", 60 * MINUTES),
        Figure("decade_memory", f"Build of {about}: most memory", whole.peak_mb, "MB", "lower", MEMORY_MB, 0.3),
        Figure(
            "decade_disk", f"Build of {about}: most disk, beside what is landed", disk[0], "MB", "lower", DISK_MB, 0.3
        ),
        Figure(
            "decade_next_release",
            f"Build after the next month landed on {about}, beside the build of everything",
            share,
            "×",
            "lower",
            NEXT_MONTH,
            0.3,
            f"{later.said['seconds']:.0f} s; {files['same']:,} of {files['all']:,} files taken over",
        ),
    ]
    runs = {"decade": {"rows": rows, "landing_seconds": landed.seconds, "log": whole.log, "next_log": later.log}}
    return figures, runs
