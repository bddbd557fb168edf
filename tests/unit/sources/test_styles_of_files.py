"""One table in many styles, for every source: the same rows as its clean CSV, or a refusal with the place."""

import csv
import io
import itertools
import tempfile
from pathlib import Path
from typing import Any

import duckdb
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.land import typed_table, unreadable
from ingest.land.arriving_file import Arrival
from ingest.registry import Source, all_sources
from perinatal import dropped_files

Table = list[list[str]]
NAMED = "select columns(lambda name: not starts_with(name, 'x_unnamed')) from read_parquet($1)"
ABOVE = ([], [["A title"]], [[], ["A title, of some words"], []], [["", ""], []], [[f"note {n}"] for n in range(19)])


def sample(source: Source, folder: Path) -> tuple[str, Table]:
    """Return the name and the first rows of the smallest sample table."""
    source.sample.generate(folder)
    tables = [path for path in folder.rglob("*.csv")]
    path = min(tables, key=lambda path: path.stat().st_size)
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as handle:
        return path.name, list(itertools.islice(filter(any, csv.reader(handle)), 8))


def landed_rows(source: Source, name: str, content: bytes) -> list[Any] | str:
    """Return the typed rows of a file, or why it is refused."""
    with tempfile.TemporaryDirectory() as folder:
        file, rows = Path(folder) / "incoming", Path(folder) / "rows.parquet"
        file.write_bytes(content)
        try:
            typed_table.typed_rows(file, Arrival(source, name), Path(folder), rows)
        except (unreadable.Unreadable, dropped_files.Unusable) as error:
            return str(error)
        with duckdb.connect() as connection:
            # columns without a name, which a workbook may have beside the table, are none of the clean twin's
            return connection.execute(NAMED, [str(rows)]).fetchall()


def as_csv(table: Table, above: Table, delimiter: str, encoding: str, says_separator: bool, ends: str) -> bytes:
    text = io.StringIO()
    if says_separator:
        text.write(f"sep={delimiter}{ends}")
    csv.writer(text, delimiter=delimiter, lineterminator=ends).writerows([*above, *table])
    return text.getvalue().encode(encoding)


@st.composite
def csv_styles(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "above": draw(st.sampled_from(ABOVE)),
        "delimiter": draw(st.sampled_from(",;\t|")),
        "encoding": draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])),
        "says_separator": draw(st.booleans()),
        "ends": draw(st.sampled_from(["\n", "\r\n"])),
    }


def sources() -> list[Any]:
    return [
        pytest.param(source, id=source.id)
        for source in all_sources().values()
        if (source.folder / "sample.py").exists()
    ]


QUIET = {"deadline": None, "suppress_health_check": list(HealthCheck), "database": None}


@pytest.mark.parametrize("source", sources())
def test_a_csv_in_any_style_gives_the_rows_of_its_clean_twin(source: Source, tmp_path: Path) -> None:
    name, table = sample(source, tmp_path)
    clean = landed_rows(source, name, as_csv(table, [], ",", "utf-8", says_separator=False, ends="\n"))
    assert isinstance(clean, list), clean

    @settings(max_examples=8, **QUIET)  # type: ignore[arg-type]
    @given(csv_styles())
    def same(style: dict[str, Any]) -> None:
        style["above"] = style["above"][: 19 if not style["says_separator"] else 18]
        found = landed_rows(source, name, as_csv(table, **style))
        if style["encoding"] == "utf-16":
            assert found == clean or "encoded as utf-16" in found
        else:
            assert found == clean

    same()


def as_workbook(path: Path, table: Table, style: dict[str, Any]) -> bytes:
    """Write a workbook: first sheets without a header, the table below other rows, numbers as formulas."""
    top, left = len(style["above"]), style["left"]
    with xlsxwriter.Workbook(path, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        if style["notes_first"]:
            book.add_worksheet("Notes").write("A1", "Read this first")
        sheet = book.add_worksheet("Data")
        for number, row in enumerate(style["above"]):
            sheet.write_row(number, 0, row)
        if style["merged_title"] and top:
            sheet.merge_range(0, 0, 0, 4, "A merged title")
        for number, row in enumerate(table):
            for place, text in enumerate(row):
                if number and style["formulas"] and text.isdigit() and 0 < int(text) < 10**6 and str(int(text)) == text:
                    result = int(text) if style["formulas"] == "calculated" else 0
                    sheet.write(top + number, 200 + place, int(text))
                    at = xlsxwriter.utility.xl_rowcol_to_cell(top + number, 200 + place)
                    sheet.write_formula(top + number, left + place, f"={at}*1", None, result)
                else:
                    sheet.write_string(top + number, left + place, text)
        if style["hidden_sheet"]:
            old = book.add_worksheet("Old")
            for number, row in enumerate(table):
                old.write_row(number, 0, row)
            old.hide()
        if style["hidden_row"]:
            sheet.set_row(top + 1, None, None, {"hidden": True})
    return path.read_bytes()


@st.composite
def workbook_styles(draw: st.DrawFn) -> dict[str, Any]:
    flags = ("notes_first", "merged_title", "hidden_sheet", "hidden_row")
    return {name: draw(st.booleans()) for name in flags} | {
        "above": draw(st.sampled_from(ABOVE)),
        "left": draw(st.sampled_from([0, 2])),
        "formulas": draw(st.sampled_from([None, "calculated", "never"])),
    }


@pytest.mark.parametrize("source", sources())
def test_a_workbook_in_any_style_gives_the_rows_of_its_clean_twin(source: Source, tmp_path: Path) -> None:
    name, table = sample(source, tmp_path)
    clean = landed_rows(source, name, as_csv(table, [], ",", "utf-8", says_separator=False, ends="\n"))

    @settings(max_examples=4, **QUIET)  # type: ignore[arg-type]
    @given(workbook_styles())
    def same(style: dict[str, Any]) -> None:
        found = landed_rows(source, name, as_workbook(tmp_path / "made.xlsx", table, style))
        if isinstance(found, str):
            assert style["formulas"] == "never", found
            assert "sheet 'Data': " in found
            assert "formulas without a computed result" in found
        else:
            assert found == clean

    same()
