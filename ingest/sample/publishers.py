"""The sample publishers: each source's generated releases, served the way its source.yml says they arrive.

`sample.py` of a source writes its releases flat into a folder (`generate`). What the `probe:` block downloads or asks
an API for is put on a site, to be fetched over HTTP by the same client as the real ones; everything else is what a
person would bring, and is dropped in the inbox. `address(name)` in `sample.py` may say where the publisher would
serve a file (None: nowhere); without it, files lie below the page. A `.yml` beside a file goes with it.

Nothing made here can be taken for real: the hash of every file is remembered (`ingest.synthetic`) before it is shown.
"""

from __future__ import annotations

import csv
import hashlib
import html
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

from ingest.archive import store as archive
from ingest.archive.synthetic import SyntheticHashes
from ingest.fetch.http import HttpOptions
from ingest.fetch.probe_settings import ApiConfig, Arrives, Watch
from ingest.inbox.note import SUFFIXES as NOTES
from ingest.land import intake
from ingest.registry import Source
from ingest.sample.reference import SEEDS, UPLOADED_AT
from ingest.sample.server import SamplePublishers
from ingest.stores import FetchStores
from perinatal.durable import locked
from perinatal.errors import PerinatalError

STAMP: Final = "stamp"
AREA_PAIR: Final = re.compile(r"child(\d+)\D+parent(\d+)", re.IGNORECASE)
METADATA: Final = "indicator_metadata_all.json"

PAGE: Final = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{title} (SYNTHETIC sample)</title></head>
<body><main><h1>{title}</h1><p>Invented releases for trying out. No number is about a real organisation.</p>
<ul>
{items}
</ul></main></body>
</html>
"""


def has_sample(source: Source) -> bool:
    """Tell whether a source can generate a sample."""
    return (source.folder / "sample.py").exists()


@contextmanager
def running(
    cache: Path, hashes: SyntheticHashes, sources: Iterable[Source]
) -> Iterator[tuple[SamplePublishers, HttpOptions]]:
    """Serve the samples of these sources on loopback; yields the server and how to ask it in the publishers' names."""
    root = cache / "sample"
    for source in sources:
        prepare(cache, hashes, source)
    root.mkdir(parents=True, exist_ok=True)
    with SamplePublishers(root) as server:
        yield (
            server,
            HttpOptions(
                connect_timeout=2,
                read_timeout=5,
                total_timeout=60,
                attempts=3,
                backoff=0.1,
                delay=0,
                stand_ins=server.stand_ins(),
            ),
        )


def drop(cache: Path, stores: FetchStores, source: Source) -> None:
    """Put in the inbox what a person would bring of this source's sample, except what has come before."""
    by_hand = prepare(cache, stores.synthetic, source) / "by_hand"
    inbox, came_before = stores.inbox / source.id, intake.accounted(stores)
    for path in sorted(by_hand.iterdir()):
        if path.suffix in NOTES or archive.hash_of(path) in came_before:
            continue
        inbox.mkdir(parents=True, exist_ok=True)
        notes = (path.with_name(path.name + end) for end in NOTES)
        for one in (*(note for note in notes if note.exists()), path):
            if not (inbox / one.name).exists():
                temporary = inbox / f".{one.name}.{os.getpid()}"
                shutil.copyfile(one, temporary)
                temporary.rename(inbox / one.name)


def prepare(cache: Path, hashes: SyntheticHashes, source: Source) -> Path:
    """Return the folder of a source's sample: its site, and `by_hand`; made anew when code or seeds have changed."""
    folder = cache / "sample" / source.id
    mark = _fingerprint(source)
    with locked(cache / f".sample-{source.id}.lock"):
        if (folder / STAMP).exists() and (folder / STAMP).read_text(encoding="utf-8") == mark:
            return folder
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix=".sample-") as temporary:
            made = Path(temporary) / source.id
            _make(hashes, source, made)
            (made / STAMP).write_text(mark, encoding="utf-8")
            shutil.rmtree(folder, ignore_errors=True)
            made.rename(folder)
    return folder


