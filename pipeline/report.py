"""What the command line shows of an edition: the national picture, status, query results, alerts."""

from __future__ import annotations

import csv
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from expectations.alerts import AlertLog
from ingest.archive import manifest as manifests
from ingest.archive import quarantine
from ingest.fetch import probe_state
from ingest.registry import Source, all_sources
from perinatal.errors import PerinatalError
from perinatal.home import Home
from perinatal.opening import open_database
from perinatal.reading import open_current
from perinatal.spreadsheet_safe import safe_cell
from pipeline.freshness import UNKNOWN, Freshness, freshness, lateness
from publish import edition
from publish.edition import Editions

if TYPE_CHECKING:
    from pipeline.arrivals import Arrivals
    from pipeline.assembly import Built

PICTURE = """
select
    ambition_name as ambition, geography, period, actual, unit, round(target, 2) as trajectory, position
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


def national_picture(built: Built, published: Path) -> None:
    """Print the five ambitions against their trajectories, what the edition covers, and where it is."""
    with open_database(published / edition.DATABASE, read_only=True) as connection:
        picture, coverage = connection.sql(PICTURE), connection.sql(COVERAGE).fetchall()[0]
        print("\nThe national ambitions: newest published actual against the trajectory of 2020's guide\n")
        print_rows(_records(picture))
        print(
            f"\n{coverage[0]:,} trust values: {coverage[1]} trusts in {coverage[2]} LMSs, {coverage[3]} indicators "
            f"from {coverage[4]} source(s)"
        )
    facts = edition.info(published)
    if facts["is_synthetic"]:
        print("Trust, LMS and region values are SYNTHETIC sample data; the ambitions' actuals are published figures.")
    news = "nothing new: the edition is unchanged" if built.what == "nothing_new" else f"{built.warnings} warning(s)"
    print(f"Edition {published.name} ({news})\n{published / edition.DATABASE}")


def _records(relation: duckdb.DuckDBPyRelation) -> list[dict[str, Any]]:
    return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]


def print_rows(rows: Sequence[dict[str, Any]]) -> None:
    """Print records as a table that fits a terminal, numbers to the right; wide ones a line a field."""
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
    least, most = console.measure(table, options=console.options.update(width=sys.maxsize))
    if least <= console.width and most <= 2.5 * console.width:
        console.print(table)
        return
    for row in rows:
        record = Table.grid("", "", padding=(0, 2, 0, 0))
        for name, value in row.items():
            record.add_row(Text(name, style="bold"), Text(_cell(value), overflow="fold"))
        console.print(record, "")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.2f}"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def query(home: Home, sql: str, form: str) -> None:
    """Run SQL on the current edition, read-only and without access to anything outside it."""
    with open_current(home, enable_external_access=False)[1] as connection:
        try:
            cursor = connection.execute(sql)
            names = [name for name, *_ in cursor.description or []]
            if form == "csv":
                writer = csv.writer(sys.stdout, lineterminator="\n")
                writer.writerow(map(safe_cell, names))
                while rows := cursor.fetchmany(10_000):
                    writer.writerows(map(safe_cell, row) for row in rows)
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
    """Return the current edition, each dataset's newest release with the age of its figures, and the open alerts."""
    standing = Editions.of(home).current()
    fresh = freshness(standing)
    newest: dict[tuple[str, str], manifests.Manifest] = {}
    for item in manifests.LandedReleases(home.landed).in_use():
        key = (item.source_id, item.dataset)
        if key not in newest or (newest[key].release, newest[key].precedence) < (item.release, item.precedence):
            newest[key] = item
    facts = edition.info(standing) if standing else None
    return {
        "edition": {"path": str(standing), **{k: v for k, v in facts.items() if k != "releases"}} if facts else None,
        "sources": [_source_status(item, fresh.get(key, UNKNOWN)) for key, item in sorted(newest.items())],
        "open_alerts": [alert.to_dict() for alert in AlertLog(home.alerts).open()],
    }


