"""Age counts from the end of the figures' period: landing an old file makes nothing fresh."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import duckdb
import pytest

from ingest.registry import Calendar, source
from perinatal.home import Home

from ..support import crawler

SOURCE = "mbrrace"
BORN_UNTIL = date(2023, 12, 31)


def test_figures_landed_today_are_as_old_as_their_period(published: Home, cli: Callable[..., object]) -> None:
    calendar = source(SOURCE).calendar("perinatal_mortality")
    due = BORN_UNTIL + timedelta(days=(calendar.cadence_days or 0) + calendar.lag_days)
    late_from = due + timedelta(days=calendar.grace_days + 1)
    with duckdb.connect(str(published.database), read_only=True) as connection:
        found = connection.execute(
            "select distinct latest_period_end, next_due, late_from from quality.source_health where source_id = ?",
            [SOURCE],
        ).fetchall()
    assert found == [(BORN_UNTIL, due, late_from)]
    today = datetime.now(UTC).date()
    for row in json.loads(cli("status", "--json", at=published).out)["sources"]:  # type: ignore[attr-defined]
        if row["source"] != SOURCE:
            continue
        assert (row["figures_up_to"], row["age_days"]) == ("2023-12-31", (today - BORN_UNTIL).days)
        assert (row["next_due"], row["is_late"]) == (due.isoformat(), today >= late_from)


def test_late_figures_are_in_the_alerts_and_on_the_page(published: Home, cli: Callable[..., object]) -> None:
    opened = json.loads(cli("alerts", "--json", at=published).out)  # type: ignore[attr-defined]
    assert "sources_are_on_time" in json.dumps(opened)
    page = crawler.tree(published.current / "portal" / "quality.html")
    assert [cell.text_content() for cell in page.xpath("//*[@id='late']/following::table[1]//strong")].count(
        "Late"
    ) == 2


@pytest.mark.parametrize(
    ("layout", "expected"), [("annual", Calendar(365, 260, 31)), ("monthly_data", Calendar(31, 92, 31))]
)
def test_a_dataset_has_a_calendar_of_its_own(layout: str, expected: Calendar) -> None:
    assert source("msds").calendar(layout) == expected
