"""What the reader of workbooks does not say of cells: errors, formulas without a result, percentages, what is merged.

The reader gives an error cell as a blank, and a formula by the result that was saved with it: 0 or nothing where the
program that wrote the file never calculated. Runs in the child process of `workbooks`, under its limits.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

from ingest.land.formulas import Address, a1, inputs_of, never_zero

Kind = Literal["error", "formula"]
DIGIT: Final = re.compile("[0-9]")
# words in quotes, after a backslash or in brackets are shown as they are, and no part of a number format
SHOWN_AS_IT_IS: Final = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')


@dataclass(frozen=True)
class Formula:
    """A formula with the result 0 or none, and whether a result was saved with it at all."""

    text: str
    has_result: bool


@dataclass
class CellFacts:
    """What is special about the cells of a sheet, by (row, column) from 0.

    `odd` has error cells and formulas without a computed result, with what stands there; `merged` has the first and
    last cell of each merged range; `percent` has the cells that show a fraction of one as a percentage (0.027 as
    2.70%); `raised` has the cells with digits that are raised, lowered or struck out, or a style that does so;
    `hidden_rows` and `hidden_columns` are counted.
    """

    odd: dict[Address, tuple[Kind, str]] = field(default_factory=dict)
    merged: list[tuple[Address, Address]] = field(default_factory=list)
    hidden_rows: int = 0
    hidden_columns: int = 0
    percent: set[Address] = field(default_factory=set)
    raised: set[Address] = field(default_factory=set)


@dataclass
class Formulas:
    """The formulas of a sheet as they are read: those with the result 0 or none, and the columns with other results."""

    empty: dict[Address, Formula] = field(default_factory=dict)
    calculated: set[int] = field(default_factory=set)

    def see(self, at: Address, text: str, result: float | str | None) -> None:
        """Note one formula; `result` is None where none was saved, else a number or text."""
        if result is None or result == 0:
            self.empty[at] = Formula(text, result is not None)
        else:
            self.calculated.add(at[1])

    def uncalculated(
        self, values_at: Callable[[set[Address]], dict[Address, float | None]], asks_for_calculation: bool
    ) -> dict[Address, tuple[Kind, str]]:
        """Return the formulas that were never calculated.

        `values_at` looks up cells (None: text; blank cells are left out). Without a result at all none was calculated;
        0 is no result where the inputs cannot give 0, and where the file asks to be calculated on opening, every
        formula of its column gave 0, and some input is not 0.
        """
        inputs = {at: inputs_of(formula.text) for at, formula in self.empty.items() if formula.has_result}
        values = values_at({cell for cells in inputs.values() for cell in cells or ()})
        by_column: dict[int, bool] = defaultdict(bool)
        for at, cells in inputs.items():
            by_column[at[1]] |= cells is None or any(values.get(cell, 0) != 0 for cell in cells)
        suspect = {column for column, has_input in by_column.items() if has_input} - self.calculated
        return {
            at: ("formula", f"={formula.text}")
            for at, formula in self.empty.items()
            if not formula.has_result
            or never_zero(formula.text, [values.get(cell, 0) for cell in inputs[at] or ()])
            or (asks_for_calculation and at[1] in suspect)
        }


def shows_percent(number_format: str) -> bool:
    """Tell whether a number format of a spreadsheet multiplies by 100 and shows a per cent sign."""
    return "%" in SHOWN_AS_IT_IS.sub("", number_format)


def ranges(cells: Iterable[Address]) -> list[str]:
    """Return cells as addresses, those below each other as ranges: D2:D9, F4."""
    found: list[tuple[Address, Address]] = []
    for row, column in sorted(cells, key=lambda at: (at[1], at[0])):
        if found and found[-1][1] == (row - 1, column):
            found[-1] = (found[-1][0], (row, column))
        else:
            found.append(((row, column), (row, column)))
    return [a1(first) if first == last else f"{a1(first)}:{a1(last)}" for first, last in found]
