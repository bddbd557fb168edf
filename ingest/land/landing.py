"""Landing: a file goes in, a landed revision or a quarantined file with its reasons comes out.

Order of the steps, so that a kill at any moment loses nothing: archive the bytes → decode into a temporary folder
→ arrival gate → write the manifest → move the folder to its final name in one rename. A large file is decoded while it
is archived already, from the copy; nothing comes of that before the copy is whole and on disk.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from expectations import alerts, arrival, gate
from expectations.checks import Result
from ingest.archive import manifest as manifests
from ingest.archive import quarantine
from ingest.archive import store as archive
from ingest.land import decode, files
from ingest.registry import Identity, Sample, Source
from ingest.stores import Stores
from perinatal import dropped_files, settings
from perinatal.errors import PerinatalError, RefusedAtArrival

LARGE = 64 << 20  # bytes; copying or decoding a larger file takes seconds
HEAD = 8 << 20  # bytes in which the rows that tell what a file is are looked for
# Great Expectations has one context a process, and DuckDB's memory limit is meant for one landing
ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class Acceptance:
    """A person's decision to take a file although it breaches standards."""

    who: str
    why: str


# datasets and releases name folders
FOLDER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")


@dataclass(frozen=True)
class Arrival:
    """What is known of a file beside its bytes. All but the source may be left to recognition.

    `container` is the sha256 of the zip that it came in; `accepted` lets it pass the arrival gate, its breaches kept
    as warnings.
    """

    source: Source
    name: str
    dataset: str | None = None
    release: str | None = None
    url: str | None = None
    etag: str | None = None
    published_on: str | None = None
    is_synthetic: bool = False
    container: str | None = None
    accepted: Acceptance | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of a file: `landed` (new release), `revised` or `unchanged`."""

    what: Literal["landed", "revised", "unchanged"]
    manifest: manifests.Manifest
    message: str


def land(stores: Stores, file: Path, arrival_: Arrival) -> Outcome:
    """Land one file. Raises RefusedAtArrival when it went to quarantine."""
    dropped_files.check_incoming(file, file.parent)
    with archiving(stores, file, arrival_) as (archived, ahead):
        return land_archived(stores, archived, arrival_, ahead)


@contextmanager
def archiving(stores: Stores, file: Path, arrival_: Arrival) -> Iterator[tuple[archive.Archived, decode.Ahead | None]]:
    """Archive a file. A large clean CSV is typed meanwhile, from what of the copy is there: either takes seconds."""
    with stores.archive.incoming(file) as copy:
        if copy.expected <= LARGE:
            yield copy.keep(), None
            return
        with gate.at_hand(wanted=True), _workplace(stores) as work:
            try:
                ahead = _type_ahead(copy, arrival_, work / "ahead")
            except Exception:
                copy.keep()  # whatever else is wrong, the bytes are archived first
                raise
            yield copy.keep(), ahead


def _type_ahead(copy: archive.Incoming, arrival_: Arrival, rows: Path) -> decode.Ahead | None:
    """Type a copy in the making, if its head can be read and is recognised, and if no other landing is on.

    Whatever is wrong with it is told when the whole copy is looked at.
    """
    copy.wait_for(HEAD)
    if not decode.is_plain_csv(copy.path) or not ONE_AT_A_TIME.acquire(blocking=False):
        return None
    try:
        contract, options = identify(copy.path, arrival_).contract, settings.get()
        if _holds_prose(arrival_.source, contract):
            return None
        return decode.read_ahead(copy, arrival_.source, contract, rows, options.landing_memory_limit, options.threads)
    except decode.Unreadable:
        return None
    finally:
        ONE_AT_A_TIME.release()


def land_archived(
    stores: Stores, archived: archive.Archived, arrival_: Arrival, ahead: decode.Ahead | None = None
) -> Outcome:
    """Land bytes that are in the archive already (a download, or a file released from quarantine).

    `ahead` is what `archiving` has read of these very bytes. Bytes that a sample generator made stay synthetic however
    they arrive. May be called from several threads.
    """
    if arrival_.source.audience == "restricted":
        archived.path.chmod(0o400)
    if arrival_.is_synthetic:
        stores.synthetic.mark([archived.sha256])
    elif archived.sha256 in stores.synthetic.known():
        arrival_ = replace(arrival_, is_synthetic=True)
    known = _known_bytes(stores, archived.sha256, arrival_)
    # a person may rename a file; what a publisher serves anew under a later date has just not changed
    by_hand = arrival_.url is None
    if known and by_hand and (other := _said_by_the_name(arrival_, known.manifest)):
        what = f"the name says {other}, but these very bytes are landed as {known.manifest.title}"
        raise refuse(stores, archived, arrival_, "bytes_of_another_release", f"{what}; a file may have been renamed")
    if known:
        _tell(stores, arrival_, known.manifest)
        return known
    with _workplace(stores) as work, ONE_AT_A_TIME, gate.at_hand(archived.bytes > LARGE):
        return _land(stores, archived, arrival_, work, ahead)


@contextmanager
def _workplace(stores: Stores) -> Iterator[Path]:
    """Make a folder beside the landed releases, for one rename to make it one of them; what is left of it goes."""
    stores.landed.root.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".landing-", dir=stores.landed.root))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _known_bytes(stores: Stores, sha256: str, arrival_: Arrival) -> Outcome | None:
    """Return "unchanged" where these very bytes are landed for this source (and asked-for dataset) already."""
    for manifest in stores.landed.all(arrival_.source.id):
        if manifest.sha256 != sha256:
            continue
        if arrival_.dataset in (None, manifest.dataset) and arrival_.release in (None, manifest.release):
            return _unchanged(stores, manifest, "the same bytes")
    return None


def _said_by_the_name(arrival_: Arrival, landed: manifests.Manifest) -> str | None:
    """Return what a file's name alone says that it is, where its bytes are landed as something else."""
    header = [column.published_names[0] for column in arrival_.source.columns[landed.layout]]
    blank = dict.fromkeys(header, "")
    said = arrival_.source.recognise(Sample(arrival_.name, header, [blank], arrival_.dataset, arrival_.release))
    if said is None or not (said.dataset and said.release):
        return None
    return (
        None if (said.dataset, said.release) == (landed.dataset, landed.release) else f"{said.dataset} {said.release}"
    )


