"""Error cells, formulas without a result, raised digits, merged and hidden rows of one sheet of an ods workbook.

From its XML, in which the styles stand before the cells.

Read in the child process of `workbooks`, under its limits: a hostile document cannot take the run with it.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

from expectations.columns import SPREADSHEET_ERROR
from ingest.land.cell_facts import DIGIT, CellFacts, Formulas
from ingest.land.formulas import Address

ERROR: Final = re.compile(SPREADSHEET_ERROR)
CELLS: Final = ("table-cell", "covered-table-cell")
MOST_COLUMNS: Final = 1 << 14


def facts_of(path: Path, sheet: str) -> CellFacts:
    """Return what is special about the cells of a sheet."""
    facts, formulas = CellFacts(), Formulas()
    row, column, is_wanted = 0, 0, False
    raised: set[str] = set()
    with zipfile.ZipFile(path) as book, book.open("content.xml") as stream:
        for event, element in ET.iterparse(stream, ("start", "end")):  # noqa: S314 - see above
            kind, said = element.tag.rpartition("}")[2], _said(element)
            if kind == "table":
                row, is_wanted = 0, event == "start" and said.get("name") == sheet
            elif kind == "table-row" and event == "start":
                column = 0
                facts.hidden_rows += is_wanted and said.get("visibility") in ("collapse", "filter")
            elif kind == "table-row":
                row += int(said.get("number-rows-repeated", 1))
                element.clear()
            elif kind == "style" and event == "end" and any(_is_raised(_said(part)) for part in element):
                raised.add(said.get("name", ""))
            elif kind in CELLS and event == "end":
                repeated = int(said.get("number-columns-repeated", 1))
                if is_wanted:
                    _see((row, column), element, said, facts, formulas)
                if is_wanted and (said.get("style-name") in raised or _has_raised_digits(element, raised)):
                    facts.raised |= {(row, column + further) for further in range(min(repeated, MOST_COLUMNS))}
                column += repeated
    facts.odd |= formulas.uncalculated(lambda cells: dict.fromkeys(cells, 0.0), asks_for_calculation=False)
    return facts


def _said(element: ET.Element) -> dict[str, str]:
    """Return the attributes by their local names, and whether a value type says that the cell is an error."""
    found = {key.rpartition("}")[2]: value for key, value in element.attrib.items()}
    is_error = any(key.endswith("}value-type") and value == "error" for key, value in element.attrib.items())
    return found | ({"is-error": "yes"} if is_error else {})


def _is_raised(said: dict[str, str]) -> bool:
    """Tell whether a style raises, lowers or strikes out its text."""
    position = said.get("text-position", "0%").split()[0]
    return position != "0%" or said.get("text-line-through-style", "none") != "none"


def _has_raised_digits(cell: ET.Element, raised: set[str]) -> bool:
    """Tell whether a part of a cell's text has digits in one of the styles that raise or strike out."""
    spans = (part for part in cell.iter() if part.tag.endswith("}span") and _said(part).get("style-name") in raised)
    return any(DIGIT.search("".join(span.itertext())) for span in spans)


def _see(at: Address, cell: ET.Element, said: dict[str, str], facts: CellFacts, formulas: Formulas) -> None:
    """Note what is special about one cell."""
    text = "".join(cell.itertext()).strip()
    if "is-error" in said or ("formula" in said and ERROR.fullmatch(text)):
        facts.odd[at] = ("error", text or "#N/A")
    elif "formula" in said:
        formulas.see(at, said["formula"].partition("=")[2], text or said.get("value-type"))
    if said.get("value-type") == "percentage":
        facts.percent.add(at)
    rows, columns = int(said.get("number-rows-spanned", 1)), int(said.get("number-columns-spanned", 1))
    if rows > 1 or columns > 1:
        facts.merged.append((at, (at[0] + rows - 1, at[1] + columns - 1)))
