"""What describes a pack to programs: `datapackage.json` (Frictionless) over its CSV files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from perinatal.made_files import Since
from publish.packs.areas import Lms
from publish.packs.tables import Described

FRICTIONLESS_TYPES = {
    "VARCHAR": "string",
    "DOUBLE": "number",
    "FLOAT": "number",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "INTEGER": "integer",
    "BIGINT": "integer",
}


def datapackage(lms: Lms, since: Since, resources: Sequence[dict[str, Any]], *, is_synthetic: bool) -> str:
    """Return the text of an LMS's `datapackage.json`; its version is the first edition in which it reads so."""
    package = _package(lms, since, is_synthetic=is_synthetic) | {"resources": resources}
    return json.dumps(package, ensure_ascii=False) + "\n"


def _package(lms: Lms, since: Since, *, is_synthetic: bool) -> dict[str, Any]:
    synthetic = " SYNTHETIC SAMPLE DATA: invented, about no real organisation." if is_synthetic else ""
    return {
        "name": f"perinatal-insights-{lms.code.lower()}",
        "title": f"Perinatal Insights: {lms.name}",
        "description": f"Edition {since.edition_id}.{synthetic} Read usage_warnings beside every value.",
        "created": since.published_at,
        "version": since.edition_id,
        "profile": "tabular-data-package",
        "keywords": ["maternity", "neonatal", "patient safety", lms.code],
    }


def resource(item: Described) -> dict[str, Any]:
    """Return the description of one CSV file and its columns."""
    fields = [
        {"name": name, "type": FRICTIONLESS_TYPES.get(kind, "string"), "description": item.meaning(name)}
        for name, kind in item.columns
    ]
    return {
        "name": item.table.name,
        "path": f"{item.table.name}.csv",
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "description": item.description,
        "schema": {"fields": fields, "missingValues": [""]},
    }
