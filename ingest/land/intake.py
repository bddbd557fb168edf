"""Taking archived bytes in: one table lands as it is, a zip with several tables lands table by table.

Downloads, the inbox and releases from quarantine all come through here. A refusal is a result like any other, so that
one bad file never stops the rest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Final, Literal

from expectations import alerts
from ingest.archive import store as archive
from ingest.land import landing, sniff, zips
from ingest.land.arriving_file import Arrival
from ingest.land.refusal import refuse, scope_of, scope_of_report
from ingest.stores import Stores
from perinatal import dropped_files
from perinatal.errors import RefusedAtArrival
from perinatal.printable import printable
from perinatal.scratch import scratch_folder

NESTED: Final = frozenset({sniff.Kind.ZIP, sniff.Kind.GZIP, sniff.Kind.ARCHIVE})


@dataclass(frozen=True)
class Taken:
    """What became of one table: landed, revised, unchanged or refused (then it is in quarantine).

    `message` may be logged; `quoting` says more of a refused one to whoever holds the file. `kept_as` is the hash under
    which its content is landed (other bytes may have held it before) or quarantined.
    `alerted` has the scopes of the alerts that are open for a refused one.
    """

    what: Literal["landed", "revised", "unchanged", "refused"]
    name: str
    sha256: str
    message: str
    release_key: str | None = None
    kept_as: str = ""
    quoting: str = ""
    alerted: tuple[str, ...] = ()

    @property
    def in_full(self) -> str:
        """Return what the person who landed the file is told."""
        return self.quoting or self.message


def take_file(stores: Stores, file: Path, arrival: Arrival) -> list[Taken]:
    """Archive a file that a person names, and land what it holds. Raises Unusable for links and devices."""
    dropped_files.check_incoming(file, file.parent)
    return take(stores, stores.archive.put(file), arrival)


def take(stores: Stores, archived: archive.Archived, arrival: Arrival) -> list[Taken]:
    """Land what one archived file holds; one result a table."""
    names = _several_files(archived.path)
    if archived.sha256 in stores.synthetic.known():
        arrival = replace(arrival, is_synthetic=True)
    try:
        members = [_member(stores, archived, arrival, name) for name in names]
    except dropped_files.Unusable as error:
        return [put_in_quarantine(stores, archived, arrival, error.reason, str(error))]
    tables = [member for member in members if member is not None]
    if not tables:
        return [_take_one(stores, archived, arrival)]
    if arrival.dataset and len(tables) > 1:
        what = f"the dataset {arrival.dataset} was given, but the zip holds {len(tables)} tables; unpack it"
        return [put_in_quarantine(stores, archived, arrival, "several_tables", what)]
    taken = [_take_member(stores, *table) for table in tables]
    _warn_of_doubles(stores, arrival, taken)
    left = [printable(name) for name, member in zip(names, members, strict=True) if member is None]
    if left:
        note = f"no tables, left in {arrival.name}, which is archived: {', '.join(left)}"
        taken[-1] = replace(taken[-1], message=f"{taken[-1].message} ({note})")
    return taken


def _take_one(stores: Stores, archived: archive.Archived, arrival: Arrival) -> Taken:
    try:
        outcome = landing.land_archived(stores, archived, arrival)
    except RefusedAtArrival as error:
        return _refused(archived, arrival, error)
    manifest = outcome.manifest
    return Taken(
        outcome.what, arrival.name, archived.sha256, outcome.message, manifest.release_key, kept_as=manifest.sha256
    )


def put_in_quarantine(stores: Stores, archived: archive.Archived, arrival: Arrival, rule: str, message: str) -> Taken:
    """Put archived bytes that may not be landed into quarantine."""
    return _refused(archived, arrival, refuse(stores, archived, arrival, rule, message))


def _refused(archived: archive.Archived, arrival: Arrival, error: RefusedAtArrival) -> Taken:
    sha256 = archived.sha256
    said, in_full = str(error), error.in_full
    return Taken("refused", arrival.name, sha256, said, kept_as=sha256, quoting=in_full, alerted=error.alerted)


def _several_files(path: Path) -> list[str]:
    """Return the names in a zip of several files.

    Nothing for what is no zip, for one with a single file (landing opens it) and for one that may not be opened
    (landing refuses it with the reason).
    """
    if sniff.sniff(path) is not sniff.Kind.ZIP:
        return []
    try:
        names = zips.members(path)
    except dropped_files.Unusable:
        return []
    return names if len(names) > 1 else []


def _member(
    stores: Stores, zipped: archive.Archived, arrival: Arrival, name: str
) -> tuple[archive.Archived, Arrival, bool] | None:
    """Archive one member of a zip for landing; None for what is no table (a readme, a picture).

    With it comes whether it is an archive itself: that is refused aloud, so that what it holds is not left unseen.
    """
    own = replace(arrival, name=PurePosixPath(name).name, container=zipped.sha256)
    with scratch_folder(stores.archive.root, ".member-") as folder:
        copy = folder / own.name
        zips.extract(zipped.path, name, copy)
        kind = sniff.sniff(copy)
        is_named_so = name.lower().endswith((*arrival.source.suffixes, ".csv", ".tsv"))
        wanted = kind in sniff.SPREADSHEETS | NESTED or (kind is not sniff.Kind.BINARY and is_named_so)
        return (stores.archive.put(copy), own, kind in NESTED) if wanted else None


def _take_member(stores: Stores, member: archive.Archived, own: Arrival, is_nested: bool) -> Taken:
    if is_nested:
        what = "an archive inside a zip is not opened; unpack it and drop the files that are wanted"
        return put_in_quarantine(stores, member, own, "nested_archive", what)
    return _take_one(stores, member, own)


def _warn_of_doubles(stores: Stores, arrival: Arrival, taken: list[Taken]) -> None:
    """Open an alert where two tables of one zip claim to be the same release: the later has replaced the earlier."""
    releases = [table.release_key.rpartition("/")[0] for table in taken if table.release_key]
    doubled = sorted({release for release in releases if releases.count(release) > 1})
    breaches = [
        alerts.Breach(
            rule="one_table_a_release",
            severity="warn",
            message=f"{arrival.name}: several tables claim to be {', '.join(doubled)}; only the last one counts",
            count=len(doubled),
            remedy="Unpack the zip and say with a .yml beside each file what it is.",
        )
    ]
    stores.alerts.reconcile(scope_of(arrival.source.id, arrival.name), breaches if doubled else [])


def waiting(stores: Stores) -> frozenset[str]:
    """Return the hashes of what is in quarantine, of zips too that hold such a file."""
    pairs = ((report.sha256, report.container) for _, report in stores.quarantine.reports())
    return frozenset(sha256 for pair in pairs for sha256 in pair if sha256)


def alerted(stores: Stores, sha256: str) -> set[str]:
    """Return the scopes of the alerts that were opened when these bytes, or what they hold, went into quarantine."""
    reports = (report for _, report in stores.quarantine.reports())
    return {str(scope_of_report(report)) for report in reports if sha256 in (report.sha256, report.container)}


def accounted(stores: Stores) -> frozenset[str]:
    """Return the hashes of all bytes whose whereabouts are known: landed, in quarantine, or decided on."""
    landed = ((item.sha256, item.container) for item in stores.landed.history())
    return stores.audit.decided() | waiting(stores) | {sha256 for pair in landed for sha256 in pair if sha256}
