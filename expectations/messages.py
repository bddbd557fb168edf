"""What is wrong, how much of it and where, in one sentence for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from expectations.failing import FailingRows
from expectations.standards import Standard
from perinatal.printable import printable

SHOWN_CELLS = 4


def of_rows(standard: Standard, failing: FailingRows, count: int, rows: int) -> str:
    """Return the message on failing rows: how many, their first numbers, their organisations by name."""
    names, of_all = failing.organisations()
    details = []
    if failing.has_numbers:
        how_many = f"{count:,} of {rows:,} rows" if count <= rows else f"{count:,} rows"
        details = [_rows([f"{row['source_row']:,}" for row in failing.examples if row.get("source_row")], count)]
    else:
        how_many = f"{count:,} found" if count > 1 else ""
        if not names:
            details = [_cells(failing.examples)]
    details = [detail for detail in (*details, _named(names, of_all)) if detail]
    shown = f" ({'; '.join(details)})" if details else ""
    return f"{standard.problem}{f': {how_many}' if how_many else ''}{shown}"


def of_number(standard: Standard, observed: Any) -> str:
    """Return the message on a number that is out of bounds."""
    if not isinstance(observed, int | float):
        return standard.problem
    words = {"min_value": "at least", "max_value": "at most"}
    bounds = [f"{word} {standard.kwargs[key]:,}" for key, word in words.items() if key in standard.kwargs]
    seen = f"{observed:,.4g}" if isinstance(observed, float) else f"{observed:,}"
    return f"{standard.problem}: {seen} found, {' and '.join(bounds)} expected"


def _rows(numbers: Sequence[str], count: int) -> str:
    if not numbers:
        return ""
    if count <= len(numbers):
        return f"row{'s' if len(numbers) > 1 else ''} {', '.join(numbers)}"
    return f"first in rows {', '.join(numbers)}"


def _named(names: Sequence[str], of_all: int) -> str:
    more = f" and {of_all - len(names):,} more" if of_all > len(names) else ""
    return ", ".join(map(printable, names)) + more


def _cells(examples: Sequence[dict[str, Any]]) -> str:
    """Return the first example in words, for what names no organisation."""
    if not examples:
        return ""
    cells = [(name, value) for name, value in examples[0].items() if value is not None][:SHOWN_CELLS]
    return ", ".join(f"{name.replace('_', ' ')} {_cell(value)}" for name, value in cells)


def _cell(value: Any) -> str:
    return f"{value:,.4g}" if isinstance(value, float) else printable(str(value))
