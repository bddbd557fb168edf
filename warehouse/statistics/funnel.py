"""Funnels: control limits for drawing, and organisations compared with the baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warehouse.statistics import statistic_words as words
from warehouse.statistics.intervals import require_counts
from warehouse.statistics.macros import render

if TYPE_CHECKING:
    from warehouse.statistics.csv_table import CsvTable

SIDES = [
    ("lower", 95, "lower_2s_limit"),
    ("upper", 95, "upper_2s_limit"),
    ("lower", 99.8, "lower_3s_limit"),
    ("upper", 99.8, "upper_3s_limit"),
]
# the scale on which over-dispersion is measured
SCALE = {words.PROPORTION: "arcsine", words.RATE: "log", words.COUNT_RATIO: "log", words.RATIO: "square root"}

CONTROL_LIMITS = """
with points as (
    select line, {{ size }} as size, {{ baseline }} as baseline, {{ multiplier }} as m, baseline / m as p
    from cells
)
select
    line,
    {% for side, level, name in sides -%}
    {% if by_events %}{{ funnel_events_limit('p', 'size', 'm', side, level) }}
    {%- else %}{{ funnel_limit('p', 'size', 'm', side, level, model) }}{% endif %} as {{ name }},
    {% endfor -%}
    baseline
from points
"""
COMPARED = """
select
    line,
    {{ rate_value('x', 'n', 'm') }} as value,
    lower_2s_limit, upper_2s_limit, lower_3s_limit, upper_3s_limit,
    funnel_baseline as baseline,
    significance,
    phi, tau2, limits_used,
    od_lower_2s_limit, od_upper_2s_limit, od_lower_3s_limit, od_upper_3s_limit, od_significance
from {{ funnel(points, 'x', 'n', [], model, 'm', 'given' if has_baseline else none, scale) }}
"""
POINTS = """(
    select line, {{ x }} as x, {{ n }} as n, {{ multiplier }} as m, {{ baseline }} / m as given from cells
)"""


def funnel(table: CsvTable, asked: float | None) -> str:
    """Return the query of control limits at given sizes, or of organisations' limits and significance.

    Sizes are `Population` or `Events` with `baseline`, or `Observed_events`; organisations have `x` and `n`, or
    `observed` and `expected`.
    """
    table.require_numbers("baseline")
    size = table.first_of("Observed_events", *(("Population", "Events") if table.has("baseline") else ()))
    if size:
        return _control_limits(table, size, asked)
    if table.has("observed", "expected"):
        return _compared(table, "observed", "expected", words.of_whole_file(table, (words.RATIO,), words.RATIO), asked)
    table.require_columns("x", "n", instead="Population, baseline (limits) or observed, expected (ratios)")
    allowed = (words.PROPORTION, words.RATE, words.COUNT_RATIO)
    return _compared(table, "x", "n", words.of_whole_file(table, allowed, words.PROPORTION), asked)


def _control_limits(table: CsvTable, size: str, asked: float | None) -> str:
    allowed, otherwise = {
        "Observed_events": ((words.RATIO,), words.RATIO),
        "Events": ((words.RATE,), words.RATE),
        "Population": ((words.PROPORTION, words.RATE), words.PROPORTION),
    }[size]
    meant = words.of_whole_file(table, allowed, otherwise)
    table.require_numbers(size)
    table.refuse_where(f"{table.number(size)} <= 0", f"{size} is not above 0; limits need {size} > 0")
    scale = _scale(table, meant, asked)
    return render(
        CONTROL_LIMITS,
        size=table.number(size),
        baseline=_baseline(table, meant, scale),
        multiplier=scale,
        sides=SIDES,
        model=_model(meant),
        by_events=size != "Population",
    )


def _compared(table: CsvTable, x: str, n: str, meant: words.Statistic, asked: float | None) -> str:
    require_counts(table, meant.kind, x, n)
    scale = _scale(table, meant, asked)
    points = render(
        POINTS,
        x=table.number(x),
        n=table.number(n),
        multiplier=scale,
        baseline=_baseline(table, meant, scale),
    )
    has_baseline = meant.kind == words.RATIO or table.has("baseline")
    return render(COMPARED, points=points, has_baseline=has_baseline, model=_model(meant), scale=SCALE[meant.kind])


def _model(meant: words.Statistic) -> str:
    """Return which of the macros' two models a statistic follows: binomial for a proportion, else Poisson."""
    return words.PROPORTION if meant.kind == words.PROPORTION else words.RATE


def _scale(table: CsvTable, meant: words.Statistic, asked: float | None) -> str:
    """Return the SQL of the multiplier; raises for a baseline that is no proportion at it."""
    multiplier = meant.scale if asked is None else asked
    if meant.kind == words.PROPORTION:
        table.refuse_where(
            f"{table.number('baseline')} not between 0 and {multiplier!r}",
            "the baseline is no proportion at this multiplier; write 7.8 for 7.8%, or set --multiplier",
        )
    return f"{multiplier!r}::double"


def _baseline(table: CsvTable, meant: words.Statistic, scale: str) -> str:
    """Return the SQL of the baseline on the multiplied scale: the file's; for ratios as many as expected."""
    given = table.number("baseline")
    return f"coalesce({given}, {scale})" if meant.kind == words.RATIO else given
