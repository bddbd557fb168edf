"""Standardised ratios and indirectly standardised rates."""

from pathlib import Path

import pytest
from scipy.stats import chi2
from stats_command import command

from perinatal.errors import PerinatalError


@pytest.mark.parametrize("observed", [0, 3, 9])
def test_few_events_have_exact_limits(tmp_path: Path, observed: int) -> None:
    [row] = command("ratio", tmp_path, f"observed,expected\n{observed},4.5\n", 100)
    assert (row["statistic"], row["method"]) == ("indirectly standardised ratio x 100", "Exact")
    assert float(row["value"]) == pytest.approx(observed / 4.5 * 100)
    lower = chi2.ppf(0.025, 2 * observed) / 2 if observed else 0
    assert float(row["lower95_0cl"]) == pytest.approx(lower / 4.5 * 100, rel=1e-9)
    assert float(row["upper99_8cl"]) == pytest.approx(chi2.isf(0.001, 2 * observed + 2) / 2 / 4.5 * 100, rel=1e-9)


def test_a_reference_rate_makes_a_rate_of_the_ratio(tmp_path: Path) -> None:
    text = "observed,expected,ref_rate,statistic\n20,10,50,indirectly standardised rate per 1000\n20,10,,ratio x 100\n"
    rate, ratio = command("ratio", tmp_path, text)
    assert (float(rate["value"]), rate["statistic"]) == (100, "indirectly standardised rate per 1000")
    assert (float(ratio["value"]), ratio["statistic"]) == (200, "indirectly standardised ratio x 100")
    rate, ratio = command("ratio", tmp_path, text, 100_000)
    assert (float(rate["value"]), rate["statistic"]) == (10_000, "indirectly standardised rate per 100000")


def test_a_reference_rate_without_words_stands_as_it_is(tmp_path: Path) -> None:
    [row] = command("ratio", tmp_path, "observed,expected,ref_rate\n20,10,50\n")
    assert (float(row["value"]), row["statistic"]) == (100, "indirectly standardised rate")


STRATA = "area,ageband,count,pop,refcount,refpop\nB,old,8,100,60,1000\nA,young,1,50,10,1000\nB,young,2,200,10,1000\n"


def test_strata_are_summed_by_area(tmp_path: Path) -> None:
    rows = command("ratio", tmp_path, STRATA + "A,old,4,100,60,1000\n", 100)
    assert list(rows[0])[:5] == ["area", "observed", "expected", "ref_rate", "value"]
    assert [(row["area"], float(row["observed"]), float(row["expected"])) for row in rows] == [
        ("B", 10, 8),
        ("A", 5, 6.5),
    ]
    assert float(rows[0]["value"]) == pytest.approx(125)


@pytest.mark.parametrize(
    ("stratum", "value"), [("A,old,,,,1000", True), ("A,old,,0,60,1000", True), ("A,old,,100,60,1000", False)]
)
def test_an_unknown_count_of_people_leaves_the_area_without_a_ratio(tmp_path: Path, stratum: str, value: bool) -> None:
    area_a = command("ratio", tmp_path, STRATA + stratum + "\n")[1]
    assert (area_a["value"] != "", area_a["upper95_0cl"] != "") == (value, value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (STRATA + "A,old,4,100,60,\n", "line 5: refpop is not above 0"),
        (STRATA + "A,old,-4,100,60,1000\n", "line 5: count is below 0"),
        ("observed,expected,ref_rate\n1,1,0\n", "line 2: ref_rate is not above 0"),
        (
            "observed,expected,statistic\n1,1,indirectly standardised rate per 1000\n",
            "line 2: an indirectly standardised rate needs ref_rate",
        ),
        ("observed,expected,statistic\n1,1,percentage\n", "line 2: statistic 'percentage' is a proportion"),
    ],
)
def test_what_has_no_ratio_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(PerinatalError, match=message):
        command("ratio", tmp_path, text)
