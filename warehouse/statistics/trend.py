"""The recent trend of a series, as Fingertips does it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perinatal.sql import literals
from warehouse.statistics import statistic_words as words
from warehouse.statistics.macros import render

if TYPE_CHECKING:
    from warehouse.statistics.csv_table import CsvTable

TREND = """
with
    points as (
        select
            line, {{ case }} as series, {{ year }}::bigint as year, {{ x }} as x, {{ n }} as n,
            {{ polarity }} as polarity, {{ statistic }} as statistic,
            {{ value }} as given, {{ lower }} as given_lower, {{ upper }} as given_upper,
            count(given_lower) over (partition by series) > 0 as has_interval
        from cells
    ),
    valued as (
        select
            *,
            if(has_interval, given, {{ rate_value('x', 'n') }}) as value,
            if(has_interval, given_lower, {{ rate_limit('x', 'n', 1000, 'lower') }}) as lower,
            if(has_interval, given_upper, {{ rate_limit('x', 'n', 1000, 'upper') }}) as upper
        from points
    ),
    tested as (
        select *
        from {{ recent_trend(
            'valued', ['series'], 'year', 'year', 'x', 'n', 'value', 'lower', 'upper', 'statistic', 'polarity'
        ) }}
    )
select
    line,
    statistic,
    {% for name, column in [
        ('trend_chi_squared', 'chi2'), ('trend_slope', 'slope'), ('trend_significant', 'significant'),
        ('recent_trend', 'recent_trend'),
    ] -%}
    last_value({{ name }}) over (
        partition by series order by year rows between unbounded preceding and unbounded following
    ) as {{ column }},
    {% endfor -%}
from tested
"""

NAMED_BY_CASE = """case
    when regexp_matches(lower({{ case }}), '(^|[^a-z])proportions?([^a-z]|$)') then 'proportion'
    when regexp_matches(lower({{ case }}), '(^|[^a-z])rates?([^a-z]|$)') then 'rate'
    else '{{ otherwise }}'
end"""
INTERVAL = ("value", "lower_ci95", "upper_ci95")


def trend(table: CsvTable) -> str:
    """Return the query of the recent trend of each case, from its last five consecutive years."""
    if not table.has(*INTERVAL):
        table.require_columns("year", "count", "denominator", instead="year, " + ", ".join(INTERVAL))
    table.require_columns("year")
    table.require_numbers("year", "count", "denominator", *INTERVAL)
    year, case = table.number("year"), table.text("case", "")
    table.refuse_where(f"{year} is null or {year} <> floor({year})", "year is not a whole number; write it as 2024")
    table.refuse_where(f"{table.number('denominator')} <= 0", "denominator is not above 0; leave it empty if unknown")
    table.require_unique(f"{case}, {year}", "this year stands twice in its case; give each case one row a year")
    return render(
        TREND,
        case=case,
        year=year,
        x=table.number("count"),
        n=table.number("denominator"),
        value=table.number("value"),
        lower=table.number("lower_ci95"),
        upper=table.number("upper_ci95"),
        polarity=table.text("polarity"),
        statistic=_statistic(table, case),
    )


def _statistic(table: CsvTable, case: str) -> str:
    """Return the SQL of a row's statistic: what its cell says, else the word in the case's name, else by columns."""
    meanings = words.of_rows(table, (words.RATE, words.PROPORTION))
    otherwise = words.RATE if table.has("lower_ci95") else words.PROPORTION
    if not meanings:
        return render(NAMED_BY_CASE, case=case, otherwise=otherwise)
    _require_one_a_case(table, {text: meant.kind for text, meant in meanings.items()})
    rates = [text for text, meant in meanings.items() if meant.kind == words.RATE]
    return f"if({table.text('statistic')} in ({literals(rates)}), 'rate', 'proportion')" if rates else "'proportion'"


def _require_one_a_case(table: CsvTable, kinds: dict[str, str]) -> None:
    cells = table.values("statistic")
    cases = [text for _, text in table.values("case")] if table.has("case") else [""] * len(cells)
    first: dict[str, tuple[int, str]] = {}
    for case, (line, text) in zip(cases, cells, strict=True):
        begun, expected = first.setdefault(case, (line, text))
        if kinds[text] != kinds[expected]:
            raise table.error(line, f"statistic is '{text}' here but '{expected}' on line {begun} of the same case")
