"""The release gate: a whole candidate is held against the standards before it may become an edition.

Rules are SQL in `expectations/release/*.yml`, run on the candidate (schemas `reference`, `core`, `marts`,
`quality`), on the working file as `work` (staging: raw numbers before disclosure) and, where an edition is
published already, on it as `last`. The verdicts are Great Expectations'.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from expectations import gate
from expectations.checks import Result, load_rules, measure

SUITES = Path(__file__).parent / "release"


def judge(candidate: Path, work: Path, last: Path | None) -> list[Result]:
    """Return the verdicts on a candidate, in the order of the rules."""
    with duckdb.connect(str(candidate), read_only=True) as connection:
        _attach(connection, work, "work")
        if last:
            # the catalog of an edition is always called perinatal; here it stands beside the candidate
            _attach(connection, last, "last")
        measured = []
        for path in sorted(SUITES.glob("*.yml")):
            rules = [rule for rule in load_rules(path) if rule.needs is None or (rule.needs == "last" and last)]
            measured += measure(connection, rules)
    return gate.judge("release", measured)


def _attach(connection: duckdb.DuckDBPyConnection, path: Path, name: str) -> None:
    location = str(path).replace("'", "''")
    connection.execute(f"attach '{location}' as {name} (read_only)")
