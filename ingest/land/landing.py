"""Landing: a file goes in, a landed revision or a quarantined file with its reasons comes out.

Order of the steps, so that a kill at any moment loses nothing: archive the bytes → type them into a temporary folder
→ arrival gate → write the manifest → move the folder to its final name in one rename.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from expectations import arrival
from expectations.native import at_hand
from expectations.results import Result
from ingest.archive import manifest as manifests
from ingest.archive import store as archive
from ingest.land import decode, landed_before
from ingest.land.arriving_file import Acceptance, Arrival
from ingest.land.identify import said_by_the_name
from ingest.land.originals import set_readers
from ingest.land.refusal import nothing_quoted, refuse, refuse_for, scope_of
from ingest.land.typed_table import ONE_AT_A_TIME, typed_rows
from ingest.land.unreadable import Unreadable
from ingest.registry import Identity
from ingest.stores import Stores
from perinatal.dropped_files import Unusable, check_incoming
from perinatal.errors import RefusedAtArrival
from perinatal.printable import printable
from perinatal.scratch import scratch_folder

LARGE = 64 << 20  # bytes; decoding a larger file takes seconds
# what a manifest says of how and when its file came in, however often it is read
OF_THE_ARRIVAL = ("original_name", "url", "etag", "published_on", "fetched_at", "container", "is_bundled")


@dataclass(frozen=True)
class Outcome:
    """What became of a file: `landed` (new release), `revised` or `unchanged`."""

    what: Literal["landed", "revised", "unchanged"]
    manifest: manifests.Manifest
    message: str


def land(stores: Stores, file: Path, arrival_: Arrival) -> Outcome:
    """Land one file. Raises RefusedAtArrival when it went to quarantine."""
    check_incoming(file, file.parent)
    return land_archived(stores, stores.archive.put(file), arrival_)


def land_archived(stores: Stores, archived: archive.Archived, arrival_: Arrival) -> Outcome:
    """Land bytes that are in the archive already (a download, or a file released from quarantine).

    Bytes that a sample generator made stay synthetic however they arrive. May be called from several threads.
    """
    if arrival_.is_synthetic:
        stores.synthetic.mark([archived.sha256])
    elif archived.sha256 in stores.synthetic.known():
        arrival_ = replace(arrival_, is_synthetic=True)
    arrival_ = replace(arrival_, sha256=archived.sha256)
    if known := _known_bytes(stores, archived, arrival_):
        return known
    with (
        nothing_quoted(arrival_),
        scratch_folder(stores.landed.root, ".landing-") as work,
        ONE_AT_A_TIME,
        at_hand(archived.bytes > LARGE),
    ):
        return _land(stores, archived, arrival_, work)


def _known_bytes(stores: Stores, archived: archive.Archived, arrival_: Arrival) -> Outcome | None:
    """Return "unchanged" where these very bytes are landed and in use; raise where a person has to decide.

    None leaves it to the content: it is read again. So is what an earlier reader of its source has read.
    """
    for item in landed_before.same_bytes(stores.landed, archived.sha256, arrival_):
        if item.status == "provisional" and item.original_name != arrival_.name:
            continue  # another name may say that they are final now
        other = said_by_the_name(arrival_, item)
        if landed_before.is_counted(stores.landed, item):
            # a person may rename a file; what a publisher serves anew under a later date has just not changed
            if other and arrival_.url is None:
                what = f"the name says {other}, but these very bytes are landed as {item.title}"
                why = f"{what}; a file may have been renamed"
                raise refuse(stores, archived, arrival_, "bytes_of_another_release", why)
            if item.parser_version < arrival_.source.parser_version:
                return None
            return _unchanged(stores, archived, arrival_, item, "the same bytes")
        if other is None and stores.landed.is_withdrawn(item):
            raise _refuse_withdrawn(stores, archived, arrival_, item, "these very bytes")
    return None


def _unchanged(
    stores: Stores, archived: archive.Archived, arrival_: Arrival, item: manifests.Manifest, what: str
) -> Outcome:
    """Say that a file is landed already, and what stands before it: a final release before a provisional one."""
    _update_alerts(stores, arrival_, item)
    stores.quarantine.remove(item.source_id, archived.sha256)
    before = landed_before.in_its_way(stores.landed, item)
    note = f"; in use is {before.title}, which is {before.status}" if before else ""
    return Outcome("unchanged", item, f"unchanged: {what} as {item.title}{note}")


def _refuse_withdrawn(
    stores: Stores, archived: archive.Archived, arrival_: Arrival, item: manifests.Manifest, what: str
) -> RefusedAtArrival:
    undo = f"`perinatal withdraw {item.release_key} --undo --why TEXT` puts it back in use"
    why = f"{what} are landed as {item.title}, which a person has withdrawn; {undo}"
    return refuse(stores, archived, arrival_, "withdrawn_release", why)


def _land(stores: Stores, archived: archive.Archived, arrival_: Arrival, work: Path) -> Outcome:
    rows = work / manifests.ROWS
    try:
        identity, decoded = typed_rows(archived.path, arrival_, work, rows)
    except (Unreadable, Unusable) as error:
        # the reader knows the archived file by its hash, people know it by its own name
        message = str(error).replace(archived.path.name, arrival_.name).removeprefix(f"{arrival_.name}: ")
        reason = {"rule": error.reason, "message": message, "count": 1}
        if isinstance(error, Unreadable):
            reason |= {"line": error.line_of_file, "columns": error.columns}
        raise refuse_for(stores, archived, arrival_, getattr(error, "identity", None), [reason]) from None
    manifest = _manifest(archived, arrival_, identity, decoded, decode.read_header_of(rows))
    return _judge_and_commit(stores, archived, arrival_, identity, decoded, manifest, work)


def _manifest(
    archived: archive.Archived,
    arrival_: Arrival,
    identity: Identity,
    decoded: decode.Decoded,
    header: list[str],
) -> manifests.Manifest:
    source = arrival_.source
    known_dates = source.datasets[identity.contract].published_on
    published_on = identity.published_on or known_dates.get(identity.release)
    return manifests.Manifest(
        source_id=source.id,
        dataset=identity.dataset,
        layout=identity.contract,
        release=identity.release,
        revision=0,
        status=identity.status,
        sha256=archived.sha256,
        content_sha256=decoded.content_sha256,
        bytes=archived.bytes,
        original_name=arrival_.name,
        url=arrival_.url or source.page,
        etag=arrival_.etag,
        published_on=None if arrival_.is_synthetic or published_on is None else str(published_on),
        fetched_at=arrival_.arrived_at or datetime.now(UTC).isoformat(timespec="seconds"),
        publisher=source.publisher,
        licence=source.licence,
        audience=source.audience,
        is_synthetic=arrival_.is_synthetic,
        parser_version=source.parser_version,
        rows_in=decoded.rows + len(decoded.malformed),
        rows_landed=decoded.rows,
        rows_quarantined=len(decoded.malformed),
        header=header,
        container=arrival_.container,
        number_style=decoded.number_style,
        date_order=decoded.date_order,
        sheet=decoded.sheet,
        header_line=decoded.header_line,
        is_bundled=arrival_.is_bundled,
    )


def _judge_and_commit(
    stores: Stores,
    archived: archive.Archived,
    arrival_: Arrival,
    identity: Identity,
    decoded: decode.Decoded,
    manifest: manifests.Manifest,
    work: Path,
) -> Outcome:
    """Compare with what is landed, ask the gate, and give the revision its name; one writer a release."""
    with stores.landed.writing(manifest.source_id, manifest.dataset, manifest.release):
        # sample and real releases of one name are separate histories: only one kind is ever built
        revisions = [
            item
            for item in stores.landed.revisions(manifest.source_id, manifest.dataset, manifest.release)
            if item.is_synthetic == manifest.is_synthetic
        ]
        if earlier := landed_before.read_earlier(stores.landed, manifest, revisions):
            manifest = replace(manifest, **{name: getattr(earlier, name) for name in OF_THE_ARRIVAL})
        again = [] if earlier else landed_before.same_content(stores.landed, manifest, revisions)
        if counted := next((item for item in again if landed_before.is_counted(stores.landed, item)), None):
            same = "bytes" if counted.sha256 == manifest.sha256 else "content in other bytes"
            return _unchanged(stores, archived, arrival_, counted, f"the same {same}")
        _refuse_known(stores, archived, arrival_, manifest, again)
        results = _judged(stores, archived, arrival_, identity, decoded, work / manifests.ROWS, revisions)
        manifest = replace(
            manifest,
            revision=stores.landed.next_number(manifest.source_id, manifest.dataset, manifest.release),
            checks=[result.to_dict() for result in results],
            is_again=earlier.is_again if earlier else any(item.sha256 == manifest.sha256 for item in revisions),
        )
        stores.landed.commit(manifest, work)
    set_readers(stores.archive, arrival_.source, manifest)
    _update_alerts(stores, arrival_, manifest)
    stores.quarantine.remove(manifest.source_id, manifest.sha256)
    warned = sum(result.is_told for result in results)
    what: Literal["landed", "revised"] = "revised" if revisions else "landed"
    notes = [*decoded.notes, *([f"{warned} warning(s)"] if warned else [])]
    notes += [f"the content of revision {item.revision} again" for item in again[-1:]]
    notes += [f"read again by version {manifest.parser_version} of its reader"] if earlier else []
    said = ", ".join([f"{what}: {manifest.title}", f"{manifest.rows_in:,} rows{_from(arrival_, manifest)}", *notes])
    return Outcome(what, manifest, f"{said}{_not_in_use(stores, manifest)}")


def _judged(
    stores: Stores,
    archived: archive.Archived,
    arrival_: Arrival,
    identity: Identity,
    decoded: decode.Decoded,
    rows: Path,
    revisions: list[manifests.Manifest],
) -> list[Result]:
    """Ask the arrival gate; returns its results. Raises RefusedAtArrival unless a person has accepted what blocks."""
    results = arrival.judge(_for_the_gate(stores, arrival_, identity, decoded, rows, revisions))
    if arrival_.accepted:
        results = [_accepted(result, arrival_.accepted) for result in results]
    if blocked := [result.as_reason() for result in results if result.blocks]:
        raise refuse_for(stores, archived, arrival_, identity, blocked)
    return results


def _refuse_known(
    stores: Stores,
    archived: archive.Archived,
    arrival_: Arrival,
    manifest: manifests.Manifest,
    again: list[manifests.Manifest],
) -> None:
    """Raise for content that a person has withdrawn, that is older than what is in use, or is landed as another."""
    if withdrawn := next((item for item in again if stores.landed.is_withdrawn(item)), None):
        raise _refuse_withdrawn(stores, archived, arrival_, withdrawn, "these rows")
    if again and (later := landed_before.later(stores.landed, manifest)):
        what = f"these rows are landed as {again[-1].title}; {_stays(later)}"
        raise refuse(stores, archived, arrival_, "replaced_since", what)
    if other := landed_before.elsewhere(stores.landed, arrival_.source, manifest):
        what = (
            f"this would be {manifest.dataset} {manifest.release}, but its rows are those of {other.title}, "
            f"landed from {printable(other.original_name)}; one of the two files has the wrong name. If it is "
            f"that one: `perinatal withdraw {other.release_key} --why TEXT`, then land this one again"
        )
        raise refuse(stores, archived, arrival_, "content_of_another_release", what)


def _stays(item: manifests.Manifest) -> str:
    """Say which revision stays in use, since when it is known, and how to take it out."""
    since = f"published on {item.published_on}" if item.published_on else f"arrived on {item.fetched_at[:10]}"
    how = f"`perinatal withdraw {item.release_key} --why TEXT` takes that one out of use"
    return f"{item.title}, {since}, is newer and stays in use; {how}"


def _not_in_use(stores: Stores, manifest: manifests.Manifest) -> str:
    """Say what stays in use where that is not the revision that has just been landed; blank where it is."""
    before = landed_before.in_its_way(stores.landed, manifest)
    if before is None:
        return ""
    return f"; {_stays(before)}" if before.status == manifest.status else f"; {before.title} is final and stays in use"


def _from(arrival_: Arrival, manifest: manifests.Manifest) -> str:
    """Say where in the file a table stood, where that is not plain. It is logged, and a sheet may bear a name."""
    if manifest.sheet:
        sheet = "a sheet" if arrival_.source.may_name_persons else f"sheet {printable(manifest.sheet)!r}"
        return f" of {sheet}, header in row {manifest.header_line}"
    return f", header in line {manifest.header_line}" if manifest.header_line > 1 else ""


def _for_the_gate(
    stores: Stores,
    arrival_: Arrival,
    identity: Identity,
    decoded: decode.Decoded,
    rows: Path,
    revisions: list[manifests.Manifest],
) -> arrival.Arrived:
    source = arrival_.source
    earlier = _earlier(stores, source.id, identity, revisions, arrival_.is_synthetic)
    return arrival.Arrived(
        source_id=source.id,
        dataset=identity.dataset,
        release=identity.release,
        layout=identity.contract,
        published_on=identity.published_on,
        columns=source.columns[identity.contract],
        rows=rows,
        row_count=decoded.rows,
        malformed=decoded.malformed,
        new_columns=decoded.new_columns,
        absent_columns=decoded.absent_trailing_columns,
        refuses_malformed=source.malformed_rows == "refuse",
        is_restricted=source.audience == "restricted",
        template=source.datasets[identity.contract].template,
        owner=source.owner,
        marts=source.marts(identity.contract),
        earlier=arrival.Earlier(earlier.release, stores.landed.rows_of(earlier)) if earlier else None,
    )


def _earlier(
    stores: Stores, source_id: str, identity: Identity, revisions: list[manifests.Manifest], is_synthetic: bool
) -> manifests.Manifest | None:
    """Return what to compare with: nothing withdrawn, and real releases are never held against sample ones."""
    if own := stores.landed.first_of(revisions):
        return own
    others = [
        item
        for item in stores.landed.all(source_id, identity.dataset)
        if item.is_synthetic == is_synthetic
        and item.release != identity.release
        and not stores.landed.is_withdrawn(item)
    ]
    before = [item for item in others if item.release < identity.release]
    if before:
        return max(before, key=lambda item: (item.release, item.precedence))
    first = min((item.release for item in others), default=None)
    return stores.landed.first_of(item for item in others if item.release == first)


def _accepted(result: Result, acceptance: Acceptance) -> Result:
    """Return a breach that a person has accepted as a warning that says so."""
    if not result.blocks or not (acceptance.rules is None or result.rule in acceptance.rules):
        return result
    message = f"{result.message}; accepted by {acceptance.who}: {acceptance.why}"
    return replace(result, severity="warn", message=message)


def _update_alerts(stores: Stores, arrival_: Arrival, manifest: manifests.Manifest) -> None:
    """Bring the alerts of a release to what its revision in use was found to be; those of the file's name are over."""
    newest = stores.landed.newest(manifest.source_id, manifest.dataset, manifest.release) or manifest
    results = [Result.read(check) for check in newest.checks]
    scope = scope_of(newest.source_id, arrival_.name, newest.dataset, newest.release)
    stores.alerts.reconcile(scope, [result.as_breach() for result in results if result.is_told])
    # a file of this name may have been refused before it could be recognised
    stores.alerts.reconcile(scope_of(newest.source_id, arrival_.name), [])