def _source_status(item: manifests.Manifest, known: Freshness) -> dict[str, Any]:
    return {
        "source": item.source_id,
        "dataset": item.dataset,
        "latest_release": item.release,
        "revision": item.revision,
        "rows": item.rows_in,
        "published_on": item.published_on,
        "fetched_at": item.fetched_at,
        "cadence_days": all_sources()[item.source_id].calendar(item.layout).cadence_days,
        **lateness(known),
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
    keep = ("source", "dataset", "latest_release", "revision", "rows", "figures_up_to", "next_due", "is_late")
    print_rows([{name: row[name] for name in keep} for row in found["sources"]])
    print(f"\n{len(found['open_alerts'])} open alert(s)" + (": `perinatal alerts`" if found["open_alerts"] else ""))


def fetched(inbox: Arrivals, asked: Arrivals) -> dict[str, Any]:
    """Return what came of the inbox and of the publishers as plain data."""
    return {
        "inbox": [
            {"source": item.source_id, "name": item.name, "left": item.left, "tables": [vars(t) for t in item.taken]}
            for item in inbox.dropped
        ],
        "sources": [report.to_dict() for report in asked.reports],
        "sample_traffic": vars(asked.sample_traffic) if asked.sample_traffic else None,
    }


def print_fetched(found: dict[str, Any]) -> None:
    """Print the summary of a fetch for people: a line a source, then the inbox."""
    counts = ("landed", "revised", "refused")
    if found["sources"]:
        print_rows(
            [
                {
                    "source": row["source"],
                    "outcome": row["outcome"].replace("_", " "),
                    **{name: len(row[name]) for name in counts},
                    "unchanged": row["unchanged"],
                    "no data": row["no_data"],
                }
                for row in found["sources"]
            ]
        )
    tables = [table["what"] for item in found["inbox"] for table in item["tables"]]
    counted = [f"{tables.count(what)} {what}" for what in (*counts, "unchanged") if what in tables]
    left = sum(bool(item["left"]) for item in found["inbox"])
    print(f"\nInbox: {', '.join(counted) or 'nothing new'}" + (f"; {left} file(s) left there" if left else ""))
    if found["sample_traffic"]:
        traffic = found["sample_traffic"]
        print("Sample publishers: {requests} requests, {bodies} bodies, {body_bytes:,} bytes".format(**traffic))


def sources(home: Home) -> list[dict[str, Any]]:
    """Return each source with how it arrives, when it was probed last, and how old its newest release is."""
    newest: dict[str, manifests.Manifest] = {}
    for item in manifests.LandedReleases(home.landed).in_use():
        if item.source_id not in newest or _since(newest[item.source_id]) <= _since(item):
            newest[item.source_id] = item
    fresh = freshness(Editions.of(home).current())
    return [_source(home, source, newest.get(source.id), fresh) for source in all_sources().values()]


def _since(item: manifests.Manifest) -> tuple[str, str]:
    return item.published_on or item.fetched_at[:10], item.release


def _source(
    home: Home, source: Source, newest: manifests.Manifest | None, fresh: dict[tuple[str, str], Freshness]
) -> dict[str, Any]:
    places = {
        kind: probe_state.ProbeStates(home.probes).path_of(source.id, synthetic=kind == "sample")
        for kind in ("live", "sample")
    }
    asked = next((kind for kind, path in places.items() if path.exists()), None)
    state = probe_state.load(places[asked]) if asked else probe_state.ProbeState()
    known = fresh.get((newest.source_id, newest.dataset), UNKNOWN) if newest else UNKNOWN
    return {
        "source": source.id,
        "title": source.title,
        "publisher": source.publisher,
        "licence": source.licence,
        "audience": source.audience,
        "page": source.page,
        "arrives": str(source.arrives),
        "schedule": source.probe.schedule if source.probe else None,
        "last_probe": state.probed_at or None,
        "publishers_asked": asked,
        "last_outcome": state.outcome or None,
        "last_message": state.message or None,
        "latest_release": f"{newest.dataset} {newest.release}" if newest else None,
        "is_synthetic": newest.is_synthetic if newest else None,
        "cadence_days": source.cadence_days,
        **lateness(known),
    }


def print_sources(found: list[dict[str, Any]]) -> None:
    """Print the sources for people."""
    print_rows(
        [
            {
                "source": row["source"],
                "publisher": row["publisher"],
                "licence": row["licence"],
                "arrives": row["arrives"],
                "last probe": " ".join(filter(None, ((row["last_probe"] or "")[:16], row["last_outcome"]))) or "never",
                "latest release": row["latest_release"],
                "age / cadence, days": _age(row),
            }
            for row in found
        ]
    )
    if any(row["is_synthetic"] for row in found):
        print("\nThe releases are SYNTHETIC samples.")


def _age(row: dict[str, Any]) -> str:
    if row["age_days"] is None:
        return f"none / {row['cadence_days'] or 'closed'}"
    return f"{row['age_days']} / {row['cadence_days'] or 'closed'}" + (" LATE" if row["is_late"] else "")


def refused_file(report: quarantine.Report) -> dict[str, Any]:
    """Return one line on a quarantined file: what it is and the first reason."""
    first = report.reasons[0] if report.reasons else {"rule": "", "message": ""}
    return {
        "sha256": report.sha256[:12],
        "source": report.source_id,
        "name": report.original_name,
        "release": " ".join(filter(None, (report.dataset, report.release))) or None,
        "arrived_at": report.arrived_at,
        "reasons": len(report.reasons),
        "first_rule": first["rule"],
        "first_reason": first["message"],
    }


def print_quarantine(found: list[dict[str, Any]]) -> None:
    """Print the files in quarantine for people."""
    if found:
        print_rows(found)
    else:
        print("quarantine is empty")
