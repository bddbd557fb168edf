"""Formulas of spreadsheets, as far as one must know which cells they use and whether these can give 0."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import product
from typing import Final

Address = tuple[int, int]  # row and column, from 0

_CELL: Final = r"(\$?)([A-Z]{1,3})(\$?)([1-9]\d{0,6})(?![\d(A-Za-z_!])"
REFERENCE: Final = re.compile(rf"(?<![A-Za-z0-9_!'.]){_CELL}")
RANGE: Final = re.compile(rf"{REFERENCE.pattern}:{_CELL}")
# sums, products and quotients of cells and numbers: where the inputs are above 0, so is the result
PLAIN: Final = re.compile(r"(?:SUM|PRODUCT|AVERAGE|MAX|MIN|[A-Z]{1,3}(?=[1-9])|[0-9.%:,;+*/()\s])+")
ZERO: Final = re.compile(r"(?<![\w.])0+(\.0*)?(?![\d.])")
ELSEWHERE: Final = re.compile(r"[!\[\]#{]")
MOST_CELLS: Final = 10_000


def inputs_of(formula: str) -> list[Address] | None:
    """Return the cells that a formula uses; None where they are not told by it (other sheets, names, too many)."""
    if not formula or ELSEWHERE.search(formula):
        return None
    found: list[Address] = []
    for first, last in ((m.groups()[:4], m.groups()[4:]) for m in RANGE.finditer(formula)):
        (top, left), (bottom, right) = sorted((_address(first), _address(last)))
        left, right = sorted((left, right))
        if (bottom - top + 1) * (right - left + 1) > MOST_CELLS:
            return None
        found += product(range(top, bottom + 1), range(left, right + 1))
    found += [_address(match.groups()) for match in REFERENCE.finditer(RANGE.sub("", formula))]
    return found or None


def never_zero(formula: str, values: Sequence[float | None]) -> bool:
    """Tell whether a formula is a sum or product of these values, all above 0, so that it cannot give 0."""
    if not values or not all(value is not None and value > 0 for value in values):
        return False
    return PLAIN.fullmatch(formula.replace("$", "")) is not None and not ZERO.search(formula)


def moved(formula: str, by: Address) -> str:
    """Return a formula as it reads when it is filled into another cell, its relative references moved."""

    def move(match: re.Match[str]) -> str:
        row, column = _address(match.groups())
        row, column = (row if match[3] else row + by[0]), (column if match[1] else column + by[1])
        return f"{match[1]}{letters_of(column)}{match[3]}{row + 1}"

    return REFERENCE.sub(move, formula)


def address_of(text: str) -> Address:
    """Return (row, column) from 0 of an address like A1. Raises ValueError."""
    match = re.fullmatch(r"\$?([A-Za-z]{1,3})\$?(\d+)", text)
    if match is None:
        raise ValueError(f"{text!r} is no address of a cell")
    return _address(("", match[1].upper(), "", match[2]))


def letters_of(column: int) -> str:
    """Return the letters of a column from 0."""
    letters, left = "", column + 1
    while left:
        left, digit = divmod(left - 1, 26)
        letters = chr(ord("A") + digit) + letters
    return letters


def a1(at: Address) -> str:
    """Return the address of a cell as people know it: (0, 0) is A1."""
    return f"{letters_of(at[1])}{at[0] + 1}"


def _address(parts: Sequence[str]) -> Address:
    column = 0
    for letter in parts[1]:
        column = 26 * column + ord(letter) - ord("A") + 1
    return int(parts[3]) - 1, column - 1