def _unchanged(stores: Stores, manifest: manifests.Manifest, what: str) -> Outcome:
    newest = stores.landed.revisions(manifest.source_id, manifest.dataset, manifest.release)[-1]
    superseded = (
        f"; note that revision {newest.revision} has replaced it since" if newest.revision != manifest.revision else ""
    )
    return Outcome("unchanged", manifest, f"unchanged: {what} as {manifest.title}{superseded}")


def _land(
    stores: Stores, archived: archive.Archived, arrival_: Arrival, work: Path, ahead: decode.Ahead | None
) -> Outcome:
    rows = work / manifests.ROWS
    try:
        identity, decoded = _decode(archived.path, arrival_, work, rows, ahead)
    except (decode.Unreadable, dropped_files.Unusable) as error:
        # the reader knows the archived file by its hash, people know it by its own name
        message = str(error).replace(archived.path.name, arrival_.name).removeprefix(f"{arrival_.name}: ")
        reason = {"rule": error.reason, "message": message, "count": 1}
        raise _refuse(stores, archived, arrival_, getattr(error, "identity", None), [reason]) from None
    if _holds_prose(arrival_.source, identity.contract):
        archived.path.chmod(0o400)  # the original may name persons
    manifest = _manifest(archived, arrival_, identity, decoded, decode.read_header_of(rows))
    return _settle(stores, archived, arrival_, identity, decoded, manifest, work)


def _decode(
    path: Path, arrival_: Arrival, work: Path, rows: Path, ahead: decode.Ahead | None = None
) -> tuple[Identity, decode.Decoded]:
    """Type the table into `rows`: clean UTF-8 CSV as it lies, anything else through a normalised copy.

    What looks clean at its start and is not further down goes through the copy too, which tells exactly what is
    wrong and where. What is no table at all becomes one by the parser's own `to_csv`, where it has one.
    """
    source, copy = arrival_.source, work / "table.csv"
    to_csv = getattr(source.parser, "to_csv", None)
    if to_csv is not None and files.sniff(path) not in files.TABLES:
        to_csv(path, copy, arrival_.name)
        found = _typed(copy, arrival_, rows)
        copy.unlink()
        return found
    if decode.is_plain_csv(path):
        try:
            identity, decoded = _typed(path, arrival_, rows, ahead)
        except decode.Unreadable as error:
            if error.reason != "unreadable_rows":
                raise
        else:
            if not decoded.malformed:
                return identity, decoded
    table = files.normalise_to_utf8_csv(path, copy)
    if table.kind is files.Kind.CSV and table.encoding not in source.encodings:
        raise decode.Unreadable(
            "wrong_encoding",
            f"the text is encoded as {table.encoding}; {source.id} publishes {' or '.join(source.encodings)}",
        )
    found = _typed(copy, arrival_, rows)
    copy.unlink()
    return found


