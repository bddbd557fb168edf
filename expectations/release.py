"""The release gate: a whole candidate is held against the standards before it may become an edition.

Standards are native expectations in `expectations/release/*.yml`, asked of the candidate (schemas `reference`, `core`,
`marts`, `quality`), of the working file as `work` (staging: raw numbers before disclosure) and, where an edition is
published already, compared with it as `last`. Standards that time alone can breach are asked of the published edition
every day too.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from expectations import native
from expectations.results import Result
from expectations.standards import Standard, load_standards
from perinatal.opening import open_database
from perinatal.sql import attach

SUITES = Path(__file__).parent / "release"
DAILY = Path(__file__).parent / "daily.yml"
REQUIRED = ("description", "problem", "remedy", "owner", "affected_marts")

# today's name of each organisation, for messages, and the LMS of each trust, for those who hear of their own trusts
# only; an LMS and an integrated care board may share a code
ORGANISATION_TODAY = """
create or replace temp view organisation_today as
select code, level, name, lms_code from core.dim_organisation
where valid_to = '9999-12-31'
qualify row_number() over (partition by code order by level = 'icb', level) = 1
"""


def written() -> list[Standard]:
    """Return all standards of the release gate."""
    return [standard for path in sorted(SUITES.glob("*.yml")) for standard in load_standards(path, REQUIRED)]


def judge(candidate: Path, work: Path, last: Path | None) -> list[Result]:
    """Return the verdicts on a candidate, in the order of the standards."""
    with open_database(candidate, read_only=True) as connection:
        attach(connection, work, "work")
        if last:
            # the catalog of an edition is always called perinatal; here it stands beside the candidate
            attach(connection, last, "last")
        return _judge(connection, written(), {"last"} if last else set(), "release")


def judge_today(database: Path) -> list[Result]:
    """Return the verdicts of today on a candidate or a published edition."""
    with open_database(database, read_only=True) as connection:
        return _judge(connection, load_standards(DAILY, REQUIRED), set(), "daily")


def _judge(
    connection: duckdb.DuckDBPyConnection, standards: Sequence[Standard], at_hand: set[str], suite: str
) -> list[Result]:
    connection.execute(ORGANISATION_TODAY)
    return native.validate_tables(connection, [one for one in standards if one.is_for(at_hand)], suite=suite)
