"""Standardised ratios and indirectly standardised rates: observed over expected events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perinatal.sql import identifier, literals
from warehouse.statistics import statistic_words as words
from warehouse.statistics.groups import group_columns, group_key
from warehouse.statistics.intervals import LIMITS, plain_number, require_counts
from warehouse.statistics.macros import render

if TYPE_CHECKING:
    from warehouse.statistics.csv_table import CsvTable

# one row of the file: `ref_rate` (on the scale that `statistic` names) makes a rate of the ratio
OBSERVED = """
select
    line, {{ observed }} as observed, {{ expected }} as expected, {{ is_rate }} as is_rate, {{ multiplier }} as m,
    if(is_rate, {{ ref_rate }}, m) as scale
from cells
"""

# a group of strata. A stratum without people has no events; an unknown count of a stratum with people leaves the sum
# unknown; a blank reference count is 0, as in the R package
SUMMED = """
select
    min(line) as line,
    {% for name, text in groups -%} any_value({{ text }}) as {{ name }}, {% endfor -%}
    case
        when count(*) filter (where {{ count }} is null and coalesce({{ pop }}, 0) > 0) = 0
        then {{ compensated("sum", "coalesce(" ~ count ~ ", 0)") }}
    end as observed,
    {{ compensated("sum", "coalesce(" ~ pop ~ ", 0) * coalesce(" ~ refcount ~ ", 0) / " ~ refpop) }} as expected,
    any_value({{ is_rate }}) as is_rate,
    any_value({{ multiplier }}) as m,
    case
        when is_rate
        then {{ compensated("sum", "coalesce(" ~ refcount ~ ", 0)") }} / {{ compensated("sum", refpop) }} * m
    end as ref_rate,
    if(is_rate, ref_rate, m) as scale
from cells
group by {{ key }}
"""

RATIOS = """
with counted as ({{ counted }})
select
    line,
    {% for name in kept -%} {{ name }}, {% endfor -%}
    {{ rate_value('observed', 'expected', 'scale') }} as value,
    {% for side, level, name in limits -%}
    {{ rate_limit('observed', 'expected', 'scale', side, level) }} as {{ name }},
    {% endfor -%}
    '95%, 99.8%' as confidence,
    if(
        is_rate,
        'indirectly standardised rate' || coalesce(' per ' || {{ plain_number }}, ''),
        'indirectly standardised ratio x ' || {{ plain_number }}
    ) as statistic,
    {{ rate_method('observed') }} as method
from counted
"""
STRATA = ("count", "pop", "refcount", "refpop")
ALLOWED = (words.RATIO, words.STANDARDISED_RATE)


def is_by_strata(table: CsvTable) -> bool:
    """Whether the file has counts by age band or another stratum, from which the expected events are computed."""
    return table.has(*STRATA) and not table.has("expected")


def ratios(table: CsvTable, asked: float | None) -> str:
    """Return the query of ratios (or rates) with intervals.

    From `observed` and `expected` it has a line for each row of the file; from strata (`count`, `pop`, `refcount`,
    `refpop`) one for each group, with the columns that name it.
    """
    if is_by_strata(table):
        groups = [(identifier(name), table.text(name)) for name in group_columns(table)]
        kept = [*(name for name, _ in groups), "observed", "expected", "ref_rate"]
        counted = _summed(table, asked, groups)
    else:
        kept, counted = [], _observed(table, asked)
    return render(RATIOS, counted=counted, kept=kept, limits=LIMITS, plain_number=plain_number("m"))


def _observed(table: CsvTable, asked: float | None) -> str:
    table.require_columns("observed", "expected", instead=", ".join(STRATA))
    require_counts(table, words.RATIO, "observed", "expected")
    table.require_numbers("ref_rate")
    rate = table.number("ref_rate")
    table.refuse_where(f"{rate} <= 0", "ref_rate is not above 0; leave it empty for a ratio")
    is_rate, multiplier = _is_rate(table), words.multiplier(table, asked, ALLOWED, words.RATIO)
    if table.has("statistic"):
        table.refuse_where(f"{is_rate} and {rate} is null", "an indirectly standardised rate needs ref_rate")
        if asked is not None:
            rate = f"{rate} / ({words.multiplier(table, None, ALLOWED, words.RATIO)}) * {asked!r}"
    elif table.has("ref_rate"):  # nothing says per how many the reference rate is, unless it was asked for
        is_rate = f"{rate} is not null"
        multiplier = multiplier if asked is not None else f"case when {rate} is null then {multiplier} end"
    return render(
        OBSERVED,
        observed=table.number("observed"),
        expected=table.number("expected"),
        ref_rate=rate,
        is_rate=is_rate,
        multiplier=multiplier,
    )


def _summed(table: CsvTable, asked: float | None, groups: list[tuple[str, str]]) -> str:
    table.require_numbers(*STRATA)
    for name in STRATA:
        table.refuse_where(f"{table.number(name)} < 0", f"{name} is below 0; it must be 0 or more")
    table.refuse_where(f"coalesce({table.number('refpop')}, 0) <= 0", "refpop is not above 0; it is needed")
    return render(
        SUMMED,
        **{name: table.number(name) for name in STRATA},
        groups=groups,
        key=group_key(table),
        is_rate=_is_rate(table),
        multiplier=words.multiplier(table, asked, ALLOWED, words.RATIO),
    )


def _is_rate(table: CsvTable) -> str:
    """Return the SQL of whether a row's `statistic` says that it is a rate."""
    meanings = words.of_rows(table, ALLOWED)
    rates = [text for text, meant in meanings.items() if meant.kind == words.STANDARDISED_RATE]
    return f"coalesce({table.text('statistic')} in ({literals(rates)}), false)" if rates else "false"
