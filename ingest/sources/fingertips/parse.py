"""Fingertips files: what a file is, and the metadata document as a table.

Files of values are cut to any set of indicators and areas, so the dataset is named after what is in the file
(`<indicator>_<child area type>_<parent area type>`); the release is the newest period in it, unless whoever fetched
the file says more (the date of the indicator's last upload).
"""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from expectations.columns import header_key
from ingest.land import normalise, sniff
from ingest.land.dates import DateCell, read_days
from ingest.land.unreadable import Unreadable
from ingest.registry import Identity, Sample

DATA = {"indicatorid", "areacode", "timeperiod", "value"}
METADATA = {"indicatorid", "indicator", "unit", "valuetype"}
JSON_METADATA = {"iid", "name", "unit", "valuetype"}
DOCUMENT_LIMIT = 256 << 20

# what the API calls the ids of area types in its parameters and people in their file names
AREA_TYPES = re.compile(
    r"(?:child(?:_?area_?type(?:_?id)?)?\D?(?P<child>\d{1,3})\D+?parent(?:_?area_?type(?:_?id)?)?\D?(?P<parent>\d{1,3}))"
    r"|(?:^\d{2,6}_(?P<c>\d{1,3})_(?P<p>\d{1,3})(?!\d))",
    re.IGNORECASE,
)
UPLOADED = re.compile(r"(?<!\d)(20\d{2}-[01]\d-[0-3]\d)(?!\d)")

# document path → column, in the order of the table
PATHS = {
    "IID": ("IID",),
    "Name": ("Descriptive", "Name"),
    "Definition": ("Descriptive", "Definition"),
    "Definition of numerator": ("Descriptive", "DefinitionOfNumerator"),
    "Definition of denominator": ("Descriptive", "DefinitionOfDenominator"),
    "Caveats": ("Descriptive", "Caveats"),
    "Methodology": ("Descriptive", "Methodology"),
    "Disclosure control": ("Descriptive", "DisclosureControl"),
    "Data source": ("Descriptive", "DataSource"),
    "Unit": ("Unit", "Label"),
    "Unit value": ("Unit", "Value"),
    "Value type": ("ValueType", "Name"),
    "Year type": ("YearType", "Name"),
    "Confidence interval method": ("ConfidenceIntervalMethod", "Name"),
    "Target": ("Target",),
    "Last uploaded at": ("DataChange", "LastUploadedAt"),
}


def recognise(sample: Sample) -> Identity | None:
    """Return the layout by the header; dataset and release of a file of values come from all its rows."""
    header = {header_key(name) for name in sample.header}
    if header >= DATA:
        return Identity("", "", layout="data")
    if header >= METADATA or header >= JSON_METADATA:
        return Identity("indicator_metadata", "", layout="metadata")
    return None


def complete(identity: Identity, name: str, rows: Path) -> Identity:
    """Name dataset and release from the typed rows (and the area type ids that the file's name may give)."""
    with duckdb.connect() as connection:
        connection.from_parquet(str(rows)).create_view("rows")
        if identity.layout == "metadata":
            return replace(identity, release=_newest_upload(connection) or "undated")
        columns = set(connection.table("rows").columns)
        dataset = identity.dataset or _dataset(connection, name)
        return replace(identity, dataset=dataset, release=identity.release or _release(connection, name, columns))


def _newest_upload(connection: duckdb.DuckDBPyConnection) -> str | None:
    columns = connection.table("rows").columns
    if "last_uploaded_at" not in columns:
        return None
    texts = connection.execute("select min(source_row), last_uploaded_at from rows group by all").fetchall()
    days = read_days(DateCell("last_uploaded_at", row, text) for row, text in texts if text).of
    return max(days.values()).isoformat() if days else None


def _dataset(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    ids = [row[0] for row in connection.execute("select distinct indicator_id from rows order by all").fetchall()]
    if not ids:
        return "no_rows"
    which = str(ids[0]) if len(ids) == 1 else f"{len(ids)}_indicators_{ids[0]}_to_{ids[-1]}"
    named = AREA_TYPES.search(Path(name).stem)
    if named:
        return f"{which}_{named['child'] or named['c']}_{named['parent'] or named['p']}"
    kinds = connection.execute(
        "select area_type from rows group by all order by count(distinct area_code) desc, area_type"
    ).fetchall()
    return "_".join([which, *(_slug(kind) for (kind,) in kinds[:2])])


def _slug(text: str | None) -> str:
    return re.sub(r"[^a-z0-9]+", "_", (text or "areas").lower()).strip("_")[:40]


def _release(connection: duckdb.DuckDBPyConnection, name: str, columns: set[str]) -> str:
    """Return a date that the file's name bears, else the newest period in the file."""
    dated = UPLOADED.search(name)
    if dated:
        return dated[1]
    order = "time_period_sortable" if "time_period_sortable" in columns else "time_period"
    found = connection.execute(f"select max_by(time_period, {order}) from rows").fetchall()[0][0]
    return re.sub(r"[^A-Za-z0-9]+", "-", found or "").strip("-") or "no_rows"


def to_csv(path: Path, out: Path, name: str) -> None:  # noqa: ARG001 - the signature of every source's hook
    """Write the API's metadata document as a table, an indicator a row; what is no JSON document is refused."""
    if sniff.sniff(path) is not sniff.Kind.JSON:
        normalise.normalise_to_utf8_csv(path, out)
        return
    entries = _entries(path)
    with out.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(PATHS)
        writer.writerows([_at(entry, *keys) for keys in PATHS.values()] for entry in entries)


def _entries(path: Path) -> list[dict[str, Any]]:
    """Return the document's indicators; the API gives them by id, or as a list."""
    if path.stat().st_size > DOCUMENT_LIMIT:
        raise Unreadable(
            "not_metadata", f"a JSON document of more than {DOCUMENT_LIMIT >> 20} MB: no indicator metadata"
        )
    try:
        document = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise Unreadable("not_metadata", f"the JSON document cannot be read ({error})"[:300]) from None
    entries = list(document.values()) if isinstance(document, dict) else document
    if not entries or not all(isinstance(entry, dict) and "IID" in entry for entry in entries):
        raise Unreadable("not_metadata", "the JSON document is no indicator metadata: its entries have no IID")
    return entries


def _at(entry: dict[str, Any], *keys: str) -> str:
    found: Any = entry
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    if found is None:
        return ""
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False, sort_keys=True)
