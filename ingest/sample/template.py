"""What sample generators of template sources share: rows in, template files out."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ingest.registry import TEMPLATES_DIR
from ingest.sample.reference import read_seed
from perinatal.settings import PROJECT_ROOT

LABELLED = PROJECT_ROOT / "insights" / "labelled" / "findings.csv"
Row = Mapping[str, Any]


def write(template: str, path: Path, common: Row, rows: Iterable[Row]) -> None:
    """Write rows in the columns of a template's example; `common` fills what every row has."""
    with (TEMPLATES_DIR / template / "example.csv").open(encoding="utf-8", newline="") as handle:
        columns = next(csv.reader(handle))
    filled = [{**common, **row} for row in rows]
    extra = [name for name in dict.fromkeys(name for row in filled for name in row) if name not in columns]
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, columns + extra, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(filled)


@cache
def invented_texts(source: str) -> tuple[str, ...]:
    """Return this project's own invented findings in the manner of a source (insights/labelled)."""
    with LABELLED.open(encoding="utf-8", newline="") as handle:
        return tuple(row["text"] for row in csv.DictReader(handle) if row["source"] == source)


@cache
def maternity_trusts() -> tuple[tuple[str, str], ...]:
    """Return code and name of the English trusts that are open and have births."""
    active = {row["trust_code"] for row in read_seed("trust") if row["status"] == "active"}
    named = {row["ods_code"]: row["organisation_name"] for row in read_seed("mbrrace_organisation")}
    return tuple(sorted((code, name) for code, name in named.items() if code in active))
