"""Titles, blank rows, `sep=` lines, several sheets: the same rows as the clean table, or a refusal with the cell."""

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from zipfile import ZipFile

import pytest
import xlsxwriter

from ingest.land.xls_facts import has_raised_digits
from ingest.sources.msds.parse import status_of

Table = list[list[str]]
NMPA = ["Country", "Organisation name", "Organisation code", "Numerator", "Denominator", "Unadjusted rate",
        "Adjusted rate", "GB mean"]  # fmt: skip
NMPA_ROWS = [
    ["England", "Invented Trust", "RXX", "27", "1000", "2.70%", "2.70%", "2.70%"],
    ["England", "Another Trust", "RYY", "54", "1000", "5.40%", "5.40%", "2.70%"],
    ["Wales", "A Health Board", "7A1", "0", "900", "0.00%", "0.00%", "2.70%"],
]
NAME = "Induction of labour 2023"


def as_csv(rows: Sequence[Sequence[str]], delimiter: str = ",") -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return text.getvalue()


def book(path: Path, write: Callable[[xlsxwriter.Workbook], None], *, inline: bool = False) -> bytes:
    with xlsxwriter.Workbook(path, {"strings_to_numbers": True, "constant_memory": inline}) as made:
        write(made)
    return path.read_bytes()


def fill(sheet: xlsxwriter.worksheet.Worksheet, rows: Table, top: int = 0, left: int = 0) -> None:
    for number, row in enumerate(rows):
        sheet.write_row(top + number, left, row)


@pytest.fixture
def clean(arrives: Callable) -> tuple[dict[str, object], ...]:
    arrived = arrives("nmpa", f"{NAME}.csv", as_csv([NMPA, *NMPA_ROWS]))
    assert not arrived.refused
    return arrived.rows


@pytest.mark.parametrize(
    ("above", "delimiter", "line"),
    [
        ("National audit\n\n", ",", 3),
        ("\n", ",", 2),
        ("Births, tears and rates, 2023,,,,,\n,,,,,,,\n", ",", 3),
        ("sep=,\n", ",", 2),
        ("sep=;\n", ";", 2),
        ('"sep=\t"\n', "\t", 2),
        ("Births, tears, rates\n\n", ";", 3),
        ('"A title\nof two lines"\n', ",", 3),
        ("note\n" * 19, ",", 20),
    ],
)
def test_what_stands_above_a_header_is_left_out(
    above: str, delimiter: str, line: int, arrives: Callable, clean: tuple
) -> None:
    arrived = arrives("nmpa", f"{NAME}.csv", above + as_csv([NMPA, *NMPA_ROWS], delimiter))
    assert arrived.refused == frozenset(), arrived.messages
    assert arrived.rows == clean
    assert arrived.decoded.header_line == line


def test_a_header_further_down_is_not_looked_for(arrives: Callable) -> None:
    arrived = arrives("nmpa", f"{NAME}.csv", "note\n" * 20 + as_csv([NMPA, *NMPA_ROWS]))
    assert arrived.refused == {"not_recognised"}
    assert "line 1: was taken for the header (note)" in arrived.messages[0]


def test_lines_are_those_of_the_file(arrives: Callable) -> None:
    short = as_csv([NMPA, *NMPA_ROWS]) + "England,Short\n"
    assert (6, "has fewer fields than the header") in arrives(
        "nmpa", f"{NAME}.csv", "A title\n" + short
    ).decoded.malformed
    broken = arrives("nmpa", f"{NAME}.csv", "A title\n\n" + as_csv([NMPA, *NMPA_ROWS]) + 'England,"a"b,RZZ,1,2,,,\n')
    assert "line 7: quotes are not well formed" in broken.messages[0]
    missing = arrives("nmpa", f"{NAME}.csv", "\nA title\n" + as_csv([NMPA[:-1], *NMPA_ROWS]), dataset="induction")
    assert missing.refused == {"not_recognised"}
    assert missing.messages[0].startswith("line 3: was taken for the header (Country, Organisation name")
    assert "the nearest known layout is 'measure' of nmpa: missing GB mean" in missing.messages[0]


def formulas(results: dict[int, object]) -> Callable[[xlsxwriter.Workbook], None]:
    """Write numerators as formulas over a column beside the table; `results` says what is saved with them."""

    def write(made: xlsxwriter.Workbook) -> None:
        sheet = made.add_worksheet("Data")
        fill(sheet, [NMPA, *NMPA_ROWS])
        for number, row in enumerate(NMPA_ROWS, start=1):
            sheet.write(number, 9, int(row[3]))
            sheet.write_formula(number, 3, f"=J{number + 1}*1", None, results.get(number, int(row[3])))

    return write


