"""The statistical macros against scipy and by their properties, and the errors of the CSV command."""

import csv
import io
import math
import random
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2, contingency, gamma, norm

from perinatal.errors import PerinatalError
from warehouse import statistics as stats

LEVELS = {95: 0.025, 99.8: 0.001}


CONNECTION = duckdb.connect()


def query(template: str, **names: Any) -> list[tuple[Any, ...]]:
    return CONNECTION.execute(stats.render(template, **names)).fetchall()


def command(kind: str, tmp_path: Path, text: str, multiplier: float | None = None) -> list[dict[str, str]]:
    path = tmp_path / "given.csv"
    path.write_text(text)
    out = io.StringIO()
    stats.main(kind, path, multiplier, out)
    return list(csv.DictReader(io.StringIO(out.getvalue())))


# --- intervals


@pytest.mark.parametrize("level", LEVELS)
def test_normal_and_exact_poisson_literals_are_scipys(level: float) -> None:
    tail = LEVELS[level]
    [[z, p]] = query("select {{ z_value(l) }}, {{ tail_probability(l) }}", l=level)
    assert (z, p) == (pytest.approx(norm.isf(tail), rel=1e-14), tail)
    lower, upper = zip(
        *query(
            "select {{ exact_poisson_table('x', 'lower', l) }}, {{ exact_poisson_table('x', 'upper', l) }}"
            " from range(10) as counts(x) order by x",
            l=level,
        ),
        strict=True,
    )
    assert list(lower) == pytest.approx([0.0] + [chi2.ppf(tail, 2 * x) / 2 for x in range(1, 10)], rel=1e-13)
    assert list(upper) == pytest.approx([chi2.isf(tail, 2 * x + 2) / 2 for x in range(10)], rel=1e-13)


@pytest.mark.parametrize("level", LEVELS)
def test_gamma_quantile_is_scipys(level: float) -> None:
    shapes = [0.02, 0.3, 1, 1.5, 4.5, 9.99, 31, 250.25, 4000]
    rows = query(
        "select a, {{ gamma_quantile('a', 'lower', l) }}, {{ gamma_quantile('a', 'upper', l) }}"
        " from unnest({{ shapes }}) s(a)",
        l=level,
        shapes=shapes,
    )
    for a, lower, upper in rows:
        assert lower == pytest.approx(gamma.ppf(LEVELS[level], float(a)), rel=1e-10)
        assert upper == pytest.approx(gamma.isf(LEVELS[level], float(a)), rel=1e-10)


RATES = """
select
    {{ rate_value('x', 'n', m) }},
    {{ rate_limit('x', 'n', m, 'lower', 99.8) }}, {{ rate_limit('x', 'n', m, 'lower', 95) }},
    {{ rate_limit('x', 'n', m, 'upper', 95) }}, {{ rate_limit('x', 'n', m, 'upper', 99.8) }},
    {{ rate_method('x') }}
from (select {{ x }} as x, {{ n }} as n)
"""
WILSON = RATES.replace("rate_limit", "wilson_limit")
COUNTS = st.one_of(st.integers(0, 40), st.integers(0, 10**6), st.floats(0, 12, allow_subnormal=False))


@settings(max_examples=40, deadline=None)
@given(x=COUNTS, n=st.integers(1, 10**6), m=st.sampled_from([1, 100, 1000, 100000]))
def test_rate_limits_nest_hold_the_value_and_scale(x: float, n: int, m: int) -> None:
    [[value, low998, low95, up95, up998, method]] = query(RATES, x=f"{x!r}::double", n=n, m=m)
    [[plain, *_, plain_up998, _]] = query(RATES, x=f"{x!r}::double", n=n, m=1)
    assert low998 <= low95 <= value <= up95 <= up998
    assert (value, up998) == (pytest.approx(plain * m), pytest.approx(plain_up998 * m))
    assert method == ("Exact" if x < 10 else "Byar")


