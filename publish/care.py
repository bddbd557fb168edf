"""What stands out about care that did not in the last edition, in words: for the LMS's own channel and feed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from perinatal.opening import open_database
from publish.portal.wording import period, slug, whose_verdict

# an LMS's entry names its trusts, so it is told by itself only where none of them is new
NEW = """
with new as (select * from marts.attention where is_new)
select new.*, lms.lms_name
from new inner join core.dim_lms as lms using (lms_code)
where
    level = 'trust'
    or (lms_code, concept_id) not in (select (lms_code, concept_id) from new where level = 'trust')
order by lms_code, array_position(['death', 'harm', 'outcome', 'process'], tier), concept_id, organisation_code
"""


def new_entries(database: Path) -> list[dict[str, str]]:
    """Return the entries of `marts.attention` that the last edition lacked; none of an edition that is the first.

    Each has lms_code, lms_name, subject (what makes it one entry), text and page (below the portal).
    """
    with open_database(database, read_only=True) as connection:
        cursor = connection.execute(NEW)
        names = [name for name, *_ in cursor.description]
        return [_in_words(dict(zip(names, row, strict=True))) for row in cursor.fetchall()]


def _in_words(entry: dict[str, Any]) -> dict[str, str]:
    code = entry["organisation_code"]
    what = entry["indicator_name"]
    if entry["breakdown_value"] != "all":
        what += f" ({entry['breakdown_value']})"
    return {
        "lms_code": entry["lms_code"],
        "lms_name": entry["lms_name"],
        "subject": f"{entry['level']}/{code}/{entry['concept_id']}",
        "text": f"{entry['organisation_name']}: {what}, {period(entry)}: worse ({whose_verdict(entry)}). "
        f"{entry['why']}.",
        "page": f"{entry['level']}/{slug(code)}.html",
    }
