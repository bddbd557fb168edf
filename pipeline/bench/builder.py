"""What a build is measured by, each in a process of its own: `python -m pipeline.bench.builder WHAT …`.

`sample`: lands the sample. `land ROWS`: makes releases of so many rows, and lands each. `month ROWS NUMBER`: the same
with one month, so many after the sample's last. `months FIRST LAST`: the same with the months of these numbers, each as
large as the publisher's. `build`: builds and publishes, imports apart, and makes every file.
`next`: the same, but takes files over. `models`: the models of the same landed releases on the engine that the settings
name, and nothing else.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.bench.scaled import Made


def sample() -> dict[str, float]:
    """Land the bundled sample; says its rows and the seconds of the arrival gate."""
    from perinatal import home
    from pipeline import arrivals, steps
    from pipeline.bench import judging

    with judging.timed() as spent:
        arrivals.drop_samples(home.get(), ())
        steps.land_inbox(home.get())
        steps.fetch(home.get(), "sample")
    return {"rows": _rows(), "gate": sum(spent)}


def _rows() -> int:
    """Return the rows of everything landed that is in use."""
    from ingest.archive import manifest
    from perinatal import home

    return sum(item.rows_in for item in manifest.LandedReleases(home.get().landed).in_use())


def land(rows: int) -> dict[str, float]:
    """Make synthetic releases and land each; says rows and the gate's seconds."""
    from pipeline.bench import scaled

    return _landed(lambda folder: scaled.releases(folder, rows))


def month(rows: int, number: int) -> dict[str, float]:
    """Make a synthetic month after those of the sample and land it; says rows and the gate's seconds."""
    from pipeline.bench import scaled

    return _landed(lambda folder: [scaled.later_month(folder, rows, number)])


def months(first: int, last: int) -> dict[str, float]:
    """Make synthetic months as large as the publisher's and land each; says rows and the gate's seconds."""
    from pipeline.bench import ten_years

    return _landed(lambda folder: ten_years.months(folder, first, last))


def _landed(make: Callable[[Path], Iterable[Made]]) -> dict[str, float]:
    """Land what is made, keeping no file beside the archive."""
    from ingest import registry
    from ingest.land import landing
    from ingest.land.arriving_file import Arrival
    from ingest.stores import Stores
    from perinatal import home
    from pipeline.bench import judging

    where, landed = home.get(), 0
    where.cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=where.cache) as folder, judging.timed() as spent:
        for made in make(Path(folder)):
            arrival = Arrival(registry.source(made.source_id), made.path.name, is_synthetic=True)
            landed += landing.land(Stores.of(where), made.path, arrival).manifest.rows_in
            made.path.unlink()
    return {"rows": landed, "gate": sum(spent)}


def build(*, force: bool = True) -> dict[str, Any]:
    """Build everything landed; says the seconds, with the imports of Great Expectations before them.

    `force` makes every file. `files` says how many files the edition has, and how many read as in the one before.
    """
    from expectations import native
    from perinatal import home
    from pipeline import steps
    from publish import edition

    native.library()
    start = monotonic()
    published = steps.build(home.get(), force=force).edition
    return {
        "seconds": monotonic() - start,
        "files": edition.info(published)["files"] if published else None,
        "rows": _rows(),
    }


def models() -> dict[str, float]:
    """Make the models alone; says the seconds."""
    from ingest.archive import build_inputs
    from ingest.archive.manifest import LandedReleases
    from perinatal import home
    from warehouse import builder

    where = home.get()
    landed = LandedReleases(where.landed)
    where.build.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=where.build) as folder:
        start = monotonic()
        builder.build(
            Path(folder),
            where.cache / "dbt",
            build_inputs.layouts(),
            build_inputs.releases(landed, landed.in_use()),
        )
        return {"seconds": monotonic() - start}


def main() -> None:
    """Do what is asked and say how it went."""
    what, *arguments = sys.argv[1:]
    calls: dict[str, Callable[..., dict[str, Any]]] = {
        "sample": sample,
        "land": land,
        "month": month,
        "months": months,
        "build": build,
        "next": partial(build, force=False),
        "models": models,
    }
    print(json.dumps(calls[what](*map(int, arguments))))


if __name__ == "__main__":
    main()