@settings(max_examples=40, deadline=None)
@given(counts=st.tuples(st.integers(0, 5000), st.integers(1, 5000)).filter(lambda pair: pair[0] <= pair[1]))
def test_wilson_limits_nest_hold_the_value_and_agree_with_the_score_test(counts: tuple[int, int]) -> None:
    x, n = counts
    [[value, low998, low95, up95, up998, _]] = query(WILSON, x=x, n=n, m=1)
    assert 0 <= low998 <= low95 <= value + 1e-12
    assert value - 1e-12 <= up95 <= up998 <= 1
    for limit in (low95, up95):  # the score statistic at either end is z
        if 0 < limit < 1 and 0 < x < n:
            score = (value - limit) / math.sqrt(limit * (1 - limit) / n)
            assert abs(score) == pytest.approx(norm.isf(0.025), rel=1e-6)


def test_rate_limits_rise_with_the_count() -> None:
    rows = query(
        "select {{ rate_limit('x', '1000', 1000, 'lower') }}, {{ rate_limit('x', '1000', 1000, 'upper') }}"
        " from range(60) s(x) order by x"
    )
    for side in (0, 1):
        ends = [row[side] for row in rows]
        assert ends == sorted(set(ends))


@pytest.mark.parametrize(("x", "n"), [("null", 5), (5, "null"), (5, 0), (5, -1), (-1, 5)])
def test_what_has_no_rate_is_null(x: Any, n: Any) -> None:
    assert query(RATES, x=f"{x}::double", n=f"{n}::double", m=1)[0][:5] == (None,) * 5
    assert query(WILSON, x=f"{x}::double", n=f"{n}::double", m=1)[0][:5] == (None,) * 5


def test_no_proportion_above_one() -> None:
    assert query(WILSON, x=6, n=5, m=1)[0][1:5] == (None,) * 4


def test_rate_ratio_is_the_log_normal_one() -> None:
    [[ratio, lower, upper, none]] = query(
        "select {{ rate_ratio('30', '4000', '20', '5000') }},"
        " {{ rate_ratio_limit('30', '4000', '20', '5000', 'lower') }},"
        " {{ rate_ratio_limit('30', '4000', '20', '5000', 'upper') }},"
        " {{ rate_ratio_limit('0', '4000', '20', '5000', 'upper') }}"
    )
    expected = contingency.relative_risk(30, 4000, 20, 5000).relative_risk
    spread = norm.isf(0.025) * math.sqrt(1 / 30 + 1 / 20)
    assert ratio == pytest.approx(expected)
    assert (lower, upper) == pytest.approx((expected * math.exp(-spread), expected * math.exp(spread)))
    assert none is None


# --- funnel


def test_rate_funnel_is_the_exact_poisson_interval_of_the_expected() -> None:
    [[lower, upper]] = query(
        "select {{ funnel_limit('p', 'n', 1000, 'lower', 99.8, 'rate') }},"
        " {{ funnel_limit('p', 'n', 1000, 'upper', 99.8, 'rate') }} from (select 0.0045 as p, 5300 as n)"
    )
    expected = 0.0045 * 5300
    assert lower == pytest.approx(chi2.ppf(0.001, 2 * expected) / 2 / 5300 * 1000, rel=1e-10)
    assert upper == pytest.approx(chi2.isf(0.001, 2 * expected + 2) / 2 / 5300 * 1000, rel=1e-10)


def test_rate_funnel_by_events_inverts_the_exact_interval(tmp_path: Path) -> None:
    text = "Events,baseline,statistic\n4,5,rate (crude per 1000)\n40,5,rate (crude per 1000)\n"
    for row in command("funnel", tmp_path, text):
        events = float(row["Events"])
        assert float(row["lower_2s_limit"]) == pytest.approx(events * 5 * 2 / chi2.isf(0.025, 2 * events + 2))
        assert float(row["upper_3s_limit"]) == pytest.approx(events * 5 * 2 / chi2.ppf(0.001, 2 * events))


def test_limits_are_capped_before_the_multiplier(tmp_path: Path) -> None:
    [row] = command("funnel", tmp_path, "Population,baseline\n2,900\n", 1000)
    assert (row["upper_3s_limit"], float(row["lower_3s_limit"]) > 0) == ("1000.0", True)


