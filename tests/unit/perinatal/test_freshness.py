"""A release is late when more than a quarter of its cadence has passed since the next one was due."""

from datetime import date, timedelta

import pytest

from perinatal import freshness

SINCE = date(2026, 1, 1)


@pytest.mark.parametrize(("cadence", "last_day_in_time"), [(4, 5), (30, 37), (31, 38), (365, 456), (1095, 1368)])
def test_late_begins_the_day_after_a_quarter_of_the_cadence(cadence: int, last_day_in_time: int) -> None:
    last = SINCE + timedelta(days=last_day_in_time)
    assert not freshness.is_late(SINCE, cadence, last)
    assert freshness.is_late(SINCE, cadence, last + timedelta(days=1))
    assert freshness.late_from(SINCE, cadence) == last + timedelta(days=1)


def test_what_has_no_cadence_is_never_late() -> None:
    assert not freshness.is_late(SINCE, None, date(2100, 1, 1))
