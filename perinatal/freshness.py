"""From which day on a dataset counts as late: the one rule for status, alerts and pages.

For what is in an edition, `late_from` of `quality.source_health` says it; dbt gets `LATE_AFTER` as a variable.
"""

from __future__ import annotations

from datetime import date, timedelta

LATE_AFTER = 0.25  # part of the publisher's cadence that may pass after the day on which the next release is due


def late_from(since: date, cadence_days: int) -> date:
    """Return the first day on which the release after that of `since` (published, else fetched) is late."""
    return since + timedelta(days=cadence_days + int(cadence_days * LATE_AFTER) + 1)


def is_late(since: date, cadence_days: int | None, today: date) -> bool:
    """Tell whether the next release is late today; without a cadence nothing more is due."""
    return cadence_days is not None and today >= late_from(since, cadence_days)
