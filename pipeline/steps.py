"""The steps of the pipeline: one list, called by the command line and by Airflow alike.

Nothing is handed from step to step but what lies under `PERINATAL_HOME`: every step looks there, so a missed, doubled
or repeated call is harmless. Each step imports what it needs when it runs: DAG files and `--help` start at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ingest.land.arriving_file import Arrival
    from perinatal.home import Home
    from pipeline.arrivals import Arrivals
    from pipeline.assembly import Built
    from pipeline.outcome import Outcome
    from pipeline.upkeep import Notified


def probe(home: Home, mode: str, source_id: str) -> Outcome:
    """Ask one publisher whether there is anything new, and land nothing."""
    from pipeline import arrivals

    return arrivals.probe(home, mode, source_id)


def fetch(home: Home, mode: str, source_ids: Sequence[str] = ()) -> Arrivals:
    """Download what is new from these publishers (all, if none is named), judge it and land what passes."""
    from pipeline import arrivals

    return arrivals.fetch(home, mode, source_ids)


def land_inbox(home: Home, source_ids: Sequence[str] = ()) -> Arrivals:
    """Land every file in the inbox that has stopped growing."""
    from pipeline import arrivals

    return arrivals.land_inbox(home, source_ids)


def land_files(home: Home, files: Sequence[tuple[Path, Arrival]]) -> Arrivals:
    """Land files that a person names."""
    from pipeline import arrivals

    return arrivals.land_files(home, files)


def build(home: Home, *, force: bool = False, signed_by: str | None = None) -> Built:
    """Do every step of the assembly, from models to publish, in one go; nothing new, nothing done."""
    from pipeline import assembly

    return assembly.build(home, force=force, signed_by=signed_by)


def models(home: Home) -> Built:
    """Begin a candidate of what is landed, and build its models with dbt; nothing new, nothing begun."""
    from pipeline import assembly

    return assembly.advance(home, "models")


def themes(home: Home) -> Built:
    """Code the candidate's findings to themes, and record which rows changed since the last edition."""
    from pipeline import assembly

    return assembly.advance(home, "themes")


def gate(home: Home) -> Built:
    """Judge the candidate by the standards of the release gate: blocked, it goes no further."""
    from pipeline import assembly

    return assembly.advance(home, "gate")


def downloads(home: Home) -> Built:
    """Write the candidate's marts as files, and a pack for each LMS."""
    from pipeline import assembly

    return assembly.advance(home, "downloads")


def pages(home: Home) -> Built:
    """Write the candidate's portal."""
    from pipeline import assembly

    return assembly.advance(home, "pages")


def publish(home: Home) -> Built:
    """Make the candidate the current edition, by one atomic rename."""
    from pipeline import assembly

    return assembly.advance(home, "publish")


def notify(home: Home, *, digest: bool) -> Notified:
    """Send alerts that people have not heard of yet: `block` at once, with the digest all others too."""
    from pipeline import upkeep

    return upkeep.notify(home, digest=digest)


def prune(home: Home) -> Outcome:
    """Remove editions beyond those that the settings keep, logs older than they say, and observations out of use."""
    from pipeline import upkeep

    return upkeep.prune(home)


def verify(home: Home) -> Outcome:
    """Hash the archive again and compare it with the manifests; damage opens an alert."""
    from pipeline import upkeep

    return upkeep.verify(home)


# the assembly of an edition, in order: a task each in Airflow, one after another in `build`
ASSEMBLY: tuple[Callable[[Home], Built], ...] = (models, themes, gate, downloads, pages, publish)
STEPS: tuple[Callable[..., Outcome], ...] = (
    probe,
    fetch,
    land_inbox,
    land_files,
    build,
    *ASSEMBLY,
    notify,
    prune,
    verify,
)
