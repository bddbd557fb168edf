"""The sample of the Fingertips API, with the habits of the real one.

Its folder holds `api.json` (`area_types`: ids that exist; `groups`, `profiles`: id → indicator ids),
`indicator_metadata.json`, and `<child>_<parent>.csv` with the rows of every indicator for that pair of area types.
"""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs

from ingest.sample.answers import NOT_FOUND, Answer, file_answer

LIMIT: Final = 100  # indicator ids of one request that are answered; the rest is dropped without a word
# listing → the parameter that says which indicators
LISTINGS: Final = {
    "all_data/csv/by_indicator_id": "indicator_ids",
    "all_data/csv/by_group_id": "group_id",
    "all_data/csv/by_profile_id": "profile_id",
}


def fingertips_answer(folder: Path, rest: str, query: str) -> Answer:
    """Answer as the Fingertips API does: 400 for an empty required value, 500 for an unknown area type."""
    if rest == "indicator_metadata/all":
        return file_answer(folder / "indicator_metadata.json", "application/json")
    if rest not in LISTINGS:
        return NOT_FOUND
    asked = {key: values[0] for key, values in parse_qs(query, keep_blank_values=True).items()}
    for required in (LISTINGS[rest], "child_area_type_id", "parent_area_type_id"):
        if not asked.get(required):
            return Answer(f"Parameter {required} cannot be empty".encode(), "text/plain", 400)
    api = json.loads((folder / "api.json").read_text(encoding="utf-8"))
    child, parent = asked["child_area_type_id"], asked["parent_area_type_id"]
    if not {child, parent} <= {str(known) for known in api["area_types"]}:
        return Answer(b"An unexpected error occurred", "text/plain", 500)
    wanted = _indicators(api, LISTINGS[rest], asked[LISTINGS[rest]])
    return Answer(_rows(folder, child, parent, set(wanted[:LIMIT])), "text/csv")


def _indicators(api: dict[str, Any], parameter: str, value: str) -> list[str]:
    """Return the indicator ids that are asked for, by themselves or by the group or profile that lists them."""
    if parameter == "indicator_ids":
        return value.split(",")
    members = api.get("groups" if parameter == "group_id" else "profiles", {})
    return [str(indicator) for indicator in members.get(value.split(",", maxsplit=1)[0], [])]


def _rows(folder: Path, child: str, parent: str, wanted: set[str]) -> bytes:
    """Return the header and the rows of the wanted indicators; the header alone where there are none."""
    path = folder / f"{child}_{parent}.csv"
    header_from = path if path.is_file() else min(folder.glob("*_*.csv"))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    with header_from.open(encoding="utf-8", newline="") as handle:
        rows = csv.reader(handle)
        writer.writerow(next(rows))
        writer.writerows(row for row in rows if header_from == path and row and row[0] in wanted)
    return out.getvalue().encode()
