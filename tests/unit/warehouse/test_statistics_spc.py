"""XmR charts: limits, special causes, dates as people write them, and gaps."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from stats_command import command, query

from perinatal.errors import PerinatalError


def spc(tmp_path: Path, values: list[Any], **extra: str) -> list[dict[str, str]]:
    names, cells = ",".join(["", *extra]), ",".join(["", *extra.values()])
    return command("spc", tmp_path, f"x,y{names}\n" + "".join(f"{i},{y}{cells}\n" for i, y in enumerate(values)))


def test_spc_limits_are_2_66_mean_moving_ranges(tmp_path: Path) -> None:
    rows = spc(tmp_path, [1, 3, 2, 5])
    assert float(rows[0]["upl"]) == pytest.approx(2.75 + 2.66 * 2)
    assert rows[0]["short_group_warning"] == "TRUE"


def test_spc_falling_trend_and_directions(tmp_path: Path) -> None:
    values = [5, 6, 5, 6, 5, 6, 9, 8, 7, 6, 5, 4, 3, 5, 6, 5, 6]
    for direction, point_type in (
        ("decrease", "improvement"),
        ("increase", "concern"),
        ("neutral", "neutral_low"),
    ):
        rows = spc(tmp_path, values, improvement_direction=direction)
        assert {row["special_cause_type"] for row in rows[7:13]} == {"7 Point Trend (Decreasing)"}
        assert {row["point_type"] for row in rows[7:13]} == {f"special_cause_{point_type}"}
        assert rows[5]["special_cause_flag"] == "FALSE"


def test_spc_point_on_the_mean_and_missing_value_break_a_run(tmp_path: Path) -> None:
    high = [3, 4, 3, 4, 3, 4]
    whole = [1, 0, 1, 0, 1, 0, *high, 3, 4, 1, 0, 1, 0]
    assert [row["special_cause_type"] for row in spc(tmp_path, whole)][6:14] == ["7 Points Above CL"] * 8
    broken = [1, 0, 1, 0, 1, 0, *high, "", 3, 4, 1, 0, 1, 0]
    rows = spc(tmp_path, broken)
    assert (rows[12]["special_cause_type"], rows[12]["mean_col"] != "") == ("", True)
    assert {row["special_cause_type"] for row in rows[:12]} == {"Common Cause"}


def test_spc_constant_decimals_stay_on_their_mean(tmp_path: Path) -> None:
    rows = spc(tmp_path, [0.1] * 14)
    assert {(row["relative_to_mean"], row["lpl"], row["special_cause_type"]) for row in rows} == {
        ("0", "", "Common Cause")
    }


def test_spc_rebase_groups_are_separate_and_order_is_by_x(tmp_path: Path) -> None:
    text = "x,y,rebase_group,target\n2024-02-01,3,0,10\n2024-01-01,1,0,10\n2024-04-01,30,1,10\n2024-03-01,10,1,10\n"
    rows = command("spc", tmp_path, text)
    assert [row["x"] for row in rows] == ["2024-02-01", "2024-01-01", "2024-04-01", "2024-03-01"]
    assert [float(row["mean_col"]) for row in rows] == [2, 2, 20, 20]
    assert [row["assurance"] for row in rows] == ["consistent_fail"] * 2 + ["inconsistent"] * 2


def test_spc_of_a_hundred_thousand_points_is_quick() -> None:
    assert query(
        "select count(*) from {{ spc("
        "'(select i // 100 as s, i as t, (i * 7919) % 101 as y from range(100000) r(i))',"
        " ['s'], 't', 'y', \"'increase'\") }}"
    ) == [(100000,)]


VALUES = [52, 49, 51, 55, 47, 50, 53, 48, 51, 50, 49, 54, 46, 52]
MONTHS = [(2022 + i // 12, i % 12 + 1) for i in range(14)]
NAMES = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
ISO = [f"{year}-{month:02}-01" for year, month in MONTHS]


def charted(tmp_path: Path, times: list[str], values: list[Any] = VALUES) -> list[dict[str, str]]:
    text = "x,y\n" + "".join(f"{x},{y}\n" for x, y in zip(times, values, strict=True))
    return [dict(row, x="") for row in command("spc", tmp_path, text)]


@pytest.mark.parametrize(
    "times",
    [
        [f"01/{month:02}/{year}" for year, month in MONTHS],
        [f"1/{month}/{year % 100}" for year, month in MONTHS],
        [f"01.{month:02}.{year}" for year, month in MONTHS],
        [f"{NAMES[month - 1]}-{year % 100}" for year, month in MONTHS],
        [f"{NAMES[month - 1].upper()} {year}" for year, month in MONTHS],
        [f"01-{NAMES[month - 1]}-{year}" for year, month in MONTHS],
        [f"{year}-{month:02}" for year, month in MONTHS],
        [f"{year}{month:02}" for year, month in MONTHS],
        [f"{year}-{month:02}-01T00:00:00" for year, month in MONTHS],
    ],
    ids=lambda times: times[0],
)
def test_spc_reads_dates_as_people_write_them(tmp_path: Path, times: list[str]) -> None:
    assert charted(tmp_path, times) == charted(tmp_path, ISO)
    shuffled = list(zip(times, VALUES, strict=True))[::-1]
    backwards = charted(tmp_path, [x for x, _ in shuffled], [y for _, y in shuffled])
    assert backwards[::-1] == charted(tmp_path, ISO)


@pytest.mark.parametrize(
    ("times", "message"),
    [
        (["2022-01-01", "2022-02-01", "2022-01-01"], "line 4: x '2022-01-01' stands twice .*first on line 2"),
        (["202201", "2022-02-01"], "line 3: x '2022-02-01' is a date but '202201' on line 2 is a month as one number"),
        (["2022-01-01", "7"], "line 3: x '7' is a number but '2022-01-01' on line 2 is a date"),
        (["01/02/2022", "2022-03-01"], "line 3: x '2022-03-01' is a date but .* line 2 is a date with the day first"),
        (["01/13/2022"], "line 2: x '01/13/2022' is not in the calendar"),
        (["202213"], "line 2: x '202213' is not in the calendar"),
        (["Foo-22"], "line 2: x 'Foo-22' is not in the calendar"),
        (["2022-01-01", ""], "line 3: x '' is neither a date nor a number"),
        (
            ["2022-01-03", "2022-02-01", "2022-03-01", "2022-03-28"],
            r"'2022-03-01' \(line 4\) and '2022-03-28' \(line 5\) are in one month of a monthly series",
        ),
    ],
)
def test_spc_refuses_times_that_stand_twice_or_are_of_two_kinds(tmp_path: Path, times: list[str], message: str) -> None:
    with pytest.raises(PerinatalError, match=message):
        charted(tmp_path, times, [5] * len(times))


def test_the_same_time_in_two_series_is_no_repeat(tmp_path: Path) -> None:
    text = "series,x,y\nA,2022-01-01,1\nB,2022-01-01,2\nA,2022-02-01,3\nB,2022-02-01,4\n"
    assert [float(row["mean_col"]) for row in command("spc", tmp_path, text)] == [2, 3, 2, 3]


# the run of seven that a row left out would join
JOINED = [40, 60, 42, 58, 41, 61, 43, 59, 53, 54, 53, 55, 54, 53, 54, 40, 60, 41, 59]
GRIDS = {
    "months": [f"{2022 + i // 12}-{i % 12 + 1:02}-01" for i in range(20)],
    "last days": ["2022-01-31", "2022-02-28", *(f"{2022 + i // 12}-{i % 12 + 1:02}-28" for i in range(2, 20))],
    "quarters": [f"{2015 + i // 4}-{3 * (i % 4) + 1:02}-01" for i in range(20)],
    "years": [str(2001 + i) for i in range(20)],
}


@pytest.mark.parametrize("grid", ["months", "last days", "quarters", "years"])
def test_a_row_left_out_ends_runs_and_moving_ranges(tmp_path: Path, grid: str) -> None:
    times = GRIDS[grid]
    joined, left_out = times[:19], times[:12] + times[13:]
    assert "7 Points Above CL" in {row["special_cause_type"] for row in charted(tmp_path, joined, JOINED)}
    rows = charted(tmp_path, left_out, JOINED)
    assert "7 Points Above CL" not in {row["special_cause_type"] for row in rows}
    assert {row["mean_col"] for row in rows} == {row["mean_col"] for row in charted(tmp_path, joined, JOINED)}
    ranges = [abs(b - a) for i, (a, b) in enumerate(pairwise(JOINED)) if i != 11]
    first = sum(ranges) / len(ranges)
    kept = [one for one in ranges if one < 3.267 * first]
    reach = 2.66 * sum(kept) / len(kept)
    assert float(rows[0]["upl"]) == pytest.approx(sum(JOINED) / len(JOINED) + reach)


def test_a_blank_row_and_a_row_left_out_give_the_same(tmp_path: Path) -> None:
    times = GRIDS["months"]
    blank = charted(tmp_path, times, [*JOINED[:12], "", *JOINED[12:]])
    left_out = charted(tmp_path, times[:12] + times[13:], JOINED)
    assert [row for row in blank if row["y"]] == left_out


def test_weeks_follow_each_other_over_the_ends_of_months(tmp_path: Path) -> None:
    weeks = ["2024-01-03", "2024-01-10", "2024-01-17", "2024-01-24", "2024-01-31", "2024-02-07", "2024-02-14"]
    rising = charted(tmp_path, weeks, [1, 2, 3, 4, 5, 6, 7])
    numbered = charted(tmp_path, [str(i) for i in range(7)], [1, 2, 3, 4, 5, 6, 7])
    assert rising == numbered


def test_four_weekly_points_are_not_two_of_one_month(tmp_path: Path) -> None:
    times = ["2024-01-01", "2024-01-29", "2024-02-26", "2024-03-25", "2024-04-22", "2024-05-20"]
    assert charted(tmp_path, times, [1, 2, 3, 4, 5, 6]) == charted(tmp_path, list("123456"), [1, 2, 3, 4, 5, 6])


def test_dates_without_a_rhythm_may_share_a_month(tmp_path: Path) -> None:
    times = ["2024-01-01", "2024-01-09", "2024-03-25", "2024-07-02", "2025-05-20"]
    assert charted(tmp_path, times, [1, 2, 3, 4, 5]) == charted(tmp_path, list("12345"), [1, 2, 3, 4, 5])


def test_steps_of_a_tenth_are_even(tmp_path: Path) -> None:
    tenths = [f"{i / 10}" for i in range(7)]
    assert charted(tmp_path, tenths, list(range(7))) == charted(tmp_path, list("1234567"), list(range(7)))


def test_a_series_without_a_rhythm_has_no_gaps(tmp_path: Path) -> None:
    irregular = ["1", "2", "4", "8", "16", "32", "64"]
    values = [1, 2, 3, 4, 5, 6, 7]
    assert charted(tmp_path, irregular, values) == charted(tmp_path, list("1234567"), values)