def test_over_dispersion_is_spiegelhalters(tmp_path: Path) -> None:
    dice = random.Random(7)  # noqa: S311
    counts = [(round(n * dice.uniform(0.05, 0.15)), n) for n in (dice.randint(800, 6000) for _ in range(40))]
    text = "x,n\n" + "\n".join(f"{x},{n}" for x, n in counts) + "\n,500\n"
    *rows, masked = command("funnel", tmp_path, text)
    p = sum(x for x, _ in counts) / sum(n for _, n in counts)
    z = [2 * math.sqrt(n) * (math.asin(math.sqrt(x / n)) - math.asin(math.sqrt(p))) for x, n in counts]
    ordered = sorted(z)
    low, high = (ordered[i] + 0.9 * (ordered[i + 1] - ordered[i]) for i in (3, 35))
    high = ordered[35] + 0.1 * (ordered[36] - ordered[35])
    phi = sum(min(high, max(low, score)) ** 2 for score in z) / 40
    w = [4 * n for _, n in counts]
    tau2 = (40 * phi - 39) / (sum(w) - sum(v * v for v in w) / sum(w))
    assert (float(rows[0]["phi"]), float(rows[0]["tau2"])) == (pytest.approx(phi), pytest.approx(tau2))
    assert {row["limits_used"] for row in rows} == {"over-dispersed (arcsine)"}
    reach = math.asin(math.sqrt(p)) + norm.isf(0.025) * math.sqrt(1 / w[0] + tau2)
    assert float(rows[0]["od_upper_2s_limit"]) == pytest.approx(100 * math.sin(reach) ** 2)
    assert (masked["significance"], masked["od_significance"], masked["lower_2s_limit"]) == ("", "", "")


def test_a_calm_or_small_funnel_is_not_called_over_dispersed(tmp_path: Path) -> None:
    calm = command("funnel", tmp_path, "x,n\n" + "50,1000\n52,1000\n" * 10)
    few = command("funnel", tmp_path, "x,n\n10,1000\n200,1000\n")
    assert {row["limits_used"] for row in calm + few} == {"binomial"}
    assert [row["significance"] for row in few] == ["Low (0.001)", "High (0.001)"]


@pytest.mark.parametrize(
    ("lower", "upper", "polarity", "label"),
    [
        (5, 7, "low", "worse"),
        (5, 7, "high", "better"),
        (1, 3, "low", "better"),
        (1, 3, "high", "worse"),
        (5, 7, "none", "higher"),
        (1, 3, "none", "lower"),
        (3, 5, "low", "similar"),
        ("null", "null", "low", None),
    ],
)
def test_comparison_by_polarity(lower: Any, upper: Any, polarity: str, label: str | None) -> None:
    assert query(
        "select {{ comparison(a, b, '4', \"'\" ~ polarity ~ \"'\") }}", a=lower, b=upper, polarity=polarity
    ) == [(label,)]


# --- trend


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


# --- SPC


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


# --- CUSUM


CUSUM = """
select cusum_expected, cusum, cusum_signal, excess_events
from {{ cusum(
    "(select unnest(" ~ events ~ ") as x, generate_subscripts(" ~ events ~ ", 1) as t, 1000 as n, 'A' as s)",
    ['s'], 't', 'x', 'n', '0.002'
) }} order by t
"""


@settings(max_examples=25, deadline=None)
@given(events=st.lists(st.one_of(st.none(), st.integers(0, 8)), min_size=1, max_size=25))
def test_cusum_climbs_signals_and_resets(events: list[int | None]) -> None:
    text = "[" + ", ".join("null" if x is None else str(x) for x in events) + "]::double[]"
    level, excess = 0.0, 0.0
    for x, (expected, cusum, signal, ours) in zip(events, query(CUSUM, events=text), strict=True):
        assert expected == pytest.approx(2)
        if x is not None:
            level, excess = max(0.0, level + x * math.log(2) - 2), excess + x - 2
            assert ours == pytest.approx(excess)
        red, amber = level >= math.log(100), level >= math.log(20)
        assert (cusum, signal) == (pytest.approx(level), "red" if red else "amber" if amber else None)
        level = 0.0 if red else level


