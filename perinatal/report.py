"""What the command line shows of an edition: the national picture, status, query results, alerts."""

from __future__ import annotations

import csv
import json
import math
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import duckdb

from expectations import alerts
from ingest import manifest as manifests
from ingest.registry import all_sources
from perinatal.errors import PerinatalError
from perinatal.home import Home
from publish import edition

if TYPE_CHECKING:
    from perinatal.pipeline import Built

PICTURE = """
select
    ambition_name as ambition, geography, period, actual, unit, round(target, 2) as trajectory, round(gap, 2) as gap,
    case
        when on_track then 'on the trajectory'
        else coalesce(format('{:.1f} years behind', years_behind), 'above where it started')
    end as position
from marts.national_ambition
where is_headline
qualify row_number() over (partition by ambition_id order by year desc, period desc) = 1
order by ambition
"""

COVERAGE = """
select
    count(*) as values,
    count(distinct trust_code) as trusts,
    count(distinct lms_code) as lmss,
    count(distinct indicator_id) as indicators,
    count(distinct source_id) as sources
from marts.trust_indicator
"""


def national_picture(built: Built) -> None:
    """Print the five ambitions against their trajectories, what the edition covers, and where it is."""
    with duckdb.connect(str(built.edition / edition.DATABASE), read_only=True) as connection:
        picture, coverage = connection.sql(PICTURE), connection.sql(COVERAGE).fetchall()[0]
        print("\nThe national ambitions: newest published actual against the trajectory of 2020's guide\n")
        print_rows(_records(picture))
        print(
            f"\n{coverage[0]:,} trust values: {coverage[1]} trusts in {coverage[2]} LMSs, {coverage[3]} indicators "
            f"from {coverage[4]} source(s)"
        )
    facts = edition.info(built.edition)
    if facts["is_synthetic"]:
        print("Trust, LMS and region values are SYNTHETIC sample data; the ambitions' actuals are published figures.")
    news = "nothing new: the edition stands" if built.what == "nothing_new" else f"{built.warnings} warning(s)"
    print(f"Edition {built.edition.name} ({news})\n{built.edition / edition.DATABASE}")


def _records(relation: duckdb.DuckDBPyRelation) -> list[dict[str, Any]]:
    return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]


def print_rows(rows: Sequence[dict[str, Any]]) -> None:
    """Print records as a table that fits a terminal, numbers to the right."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if not rows:
        print("(no rows)")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in rows[0]:
        number = all(isinstance(row[name], int | float | None) for row in rows)
        table.add_column(name, justify="right" if number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(value)) for value in row.values()))
    console = Console(width=None if sys.stdout.isatty() else 200, highlight=False)
    console.print(table)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.2f}"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def query(home: Home, sql: str, form: str) -> None:
    """Run SQL on the current edition, read-only and without access to anything outside it."""
    config: dict[str, str | bool | int | float | list[str]] = {"enable_external_access": False}
    with duckdb.connect(str(home.database), read_only=True, config=config) as connection:
        try:
            cursor = connection.execute(sql)
            names = [name for name, *_ in cursor.description or []]
            if form == "csv":
                writer = csv.writer(sys.stdout, lineterminator="\n")
                writer.writerow(names)
                while rows := cursor.fetchmany(10_000):
                    writer.writerows(rows)
                return
            records = [dict(zip(names, map(_finite, row), strict=True)) for row in cursor.fetchall()]
        except duckdb.Error as error:
            raise PerinatalError(str(error).split("\n\n")[0]) from None
    if form == "json":
        print(json.dumps(records, ensure_ascii=False, indent=1, default=str))
    else:
        print_rows(records)


def _finite(value: Any) -> Any:
    """Return None for what is no number: JSON has no word for it."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def status(home: Home) -> dict[str, Any]:
    """Return the current edition, each dataset's newest release with its age in days, and the open alerts."""
    standing = edition.current(home)
    newest: dict[tuple[str, str], manifests.Manifest] = {}
    for item in manifests.in_use(home):
        key = (item.source_id, item.dataset)
        if key not in newest or (newest[key].release, newest[key].revision) < (item.release, item.revision):
            newest[key] = item
    facts = edition.info(standing) if standing else None
    return {
        "edition": {"path": str(standing), **{k: v for k, v in facts.items() if k != "releases"}} if facts else None,
        "sources": [_source_status(item) for _, item in sorted(newest.items())],
        "open_alerts": [alert.to_dict() for alert in alerts.open_alerts(home)],
    }


def _source_status(item: manifests.Manifest) -> dict[str, Any]:
    since = (
        date.fromisoformat(item.published_on) if item.published_on else datetime.fromisoformat(item.fetched_at).date()
    )
    age, cadence = (datetime.now(UTC).date() - since).days, all_sources()[item.source_id].cadence_days
    return {
        "source": item.source_id,
        "dataset": item.dataset,
        "latest_release": item.release,
        "revision": item.revision,
        "rows": item.rows_in,
        "published_on": item.published_on,
        "fetched_at": item.fetched_at,
        "age_days": age,
        "cadence_days": cadence,
        "is_late": cadence is not None and age > cadence * 1.25,
        "is_synthetic": item.is_synthetic,
    }


def print_status(found: dict[str, Any]) -> None:
    """Print the status for people."""
    facts = found["edition"]
    if facts is None:
        print("No edition is published yet: run `perinatal refresh --sample`, or land files and `perinatal build`.")
    else:
        kind = "SYNTHETIC sample" if facts["is_synthetic"] else "real releases"
        print(f"Edition {facts['edition_id']}, published {facts['published_at']} ({kind})\n{facts['path']}\n")
    keep = ("source", "dataset", "latest_release", "revision", "rows", "published_on", "age_days", "is_late")
    print_rows([{name: row[name] for name in keep} for row in found["sources"]])
    print(f"\n{len(found['open_alerts'])} open alert(s)" + (": `perinatal alerts`" if found["open_alerts"] else ""))


def print_alerts(found: list[dict[str, Any]]) -> None:
    """Print alerts for people."""
    if not found:
        print("no open alerts")
        return
    keep = ("state", "severity", "scope", "rule", "message", "opened_at")
    print_rows([{name: row[name] for name in keep} for row in found])
