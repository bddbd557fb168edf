"""Slope and relative index of inequality over deprivation quintiles or deciles."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from warehouse.statistics.groups import group_columns, group_key
from warehouse.statistics.macros import render

if TYPE_CHECKING:
    from warehouse.statistics.csv_table import CsvTable

KINDS = {"0": "other", "1": "rate", "2": "proportion", "other": "other", "rate": "rate", "proportion": "proportion"}
LIMITS = [f"{index}_{side}cl_{number}" for number in (1, 2) for index in ("sii", "rii") for side in ("lower", "upper")]
REPETITIONS = 100_000
QUANTILES = ("quantile", "decile", "quintile")

PREPARED = """
create table quantiles as
with
    given as (
        select
            line, {{ key }} as series, {{ quantile }} as quantile, {{ population }} as population, {{ count }} as x,
            {{ kind }} as kind, {{ value }} as given_value, {{ error }} as given_error,
            {{ lower }} as given_lower, {{ upper }} as given_upper
        from cells
    ),
    valued as (
        select
            *,
            given_value is null and kind in ('rate', 'proportion') as is_counted,
            case when is_counted then x / population else given_value end as value,
            case
                when not is_counted then given_lower
                when kind = 'rate' then {{ rate_limit('x', 'population', 1, 'lower') }}
                else {{ wilson_limit('x', 'population', 1, 'lower') }}
            end as lower,
            case
                when not is_counted then given_upper
                when kind = 'rate' then {{ rate_limit('x', 'population', 1, 'upper') }}
                else {{ wilson_limit('x', 'population', 1, 'upper') }}
            end as upper
        from given
    )
select
    * exclude (given_value, given_error, given_lower, given_upper),
    {{ on_error_scale('value', 'kind') }} as value_on_scale,
    coalesce(given_error, {{ error_of_interval('lower', 'upper', 'kind') }}) as error
from valued
"""
IN_GROUPS = """
select
    *,
    count(value) over (partition by series) as values_of_group,
    first_value(kind) over (partition by series order by line) as first_kind
from quantiles
"""
INDICES = """
select
    line, series, kind, inequality_share, inequality_rank, value_on_scale, error, {{ multiplier }} * sii,
    if({{ multiplier }} < 0, 1 / rii, rii)
from {{ slope_index('quantiles', ['series'], 'quantile', 'population', 'value') }}
order by series, quantile
"""


@dataclass(frozen=True)
class Request:
    """What a group's rows ask for: levels of confidence in percent, and how many repetitions."""

    levels: list[float]
    repetitions: int


def slope_indices(table: CsvTable, multiplier: float | None) -> str:
    """Return the query of SII and RII with simulated limits, on the first line of each group of quantiles.

    A group with a missing population or value has no index.
    """
    quantile = table.first_of(*QUANTILES)
    table.require_columns(quantile or "quantile", "population")
    _require_inputs(table, quantile or "quantile")
    _prepare(table, quantile or "quantile")
    _require_usable(table)
    requests = _requests(table)
    results = [
        _result(rows, requests[rows[0][1]], multiplier or 1.0) for rows in _groups(table, multiplier or 1.0).values()
    ]
    columns = ["line bigint", "sii double", "rii double", *(f"{name} double" for name in LIMITS)]
    table.connection.execute(f"create table slope_indices ({', '.join(columns)})")
    table.connection.executemany(f"insert into slope_indices values ({', '.join('?' * len(columns))})", results)
    return "select cells.line, slope_indices.* exclude (line) from cells left join slope_indices using (line)"


def _require_inputs(table: CsvTable, quantile: str) -> None:
    names = ("population", "count", "value", "lower_cl", "upper_cl", "standard_error")
    table.require_numbers(quantile, *names)
    rank = table.number(quantile)
    table.refuse_where(
        f"{rank} is null or {rank} <> floor({rank}) or {rank} < 1",
        f"{quantile} is not a whole number from 1 (the most deprived); give each row its {quantile}",
    )
    table.refuse_where(f"{table.number('population')} <= 0", "population is not above 0; leave it empty if unknown")
    for name in ("count", "standard_error"):
        table.refuse_where(f"{table.number(name)} < 0", f"{name} is below 0; it must be 0 or more")
    if not table.has("value"):
        table.require_columns("count", "value_type", instead="value")
    known = ", ".join(f"'{word}'" for word in KINDS)
    table.refuse_where(
        f"lower({table.text('value_type', '0')}) not in ({known})",
        "value_type is unknown; write 1 or rate, 2 or proportion, 0 or other",
    )