# --- the command


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("rate", "x,n\n1,10\n1,0\n", r"given.csv, line 3: n is not above 0"),
        ("rate", "x,n\n-1,10\n", r"line 2: x is below 0"),
        ("rate", "x,n\n1,ten\n", r"line 2: n is not a number; write plain digits"),
        ("rate", "x,n\n1,inf\n", r"line 2: n is not a number"),
        ("rate", "x,births\n1,10\n", r"line 1: expected the columns x, n; missing: n \(found x, births\)"),
        ("rate", "x,n\n1,10,3\n", r"line 2: expected UTF-8 text of 2 cells a line"),
        ("rate", "x,n\n", "has a header but no rows"),
        ("rate", "x,X\n1,2\n", "stands twice"),
        ("proportion", "x,n\n11,10\n", r"line 2: x is above n"),
        ("funnel", "a\n1\n", r"expected the columns x, n or Population, baseline"),
        ("funnel", "Population,baseline\n0,5\n", r"line 2: Population is not above 0"),
        ("funnel", "Population,baseline\n5,500\n", r"line 2: the baseline is no proportion"),
        ("spc", "x,y\nsoon,1\n", r"line 2: x is neither a date nor a number"),
        ("spc", "x,y,improvement_direction\n1,1,up\n", r"line 2: improvement_direction is unknown"),
        ("spc", "x,y,screen_outliers\n1,1,maybe\n", r"line 2: screen_outliers is unknown"),
        ("trend", "year,count\n2020,1\n", r"missing: denominator"),
        ("trend", "year,count,denominator\n2020,1,5\n2020,1,5\n", r"line 3: this year stands twice"),
        ("trend", "year,count,denominator\n2020/21,1,5\n", r"line 2: year is not a number"),
    ],
)
def test_errors_name_line_fault_and_remedy(tmp_path: Path, kind: str, text: str, message: str) -> None:
    with pytest.raises(PerinatalError, match=message):
        command(kind, tmp_path, text)


def test_errors_before_the_file_is_read(tmp_path: Path) -> None:
    with pytest.raises(PerinatalError, match="cannot be read"):
        stats.run("rate", tmp_path / "none.csv")
    with pytest.raises(PerinatalError, match="use one of rate, proportion, funnel, spc, trend"):
        stats.run("median", tmp_path / "none.csv")
    with pytest.raises(PerinatalError, match="above 0"):
        stats.run("rate", tmp_path / "none.csv", 0)
    (tmp_path / "latin.csv").write_bytes(b"x,n,\xe9\n1,2,3\n")
    with pytest.raises(PerinatalError, match="not UTF-8"):
        stats.run("rate", tmp_path / "latin.csv")


def test_multiplier_is_asked_for_or_said_or_the_kinds(tmp_path: Path) -> None:
    said = "x,n,statistic\n5,1000,rate per 100000\n"
    assert command("rate", tmp_path, said)[0] | {"value": "500.0"} == command("rate", tmp_path, said)[0]
    assert command("rate", tmp_path, said, 1000)[0]["statistic"] == "rate per 1000"
    assert command("proportion", tmp_path, "x,n\n5,10\n")[0]["statistic"] == "percentage"
    [row] = command("proportion", tmp_path, "x,n,statistic\n5,10,proportion of 1\n")
    assert (row["value"], row["statistic"], row["method"]) == ("0.5", "proportion of 1", "Wilson")


def test_other_columns_stay_and_missing_counts_give_missing_results(tmp_path: Path) -> None:
    rows = command("rate", tmp_path, 'trust,x,n,value\n"A, B",007,100,old\nC,NA,50,old\n')
    assert list(rows[0])[:4] == ["trust", "x", "n", "value"]
    assert (rows[0]["trust"], rows[0]["x"], rows[0]["value"]) == ("A, B", "007", "70.0")
    assert (rows[1]["x"], rows[1]["value"], rows[1]["upper99_8cl"]) == ("NA", "", "")
