"""Rates, proportions and standardised ratios with their 95% and 99.8% intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warehouse.statistics import statistic_words as words
from warehouse.statistics.macros import render

if TYPE_CHECKING:
    from warehouse.statistics.csv_table import CsvTable

LIMITS = [
    ("lower", 95, "lower95_0cl"),
    ("upper", 95, "upper95_0cl"),
    ("lower", 99.8, "lower99_8cl"),
    ("upper", 99.8, "upper99_8cl"),
]

INTERVALS = """
with counts as (select line, {{ x }} as x, {{ n }} as n, {{ multiplier }} as m from cells)
select
    line,
    {{ rate_value('x', 'n', 'm') }} as value,
    {% for side, level, name in limits -%}
    {{ (rate_limit if kind == 'rate' else wilson_limit)('x', 'n', 'm', side, level) }} as {{ name }},
    {% endfor -%}
    '95%, 99.8%' as confidence,
    {% if kind == 'rate' -%}
    'rate per ' || {{ plain_number }} as statistic,
    {{ rate_method('x') }} as method
    {% else -%}
    if(m = 100, 'percentage', 'proportion of ' || {{ plain_number }}) as statistic,
    'Wilson' as method
    {% endif -%}
from counts
"""


def plain_number(column: str) -> str:
    """Return the SQL of a number as text, whole numbers without a decimal point."""
    return f"if({column} = floor({column}) and {column} < 1e15, {column}::bigint::varchar, {column}::varchar)"


def require_counts(table: CsvTable, kind: str, x: str = "x", n: str = "n") -> None:
    """Raise for counts that have no rate, ratio or proportion."""
    table.require_numbers(x, n)
    count, size = table.number(x), table.number(n)
    table.refuse_where(
        f"{size} <= 0", f"{n} is not above 0; a {kind} needs a denominator {n} > 0 (leave it empty if unknown)"
    )
    table.refuse_where(f"{count} < 0", f"{x} is below 0; a count of events must be 0 or more")
    if kind == words.PROPORTION:
        what = f"{x} is above {n}; a proportion needs {x} <= {n} (use `rate` if events may repeat)"
        table.refuse_where(f"{count} > {size}", what)


def intervals(kind: str, table: CsvTable, multiplier: float | None) -> str:
    """Return the query of values and two intervals for rates or proportions (`x`, `n`)."""
    table.require_columns("x", "n")
    require_counts(table, kind)
    return render(
        INTERVALS,
        kind=kind,
        x=table.number("x"),
        n=table.number("n"),
        multiplier=words.multiplier(table, multiplier, (kind,), kind),
        plain_number=plain_number("m"),
        limits=LIMITS,
    )
