"""Funnels: control limits, comparison with the baseline, over-dispersion on three scales."""

import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import chi2, norm
from stats_command import command, query, written

from perinatal.errors import PerinatalError


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


def counts_of_many(seed: int, least: float, most: float) -> list[dict[str, Any]]:
    dice = random.Random(seed)  # noqa: S311
    sizes = [dice.randint(800, 6000) for _ in range(40)]
    return [{"x": round(n * dice.uniform(least, most)), "n": n} for n in sizes]


def test_over_dispersed_counts_are_as_in_funnelplotr(tmp_path: Path) -> None:
    """FunnelPlotR's `RC`, written out: transformed_zscore, winsorisation, phi_func, tau_func, calculate_limits."""
    counts = counts_of_many(11, 0.05, 0.15)
    rows = command("funnel", tmp_path, written([one | {"statistic": "rate per 1000"} for one in counts]))
    x, n = (np.array([one[name] for one in counts], dtype=float) for name in ("x", "n"))
    target = np.log(x.sum() / n.sum())
    error = np.sqrt(x / (x + 0.5) ** 2 + n / (n + 0.5) ** 2)
    z = (np.log((x + 0.5) / (n + 0.5)) - target) / error
    phi = np.mean(np.clip(z, *np.quantile(z, [0.1, 0.9])) ** 2)
    w = 1 / error**2
    tau2 = (len(x) * phi - (len(x) - 1)) / (w.sum() - (w**2).sum() / w.sum())
    assert [float(rows[0][name]) for name in ("phi", "tau2")] == pytest.approx([phi, tau2], rel=1e-9)
    assert {row["limits_used"] for row in rows} == {"over-dispersed (log)"}
    spread = np.sqrt(1 / (4 * n) + tau2)
    for column, level, sign in (("od_lower_2s_limit", 0.025, -1), ("od_upper_3s_limit", 0.001, 1)):
        wanted = 1000 * np.exp(target + sign * norm.isf(level) * spread)
        assert [float(row[column]) for row in rows] == pytest.approx(list(wanted), rel=1e-9)


@pytest.mark.parametrize("words", ["ratio of counts", "RC"])
def test_a_ratio_of_counts_is_the_same_without_a_multiplier(tmp_path: Path, words: str) -> None:
    counts = counts_of_many(11, 0.5, 1.5)
    rows = command("funnel", tmp_path, written([one | {"statistic": words} for one in counts]))
    rates = command("funnel", tmp_path, written([one | {"statistic": "rate per 1000"} for one in counts]))
    assert float(rows[0]["value"]) == pytest.approx(counts[0]["x"] / counts[0]["n"])
    assert [row["od_significance"] for row in rows] == [row["od_significance"] for row in rates]
    assert [row["tau2"] for row in rows] == [row["tau2"] for row in rates]


def test_over_dispersion_never_makes_a_funnel_of_rare_events_narrower(tmp_path: Path) -> None:
    rare = [{"x": x, "n": 5000, "statistic": "rate per 1000"} for x in (3, 5, 40, 42, 8, 30, 12, 25, 18, 50, 2, 33)]
    for row in command("funnel", tmp_path, written(rare)):
        assert row["limits_used"] == "over-dispersed (log)"
        assert float(row["od_lower_2s_limit"]) <= float(row["lower_2s_limit"])
        assert float(row["od_upper_3s_limit"]) >= float(row["upper_3s_limit"])


def test_a_ratio_funnel_compares_with_as_many_events_as_expected(tmp_path: Path) -> None:
    text = "trust,observed,expected\nA,60,40\nB,40,40.5\nC,4,12.25\nD,,9\n"
    rows = command("funnel", tmp_path, text, 100)
    assert [row["baseline"] for row in rows] == ["100.0"] * 4
    assert [row["significance"] for row in rows] == ["High (0.025)", "Not significant", "Low (0.025)", ""]
    assert [row["value"] for row in rows[:1]] == ["150.0"]
    assert float(rows[2]["lower_2s_limit"]) == pytest.approx(chi2.ppf(0.025, 24.5) / 2 / 12.25 * 100, rel=1e-9)


def test_ratio_limits_at_observed_events_invert_the_exact_interval(tmp_path: Path) -> None:
    rows = command("funnel", tmp_path, "Observed_events,statistic\n7,ratio (isr)\n70,ratio (isr)\n")
    for row, events in zip(rows, (7, 70), strict=True):
        assert float(row["lower_2s_limit"]) == pytest.approx(100 * events * 2 / chi2.isf(0.025, 2 * events + 2))
        assert float(row["upper_3s_limit"]) == pytest.approx(100 * events * 2 / chi2.ppf(0.001, 2 * events))


def test_over_dispersed_ratios_are_on_the_square_root_scale(tmp_path: Path) -> None:
    dice = random.Random(3)  # noqa: S311
    rows = [{"observed": round(e * dice.uniform(0.5, 1.5)), "expected": e} for e in range(50, 450, 10)]
    results = command("funnel", tmp_path, written(rows))
    o, e = (np.array([one[name] for one in rows], dtype=float) for name in ("observed", "expected"))
    z = 2 * np.sqrt(e) * (np.sqrt(o / e) - 1)
    phi = np.mean(np.clip(z, *np.quantile(z, [0.1, 0.9])) ** 2)
    assert float(results[0]["phi"]) == pytest.approx(phi, rel=1e-9)
    assert {row["limits_used"] for row in results} == {"over-dispersed (square root)"}


FUNNEL = "trust,x,n,statistic\n" + "".join(f"T{i},{10 + i},4000,rate per 1000\n" for i in range(9))


def test_the_words_of_a_funnel_are_read_whatever_their_case(tmp_path: Path) -> None:
    plain = command("funnel", tmp_path, FUNNEL)
    capital = command("funnel", tmp_path, FUNNEL.replace("rate", "Rate"))
    assert {row["limits_used"] for row in plain} == {"poisson"}
    assert [dict(row, statistic="") for row in plain] == [dict(row, statistic="") for row in capital]


@pytest.mark.parametrize(
    ("last", "message"),
    [
        ("", "line 11: statistic is blank here but given on line 2"),
        ("proportion", "line 11: statistic is 'proportion' here but 'rate per 1000' on line 2"),
        ("rate per 100 000", "line 11: statistic is 'rate per 100 000' here but 'rate per 1000' on line 2"),
        ("rat per 1000", "line 11: statistic 'rat per 1000' is not understood; write for example 'rate per 1000'"),
        ("ratio x 100", "line 11: statistic 'ratio x 100' is a ratio; expected a proportion or a rate"),
    ],
)
def test_one_row_of_another_statistic_is_an_error(tmp_path: Path, last: str, message: str) -> None:
    with pytest.raises(PerinatalError, match=message):
        command("funnel", tmp_path, FUNNEL + f"T9,12,4900,{last}\n")


def test_the_order_of_rows_does_not_matter(tmp_path: Path) -> None:
    counts = counts_of_many(5, 0.05, 0.15)
    rows = command("funnel", tmp_path, written(counts))
    backwards = command("funnel", tmp_path, written(counts[::-1]))[::-1]
    for one, other in zip(rows, backwards, strict=True):
        assert one["od_significance"] == other["od_significance"]
        assert float(one["od_upper_2s_limit"]) == pytest.approx(float(other["od_upper_2s_limit"]), rel=1e-13)
