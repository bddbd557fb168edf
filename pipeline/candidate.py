"""An edition in the making: its folder below `build/`, and `candidate.json` in it, which says how far it has come.

Each step of the assembly runs in a process of its own under Airflow, and finds here what the steps before it have
made. `candidate.json` is written anew, whole, at the end of each step: a step that was killed counts as not begun.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass as typed

from ingest.archive.manifest import LandedReleases, Manifest
from perinatal.durable import write_atomically
from perinatal.errors import PerinatalError
from perinatal.home import Home
from perinatal.records import read_json
from publish import edition
from publish.edition import Editions

RECORD = "candidate.json"


class Lost(Exception):
    """The candidate that a step should go on with is not there any more, or no longer what would be built now."""


@typed(frozen=True, config=ConfigDict(extra="forbid"))
class Progress:
    """What `candidate.json` says.

    `parts` is the fingerprint that the candidate is made from, `standing` the edition that was current when it was
    begun, `is_comparable` whether the candidate is compared with it (sample and real editions never are), `makes_anew`
    whether every file is made, also those that could be taken over from it. `seconds` of each step that is done, in
    order. `changed_rows` are those that differ from the edition before. `facts` are what the edition will say of
    itself: known once the gate has let it through. `stopped` is why a step has failed.
    """

    releases: list[str]
    parts: dict[str, str]
    standing: str | None
    is_comparable: bool
    signed_by: str | None
    makes_anew: bool = False
    seconds: dict[str, float] = field(default_factory=dict)
    changed_rows: int = 0
    facts: dict[str, Any] = field(default_factory=dict)
    stopped: str | None = None


@dataclass(frozen=True)
class Candidate:
    """A candidate with its folder, its landed releases and how far it has come."""

    folder: Path
    releases: list[Manifest]
    progress: Progress
    editions: Editions

    @property
    def database(self) -> Path:
        """Return what ships."""
        return self.folder / edition.DATABASE

    @property
    def work(self) -> Path:
        """Return the working file, with what disclosure and audience keep out of the edition."""
        return self.folder / "work.duckdb"

    @property
    def landed_again(self) -> dict[str, str]:
        """Return when releases came again that had been replaced, by their keys: a key alone does not tell."""
        return {item.release_key: item.fetched_at for item in self.releases if item.is_again}

    @property
    def before(self) -> Path | None:
        """Return the edition that it is compared with, if there is one."""
        progress = self.progress
        return self.editions.folder / progress.standing if progress.standing and progress.is_comparable else None

    @property
    def edition_id(self) -> str | None:
        """Return the name of the edition that it will be; known once the gate has let it through."""
        return self.progress.facts.get("edition_id")

    @property
    def done(self) -> list[str]:
        """Return the steps that are done, in their order."""
        return list(self.progress.seconds)

    def now(self, **changes: Any) -> Candidate:
        """Return it with other progress, and write that down."""
        after = replace(self, progress=replace(self.progress, **changes))
        write_atomically(self.folder / RECORD, json.dumps(asdict(after.progress), ensure_ascii=False, indent=1) + "\n")
        return after

    def before_step(self, step: str) -> Candidate:
        """Return it as if `step`, and what follows it, had never been done."""
        kept = self.done[: self.done.index(step)] if step in self.done else self.done
        return replace(self, progress=replace(self.progress, seconds={n: self.progress.seconds[n] for n in kept}))


def begin(
    home: Home,
    releases: list[Manifest],
    parts: dict[str, str],
    *,
    is_comparable: bool,
    signed_by: str | None,
    makes_anew: bool = False,
) -> Candidate:
    """Make the folder of a new candidate."""
    folder = home.build / f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}"
    folder.mkdir(parents=True, mode=0o700)
    editions = Editions.of(home)
    standing = editions.current()
    progress = Progress(
        releases=[_name(item) for item in releases],
        parts=parts,
        standing=standing.name if standing else None,
        is_comparable=is_comparable,
        signed_by=signed_by,
        makes_anew=makes_anew,
    )
    return Candidate(folder, releases, progress, editions).now()


def find(home: Home) -> Candidate:
    """Return the candidate that stands in `build/`. Raises Lost where none can be gone on with."""
    records = sorted(home.build.glob(f"*/{RECORD}"))
    if not records:
        raise Lost("no candidate is there: another build may have published or removed it")
    try:
        progress = read_json(records[-1], Progress)
    except PerinatalError as error:  # of another version of this program
        raise Lost(f"what it says of itself cannot be read ({error})") from None
    editions = Editions.of(home)
    current = editions.current()
    if (current.name if current else None) != progress.standing:
        raise Lost("another edition has been published since it was begun")
    found = Candidate(records[-1].parent, _landed(home, progress.releases), progress, editions)
    if found.done and not found.database.exists():
        raise Lost("its database is gone: it was being published")
    return found


def _landed(home: Home, names: Iterable[str]) -> list[Manifest]:
    found = {_name(item): item for item in LandedReleases(home.landed).all()}
    gone = [name for name in names if name not in found]
    if gone:
        raise Lost(f"{gone[0]}, from which it is made, is not landed any more")
    return [found[name] for name in names]


def _name(item: Manifest) -> str:
    return f"{item.release_key}#r{item.revision}"
