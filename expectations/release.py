"""The release gate: a whole candidate is held against the standards before it may become an edition.

Rules are SQL in `expectations/release/*.yml`, run on the candidate (schemas `reference`, `core`, `marts`,
`quality`), on the working file as `work` (staging: raw numbers before disclosure) and, where an edition is
published already, on it as `last`. The verdicts are Great Expectations'. Rules that time alone can breach are asked of
the published edition every day too.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from expectations import gate
from expectations.checks import Measured, Result, load_rules, measure
from perinatal.sql import attach

SUITES = Path(__file__).parent / "release"
DAILY = Path(__file__).parent / "daily.yml"
TAGS = ("remedy", "owner", "marts")

# today's LMS of each trust, for those who are told of their own trusts only
LMS_OF_TRUST = """
create or replace temp view lms_of_trust as
select code as trust_code, lms_code from core.dim_organisation where level = 'trust' and valid_to = '9999-12-31'
"""


def judge(candidate: Path, work: Path, last: Path | None) -> list[Result]:
    """Return the verdicts on a candidate, in the order of the rules."""
    with duckdb.connect(str(candidate), read_only=True) as connection:
        attach(connection, work, "work")
        if last:
            # the catalog of an edition is always called perinatal; here it stands beside the candidate
            attach(connection, last, "last")
        paths = sorted(SUITES.glob("*.yml"))
        measured = [item for path in paths for item in _measure(connection, path, {"last"} if last else set())]
    return gate.judge("release", measured)


def judge_today(database: Path) -> list[Result]:
    """Return the verdicts of today on a candidate or a published edition."""
    with duckdb.connect(str(database), read_only=True) as connection:
        measured = _measure(connection, DAILY, set())
    return gate.judge("daily", measured)


def _measure(connection: duckdb.DuckDBPyConnection, path: Path, at_hand: set[str]) -> list[Measured]:
    connection.execute(LMS_OF_TRUST)
    return measure(connection, [rule for rule in load_rules(path, TAGS) if rule.is_for(at_hand)])
