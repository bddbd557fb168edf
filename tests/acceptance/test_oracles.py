"""Agreement with results computed independently by R packages and Fingertips, and files that once went wrong.

Skipped without them.
"""

import csv
import io
import math
from collections.abc import Callable
from itertools import groupby
from pathlib import Path

import pytest
from scipy.stats import norm
from stats_command import Rows, command, written

from perinatal.errors import PerinatalError
from warehouse import statistics as stats

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
ORACLES, CASES = SHARED / "oracles", SHARED / "cases" / "stats"

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


def test_standardised_ratios_and_rates_agree_with_calculate_isr(compare: Callable[..., tuple[Rows, Rows]]) -> None:
    expected, ours = compare("ratio", "isr_two_areas_expected.csv", (*INTERVAL, "method"))
    for want, got in zip(expected, ours, strict=True):
        assert_numbers([want], [got], tuple(name for name in INTERVAL if want[name]))
        assert (got["statistic"], got["method"]) == (want["statistic"], want["method"].replace("Byars", "Byar"))


def test_standardised_ratios_and_rates_agree_from_age_bands(tmp_path: Path) -> None:
    strata = read(ORACLES / "isr_two_areas_input.csv")
    expected = [row for row in read(ORACLES / "isr_two_areas_expected.csv") if row["area"].startswith("testdata")]
    for statistic, rows in groupby(expected, key=lambda row: row["statistic"]):
        ours = command("ratio", tmp_path, written([row | {"statistic": statistic} for row in strata]))
        numbers = ("observed", "expected", "ref_rate", *INTERVAL)
        assert [row["area"] for row in ours] == ["testdata_big", "testdata_small", "testdata_tiny"]
        assert_numbers(list(rows), ours, numbers)
        assert {row["statistic"] for row in ours} == {statistic}


SII_CASES = {
    name: list(rows)
    for name, rows in (
        groupby(read(ORACLES / "sii_cases.csv"), key=lambda row: row["TestDescription"]) if ORACLES.is_dir() else ()
    )
}
SII_RESULTS = ("sii", "rii", "sii_lowercl_1", "sii_uppercl_1", "rii_lowercl_1", "rii_uppercl_1")
MULTIPLIERS = {
    "proportion - testing multiplier (x 100)": 100.0,
    "proportion - testing multiplier (x -100)": -100.0,
}


@pytest.mark.parametrize("name", [name for name, rows in SII_CASES.items() if rows[0]["sii"]])
def test_slope_and_relative_index_agree_with_phe_sii(tmp_path: Path, name: str) -> None:
    expected = SII_CASES[name]
    given = [{column: text for column, text in row.items() if column not in SII_RESULTS} for row in expected]
    ours = command("sii", tmp_path, written(given), MULTIPLIERS.get(name))
    assert_numbers(expected, ours, ("sii", "rii"))
    for want, got in zip(expected, ours, strict=True):
        for index in ("sii", "rii"):
            if want[f"{index}_lowercl_1"]:
                assert_simulated(want, got, index)


def assert_simulated(want: dict[str, str], got: dict[str, str], index: str) -> None:
    """Assert that both simulated ends agree within five standard errors of the oracle's own simulation."""
    tail = (1 - float(want["Confidence"]) / 100) / 2
    z = norm.isf(tail)
    lower, upper = (float(want[f"{index}_{side}cl_1"]) for side in ("lower", "upper"))
    error = math.sqrt(tail * (1 - tail) / float(want["Repetitions"])) / norm.pdf(z) * (upper - lower) / (2 * z)
    for side, end in (("lower", lower), ("upper", upper)):
        assert float(got[f"{index}_{side}cl_1"]) == pytest.approx(end, abs=5 * error), side


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("error handling - negative populations", "line 3: population is not above 0"),
        ("error handling - negative counts/standard error", "line 4: standard_error is below 0"),
        ("error handling - invalid proportion in CLs", "line 8: the value is outside its own limits"),
        ("error handling - missing value field", "line 2: no value in this group"),
        ("error handling - missing confidence limits and se", "line 2: the error of this value is unknown"),
    ],
)
def test_what_phe_sii_refuses_is_refused(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(PerinatalError, match=message):
        command("sii", tmp_path, written(SII_CASES[name]))


def test_an_area_with_missing_values_has_no_index(tmp_path: Path) -> None:
    rows = command("sii", tmp_path, written(SII_CASES["warning handling - missing populations, counts or values"]))
    assert {row["sii"] + row["rii_lowercl_1"] for row in rows} == {""}


def case(kind: str, name: str) -> Rows:
    """Return what `perinatal stats` makes of a file that once went wrong; skips where it is absent."""
    path = CASES / name
    if not path.is_file():
        pytest.skip(f"no {path}")
    out = io.StringIO()
    stats.main(kind, path, out=out)
    return list(csv.DictReader(io.StringIO(out.getvalue())))


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        ("spc", "s04_spc_duplicate_month.csv", "line 16: x '2022-06-01' stands twice in its series .*line 7"),
        ("spc", "s04_spc_mixed_x.csv", "line 3: x '2022-02-01' is a date but '202201' on line 2 is a month"),
        ("funnel", "s08_funnel_blank_statistic.csv", "line 11: statistic is blank here but given on line 2"),
    ],
)
def test_files_that_gave_wrong_numbers_are_refused(kind: str, name: str, message: str) -> None:
    with pytest.raises(PerinatalError, match=message):
        case(kind, name)


@pytest.mark.parametrize("name", ["s04_spc_monthname.csv", "s04_spc_ukdates.csv", "s04_spc_unsorted.csv"])
def test_the_same_series_otherwise_written_is_read_alike(name: str) -> None:
    def in_order(rows: Rows) -> list[tuple[str, ...]]:
        return [tuple(row.values())[1:] for row in rows]

    sorted_file = in_order(case("spc", "s04_spc_ukdates.csv"))
    rows = case("spc", name)
    if name == "s04_spc_unsorted.csv":
        rows = sorted(rows, key=lambda row: row["x"])
    assert in_order(rows) == sorted_file


def test_a_month_left_out_ends_a_run() -> None:
    rows = case("spc", "s04_spc_row_left_out.csv")
    around = [row["special_cause_type"] for row in rows if "2022-09" <= row["x"] < "2023-05"]
    assert len(around) == 7
    assert "7 Points Above CL" not in around


def test_a_capital_letter_does_not_change_a_funnel() -> None:
    rows = case("funnel", "s08_funnel_Rate.csv")
    assert {row["limits_used"] for row in rows} == {"poisson"}
    assert float(rows[0]["value"]) == pytest.approx(3.0)
