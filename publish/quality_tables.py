"""The verdicts of both gates and the alert log as tables of an edition: `quality.check_result`, `quality.alert`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa

from expectations.results import Result
from perinatal.opening import open_database

CHECK_RESULT = """
create or replace table quality.check_result (
    suite varchar, rule varchar, description varchar, expectation varchar, kwargs json, severity varchar,
    dimension varchar, success boolean, observed double, minimum double, maximum double, element_count bigint,
    unexpected_count bigint, unexpected_percent double, message varchar, why varchar, remedy varchar, owner varchar,
    affected_marts varchar[], sample_rows json, release_key varchar
)
"""
ALERT = """
create or replace table quality.alert (
    alert_id varchar, scope varchar, state varchar, opened_at timestamp, last_seen_at timestamp, closed_at timestamp,
    times_seen integer, rule varchar, severity varchar, message varchar, count bigint, sample_rows json,
    why varchar, remedy varchar, affected_marts varchar[], affected_lms varchar[], release_key varchar,
    accepted_by varchar, accepted_until date, accepted_why varchar
)
"""


def write_checks(candidate: Path, results: Iterable[Result]) -> None:
    """Write every verdict, of both gates, into `quality.check_result` of the candidate.

    A standard that several releases breach has a row for each, with its own count: rows of marts find the warnings of
    the release gate by their `release_key`.
    """
    _write(candidate, "quality.check_result", CHECK_RESULT, [row for result in results for row in _check_rows(result)])


def _check_rows(result: Result) -> list[dict[str, Any]]:
    inner = ("affected_lms", "releases", "source_rows")
    row = {name: value for name, value in vars(result).items() if name not in inner}
    row |= {name: _as_json(row[name]) for name in ("sample_rows", "kwargs")}
    if not result.releases:
        return [row]
    return [
        {**row, "release_key": release_key, "observed": count, "unexpected_count": count}
        for release_key, count in result.releases.items()
    ]


def write_alerts(candidate: Path, alerts: Iterable[dict[str, Any]]) -> None:
    """Write the alert log as it stands into `quality.alert` of the candidate."""
    _write(candidate, "quality.alert", ALERT, [_alert_row(alert) for alert in alerts])


def standing_alerts(database: Path) -> list[dict[str, Any]]:
    """Return the alerts that an edition holds as open or accepted, their examples as plain data."""
    with open_database(database, read_only=True) as connection:
        found = connection.table("quality.alert").filter("state <> 'closed'").to_arrow_table().to_pylist()
    return [{**alert, "sample_rows": json.loads(alert["sample_rows"])} for alert in found]


def _alert_row(alert: dict[str, Any]) -> dict[str, Any]:
    moments = {
        name: alert[name].removesuffix("+00:00") if alert[name] else None
        for name in ("opened_at", "last_seen_at", "closed_at")
    }
    return {**alert, **moments, "sample_rows": _as_json(alert["sample_rows"])}


def _as_json(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, default=str)


def _write(candidate: Path, table: str, definition: str, rows: list[dict[str, Any]]) -> None:
    """Make a table and add rows by the names of their columns, all at once: one by one, thousands take seconds."""
    with open_database(candidate) as connection:
        connection.execute(definition)
        if rows:
            connection.register("added", pa.Table.from_pylist(rows))
            connection.execute(f"insert into {table} by name select * from added")