def _typed(
    csv_path: Path, arrival_: Arrival, rows: Path, ahead: decode.Ahead | None = None
) -> tuple[Identity, decode.Decoded]:
    identity = identify(csv_path, arrival_)
    if not _holds_prose(arrival_.source, identity.contract):
        return _to_parquet(csv_path, arrival_, identity, rows, ahead)
    masked = rows.with_name("masked.csv")
    decode.mask_names(csv_path, masked, arrival_.source.columns[identity.contract])
    # what names the dataset may hold a name of a person too
    found = _to_parquet(masked, arrival_, identify(masked, arrival_), rows)
    masked.unlink()
    return found


def _holds_prose(source: Source, contract: str) -> bool:
    return any(column.type == "prose" for column in source.columns[contract])


def _to_parquet(
    csv_path: Path, arrival_: Arrival, identity: Identity, rows: Path, ahead: decode.Ahead | None = None
) -> tuple[Identity, decode.Decoded]:
    options = settings.get()
    try:
        decoded = decode.to_parquet(
            csv_path, arrival_.source, identity.contract, rows, options.landing_memory_limit, options.threads, ahead
        )
    except decode.Unreadable as error:
        error.identity = identity
        raise
    return _completed(identity, arrival_, rows), decoded


def _completed(identity: Identity, arrival_: Arrival, rows: Path) -> Identity:
    """Let the source's parser say what only the whole table tells; what a person said stands."""
    whole = arrival_.source.complete(identity, arrival_.name, rows)
    whole = replace(whole, dataset=arrival_.dataset or whole.dataset, release=arrival_.release or whole.release)
    for what, name in (("dataset", whole.dataset), ("release", whole.release)):
        if not FOLDER_NAME.fullmatch(name):
            raise decode.Unreadable("unsafe_name", f"{name[:80]!r} cannot be the name of a {what}; say --{what} NAME")
    return whole


def identify(csv_path: Path, arrival_: Arrival) -> Identity:
    """Tell dataset and release: what the person said, else what the source's parser recognises."""
    header, head = decode.read_header(csv_path), decode.read_sample(csv_path)
    if not head:
        raise decode.Unreadable("no_rows", "there are no rows below the header; download the file again")
    sample = Sample(arrival_.name, header, head, arrival_.dataset, arrival_.release)
    seen = arrival_.source.recognise(sample)
    dataset = arrival_.dataset or (seen.dataset if seen else None)
    release = arrival_.release or (seen.release if seen else None)
    if dataset is None or release is None:
        missing = " and ".join(n for n, v in (("--dataset", dataset), ("--release", release)) if v is None)
        raise decode.Unreadable(
            "not_recognised",
            f"neither name nor content tell what it is; say {missing} "
            f"(datasets: {', '.join(arrival_.source.datasets)})",
        )
    found = replace(seen, dataset=dataset, release=release) if seen else Identity(dataset, release)
    if found.contract not in arrival_.source.datasets:
        raise decode.Unreadable(
            "unknown_dataset",
            f"source {arrival_.source.id} has no dataset {dataset!r}; there are: {', '.join(arrival_.source.datasets)}",
        )
    if seen and arrival_.release and seen.release not in ("", arrival_.release) and seen.dataset == dataset:
        raise decode.Unreadable(
            "release_contradicted",
            f"--release {arrival_.release} was given, but the content is of {seen.release}",
        )
    published_on = arrival_.published_on or (seen.published_on if seen else None)
    return replace(found, published_on=published_on)


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
    )


