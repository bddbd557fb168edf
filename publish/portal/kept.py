"""How many files of an edition read as they did in the edition before, by kind: those that a build can take over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import PurePath

from perinatal.made_files import MadeFile, Since
from publish.portal.model import Record

PACKS, BRIEFINGS, TABLES = "Packs of local maternity systems", "Briefings", "Whole tables"
PAGES, BESIDE, PROGRAMS, REST = "Pages", "Tables beside the pages", "JSON for programs", "What pages are made with"
KINDS = (PAGES, BESIDE, PROGRAMS, REST, PACKS, BRIEFINGS, TABLES)
OF_DOWNLOADS = {"lms": PACKS, "brief": BRIEFINGS}
OF_PORTAL = {"html": PAGES, "csv": BESIDE, "json": PROGRAMS}


def counts(now: Since, downloads: Mapping[str, MadeFile], portal: Mapping[str, MadeFile]) -> list[Record]:
    """Return for each kind how many files there are, and how many read as they did before the edition `now`."""
    every, same = Counter[str](), Counter[str]()
    for name, one in downloads.items():
        _count(OF_DOWNLOADS.get(PurePath(name).parts[0], TABLES), one, now, every, same)
    for name, one in portal.items():
        _count(OF_PORTAL.get(PurePath(name).suffix[1:], REST), one, now, every, same)
    return [{"kind": kind, "files": every[kind], "same": same[kind]} for kind in KINDS if every[kind]]


def _count(kind: str, one: MadeFile, now: Since, every: Counter[str], same: Counter[str]) -> None:
    every[kind] += 1
    same[kind] += one.since != now
