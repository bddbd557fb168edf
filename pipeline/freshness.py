"""How old the figures of each dataset are, by the edition that people read, and whether the next ones are overdue."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from perinatal.opening import open_database
from publish import edition


class Freshness(NamedTuple):
    """How far a dataset's figures in the current edition reach, and from which day the next ones count as late."""

    figures_up_to: date | None
    next_due: date | None
    late_from: date | None


UNKNOWN = Freshness(None, None, None)
FRESHNESS = """
select source_id, dataset, max(latest_period_end), max(next_due), max(late_from)
from quality.source_health group by source_id, dataset
"""


def freshness(standing: Path | None) -> dict[tuple[str, str], Freshness]:
    """Return the freshness of each dataset of an edition, by source and dataset.

    Empty where there is no edition, and for one of an earlier version, which does not know when figures are due.
    """
    if standing is None:
        return {}
    with open_database(standing / edition.DATABASE, read_only=True) as connection:
        try:
            found = connection.execute(FRESHNESS).fetchall()
        except (duckdb.BinderException, duckdb.CatalogException):
            return {}
    return {(row[0], row[1]): Freshness(*row[2:]) for row in found}


def lateness(known: Freshness) -> dict[str, Any]:
    """Return how old the figures are today and whether the next are late; None where the edition does not say."""
    today = datetime.now(UTC).date()
    return {
        "figures_up_to": known.figures_up_to.isoformat() if known.figures_up_to else None,
        "age_days": (today - known.figures_up_to).days if known.figures_up_to else None,
        "next_due": known.next_due.isoformat() if known.next_due else None,
        "is_late": today >= known.late_from if known.late_from else None,
    }
