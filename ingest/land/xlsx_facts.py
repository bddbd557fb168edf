"""Error cells, formulas without a result, raised digits, merged and hidden cells of one sheet of an xlsx workbook.

All from its XML. Strings that cells share are read once, and only where some have raised or struck-out parts.

Read in the child process of `workbooks`, under its limits: a hostile document cannot take the run with it.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final
from xml.etree import ElementTree as ET

from ingest.land.cell_facts import DIGIT, CellFacts, Formulas, shows_percent
from ingest.land.formulas import Address, address_of, moved
from ingest.land.zips import holds

STYLES: Final = "xl/styles.xml"
PERCENT_FORMATS: Final = {"9", "10"}  # of ECMA-376, 18.8.30: 0% and 0.00%
WORKBOOK: Final = "xl/workbook.xml"
# one search tells most sheets to have none of it, in a tenth of the time of reading them
RAISED: Final = re.compile(rb"<(\w+:)?(vertAlign|strike)[\s/>]")
SPECIAL: Final = re.compile(rb"<(\w+:)?f[\s/>]|\st=[\"']e|<(\w+:)?mergeCell|\shidden=|" + RAISED.pattern)
RELATIONS: Final = "xl/_rels/workbook.xml.rels"
STRINGS: Final = "xl/sharedStrings.xml"


@dataclass(frozen=True)
class Looks:
    """What a workbook says of looks: the styles that show percentages, the styles and strings with raised digits."""

    percents: frozenset[str]
    raised: frozenset[str]
    strings: frozenset[str]

    @property
    def are_plain(self) -> bool:
        """Tell whether no cell can have a look that matters, whatever the sheet says."""
        return not (self.percents or self.raised or self.strings)


def facts_of(path: Path, sheet: str) -> CellFacts:
    """Return what is special about the cells of a sheet."""
    with zipfile.ZipFile(path) as book:
        member, asks_for_calculation = _sheet_of(book, sheet)
        looks = _looks(book, _raised_strings(book) if holds(path, STRINGS, RAISED) else frozenset())
        if looks.are_plain and not holds(path, member, SPECIAL):
            return CellFacts()
        with book.open(member) as stream:
            facts, formulas = _read(stream, looks)

        def values_at(cells: set[Address]) -> dict[Address, float | None]:
            with book.open(member) as again:
                return dict(_values(again, cells)) if cells else {}

        facts.odd |= formulas.uncalculated(values_at, asks_for_calculation)
    return facts


def _local(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _attribute(element: ET.Element, name: str) -> str:
    """Return an attribute whatever its namespace: strict and transitional files differ."""
    return next((value for key, value in element.attrib.items() if key.rpartition("}")[2] == name), "")


def _sheet_of(book: zipfile.ZipFile, sheet: str) -> tuple[str, bool]:
    """Return the member that holds a sheet, and whether the file asks to be calculated when it is opened."""
    root, relations = (ET.fromstring(book.read(name)) for name in (WORKBOOK, RELATIONS))  # noqa: S314 - see above
    targets = {_attribute(one, "Id"): _attribute(one, "Target") for one in relations}
    elements = {_local(one): one for one in root}
    key = next(_relation(one) for one in elements["sheets"] if _attribute(one, "name") == sheet)
    target = targets[key]
    member = target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join("xl", target))
    asks = "calcPr" in elements and _attribute(elements["calcPr"], "fullCalcOnLoad") in ("1", "true")
    return member, asks


def _relation(element: ET.Element) -> str:
    return next(value for key, value in element.attrib.items() if key.endswith("}id"))


def _cells(stream: IO[bytes], facts: CellFacts | None = None) -> Iterator[tuple[Address, ET.Element]]:
    """Yield the cells with their addresses, left out in some files; notes hidden and merged ones."""
    row, column = -1, -1
    for event, element in ET.iterparse(stream, ("start", "end")):  # noqa: S314 - see above
        kind = _local(element)
        if event == "start":
            if kind == "row":
                row, column = int(element.get("r") or row + 2) - 1, -1
                if facts and element.get("hidden") in ("1", "true"):
                    facts.hidden_rows += 1
        elif kind == "c":
            row, column = address_of(element.attrib["r"]) if "r" in element.attrib else (row, column + 1)
            yield (row, column), element
        elif kind == "row":
            element.clear()
        elif facts and kind == "mergeCell":
            first, _, last = element.attrib["ref"].partition(":")
            facts.merged.append((address_of(first), address_of(last or first)))
        elif facts and kind == "col" and element.get("hidden") in ("1", "true"):
            facts.hidden_columns += min(int(element.attrib["max"]), 1 << 10) - int(element.attrib["min"]) + 1


def _looks(book: zipfile.ZipFile, strings: frozenset[str]) -> Looks:
    """Return what a workbook says of looks; cells name their style and their string by its number."""
    if STYLES not in book.namelist():
        return Looks(frozenset(), frozenset(), strings)
    parts = {_local(one): one for one in ET.fromstring(book.read(STYLES))}  # noqa: S314 - see above
    formats = {one.get("numFmtId") for one in parts.get("numFmts", ()) if shows_percent(one.get("formatCode", ""))}
    fonts = {str(place) for place, one in enumerate(parts.get("fonts", ())) if _is_raised(one)}
    styles = [(str(place), one) for place, one in enumerate(parts.get("cellXfs", ()))]
    percents = frozenset(place for place, one in styles if one.get("numFmtId") in formats | PERCENT_FORMATS)
    return Looks(percents, frozenset(place for place, one in styles if one.get("fontId") in fonts), strings)


def _is_raised(font: ET.Element) -> bool:
    """Tell whether a font is raised, lowered or struck out."""
    said = {_local(one): _attribute(one, "val") for one in font}
    struck = said.get("strike", "0") not in ("0", "false")
    return struck or said.get("vertAlign", "baseline") in ("superscript", "subscript")


def _has_raised_digits(text: ET.Element) -> bool:
    """Tell whether a text has a run of raised, lowered or struck-out digits."""
    runs = ({_local(part): part for part in run} for run in text if _local(run) == "r")
    return any(
        "rPr" in run and "t" in run and _is_raised(run["rPr"]) and DIGIT.search(run["t"].text or "") for run in runs
    )


def _raised_strings(book: zipfile.ZipFile) -> frozenset[str]:
    """Return the numbers of the strings with raised digits."""
    found: set[str] = set()
    with book.open(STRINGS) as stream:
        strings = (one for _, one in ET.iterparse(stream) if _local(one) == "si")  # noqa: S314 - see above
        for number, string in enumerate(strings):
            if _has_raised_digits(string):
                found.add(str(number))
            string.clear()
    return frozenset(found)


def _read(stream: IO[bytes], looks: Looks) -> tuple[CellFacts, Formulas]:
    facts, formulas = CellFacts(), Formulas()
    shared: dict[str, tuple[Address, str]] = {}
    for at, cell in _cells(stream, facts):
        parts = {_local(part): part for part in cell}
        value = parts["v"].text if "v" in parts else None
        if cell.get("s") in looks.percents and cell.get("t", "n") == "n":
            facts.percent.add(at)
        is_raised_string = cell.get("t") == "s" and value in looks.strings
        if is_raised_string or cell.get("s") in looks.raised or ("is" in parts and _has_raised_digits(parts["is"])):
            facts.raised.add(at)
        if cell.get("t") == "e":
            facts.odd[at] = ("error", value or "#N/A")
        elif "f" in parts:
            formulas.see(at, _formula(at, parts["f"], shared), _result(cell.get("t", "n"), value, "v" in parts))
    return facts, formulas


def _formula(at: Address, element: ET.Element, shared: dict[str, tuple[Address, str]]) -> str:
    """Return a formula's text; one that is shared stands in full in its first cell only."""
    key, text = element.get("si", ""), element.text or ""
    if element.get("t") != "shared":
        return text
    if text:
        shared[key] = (at, text)
        return text
    (row, column), first = shared.get(key, (at, ""))
    return moved(first, (at[0] - row, at[1] - column))


def _result(kind: str, value: str | None, is_there: bool) -> float | str | None:
    """Return a saved result: None where there is none. A text may well be empty, a number not."""
    if kind in ("str", "s", "inlineStr"):
        return value or "text" if is_there else None
    if value is None:
        return None
    if kind != "n":
        return value
    try:
        return float(value)
    except ValueError:
        return value


def _values(stream: IO[bytes], wanted: set[Address]) -> Iterator[tuple[Address, float | None]]:
    """Yield the wanted cells that are not blank: numbers, None for text."""
    for at, cell in _cells(stream):
        if at in wanted:
            text = next((part.text for part in cell if _local(part) == "v"), None)
            if cell.get("t", "n") == "n" and text:
                yield at, float(text)
            elif text or cell.get("t") == "inlineStr":
                yield at, None
