"""Error cells, percentages, raised digits, merged and hidden cells of one sheet of an xls workbook.

Formulas are not among them: the format keeps their results as numbers, and the programs that write it calculate. Read
in the child process of `workbooks`, under its limits.
"""

from __future__ import annotations

import io
import itertools
from pathlib import Path

from ingest.land.cell_facts import DIGIT, CellFacts, shows_percent


def facts_of(path: Path, sheet: str) -> CellFacts:
    """Return what is special about the cells of a sheet."""
    import xlrd

    book = xlrd.open_workbook(
        file_contents=path.read_bytes(), formatting_info=True, on_demand=True, logfile=io.StringIO()
    )
    table = book.sheet_by_name(sheet)
    formats = [book.format_map[style.format_key].format_str for style in book.xf_list]
    percents = {place for place, text in enumerate(formats) if shows_percent(text)}
    fonts = {place for place, font in enumerate(book.font_list) if font.escapement or font.struck_out}
    raised = {place for place, style in enumerate(book.xf_list) if style.font_index in fonts}
    runs = table.rich_text_runlist_map
    facts = CellFacts(
        merged=[((top, left), (bottom - 1, right - 1)) for top, bottom, left, right in table.merged_cells],
        hidden_rows=sum(bool(row.hidden) for row in table.rowinfo_map.values()),
        hidden_columns=sum(bool(column.hidden) for column in table.colinfo_map.values()),
    )
    for row in range(table.nrows):
        for column, cell in enumerate(table.row(row)):
            if cell.ctype == xlrd.XL_CELL_ERROR:
                facts.odd[row, column] = ("error", xlrd.error_text_from_code.get(cell.value, "#N/A"))
            elif cell.ctype == xlrd.XL_CELL_NUMBER and cell.xf_index in percents:
                facts.percent.add((row, column))
            if cell.xf_index in raised or has_raised_digits(str(cell.value), runs.get((row, column), []), fonts):
                facts.raised.add((row, column))
    return facts


def has_raised_digits(text: str, runs: list[tuple[int, int]], fonts: set[int]) -> bool:
    """Tell whether digits of a text are in one of some fonts; `runs` say where in it a font begins."""
    parts = itertools.pairwise([*runs, (len(text), 0)])
    return any(font in fonts and DIGIT.search(text[start:end]) for (start, font), (end, _) in parts)