def _prepare(table: CsvTable, quantile: str) -> None:
    """Make the table `quantiles`: each line's value, its error, and both on the scale of the error."""
    cases = " ".join(f"when '{word}' then '{kind}'" for word, kind in KINDS.items())
    table.connection.execute(
        render(
            PREPARED,
            key=group_key(table),
            quantile=table.number(quantile),
            population=table.number("population"),
            count=table.number("count"),
            kind=f"case lower({table.text('value_type', '0')}) {cases} end",
            value=table.number("value"),
            error=table.number("standard_error"),
            lower=table.number("lower_cl"),
            upper=table.number("upper_cl"),
        )
    )
    names = ", ".join(group_columns(table)) or "none in this file"
    table.require_unique(
        f"{group_key(table)}, {table.number(quantile)}",
        f"this {quantile} stands twice in its group (columns that name a group: {names})",
    )
    _require_whole_groups(table, quantile)


def _require_whole_groups(table: CsvTable, quantile: str) -> None:
    incomplete = table.connection.execute(
        "select min(line), count(*), max(quantile) from quantiles group by series"
        " having count(*) <> max(quantile) or count(*) not between 5 and 100 order by 1 limit 1"
    ).fetchone()
    if incomplete:
        line, count, last = incomplete
        raise table.error(
            line, f"this group has {count} rows up to {quantile} {last:g}; expected each from 1, and 5 to 100 of them"
        )


def _require_usable(table: CsvTable) -> None:
    """Raise for values that have no error or no logarithm, and for a group without any value."""
    checks = [
        ("value < lower or value > upper", "the value is outside its own limits; correct lower_cl, upper_cl or value"),
        (
            "kind = 'proportion' and greatest(value, lower, upper) > 1 or kind <> 'other' and least(value, lower) < 0",
            "a rate must be 0 or more, a proportion between 0 and 1; write 0.12 for 12%",
        ),
        (
            "kind <> 'other' and value is not null and value_on_scale is null",
            "a rate of 0 and a proportion of 0 or 1 have no logarithm; join neighbouring groups, or give value_type 0",
        ),
        (
            "value is not null and error is null",
            "the error of this value is unknown; give lower_cl and upper_cl above 0, or standard_error",
        ),
        ("values_of_group = 0", "no value in this group; give value, or count with value_type"),
        ("kind <> first_kind", "value_type differs within its group"),
    ]
    for condition, what in checks:
        row = table.connection.execute(f"select min(line) from ({IN_GROUPS}) where {condition}").fetchone()
        if row and row[0] is not None:
            raise table.error(row[0], what)


def _requests(table: CsvTable) -> dict[str, Request]:
    """Return what each group asks for, by its key."""
    texts = f"{table.text('confidence', '95, 99.8')}, {table.text('repetitions', str(REPETITIONS))}"
    rows = table.connection.execute(f"select {group_key(table)}, line, {texts} from cells order by line").fetchall()
    asked: dict[str, tuple[int, str, str]] = {}
    for key, line, confidence, repetitions in rows:
        first = asked.setdefault(key, (line, confidence, repetitions))
        if first[1:] != (confidence, repetitions):
            raise table.error(line, f"confidence or repetitions differ from line {first[0]} of the same group")
    return {
        key: Request(_levels(table, line, confidence), _repetitions(table, line, repetitions))
        for key, (line, confidence, repetitions) in asked.items()
    }


def _levels(table: CsvTable, line: int, text: str) -> list[float]:
    words = [word.strip().removesuffix("%") for word in text.split(",")]
    levels = [float(word) for word in words if re.fullmatch(r"[0-9]+(\.[0-9]+)?", word)]
    levels = [level * 100 if level < 1 else level for level in levels]
    if len(levels) != len(words) or len(levels) > 2 or not all(90 <= level < 100 for level in levels):
        raise table.error(line, "confidence is unknown; write one or two levels from 90 to below 100, such as 95, 99.8")
    return levels


def _repetitions(table: CsvTable, line: int, text: str) -> int:
    if not re.fullmatch(r"[0-9]+", text) or not 1000 <= int(text) <= 1_000_000:
        raise table.error(line, "repetitions must be a whole number from 1000 to 1000000")
    return int(text)


def _groups(table: CsvTable, multiplier: float) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of each group in order of the quantiles, with its indices."""
    groups: dict[str, list[tuple[Any, ...]]] = {}
    for row in table.connection.execute(render(INDICES, multiplier=repr(multiplier))).fetchall():
        groups.setdefault(row[1], []).append(row)
    return groups


def _result(rows: list[tuple[Any, ...]], request: Request, multiplier: float) -> list[float | None]:
    """Return a group's result: its first line, both indices, and the limits at one or two levels."""
    from warehouse.statistics.simulation import Limits, Quantiles, slope_index_limits  # scipy takes a second to load

    line, (sii, rii) = min(row[0] for row in rows), rows[0][7:]
    limits: list[Limits] = []
    if sii is not None:
        shares, ranks, values, errors = zip(*(row[3:7] for row in rows), strict=True)
        group = Quantiles(rows[0][2], shares, ranks, values, errors)
        limits = slope_index_limits(group, request.levels, multiplier, request.repetitions)
    ends = [end for one in limits for end in (*one.sii, *one.rii)]
    return [line, sii, rii, *ends, *[None] * (len(LIMITS) - len(ends))]