def test_formulas_with_their_results_are_numbers(tmp_path: Path, arrives: Callable, clean: tuple) -> None:
    arrived = arrives("nmpa", f"{NAME}.xlsx", book(tmp_path / "b.xlsx", formulas({})))
    assert arrived.refused == frozenset(), arrived.messages
    assert [row["numerator"] for row in arrived.rows] == [row["numerator"] for row in clean]


@pytest.mark.parametrize(
    ("results", "cells"),
    [({1: 0, 2: 0, 3: 0}, "D2:D4"), ({1: "", 2: "", 3: ""}, "D2:D4"), ({2: 0}, "D3"), ({3: ""}, "D4")],
)
def test_formulas_without_a_result_are_refused_by_cell(
    results: dict[int, object], cells: str, tmp_path: Path, arrives: Callable
) -> None:
    content = book(tmp_path / "b.xlsx", formulas(results))
    if "" in results.values():
        content = without(tmp_path / "b.xlsx", b"<v></v>")
    arrived = arrives("nmpa", f"{NAME}.xlsx", content)
    assert arrived.refused == {"formulas_without_result"}, arrived.messages
    assert "sheet 'Data'" in arrived.messages[0]
    assert f"({cells}" in arrived.messages[0]


def without(path: Path, what: bytes) -> bytes:
    """Return a workbook whose first sheet lacks some bytes: results, or what says that they are texts."""
    target = path.with_name("changed.xlsx")
    with ZipFile(path) as old, ZipFile(target, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name.endswith("sheet1.xml"):
                data = data.replace(b' t="str"><f>', b"><f>").replace(what, b"")
            new.writestr(name, data)
    return target.read_bytes()


def test_a_formula_that_gives_0_is_a_number(tmp_path: Path, arrives: Callable) -> None:
    def write(made: xlsxwriter.Workbook) -> None:
        sheet = made.add_worksheet("Data")
        fill(sheet, [NMPA, *NMPA_ROWS])
        sheet.write_formula("D4", "=J4*1", None, 0)
        sheet.write("J4", 0)

    arrived = arrives("nmpa", f"{NAME}.xlsx", book(tmp_path / "b.xlsx", write))
    assert arrived.refused == frozenset(), arrived.messages
    assert arrived.rows[2]["numerator"] == 0


@pytest.mark.parametrize("error", ["#N/A", "#REF!", "#DIV/0!", "#NAME?", "#VALUE!"])
def test_error_cells_are_refused_by_cell(error: str, tmp_path: Path, arrives: Callable) -> None:
    def write(made: xlsxwriter.Workbook) -> None:
        sheet = made.add_worksheet("Data")
        fill(sheet, [["A title"], [], NMPA, *NMPA_ROWS])
        sheet.write_formula("D4", "=NA()", None, error)
        sheet.write_formula("D5", "=NA()", None, error)

    arrived = arrives("nmpa", f"{NAME}.xlsx", book(tmp_path / "b.xlsx", write))
    assert arrived.refused == {"error_cells"}
    assert f"sheet 'Data': 2 cells (D4:D5) hold errors of a spreadsheet ({error})" in arrived.messages[0]


def test_an_error_in_a_column_that_is_not_known_is_its_text(tmp_path: Path, arrives: Callable) -> None:
    def write(made: xlsxwriter.Workbook) -> None:
        sheet = made.add_worksheet("Data")
        fill(sheet, [[*NMPA, "Mine"], *NMPA_ROWS])
        sheet.write_formula("I3", "=NA()", None, "#N/A")

    arrived = arrives("nmpa", f"{NAME}.xlsx", book(tmp_path / "b.xlsx", write))
    assert arrived.refused == frozenset()
    assert "columns_are_known" in arrived.warned
    assert [row["x_mine"] for row in arrived.rows] == [None, "#N/A", None]


Mark = dict[str, object]


def with_run(cell: str, text: str, run: str, mark: Mark) -> Callable[[xlsxwriter.Workbook], None]:
    """Write the table with a text in one cell of its first row, of which the second part has a font of its own."""

    def write(made: xlsxwriter.Workbook) -> None:
        sheet = made.add_worksheet("Data")
        fill(sheet, [NMPA, NMPA_ROWS[0]])
        sheet.write_rich_string(cell, text, made.add_format(mark), run)
        fill(sheet, NMPA_ROWS[1:], top=2)

    return write


@pytest.mark.parametrize("inline", [False, True], ids=["shared", "inline"])
@pytest.mark.parametrize("mark", [{"font_script": 1}, {"font_script": 2}, {"font_strikeout": True}], ids=str)
def test_raised_digits_of_a_number_are_refused_by_cell(
    inline: bool, mark: Mark, tmp_path: Path, arrives: Callable
) -> None:
    content = book(tmp_path / "b.xlsx", with_run("D2", "13", "5", mark), inline=inline)
    arrived = arrives("nmpa", f"{NAME}.xlsx", content)
    assert arrived.refused == {"raised_digits"}, arrived.messages
    assert "sheet 'Data': 1 cell (D2) with raised, lowered or struck-out digits" in arrived.messages[0]


@pytest.mark.parametrize(
    ("cell", "text", "run", "mark", "lands"),
    [
        ("D2", "2", "7", {"bold": True}, True),
        ("B2", "Invented Trust", "1", {"font_script": 1}, True),
        ("F2", "2.70", "%", {"font_script": 1}, True),
        ("H2", "2.7", "0%", {"font_script": 1}, False),
    ],
)
def test_only_raised_digits_of_numbers_matter(
    cell: str, text: str, run: str, mark: Mark, lands: bool, tmp_path: Path, arrives: Callable
) -> None:
    arrived = arrives("nmpa", f"{NAME}.xlsx", book(tmp_path / "b.xlsx", with_run(cell, text, run, mark)))
    assert (arrived.refused == frozenset()) == lands, arrived.messages


@pytest.mark.parametrize("mark", [{"font_script": 1}, {"font_strikeout": True}], ids=str)
def test_a_number_in_a_raised_or_struck_out_font_is_refused(mark: Mark, tmp_path: Path, arrives: Callable) -> None:
    def write(made: xlsxwriter.Workbook) -> None:
        sheet = made.add_worksheet("Data")
        fill(sheet, [["A title"], NMPA, *NMPA_ROWS])
        sheet.write("A1", "A title, struck out 1", made.add_format(mark))
        sheet.write_number("E4", 1000, made.add_format(mark))

    arrived = arrives("nmpa", f"{NAME}.xlsx", book(tmp_path / "b.xlsx", write))
    assert arrived.refused == {"raised_digits"}
    assert "1 cell (E4)" in arrived.messages[0]


def test_two_tables_on_a_sheet_are_refused(tmp_path: Path, arrives: Callable) -> None:
    def write(made: xlsxwriter.Workbook) -> None:
        fill(made.add_worksheet("Data"), [NMPA, *NMPA_ROWS, [], [*NMPA, "More"], *NMPA_ROWS])

    arrived = arrives("nmpa", f"{NAME}.xlsx", book(tmp_path / "b.xlsx", write))
    assert arrived.refused == {"several_tables"}, arrived.messages
    assert "sheet 'Data', row 6: a second header" in arrived.messages[0]


@pytest.mark.parametrize(
    ("text", "runs", "found"),
    [
        ("7.92", [(3, 1)], True),
        ("7.9*", [(3, 1)], False),
        ("7.92", [(0, 1), (3, 0)], True),
        ("7.92", [(3, 0)], False),
        ("7.92", [], False),
    ],
)
def test_runs_of_an_xls_text_with_raised_digits(text: str, runs: list[tuple[int, int]], found: bool) -> None:
    assert has_raised_digits(text, runs, {1}) == found


def test_merged_titles_blank_rows_and_hidden_rows(tmp_path: Path, arrives: Callable, clean: tuple) -> None:
    def write(made: xlsxwriter.Workbook) -> None:
        made.add_worksheet("Notes").write("A1", "Read this first")
        sheet = made.add_worksheet("Data")
        sheet.merge_range("A1:H1", "A merged title")
        fill(sheet, [NMPA, *NMPA_ROWS[:1]], top=3, left=2)
        fill(sheet, NMPA_ROWS[1:], top=6, left=2)
        sheet.merge_range("C7:C8", "England")
        sheet.set_row(6, None, None, {"hidden": True})
        old = made.add_worksheet("Old")
        fill(old, [NMPA, *NMPA_ROWS])
        old.hide()

    rows = [NMPA, *NMPA_ROWS]
    rows[3] = ["England", *rows[3][1:]]
    twin = arrives("nmpa", f"{NAME}.csv", as_csv(rows)).rows
    arrived = arrives("nmpa", f"{NAME}.xlsx", book(tmp_path / "b.xlsx", write))
    assert arrived.refused == frozenset(), arrived.messages
    assert arrived.rows == twin
    assert arrived.decoded.sheet == "Data"
    assert arrived.decoded.notes == ("1 hidden row read",)


@pytest.mark.parametrize("cells", ["D2:D3", "A3:B3"])
def test_merged_numbers_and_columns_are_refused_by_cell(cells: str, tmp_path: Path, arrives: Callable) -> None:
    def write(made: xlsxwriter.Workbook) -> None:
        sheet = made.add_worksheet("Data")
        fill(sheet, [NMPA, *NMPA_ROWS])
        sheet.merge_range(cells, 5 if cells.startswith("D") else "England")

    arrived = arrives("nmpa", f"{NAME}.xlsx", book(tmp_path / "b.xlsx", write))
    assert arrived.refused == {"merged_cells"}
    assert f"sheet 'Data': {cells} is one merged cell" in arrived.messages[0]


def test_a_sheet_is_named_where_several_could_be_meant(tmp_path: Path, arrives: Callable, clean: tuple) -> None:
    def write(made: xlsxwriter.Workbook) -> None:
        for name in ("This year", "Last (year)"):
            fill(made.add_worksheet(name), [NMPA, *NMPA_ROWS])
        made.add_worksheet("Notes").write("A1", "Invented")

    content = book(tmp_path / "b.xlsx", write)
    refused = arrives("nmpa", f"{NAME}.xlsx", content)
    assert refused.refused == {"which_sheet"}
    assert "2 have a known header; there are: This year, Last (year), Notes" in refused.messages[0]
    assert arrives("nmpa", f"{NAME}.xlsx", content, sheet="last (YEAR)").rows == clean
    assert "no sheet is called 'Next'" in arrives("nmpa", f"{NAME}.xlsx", content, sheet="Next").messages[0]
    noted = arrives("nmpa", f"{NAME}.xlsx", content, sheet="Notes")
    assert noted.messages[0].startswith("sheet 'Notes', row 1: was taken for the header (Invented)")


@pytest.mark.parametrize(
    ("texts", "status"),
    [
        (("msds-dec2024-Provider-and-national-exp-measures.csv",), "final"),
        (("msds-apr2025Provisional-exp-measures.csv",), "provisional"),
        (("MSDS_PROVISIONAL_APR.csv",), "provisional"),
        (("improved-approval.csv", "Maternity statistics (provisional)"), "provisional"),
        (("msds-apr2025Final-exp.csv", "Provisional figures of other tables"), "final"),
        (("msds-apr2025-exp.csv",), "final"),
    ],
)
def test_a_status_is_a_word_of_its_own(texts: tuple[str, ...], status: str) -> None:
    assert status_of(*texts) == status


ODS = (
    '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0" '
    'xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:automatic-styles>'
    '<style:style style:name="up"><style:text-properties style:text-position="super 58%"/></style:style>'
    '<style:style style:name="struck"><style:text-properties style:text-line-through-style="solid"/></style:style>'
    '<style:style style:name="bold"><style:text-properties style:text-position="0% 100%"/></style:style>'
    "</office:automatic-styles><office:body><office:spreadsheet>"
    '<table:table table:name="Data">{rows}</table:table></office:spreadsheet></office:body></office:document-content>'
)


def ods(path: Path, rows: Table, special: str) -> bytes:
    """Write an ods workbook whose numerator in the first row below the header is `special`."""

    def cell(text: str) -> str:
        return f'<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>'

    made = [[cell(text) for text in row] for row in rows]
    made[1][3] = special
    lines = "".join(f"<table:table-row>{''.join(row)}</table:table-row>" for row in made)
    with ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", ODS.format(rows=lines))
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
    return path.read_bytes()


@pytest.mark.parametrize(
    ("style", "text", "refused"),
    [
        ("", '2<text:span text:style-name="up">7</text:span>', {"raised_digits"}),
        ("", '2<text:span text:style-name="struck">7</text:span>', {"raised_digits"}),
        ("", '2<text:span text:style-name="bold">7</text:span>', frozenset()),
        ('table:style-name="struck"', "27", {"raised_digits"}),
        ('table:style-name="bold"', "27", frozenset()),
    ],
)
def test_raised_digits_of_an_ods(style: str, text: str, refused: set[str], tmp_path: Path, arrives: Callable) -> None:
    special = f'<table:table-cell {style} office:value-type="string"><text:p>{text}</text:p></table:table-cell>'
    arrived = arrives("nmpa", f"{NAME}.ods", ods(tmp_path / "b.ods", [NMPA, *NMPA_ROWS], special))
    assert arrived.refused == refused, arrived.messages
    assert not refused or "1 cell (D2)" in arrived.messages[0]


@pytest.mark.parametrize(
    ("attributes", "text", "refused"),
    [
        ('table:formula="of:=[.J2]" office:value-type="float" office:value="27"', "27", None),
        ('table:formula="of:=[.J2]"', "", "formulas_without_result"),
        (
            'table:formula="of:=NA()" office:value-type="string" office:string-value="" calcext:value-type="error"',
            "#N/A",
            "error_cells",
        ),
    ],
)
def test_formulas_and_errors_of_an_ods(
    attributes: str, text: str, refused: str | None, tmp_path: Path, arrives: Callable, clean: tuple
) -> None:
    special = f"<table:table-cell {attributes}><text:p>{text}</text:p></table:table-cell>"
    arrived = arrives("nmpa", f"{NAME}.ods", ods(tmp_path / "b.ods", [NMPA, *NMPA_ROWS], special))
    if refused is None:
        assert arrived.refused == frozenset(), arrived.messages
        assert arrived.rows == clean
    else:
        assert arrived.refused == {refused}
        assert "sheet 'Data': 1 cell (D2)" in arrived.messages[0]


DATA = Path(__file__).parent / "data"


@pytest.mark.parametrize("style", ["0.00%", "0%", "[Red]0.0%;-0.0%", '0.0"%"'])
def test_cells_shown_as_percentages_are_read_as_they_are_shown(
    arrives: Callable, clean: tuple[dict[str, object], ...], tmp_path: Path, style: str
) -> None:
    is_percentage = '"%"' not in style

    def write(made: xlsxwriter.Workbook) -> None:
        sheet, shown = made.add_worksheet("Data"), made.add_format({"num_format": style})
        fill(sheet, [NMPA, *(row[:5] for row in NMPA_ROWS)])
        for number, row in enumerate(NMPA_ROWS, start=1):
            for place, text in enumerate(row[5:], start=5):
                sheet.write_number(number, place, float(text[:-1]) / (100 if is_percentage else 1), shown)

    assert arrives("nmpa", f"{NAME}.xlsx", book(tmp_path / "made.xlsx", write)).rows == clean


def test_an_xls_workbook_is_read_as_it_is_shown(arrives: Callable, clean: tuple[dict[str, object], ...]) -> None:
    found = arrives("nmpa", f"{NAME}.xls", (DATA / "invented_nmpa.xls").read_bytes(), sheet="Percent")
    assert found.rows == clean


def test_an_error_cell_of_an_xls_workbook_is_refused_with_its_cell(arrives: Callable) -> None:
    found = arrives("nmpa", f"{NAME}.xls", (DATA / "invented_nmpa.xls").read_bytes(), sheet="Errors")
    assert found.refused == {"error_cells"}
    assert "sheet 'Errors': 1 cell (D3) hold errors of a spreadsheet (#N/A)" in found.messages[0]


def test_a_binary_workbook_is_refused_with_what_to_do(arrives: Callable) -> None:
    found = arrives("nmpa", f"{NAME}.xlsb", (DATA / "invented_nmpa.xlsb").read_bytes())
    assert found.refused == {"xlsb"}
    assert "save it as .xlsx or CSV" in found.messages[0]


def test_a_sheet_that_is_not_there_is_answered_with_one_that_is(arrives: Callable) -> None:
    found = arrives("nmpa", f"{NAME}.xls", (DATA / "invented_nmpa.xls").read_bytes(), sheet="Percents")
    assert found.refused == {"which_sheet"}
    assert "for example --sheet Percent" in found.messages[0]


@pytest.mark.parametrize(("place", "text"), [(1, "#N/A"), (2, "#REF!"), (0, "#DIV/0!")])
def test_an_error_of_a_spreadsheet_is_no_text(arrives: Callable, place: int, text: str) -> None:
    rows = [NMPA, *(row[:] for row in NMPA_ROWS)]
    rows[2][place] = text
    assert "cells_hold_no_spreadsheet_error" in arrives("nmpa", f"{NAME}.csv", as_csv(rows)).refused


@pytest.mark.parametrize(("wrong", "refused"), [(1, False), (2, True)])
def test_rates_that_contradict_most_counts_are_refused(arrives: Callable, wrong: int, refused: bool) -> None:
    rows = [NMPA, *(row[:] for row in NMPA_ROWS)]
    for row in rows[1 : 1 + wrong]:
        row[3] = "100"
    found = arrives("nmpa", f"{NAME}.csv", as_csv(rows))
    assert ("most_rates_follow_from_counts" in found.refused) == refused
    assert "rates_follow_from_counts" in found.warned
