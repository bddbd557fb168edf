"""Agreement with results computed independently by R packages and Fingertips; skipped without them."""

import csv
import io
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from warehouse import statistics as stats

ORACLES = Path(__file__).resolve().parents[2].parent / "shared" / "oracles"
Rows = list[dict[str, str]]

pytestmark = pytest.mark.skipif(not ORACLES.is_dir(), reason=f"no independent results at {ORACLES}")


def read(path: Path) -> Rows:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def compare(tmp_path: Path) -> Callable[..., tuple[Rows, Rows]]:
    """Give (expected, ours) for an oracle; the columns `hidden` are taken out before the command sees it."""

    def run(kind: str, name: str, hidden: tuple[str, ...] = ()) -> tuple[Rows, Rows]:
        expected = read(ORACLES / name)
        given = tmp_path / name
        with given.open("w", newline="") as file:
            writer = csv.DictWriter(file, [c for c in expected[0] if c not in hidden], extrasaction="ignore")
            writer.writeheader()
            writer.writerows(expected)
        out = io.StringIO()
        stats.main(kind, given, out=out)
        ours = list(csv.DictReader(io.StringIO(out.getvalue())))
        assert len(ours) == len(expected) > 0
        return expected, ours

    return run


def assert_numbers(expected: Rows, ours: Rows, columns: tuple[str, ...]) -> None:
    for column in columns:
        want = [float(row[column]) if row[column] else math.nan for row in expected]
        got = [float(row[column]) if row[column] else math.nan for row in ours]
        assert got == pytest.approx(want, rel=1e-9, abs=1e-12, nan_ok=True), column


def assert_labels(expected: Rows, ours: Rows, columns: tuple[str, ...]) -> None:
    for column in columns:
        assert [row[column] for row in ours] == [row[column] for row in expected], column


INTERVAL = ("value", "lower95_0cl", "upper95_0cl", "lower99_8cl", "upper99_8cl")


def test_rates_agree_with_phe_rate(compare: Callable[..., tuple[Rows, Rows]]) -> None:
    expected, ours = compare("rate", "phe_rate_grid_per1000.csv", (*INTERVAL, "confidence", "statistic", "method"))
    assert_numbers(expected, ours, INTERVAL)
    assert_labels(expected, ours, ("x", "n", "confidence", "statistic"))
    assert [row["method"].replace("Byars", "Byar") for row in expected] == [row["method"] for row in ours]


def test_columns_already_in_the_file_are_replaced(compare: Callable[..., tuple[Rows, Rows]]) -> None:
    expected, ours = compare("rate", "phe_rate_grid_per1000.csv")
    assert list(ours[0]) == list(expected[0])
    assert_numbers(expected, ours, INTERVAL)


def test_funnel_limits_agree_with_phe_funnels(compare: Callable[..., tuple[Rows, Rows]]) -> None:
    limits = ("lower_2s_limit", "upper_2s_limit", "lower_3s_limit", "upper_3s_limit")
    expected, ours = compare("funnel", "funnel_proportion_limits_fictional.csv", limits)
    assert_numbers(expected, ours, (*limits, "baseline"))


def test_funnel_significance_agrees_with_phe(compare: Callable[..., tuple[Rows, Rows]]) -> None:
    expected, ours = compare("funnel", "funnel_proportion_significance_fictional.csv", ("significance",))
    assert_labels(expected, ours, ("trust", "x", "n", "significance"))


def test_spc_agrees_with_plot_the_dots(compare: Callable[..., tuple[Rows, Rows]]) -> None:
    numbers = ("fix_y", "mean_col", "lpl", "upl")
    labels = (
        "short_group_warning",
        "outside_limits",
        "relative_to_mean",
        "close_to_limits",
        "special_cause_type",
        "special_cause_flag",
        "point_type",
    )
    expected, ours = compare("spc", "spc_xmr_designed_series.csv", (*numbers, *labels, "rebase_group"))
    assert_numbers(expected, ours, numbers)
    assert_labels(expected, ours, (*labels, "rebase_group"))


def test_assurance_agrees_with_plot_the_dots(compare: Callable[..., tuple[Rows, Rows]]) -> None:
    expected, ours = compare("spc", "ptd_assurance_expected.csv")
    assert [row["assurance"] for row in ours] == [row["expected"] for row in expected]


def test_trend_agrees_with_fingertips(compare: Callable[..., tuple[Rows, Rows]]) -> None:
    expected, ours = compare("trend", "fingertips_open_trend_chi2.csv", ("expected_chi2_2dp", "expected_significant"))
    for want, got in zip(expected, ours, strict=True):
        assert got["significant"] == want["expected_significant"].upper()
        if want["expected_chi2_2dp"]:
            assert round(float(got["chi2"]), 2) == float(want["expected_chi2_2dp"])
