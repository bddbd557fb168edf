"""`perinatal bench`: measure, in one run on one machine, and say it in ratios."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from perinatal.console import say, show, step

if TYPE_CHECKING:
    from pipeline.bench.figures import Figure


class What(StrEnum):
    """What can be measured."""

    START = "start"
    LANDING = "landing"
    BUILD = "build"
    LATENCY = "latency"
    ENGINES = "engines"
    DECADE = "decade"


QUICK = (What.START, What.LANDING, What.BUILD)
USUAL = (*QUICK, What.LATENCY)  # engines need Java and hours, a decade of large months most of an hour


def bench(
    sizes: Annotated[str, typer.Option(help="Sizes of the landed files, in GB.")] = "0.1,1,2",
    scale: Annotated[str, typer.Option(help="Multiples of the sample that are built, from 1 up.")] = "1,10,100",
    rounds: Annotated[int, typer.Option(min=1, help="How often each landing is repeated.")] = 3,
    only: Annotated[list[What] | None, typer.Option(help="Only this; may be repeated.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Only 0.1 GB and the sample itself, and no Airflow.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Exit 1 if a ratio is worse than docs/bench.json says.")
    ] = False,
    write: Annotated[
        bool,
        typer.Option("--write", help="Write it into docs/bench.json and docs/scale.md; the rest stays."),
    ] = False,
) -> None:
    """Measure landing, builds, queries and the command line beside others, on SYNTHETIC files; a table of ratios."""
    from perinatal import home
    from pipeline.bench import figures as found

    known = found.known() if check else {}
    asked = (_numbers("sizes", sizes), [int(times) for times in _numbers("scale", scale)])
    asked, usual = (([0.1], [1]), QUICK) if quick else (asked, USUAL)
    about = found.machine()
    cache = home.get().cache
    cache.mkdir(parents=True, exist_ok=True)
    figures: list[Figure] = []
    runs: dict[str, Any] = {}
    try:
        with tempfile.TemporaryDirectory(prefix="bench-", dir=cache) as folder:
            for more, their_runs in _measure(Path(folder), only or usual, *asked, rounds):
                figures += more
                runs |= their_runs
    finally:  # a part that fails, hours later, does not take the figures of those before it along
        whole = found.document(about, figures, runs)
        if write and figures:
            found.write(whole)
    show(whole, as_json, lambda _: print(found.markdown(whole)))
    worse = found.regressions(figures, known)
    for line in worse:
        print(f"perinatal: slower: {line}", file=sys.stderr)
    if worse:
        raise SystemExit(1)


def _numbers(name: str, text: str) -> list[float]:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        raise typer.BadParameter(f"--{name} {text!r}: expected numbers with commas between them") from None
    if min(numbers) <= 0:
        raise typer.BadParameter(f"--{name} {text!r}: expected numbers above 0")
    return numbers


def _measure(
    folder: Path, what: Sequence[What], sizes: list[float], scales: list[int], rounds: int
) -> Iterator[tuple[list[Figure], dict[str, Any]]]:
    """Yield the figures and the runs of each part that is measured."""
    from pipeline.bench import building, decade, engines, landing, latency, starting

    calls: dict[What, Callable[[], tuple[list[Figure], dict[str, Any]]]] = {
        What.START: starting.measure,
        What.LANDING: lambda: landing.measure(folder, sizes, rounds),
        What.BUILD: lambda: building.measure(folder, scales),
        What.LATENCY: latency.measure,
        What.ENGINES: lambda: engines.measure(folder, scales),
        What.DECADE: lambda: decade.measure(folder),
    }
    for name in what:
        say(f"Measuring: {name}")
        with step(f"Measured: {name}"):
            measured = calls[name]()
        yield measured
