"""Rates, proportions and rate ratios with their intervals, against scipy and by their properties."""

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2, contingency, gamma, norm
from stats_command import command, query

LEVELS = {95: 0.025, 99.8: 0.001}


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


def test_the_multiplier_is_the_one_asked_for_or_named_or_usual(tmp_path: Path) -> None:
    text = "x,n,statistic\n5,1000,rate per 100000\n"
    assert command("rate", tmp_path, text)[0]["value"] == "500.0"
    assert command("rate", tmp_path, text, 1000)[0]["statistic"] == "rate per 1000"
    assert command("rate", tmp_path, "x,n\n5,1000\n")[0]["statistic"] == "rate per 1000"
    assert command("proportion", tmp_path, "x,n\n5,10\n")[0]["statistic"] == "percentage"
    [row] = command("proportion", tmp_path, "x,n,statistic\n5,10,proportion of 1\n")
    assert (row["value"], row["statistic"], row["method"]) == ("0.5", "proportion of 1", "Wilson")


def test_missing_counts_give_missing_results(tmp_path: Path) -> None:
    rows = command("rate", tmp_path, "x,n\nNA,50\n3,\n3,50\n")
    assert [(row["value"], row["upper99_8cl"] == "") for row in rows] == [("", True), ("", True), ("60.0", False)]
