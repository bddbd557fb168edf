"""The number style of a file is found once, from all its number cells, or the file is refused with the cells."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from ingest.land import normalise
from ingest.land.decode import Decoded, to_parquet
from ingest.land.unreadable import Unreadable
from ingest.number_style import NumberStyle
from ingest.registry import Source

COLUMNS = """\
*,births,Births,integer,no,yes,,,,,block,,
*,rate,Rate,number,no,yes,,,,,block,"per 1,000",
*,share,Share,percent,no,yes,,,,,block,%,
*,result,Result,number_or_word,no,yes,,,,,block,"count or %",
*,limits,Limits,interval_text,no,yes,,,,,block,"per 1,000",
"""
Read = Callable[..., tuple[Decoded, list[tuple[object, ...]]]]


@pytest.fixture
def read(make_source: Callable[..., Source], tmp_path: Path) -> Read:
    """Decode a table; returns what was found and the rows, the number of the row left out."""
    source = make_source(columns=COLUMNS)

    def run(content: str, separator: str = ",") -> tuple[Decoded, list[tuple[object, ...]]]:
        (tmp_path / "in.csv").write_text(content)
        table = normalise.normalise_to_utf8_csv(tmp_path / "in.csv", tmp_path / "table.csv")
        assert table.separator == separator
        rows = tmp_path / "rows.parquet"
        decoded = to_parquet(tmp_path / "table.csv", source, "births", rows, "300MB", 1, separator=table.separator)
        return decoded, duckdb.sql(f"select * exclude (source_row, cell_words) from '{rows}'").fetchall()

    return run


@pytest.mark.parametrize(
    ("content", "separator", "row"),
    [
        ("Births;Rate;Share;Result;Limits\n1.234;4,15;2,7%;1.160,5;1,82 to 3,55\n", ";", (1234, 4.15, 2.7)),
        ("Births;Rate;Share;Result;Limits\n1234;4,15;2,7 %;1160,5;1,82 to 3,55\n", ";", (1234, 4.15, 2.7)),
        ('Births,Rate,Share,Result,Limits\n"1,234",4.15,2.7%,"1,160.5",1.82 to 3.55\n', ",", (1234, 4.15, 2.7)),
        ("Births\tRate\tShare\tResult\tLimits\n1 234\t4,15\t2,7\t1 160,5\t1,82 to 3,55\n", "\t", (1234, 4.15, 2.7)),
        ("Births|Rate|Share|Result|Limits\n1'234|4.15|2.7|1'160.5|1.82 to 3.55\n", "|", (1234, 4.15, 2.7)),
    ],
    ids=["continental", "decimal comma alone", "English", "hard spaces", "Swiss"],
)
def test_one_table_in_many_styles(read: Read, content: str, separator: str, row: tuple[object, ...]) -> None:
    _, rows = read(content, separator)
    assert rows == [(*row, "1160.5", "1.82 to 3.55", None)]


def test_brackets_stand_for_a_minus_and_the_style_says_so(read: Read) -> None:
    decoded, rows = read("Births,Rate,Share,Result\n(5),(1.25),-2%,12.5%\n")
    assert rows == [(-5, -1.25, -2.0, "12.5", None)]
    assert decoded.number_style == NumberStyle(",", ".", "", has_percent_signs=True, has_bracketed_negatives=True)


def test_words_stand_as_they_are(read: Read) -> None:
    _, rows = read("Result\n1160;\nLow DQ;\n[c];\n*;\n7-10;\n".replace(";", ""))
    assert [row[0] for row in rows] == ["1160", "Low DQ", "[c]", "*", "7-10"]


@pytest.mark.parametrize(
    ("content", "cells"),
    [
        ("Births;Rate\n1234;12.5\n5;1,5\n", ("row 1, Rate: '12.5'", "row 2, Rate: '1,5'")),
        ('Rate,Result\n"1.234,5",1\n4.15,"1,234.5"\n', ("row 1, Rate: '1.234,5'", "row 2, Rate: '4.15'")),
        ('Rate,Births\n4.15,1\n3.25,1\n"2,65",1\n', ("row 3, Rate: '2,65'", "row 1, Rate: '4.15'")),
        ("Share\n2.7%\n0.027\n", ("row 2, Share: '0.027'", "row 1, Share: '2.7%'")),
    ],
)
def test_a_file_whose_cells_disagree_is_refused_with_the_cells(
    read: Read, content: str, cells: tuple[str, ...]
) -> None:
    with pytest.raises(Unreadable) as refusal:
        read(content, ";" if ";" in content else ",")
    assert refusal.value.reason == "number_style_contradicted"
    assert all(cell in str(refusal.value) for cell in cells), str(refusal.value)


@pytest.mark.parametrize(
    ("content", "separator", "value"),
    [
        ('Rate,Result\n"1,234",5.5\n', ",", 1234),
        ('Rate,Result\n"1,234","5,5"\n', ",", 1.234),
        ('Rate,Births\n"1,234","5,678"\n', ",", 1234),
        ('Rate,Births\n"1,230",7\n5,8\n', ",", 1230),
        ("Rate;Births\n1.230;7\n5;8\n", ";", 1230),
        ("Rate,Births\n1.234,7\n", ",", 1.234),
        ("Rate;Births\n0,234;7\n", ";", 0.234),
        ("Rate;Births\n1234,234;7\n", ";", 1234.234),
        ("Rate;Births\n1.234.567;7\n", ";", 1234567),
    ],
    ids=repr,
)
def test_what_one_cell_leaves_open_the_others_decide(read: Read, content: str, separator: str, value: float) -> None:
    _, rows = read(content, separator)
    assert value in rows[0]


@pytest.mark.parametrize("content", ['Rate,Births\n"1,234",7\n', "Rate;Births\n1.234;7\n", "Rate;Births\n1,234;7\n"])
def test_what_nothing_decides_is_refused_with_the_cells(read: Read, content: str) -> None:
    with pytest.raises(Unreadable, match=r"row 1, Rate: '1[.,]234'") as refusal:
        read(content, ";" if ";" in content else ",")
    assert refusal.value.reason == "number_style_unknown"


@pytest.mark.parametrize("text", ["12,34,567", "1.2.3", "1 2", "(5", "5)", "--5", "seven", "5%"])
def test_what_is_no_number_in_any_style_is_a_wrong_cell_as_before(read: Read, text: str) -> None:
    _, rows = read(f'Births,Rate\n"{text}",2.51\n')
    assert rows == [(None, 2.51, ["births"])]