def _fingerprint(source: Source) -> str:
    """Return a hash of all that decides on a sample: the source's folder, the shared code, the seeds."""
    digest = hashlib.sha256()
    for root, pattern in ((source.folder, "*"), (Path(__file__).parents[1], "**/*.py"), (SEEDS, "*.csv")):
        for path in sorted(root.glob(pattern)):
            if path.is_file():
                digest.update(path.name.encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()


def _make(hashes: SyntheticHashes, source: Source, folder: Path) -> None:
    """Generate, then divide between the site and the inbox."""
    files, by_hand = folder / "files", folder / "by_hand"
    files.mkdir(parents=True)
    by_hand.mkdir()
    source.sample.generate(files)
    hashes.mark(archive.hash_of(path) for path in files.iterdir())
    watched = source.probe
    served = _build_site(source, watched, folder) if watched else set()
    for path in sorted(files.iterdir()):
        if path.name not in served:
            path.rename(by_hand / path.name)


def _build_site(source: Source, watched: Watch, folder: Path) -> set[str]:
    """Write the route table and what it serves beside the files; returns the names of the files that it serves."""
    if watched.api:
        return _build_api(watched.api, folder)
    links = _addresses(source, watched, folder / "files") if watched.arrives is Arrives.DOWNLOAD else {}
    routes = [(address, {"file": f"files/{name}"}) for name, address in links.items()]
    if watched.spec.kind == "govuk_content":
        _write_json(folder / "content.json", _content(links))
        routes.append((watched.spec.url, {"file": "content.json", "type": "application/json"}))
    else:
        (folder / "page.html").write_text(_page(source, folder / "files", links), encoding="utf-8")
        routes.append((watched.spec.url, {"file": "page.html"}))
    _write_routes(folder, routes)
    return set(links)


def _write_routes(folder: Path, routes: list[tuple[str, dict[str, Any]]]) -> None:
    sites: dict[str, Any] = {}
    for address, target in routes:
        parts = urlsplit(address)
        sites.setdefault(parts.netloc, {"routes": []})["routes"].append({"path": parts.path or "/", **target})
    _write_json(folder / "site.json", {"sites": sites})


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _addresses(source: Source, watched: Watch, files: Path) -> dict[str, str]:
    """Return file name → address for the files that are downloaded."""
    below = watched.spec.url.rstrip("/")
    fixed = {name: url for url, name in watched.files.items()}
    address = getattr(source.sample, "address", lambda name: f"{below}/{quote(name)}")
    found = {}
    for path in sorted(files.iterdir()):
        where = fixed.get(path.name) or address(path.name)
        if where is None or path.suffix in NOTES:
            continue
        patterns = (watched.spec.links, watched.download)
        if path.name not in fixed and not all(re.search(p, where) or re.search(p, path.name) for p in patterns):
            raise PerinatalError(
                f"{source.folder / 'sample.py'}: {where} ({path.name}) does not fit `links` and `download` of "
                "source.yml; say with address(name) where the publisher would serve it, or return None"
            )
        found[path.name] = where
    return found


def _page(source: Source, files: Path, links: dict[str, str]) -> str:
    """Return the publisher's page: links to what can be downloaded, names of what a person would have to fetch."""
    items = []
    for name in sorted(path.name for path in files.iterdir() if path.suffix not in NOTES):
        shown = html.escape(name)
        items.append(
            f'<li><a href="{html.escape(links[name])}">{shown}</a></li>' if name in links else f"<li>{shown}</li>"
        )
    return PAGE.format(title=html.escape(source.title), items="\n".join(items))


def _content(links: dict[str, str]) -> dict[str, Any]:
    """Return a document of GOV.UK's content API with the files as attachments."""
    attachments = [{"title": name, "url": address} for name, address in sorted(links.items())]
    return {"public_updated_at": UPLOADED_AT, "details": {"attachments": attachments}}


def _build_api(config: ApiConfig, folder: Path) -> set[str]:
    """Make an indicator API of the generated tables, which say in their names what kinds of area they are for.

    The API has one layout: tables of another one are what a person would bring.
    """
    files, api = folder / "files", folder / "api"
    api.mkdir()
    served: set[str] = set()
    indicators = set(map(str, config.indicator_ids))
    for path in sorted(files.glob("*.csv"), key=_widest_first):
        pair = AREA_PAIR.search(path.name)
        rows = _rows_for_api(path, api / f"{pair[1]}_{pair[2]}.csv") if pair else None
        if rows is not None:
            served.add(path.name)
            indicators |= rows
    if not served:
        raise PerinatalError(f"{folder}: the sample has no table that the API could serve (…child502_parent6….csv)")
    if (files / METADATA).exists():
        shutil.copyfile(files / METADATA, api / "indicator_metadata.json")
        served.add(METADATA)
    else:
        entries = {i: {"IID": int(i), "DataChange": {"LastUploadedAt": UPLOADED_AT}} for i in sorted(indicators)}
        _write_json(api / "indicator_metadata.json", entries)
    known = {area for pair in (path.stem.split("_") for path in api.glob("*_*.csv")) for area in pair}
    asked = {str(area) for pair in config.areas for area in (pair.child, pair.parent)}
    _write_json(api / "api.json", {"area_types": sorted(known | asked)})
    _write_routes(folder, [(config.base_url, {"fingertips": "api"})])
    return served


def _widest_first(path: Path) -> tuple[int, str]:
    """Order tables so that the publisher's present layout, which has the most columns, comes first."""
    with path.open(encoding="utf-8-sig", newline="") as handle:
        return -len(next(csv.reader(handle), [])), path.name


def _rows_for_api(path: Path, table: Path) -> set[str] | None:
    """Add a generated table to the API's; returns its indicator ids, None where it has another layout."""
    with path.open(encoding="utf-8-sig", newline="") as handle:
        header, *rows = list(csv.reader(handle))
    if header[0] != "Indicator ID":
        return None
    if table.exists():
        with table.open(encoding="utf-8", newline="") as handle:
            if next(csv.reader(handle)) != header:
                return None
    with table.open("a", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerows(rows if out.tell() else [header, *rows])
    return {row[0] for row in rows if row}