def _settle(
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
                _tell(stores, arrival_, earlier)
                return _unchanged(stores, earlier, "the same content in other bytes")
        results = arrival.judge(_for_the_gate(stores, arrival_, identity, decoded, work / manifests.ROWS, revisions))
        if arrival_.accepted:
            results = [_accepted(result, arrival_.accepted) for result in results]
        blocked = [result for result in results if result.blocks]
        if blocked:
            raise _refuse(stores, archived, arrival_, identity, [result.as_reason() for result in blocked])
        number = stores.landed.next_number(manifest.source_id, manifest.dataset, manifest.release)
        manifest = replace(manifest, revision=number, checks=[result.to_dict() for result in results])
        stores.landed.commit(manifest, work)
    _tell(stores, arrival_, manifest)
    stores.quarantine.remove(manifest.source_id, manifest.sha256)
    warned = sum(result.is_told for result in results)
    what: Literal["landed", "revised"] = "revised" if revisions else "landed"
    note = f", {warned} warning(s)" if warned else ""
    return Outcome(what, manifest, f"{what}: {manifest.title}, {manifest.rows_in:,} rows{note}")


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
    """Return what to compare with; real releases are never held against sample ones."""
    if revisions:
        return revisions[-1]
    others = [
        item
        for item in stores.landed.all(source_id, identity.dataset)
        if item.is_synthetic == is_synthetic and item.release != identity.release
    ]
    before = [item for item in others if item.release < identity.release]
    if before:
        return max(before, key=lambda item: (item.release, item.revision))
    return min(others, key=lambda item: (item.release, -item.revision), default=None)


def _same_content(stores: Stores, earlier: manifests.Manifest, new: manifests.Manifest) -> bool:
    """Compare content hashes; one made in another way is made anew from the landed rows."""
    known = earlier.content_sha256
    if not decode.is_comparable(known):
        known = decode.content_of(stores.landed.rows_of(earlier))
    return known == new.content_sha256


def _accepted(result: Result, acceptance: Acceptance) -> Result:
    """Return a breach that a person has accepted as a warning that says so."""
    if not result.blocks:
        return result
    message = f"{result.message}; accepted by {acceptance.who}: {acceptance.why}"
    return replace(result, severity="warn", message=message)


def scope_of(source_id: str, name: str, dataset: str | None = None, release: str | None = None) -> str:
    """Name what an alert of the arrival gate is about, so that a good file closes it."""
    return f"arrival/{source_id}/{dataset}/{release}" if dataset and release else f"arrival/{source_id}/{name}"


def refuse(stores: Stores, archived: archive.Archived, arrival_: Arrival, rule: str, message: str) -> RefusedAtArrival:
    """Put archived bytes that may not be landed into quarantine; returns the error that says so."""
    return _refuse(stores, archived, arrival_, None, [{"rule": rule, "message": message, "count": 1}])


def _tell(stores: Stores, arrival_: Arrival, manifest: manifests.Manifest) -> None:
    """Bring the alerts of a release to what its newest revision was found to be; those of the file's name are over."""
    newest = stores.landed.revisions(manifest.source_id, manifest.dataset, manifest.release)[-1]
    results = [Result(**check) for check in newest.checks]
    scope = scope_of(newest.source_id, arrival_.name, newest.dataset, newest.release)
    stores.alerts.reconcile(scope, [result.as_breach() for result in results if result.is_told])
    # a file of this name may have been refused before it could be recognised
    stores.alerts.reconcile(scope_of(newest.source_id, arrival_.name), [])


def _refuse(
    stores: Stores,
    archived: archive.Archived,
    arrival_: Arrival,
    identity: Identity | None,
    reasons: list[dict[str, Any]],
) -> RefusedAtArrival:
    """Put the file into quarantine, open an alert, and return the one line that says so."""
    report = quarantine.Report(
        source_id=arrival_.source.id,
        sha256=archived.sha256,
        original_name=arrival_.name,
        dataset=identity.dataset if identity else None,
        release=identity.release if identity else None,
        arrived_at=datetime.now(UTC).isoformat(timespec="seconds"),
        is_synthetic=arrival_.is_synthetic,
        reasons=reasons,
        url=arrival_.url,
        etag=arrival_.etag,
        published_on=arrival_.published_on,
        container=arrival_.container,
    )
    folder = stores.quarantine.put(archived.path, report)
    scope = scope_of(report.source_id, report.original_name, report.dataset, report.release)
    stores.alerts.reconcile(scope, [alerts.from_reason(reason) for reason in reasons])
    first, more = reasons[0], len(reasons) - 1
    return RefusedAtArrival(
        f"{arrival_.name}: refused at arrival ({first['rule']}): {first['message']}"
        + (f" (and {more} more reason(s))" if more else "")
        + f". The file is kept in {folder}; mend it or ask the publisher, then land it again."
    )


def require_file(path: Path) -> Path:
    """Return `path` if it is a file that may come in, else say so in one line."""
    if path.is_dir():
        raise PerinatalError(f"{path}: a folder, not a file")
    if not path.exists():
        raise PerinatalError(f"{path}: no such file")
    dropped_files.check_incoming(path, path.parent)
    return path
