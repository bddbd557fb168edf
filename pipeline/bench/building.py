"""Builds of the sample and of multiples of it, beside `dbt build` alone; queries on what they publish."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from perinatal.console import say
from pipeline.bench import process
from pipeline.bench.figures import Figure

LMSS: Final = 44
# the multiple of the sample that targets are set for, and how long its queries are asked, quiet and while a build runs
AT: Final = 10
ASKED: Final = 60  # seconds
# multiples on which one month more is landed before a build that may take over what has not changed: that month's place
# after the sample's last, and its share of the rows; and the steps that write files
MONTH_AFTER: Final = {1: 1, AT: 2}
SHARE_OF_MONTH: Final = 0.04
WRITING: Final = ("Downloads and packs", "Pages")
STEP = re.compile(r"^(?P<what>[A-Z][^:\n]*): (?P<seconds>[0-9.]+) s", re.MULTILINE)


@dataclass(frozen=True)
class Scale:
    """What was measured at one multiple of the sample: rows landed, the build, dbt alone, queries quiet and busy.

    `arrival` is the seconds that the arrival gate has taken for everything landed.
    """

    times: int
    rows: int
    arrival: float
    built: process.Ran
    dbt: process.Ran
    quiet: dict[str, Any]
    busy: dict[str, Any] | None
    next_release: list[Figure]

    @property
    def seconds(self) -> float:
        """Return the seconds of the build, imports apart."""
        return float(self.built.said["seconds"])

    def step(self, what: str) -> float:
        """Return the seconds of one step, as the build itself tells them."""
        return _step(self.built.log, what)


def measure(folder: Path, scales: Sequence[int]) -> tuple[list[Figure], dict[str, Any]]:
    """Refresh the sample twice; then build it and its multiples, in another state folder that grows."""
    env = {"PERINATAL_HOME": str(folder / "home"), "PERINATAL_KEEP_EDITIONS": "1"}
    twice = env | {"PERINATAL_HOME": str(folder / "twice")}
    full, again = (process.child("pipeline.commands.app", "refresh", "--sample", env=twice) for _ in range(2))
    say(f"  refresh {full.seconds:.1f} s, again with nothing new {again.seconds:.1f} s")
    figures = [
        Figure(
            "refresh_nothing_new",
            "Refresh of the sample with nothing new, beside the full one",
            again.seconds / full.seconds,
            "×",
            "lower",
            0.1,
            0.4,
            f"most memory {full.peak_mb:,.0f} MB",
        )
    ]
    measured = _scales(folder, [1, *scales], env)  # growth is that since the sample itself
    for scale in measured:
        figures += _figures(scale)
    figures += [_growth(measured[0], scale) for scale in measured[1:]]
    runs = {"refresh": [full.seconds, again.seconds]} | {f"scale_{s.times}": _plain(s) for s in measured}
    return figures, runs


def _next_release(times: int, rows: int, env: dict[str, str]) -> list[Figure]:
    """Land one month more, build it on the edition that stands, then make everything of the same: what that spares."""
    month = process.child(
        "pipeline.bench.builder", "month", str(round(rows * SHARE_OF_MONTH)), str(MONTH_AFTER[times]), env=env
    )
    partly = process.child("pipeline.bench.builder", "next", env=env)
    whole = process.child("pipeline.bench.builder", "build", env=env)
    say(f"  {times} × and a month: build {partly.said['seconds']:.1f} s, of everything {whole.said['seconds']:.1f} s")
    files = partly.said["files"]
    written = [sum(_step(ran.log, what) for what in WRITING) for ran in (partly, whole)]
    at, on = f"_{times}x", f"a month landed on {times} × the sample"
    return [
        Figure(
            f"next_release_beside_full{at}",
            f"Build after {on}, beside a build that makes everything of it",
            partly.said["seconds"] / whole.said["seconds"],
            "×",
            "lower",
            None,
            0.3,
            f"{month.said['rows']:,} rows more; {partly.said['seconds']:.0f} s beside {whole.said['seconds']:.0f} s",
        ),
        Figure(
            f"taken_over{at}",
            f"Files taken over from the edition before, after {on}",
            100 * files["same"] / files["all"],
            "%",
            "higher",
            None,
            0.2,
            f"{files['same']:,} of {files['all']:,} files; downloads, packs and pages {written[0]:.1f} s beside "
            f"{written[1]:.1f} s",
        ),
    ]


def _step(log: str, what: str) -> float:
    """Return the seconds of the step of a build, as the build itself tells them."""
    return sum(float(found["seconds"]) for found in STEP.finditer(log) if found["what"].startswith(what))


def _scales(folder: Path, scales: Sequence[int], env: dict[str, str]) -> list[Scale]:
    return [_scale(folder, times, judged, env) for times, _, judged in landed_multiples(scales, env)]


def landed_multiples(scales: Sequence[int], env: dict[str, str]) -> Iterator[tuple[int, int, float]]:
    """Land the sample, then its multiples in turn; yields, of those asked for, rows and the arrival gate's seconds.

    The sample itself says how many rows its multiples have, so it is always landed first.
    """
    landed = process.child("pipeline.bench.builder", "sample", env=env).said
    sample, rows, judged = int(landed["rows"]), int(landed["rows"]), float(landed["gate"])
    for times in sorted({1, *scales}):
        if times * sample > rows:
            more = process.child("pipeline.bench.builder", "land", str(times * sample - rows), env=env)
            say(f"  {more.said['rows']:,} synthetic rows landed in {more.seconds:.1f} s")
            rows += int(more.said["rows"])
            judged += float(more.said["gate"])
        if times in scales:
            yield times, rows, judged


def _scale(folder: Path, times: int, judged: float, env: dict[str, str]) -> Scale:
    built = process.child("pipeline.bench.builder", "build", env=env)
    alone = process.child("pipeline.bench.builder", "models", env=env)
    say(f"  {times} ×: build {built.said['seconds']:.1f} s, {built.peak_mb:,.0f} MB; dbt {alone.said['seconds']:.1f} s")
    database, stop = folder / "home" / "current" / "perinatal.duckdb", folder / "stop"
    stop.touch()
    asked = process.child("pipeline.bench.asking", database.resolve(), stop, str(ASKED if times == AT else 0))
    quiet = asked.said | {"peak_mb": asked.peak_mb}
    busy = _while_building(database.resolve(), stop, env) if times == AT else None
    rows = int(built.said["rows"])
    more = _next_release(times, rows, env) if times in MONTH_AFTER else []
    return Scale(times, rows, judged, built, alone, quiet, busy, more)


def _while_building(database: Path, stop: Path, env: dict[str, str]) -> dict[str, Any]:
    """Ask while a build runs, from its start to its end; the edition asked is kept meanwhile."""
    stop.unlink()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(process.child, "pipeline.bench.asking", database, stop, str(ASKED))
        process.child("pipeline.bench.builder", "build", env=env | {"PERINATAL_KEEP_EDITIONS": "2"})
        stop.touch()
        return asked.result().said


def _figures(scale: Scale) -> list[Figure]:
    """Return the figures of one multiple; with targets where they are set."""
    at, times, is_target = f"_{scale.times}x", f"{scale.times} × the sample", scale.times == AT
    build = scale.seconds
    slowest = max(scale.quiet["p95_of"].items(), key=lambda item: item[1])
    found = [
        Figure(
            f"build{at}_beside_dbt",
            f"Build of {times}, all steps, beside `dbt build` alone",
            build / float(scale.dbt.said["seconds"]),
            "×",
            "lower",
            None,
            0.3,
            f"{scale.rows:,} rows; dbt's most memory {scale.dbt.peak_mb:,.0f} MB",
        ),
        Figure(f"build{at}_memory", f"Build of {times}: most memory", scale.built.peak_mb, "MB", "lower", None, 0.3),
        Figure(
            f"gates{at}",
            f"Both gates, of all that is landed and of the candidate: share of judging and building {times}",
            100 * (scale.arrival + scale.step("Gate")) / (scale.arrival + build),
            "%",
            "lower",
            25 if is_target else None,
            0.4,
            f"release gate with its Data Docs {100 * scale.step('Gate') / build:.0f}%",
        ),
    ]
    for id_, what in (("packs", "Downloads and packs"), ("pages", "Pages")):
        seconds = scale.step(what)
        note = f"{1000 * seconds / LMSS:,.0f} ms for each of {LMSS} LMSs"
        found.append(
            Figure(f"{id_}{at}", f"{what}: share of that build", 100 * seconds / build, "%", "lower", None, 0.4, note)
        )
    note = (
        f"p50 of all {scale.quiet['p50']:.1f} ms, p95 {scale.quiet['p95']:.1f} ms; slowest {slowest[0]}; "
        f"most memory {scale.quiet['peak_mb']:,.0f} MB"
    )
    found.append(
        Figure(
            f"queries{at}",
            f"Slowest of the example queries at {times}, p95",
            slowest[1],
            "ms",
            "lower",
            100 if is_target else None,
            None,
            note,
        )
    )
    if scale.busy:
        found.append(
            Figure(
                f"queries{at}_busy",
                "Example queries while a build runs, p95 beside the same without",
                scale.busy["p95"] / scale.quiet["p95"],
                "×",
                "lower",
                1.2 if is_target else None,
                0.5,
                f"p50 {scale.busy['p50'] / scale.quiet['p50']:.2f} ×; {scale.busy['seconds']:.0f} s beside "
                f"{scale.quiet['seconds']:.0f} s",
            )
        )
    return found + scale.next_release


def _growth(small: Scale, large: Scale) -> Figure:
    """Return how much longer the larger build takes for each time that it has more rows: 1 is linear."""
    more = large.rows / small.rows
    return Figure(
        f"growth_{large.times}x",
        f"Growth of build time from {small.times} × to {large.times} ×, over the growth of the rows (1 is linear)",
        large.seconds / small.seconds / more,
        "×",
        "lower",
        1.0,
        0.3,
        f"{large.seconds / small.seconds:.1f} × the time for {more:.1f} × the rows",
    )


def _plain(scale: Scale) -> dict[str, Any]:
    steps = {found["what"]: float(found["seconds"]) for found in STEP.finditer(scale.built.log)}
    return {
        "rows": scale.rows,
        "build_seconds": scale.seconds,
        "arrival_gate_seconds": scale.arrival,
        "steps": steps,
        "build_peak_mb": scale.built.peak_mb,
        "dbt_seconds": scale.dbt.said["seconds"],
        "dbt_peak_mb": scale.dbt.peak_mb,
        "queries": scale.quiet,
        "queries_while_building": scale.busy,
    }
