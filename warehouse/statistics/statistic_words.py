"""What a file's `statistic` column says: rate, proportion or ratio, and per how many. Read strictly or refused."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perinatal.sql import literal

if TYPE_CHECKING:
    from collections.abc import Collection

    from warehouse.statistics.csv_table import CsvTable

RATE, PROPORTION, RATIO, COUNT_RATIO = "rate", "proportion", "ratio", "ratio of counts"
STANDARDISED_RATE = "indirectly standardised rate"
DEFAULT_MULTIPLIER = {RATE: 1000.0, PROPORTION: 100.0, RATIO: 1.0, COUNT_RATIO: 1.0, STANDARDISED_RATE: 100000.0}
EXAMPLES = "'rate per 1000', 'per 100,000', 'percentage', 'proportion of 1', 'ratio x 100' or 'ratio of counts'"

UNITS = {"k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6}
DIGITS = r"(?P<digits>[0-9]{1,3}(?:[ ,][0-9]{3})+|[0-9]+(?:\.[0-9]+)?(?:e\+?[0-9]+)?)"
NUMBER = rf"(?:{DIGITS}(?: ?(?P<unit>k|m|thousand|million)\b)?|(?P<alone>thousand|million))"
OF_WHAT = r"(?: [a-z][a-z -]*)?"  # 'per 1000 live births'
# fixed words of a kind that also say the multiplier
FIXED = {
    "percentage": (PROPORTION, 100.0),
    "percent": (PROPORTION, 100.0),
    "per cent": (PROPORTION, 100.0),
    "%": (PROPORTION, 100.0),
    "ratio (isr)": (RATIO, 100.0),
}
PATTERNS = [
    (RATE, rf"(?:crude )?rates?(?: per {NUMBER}{OF_WHAT})?"),
    (RATE, rf"per {NUMBER}{OF_WHAT}"),
    (RATE, rf"rate \((?:crude |dsr )?per {NUMBER}\)"),
    (PROPORTION, rf"proportions?(?: of {NUMBER})?"),
    (STANDARDISED_RATE, rf"indirectly standardised rate(?: per {NUMBER}{OF_WHAT})?"),
    (RATIO, rf"(?:(?:indirectly )?standardised )?ratio(?: x ?{NUMBER})?"),
    (RATIO, rf"smr(?: x ?{NUMBER})?"),
    (COUNT_RATIO, rf"(?:ratio of counts|rc)(?: x ?{NUMBER})?"),
]


@dataclass(frozen=True)
class Statistic:
    """What one cell says; `multiplier` is None where it names no number."""

    kind: str
    multiplier: float | None = None

    @property
    def scale(self) -> float:
        """Return the multiplier, or what is usual for the kind where none is named."""
        return DEFAULT_MULTIPLIER[self.kind] if self.multiplier is None else self.multiplier


def statistic(text: str) -> Statistic | None:
    """Return what a text says, whatever its case and spacing; None where it is not understood."""
    words = " ".join(text.lower().split())  # split() knows the narrow and non-breaking spaces too
    if words in FIXED:
        return Statistic(*FIXED[words])
    matches = ((kind, re.fullmatch(pattern, words)) for kind, pattern in PATTERNS)
    found = next(((kind, _number(match)) for kind, match in matches if match), None)
    return Statistic(*found) if found and found[1] != 0 else None


def _number(match: re.Match[str]) -> float | None:
    digits, unit, alone = (match[name] for name in ("digits", "unit", "alone"))
    if alone:
        return UNITS[alone]
    return float(re.sub("[ ,]", "", digits)) * UNITS.get(unit, 1.0) if digits else None


def of_rows(table: CsvTable, allowed: Collection[str]) -> dict[str, Statistic]:
    """Return what each text of the column `statistic` says; empty where the file says nothing.

    Raises for the first cell that is not understood, of another kind than `allowed`, or blank beside others.
    """
    if not table.has("statistic"):
        return {}
    cells = table.values("statistic")
    given = next((line for line, text in cells if text), None)
    if given is None:
        return {}
    found: dict[str, Statistic] = {}
    for line, text in cells:
        if not text:
            raise table.error(line, f"statistic is blank here but given on line {given}; give it on every row or none")
        if text not in found:
            found[text] = _understood(table, line, text, allowed)
    return found


def _understood(table: CsvTable, line: int, text: str, allowed: Collection[str]) -> Statistic:
    meant = statistic(text)
    if meant is None:
        raise table.error(line, f"statistic '{text}' is not understood; write for example {EXAMPLES}")
    if meant.kind not in allowed:
        raise table.error(line, f"statistic '{text}' is a {meant.kind}; expected a {' or a '.join(allowed)} here")
    return meant


def of_whole_file(table: CsvTable, allowed: Collection[str], otherwise: str) -> Statistic:
    """Return the one statistic of all rows, `otherwise` where the file has none; raises where two rows differ."""
    meanings = of_rows(table, allowed)
    if not meanings:
        return Statistic(otherwise)
    (first_line, first), *others = table.values("statistic")
    for line, text in others:
        if meanings[text] != meanings[first]:
            raise table.error(
                line, f"statistic is '{text}' here but '{first}' on line {first_line}; a file holds one funnel"
            )
    return meanings[first]


def multiplier(table: CsvTable, asked: float | None, allowed: Collection[str], otherwise: str) -> str:
    """Return the SQL of each row's multiplier: the one asked for, else that of its `statistic`, else the usual."""
    meanings = of_rows(table, allowed)
    if asked is not None:
        return f"{asked!r}::double"
    usual = f"{DEFAULT_MULTIPLIER[otherwise]!r}::double"
    cases = " ".join(f"when {literal(text)} then {meant.scale!r}" for text, meant in meanings.items())
    return f"case {table.text('statistic')} {cases} else {usual} end" if cases else usual
