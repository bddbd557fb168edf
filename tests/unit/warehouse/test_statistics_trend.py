"""The recent trend: by polarity, over five consecutive points, and when it cannot be calculated."""

from pathlib import Path
from typing import Any

import pytest
from scipy.stats import chi2
from stats_command import command, query

from perinatal.errors import PerinatalError


def trend(tmp_path: Path, points: list[tuple[int, Any, Any]], **extra: str) -> dict[str, str]:
    names, values = ",".join(["", *extra]), ",".join(["", *extra.values()])
    text = f"year,count,denominator{names}\n" + "".join(f"{y},{x},{n}{values}\n" for y, x, n in points)
    return command("trend", tmp_path, text)[-1]


RISE = [(2018 + i, 100 + 30 * i, 5000) for i in range(6)]


@pytest.mark.parametrize(
    ("statistic", "polarity", "label"),
    [
        ("proportion", "low", "worse"),
        ("rate", "high", "better"),
        ("rate", "none", "increasing"),
        ("proportion", "", "increasing"),
    ],
)
def test_trend_by_polarity(tmp_path: Path, statistic: str, polarity: str, label: str) -> None:
    row = trend(tmp_path, RISE, statistic=statistic, polarity=polarity)
    assert (row["recent_trend"], row["significant"]) == (label, "TRUE")


def test_trend_uses_the_last_five_points_only(tmp_path: Path) -> None:
    assert trend(tmp_path, RISE)["chi2"] == trend(tmp_path, RISE[1:])["chi2"]
    assert trend(tmp_path, [(2010, 5000, 5000), *RISE])["recent_trend"] == "increasing"


@pytest.mark.parametrize(
    "points",
    [
        RISE[:4],
        RISE[:2] + RISE[3:],
        [*RISE[:-1], (2023, "", 5000)],
        [*RISE[:3], (2021, "NA", ""), *RISE[4:]],
    ],
    ids=["four points", "a gap", "newest missing", "one missing"],
)
@pytest.mark.parametrize("statistic", ["rate", "proportion"])
def test_trend_that_cannot_be_calculated(tmp_path: Path, points: Any, statistic: str) -> None:
    row = trend(tmp_path, points, statistic=statistic)
    assert (row["recent_trend"], row["significant"], row["chi2"]) == ("cannot be calculated", "", "")


def test_one_outlier_makes_no_trend_of_rates(tmp_path: Path) -> None:
    points = [(2019, 300, 5000), (2020, 290, 5000), (2021, 280, 5000), (2022, 270, 5000), (2023, 500, 5000)]
    row = trend(tmp_path, points, statistic="rate")
    assert (float(row["chi2"]) > 9.55, row["recent_trend"]) == (True, "no significant change")


def test_no_events_at_all_is_no_change(tmp_path: Path) -> None:
    points = [(2019 + i, 0, 500) for i in range(5)]
    for statistic in ("rate", "proportion"):
        assert trend(tmp_path, points, statistic=statistic)["recent_trend"] == "no significant change"


def test_trend_threshold_and_overlapping_periods() -> None:
    [[threshold]] = query("select {{ trend_threshold() }}")
    assert threshold == pytest.approx(chi2.isf(0.002, 1), rel=1e-12)
    template = """
    select recent_trend from {{ recent_trend(
        "(select make_date(2010 + i * " ~ step ~ ", 1, 1) as s,"
        ~ " make_date(2012 + i * " ~ step ~ ", 12, 31) as e,"
        ~ " 100 + 30 * i as x, 5000 as n, 'proportion' as kind from range(5) t(i))",
        [], 's', 'e', 'x', 'n', 'null', 'null', 'null', 'kind', "'low'"
    ) }} order by s desc limit 1
    """
    assert query(template, step="1") == [("cannot be calculated",)]
    assert query(template, step="3") == [("worse",)]


def test_a_value_that_is_not_believable_is_no_point_of_a_marts_trend() -> None:
    template = """
    with judged as (
        select
            's' as source_id, 's' as series_id, 'i' as indicator_id, 'all' as breakdown, 'all' as breakdown_value,
            'T1' as organisation_code, make_date(2018 + n, 1, 1) as period_start,
            make_date(2018 + n, 12, 31) as period_end,
            100.0 + 30 * n as numerator, 5000.0 as denominator, 2.0 as value, 1.0 as lower_95, 3.0 as upper_95,
            'proportion' as statistic, 'low' as polarity,
            case when n = 1 then [word] else []::varchar[] end as usage_warnings
        from range(6) as t(n), (select '{{ word }}' as word)
    )
    select recent_trend from {{ with_trend("judged", "judged", ["organisation_code"]) }} order by period_start
    """
    unknown = "cannot be calculated"
    for word in ("implausible", "low_coverage", "partial_submission", "rolling_window"):
        assert query(template, word=word) == [(unknown,)] * 6
    assert query(template, word="rounded") == [(unknown,)] * 4 + [("worse",)] * 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["rate", "rate", "proportion"],
            "line 4: statistic is 'proportion' here but 'rate' on line 2 of the same case",
        ),
        (["Rate", "", "Rate"], "line 3: statistic is blank here but given on line 2"),
        (["trend"] * 3, "line 2: statistic 'trend' is not understood"),
    ],
)
def test_trend_of_mixed_statistics_is_an_error(tmp_path: Path, words: list[str], message: str) -> None:
    rows = "".join(f"{2020 + i},10,500,{word}\n" for i, word in enumerate(words))
    with pytest.raises(PerinatalError, match=message):
        command("trend", tmp_path, "year,count,denominator,statistic\n" + rows)


def test_trend_of_unsorted_years_is_that_of_sorted_ones(tmp_path: Path) -> None:
    assert trend(tmp_path, RISE[::-1])["chi2"] == trend(tmp_path, RISE)["chi2"]
