"""`perinatal stats` as a whole: how a file is read, what errors say, and what is written."""

from pathlib import Path

import pytest
from stats_command import command

from perinatal.errors import PerinatalError
from warehouse import statistics as stats


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("rate", "x,n\n1,10\n1,0\n", r"given.csv, line 3: n is not above 0"),
        ("rate", "x,n\n-1,10\n", r"line 2: x is below 0"),
        ("rate", "x,n\n1,ten\n", r"line 2: n is not a number; write plain digits"),
        ("rate", "x,n\n1,inf\n", r"line 2: n is not a number"),
        ("rate", "x,births\n1,10\n", r"line 1: expected the columns x, n; missing: n \(found x, births\)"),
        ("rate", "x,n\n1,10,3\n", r"line 2: 3 cells, expected 2 cells a line"),
        ("rate", "x,n\n", "has a header but no rows"),
        ("rate", "x,X\n1,2\n", "stands twice"),
        ("proportion", "x,n\n11,10\n", r"line 2: x is above n"),
        ("funnel", "a\n1\n", r"expected the columns x, n or Population, baseline"),
        ("funnel", "Population,baseline\n0,5\n", r"line 2: Population is not above 0"),
        ("funnel", "Population,baseline\n5,500\n", r"line 2: the baseline is no proportion"),
        ("spc", "x,y\nsoon,1\n", r"line 2: x 'soon' is neither a date nor a number"),
        ("spc", "x,y,improvement_direction\n1,1,up\n", r"line 2: improvement_direction is unknown"),
        ("spc", "x,y,screen_outliers\n1,1,maybe\n", r"line 2: screen_outliers is unknown"),
        ("rate", "x,n\n1,1_000\n", r"line 2: n is not a number"),
        ("rate", 'x,n,note\n1,2,"a\nb"\n1,0,c\n', r"line 4: n is not above 0"),
        ("rate", 'x,n,note\r\n1,2,"a\r\nb"\r\n\r\n1,0,c\r\n', r"line 5: n is not above 0"),
        ("rate", 'x,n,note\n1,2,"a\nb"\n1,2\n', r"line 4: 2 cells, expected 3"),
        ("rate", 'x,n\n1,"2\n3,4\n', r"line 3: not readable as CSV"),
        ("rate", "x,n,statistic\n1,2,percentage\n", r"line 2: statistic 'percentage' is a proportion; expected a rate"),
        ("ratio", "observed,expected\n1,0\n", r"line 2: expected is not above 0"),
        ("ratio", "area\nA\n", r"expected the columns observed, expected or count, pop, refcount, refpop"),
        ("trend", "year,count\n2020,1\n", r"missing: denominator"),
        (
            "trend",
            "year,count,denominator\n2020,1,5\n2020,1,5\n",
            r"line 3: this year stands twice.*first is on line 2",
        ),
        ("trend", "year,count,denominator\n2020/21,1,5\n", r"line 2: year is not a number"),
    ],
)
def test_errors_name_line_fault_and_remedy(tmp_path: Path, kind: str, text: str, message: str) -> None:
    with pytest.raises(PerinatalError, match=message):
        command(kind, tmp_path, text)


def test_errors_before_the_file_is_read(tmp_path: Path) -> None:
    with pytest.raises(PerinatalError, match="cannot be read"):
        stats.run("rate", tmp_path / "none.csv")
    with pytest.raises(PerinatalError, match="use one of rate, proportion, ratio, funnel, spc, trend, sii"):
        stats.run("median", tmp_path / "none.csv")
    with pytest.raises(PerinatalError, match="above 0"):
        stats.run("rate", tmp_path / "none.csv", 0)
    (tmp_path / "latin.csv").write_bytes(b"x,n,\xe9\n1,2,3\n")
    with pytest.raises(PerinatalError, match="line 1: not UTF-8"):
        stats.run("rate", tmp_path / "latin.csv")


def test_other_columns_stay_and_missing_counts_give_missing_results(tmp_path: Path) -> None:
    rows = command("rate", tmp_path, 'trust,x,n,value\n"A, B",007,100,old\nC,NA,50,old\n')
    assert list(rows[0])[:4] == ["trust", "x", "n", "value"]
    assert (rows[0]["trust"], rows[0]["x"], rows[0]["value"]) == ("A, B", "007", "70.0")
    assert (rows[1]["x"], rows[1]["value"], rows[1]["upper99_8cl"]) == ("NA", "", "")


@pytest.mark.parametrize("kind", ["rate", "proportion", "ratio", "funnel", "spc", "trend"])
def test_only_an_index_of_inequality_takes_a_multiplier_below_0(tmp_path: Path, kind: str) -> None:
    with pytest.raises(PerinatalError, match="above 0"):
        stats.run(kind, tmp_path / "none.csv", -100)


def test_names_of_columns_match_whatever_their_case_and_underscores(tmp_path: Path) -> None:
    assert command("ratio", tmp_path, "Observed,EXPECTED\n10,10\n")[0]["value"] == "1.0"
    with pytest.raises(PerinatalError, match="stands twice"):
        command("sii", tmp_path, "LowerCL,lower_cl\n1,2\n")
