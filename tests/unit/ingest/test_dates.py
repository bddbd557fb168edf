"""Days in every usual form; whether day or month comes first is found once per file, or the cells are named."""

from datetime import date

import pytest

from ingest.land.dates import DateCell, read_days
from ingest.land.unreadable import Unreadable


def cells(*texts: str, column: str = "RPEndDate") -> list[DateCell]:
    return [DateCell(column, row, text) for row, text in enumerate(texts, start=1)]


@pytest.mark.parametrize(
    "text",
    [
        *("2024-07-31", "2024-07-31T00:00:00", "2024-07-31 00:00:00", "2024-07-31T00:00:00.000", "2024/07/31"),
        *("31/07/2024", "31/07/24", "31.07.2024", "31-07-2024", "31/07/2024 00:00", "07/31/2024", "7/31/24 12:00 AM"),
        *("31-Jul-24", "31-JUL-2024", "31 Jul 2024", "31 July 2024", "31st July 2024", "July 31, 2024", "Jul 31, 2024"),
        *("45504", "45504.0", "45504.5", "20240731", "2024-07-30T23:00:00Z", "2024-07-31T00:00:00+01:00"),
    ],
)
def test_one_day_in_many_forms(text: str) -> None:
    assert read_days(cells(text)).of == {text: date(2024, 7, 31)}


@pytest.mark.parametrize("text", ["2024-02-30", "31/31/2024", "31 Foo 2024", "07-Oct", "4500", "2024", "31/07-2024"])
def test_what_is_no_day_is_left_out(text: str) -> None:
    assert read_days(cells(text)).of == {}


def test_one_date_decides_the_order_of_all() -> None:
    found = read_days([*cells("01/07/2024", column="RPStartDate"), *cells("31/07/2024")])
    assert (found.order, found.of["01/07/2024"]) == ("day_first", date(2024, 7, 1))
    found = read_days([*cells("07/01/2024", column="RPStartDate"), *cells("07/31/2024")])
    assert (found.order, found.of["07/01/2024"]) == ("month_first", date(2024, 7, 1))


def test_dates_that_are_the_same_either_way_need_no_order() -> None:
    assert read_days(cells("03/03/2024")).of == {"03/03/2024": date(2024, 3, 3)}


def test_an_order_that_nothing_decides_is_refused_with_the_cells() -> None:
    with pytest.raises(Unreadable, match="row 1, RPEndDate: '03/04/2024'") as refusal:
        read_days(cells("03/04/2024", "2024-04-03"))
    assert refusal.value.reason == "date_order_unknown"


def test_two_orders_in_one_file_are_refused_with_a_cell_of_each() -> None:
    with pytest.raises(Unreadable) as refusal:
        read_days(cells("31/07/2024", "07/31/2024"))
    assert refusal.value.reason == "date_order_contradicted"
    assert "row 1" in str(refusal.value)
    assert "row 2" in str(refusal.value)
