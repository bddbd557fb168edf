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
from ingest.land import decode
from ingest.land.arriving_file import Acceptance, Arrival
from ingest.land.content_hash import content_of, is_sha256
from ingest.land.identify import said_by_the_name
from ingest.land.originals import set_readers
from ingest.land.refusal import nothing_quoted, refuse, refuse_for, scope_of
from ingest.land.typed_table import ONE_AT_A_TIME, typed_rows
from ingest.land.unreadable import Unreadable
from ingest.registry import Identity
from ingest.stores import Stores
from perinatal.dropped_files import Unusable, check_incoming
from perinatal.printable import printable
from perinatal.scratch import scratch_folder

LARGE = 64 << 20  # bytes; decoding a larger file takes seconds


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
    known = _known_bytes(stores, archived.sha256, arrival_)
    # a person may rename a file; what a publisher serves anew under a later date has just not changed
    by_hand = arrival_.url is None
    if known and by_hand and (other := said_by_the_name(arrival_, known.manifest)):
        what = f"the name says {other}, but these very bytes are landed as {known.manifest.title}"
        raise refuse(stores, archived, arrival_, "bytes_of_another_release", f"{what}; a file may have been renamed")
    if known:
        _update_alerts(stores, arrival_, known.manifest)
        return known
    with (
        nothing_quoted(arrival_),
        scratch_folder(stores.landed.root, ".landing-") as work,
        ONE_AT_A_TIME,
        at_hand(archived.bytes > LARGE),
    ):
        return _land(stores, archived, arrival_, work)


def _known_bytes(stores: Stores, sha256: str, arrival_: Arrival) -> Outcome | None:
    """Return "unchanged" where these very bytes are landed for this source (and asked-for dataset) already."""
    for manifest in stores.landed.all(arrival_.source.id):
        if manifest.sha256 != sha256:
            continue
        said = (arrival_.dataset, arrival_.release, arrival_.sheet and arrival_.sheet.casefold())
        landed = (manifest.dataset, manifest.release, (manifest.sheet or "").casefold())
        if all(word in (None, known) for word, known in zip(said, landed, strict=True)):
            return _unchanged(stores, manifest, "the same bytes")
    return None


def _unchanged(stores: Stores, manifest: manifests.Manifest, what: str) -> Outcome:
    newest = stores.landed.revisions(manifest.source_id, manifest.dataset, manifest.release)[-1]
    superseded = (
        f"; note that revision {newest.revision} has replaced it since" if newest.revision != manifest.revision else ""
    )
    return Outcome("unchanged", manifest, f"unchanged: {what} as {manifest.title}{superseded}")


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
        fetched_at=datetime.now(UTC).isoformat(timespec="seconds"),
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
        for earlier in revisions:
            # a final release that confirms a provisional one is news all the same
            if manifest.status in ("provisional", earlier.status) and _same_content(stores, earlier, manifest):
                _update_alerts(stores, arrival_, earlier)
                return _unchanged(stores, earlier, "the same content in other bytes")
        results = arrival.judge(_for_the_gate(stores, arrival_, identity, decoded, work / manifests.ROWS, revisions))
        if arrival_.accepted:
            results = [_accepted(result, arrival_.accepted) for result in results]
        blocked = [result for result in results if result.blocks]
        if blocked:
            raise refuse_for(stores, archived, arrival_, identity, [result.as_reason() for result in blocked])
        number = stores.landed.next_number(manifest.source_id, manifest.dataset, manifest.release)
        manifest = replace(manifest, revision=number, checks=[result.to_dict() for result in results])
        stores.landed.commit(manifest, work)
    set_readers(stores.archive, arrival_.source, manifest)
    _update_alerts(stores, arrival_, manifest)
    stores.quarantine.remove(manifest.source_id, manifest.sha256)
    warned = sum(result.is_told for result in results)
    what: Literal["landed", "revised"] = "revised" if revisions else "landed"
    notes = [*decoded.notes, *([f"{warned} warning(s)"] if warned else [])]
    said = ", ".join([f"{what}: {manifest.title}", f"{manifest.rows_in:,} rows{_from(arrival_, manifest)}", *notes])
    return Outcome(what, manifest, said)


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
    own = [item for item in revisions if not stores.landed.is_withdrawn(item)]
    if own:
        return own[-1]
    others = [
        item
        for item in stores.landed.all(source_id, identity.dataset)
        if item.is_synthetic == is_synthetic
        and item.release != identity.release
        and not stores.landed.is_withdrawn(item)
    ]
    before = [item for item in others if item.release < identity.release]
    if before:
        return max(before, key=lambda item: (item.release, item.revision))
    return min(others, key=lambda item: (item.release, -item.revision), default=None)


def _same_content(stores: Stores, earlier: manifests.Manifest, new: manifests.Manifest) -> bool:
    """Compare content hashes; one made in another way is made anew from the landed rows."""
    known = earlier.content_sha256
    if not is_sha256(known):
        _, known = content_of(stores.landed.rows_of(earlier))
    return known == new.content_sha256


def _accepted(result: Result, acceptance: Acceptance) -> Result:
    """Return a breach that a person has accepted as a warning that says so."""
    if not result.blocks:
        return result
    message = f"{result.message}; accepted by {acceptance.who}: {acceptance.why}"
    return replace(result, severity="warn", message=message)


def _update_alerts(stores: Stores, arrival_: Arrival, manifest: manifests.Manifest) -> None:
    """Bring the alerts of a release to what its newest revision was found to be; those of the file's name are over."""
    newest = stores.landed.revisions(manifest.source_id, manifest.dataset, manifest.release)[-1]
    results = [Result.read(check) for check in newest.checks]
    scope = scope_of(newest.source_id, arrival_.name, newest.dataset, newest.release)
    stores.alerts.reconcile(scope, [result.as_breach() for result in results if result.is_told])
    # a file of this name may have been refused before it could be recognised
    stores.alerts.reconcile(scope_of(newest.source_id, arrival_.name), [])
