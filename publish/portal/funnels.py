"""Funnels of trusts, by the marts' own SQL macros, from counts that ship.

The baseline is England's own rate. Where a masked trust leaves England incomplete its rate is known within bounds only
(a rate over the visible trusts would be biased): then the lower limits belong to the lower bound and the upper limits
to the upper one, so that a point outside them is outside whatever England's rate was. Trusts whose count or
denominator is masked or withheld have no point; their number is stated below the picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from perinatal.charts import Limits
from publish.portal import wording as words
from publish.portal.model import Record
from warehouse import statistics as stats

STEPS = 40
FEWEST_POINTS = 5

# the newest period of each indicator and source, with England's rate of the same period, as fractions
POINTS = """
create or replace temp table funnel_point as
with
    trusts as (
        select *
        from headline
        where level = 'trust'
        qualify dense_rank() over (partition by source_id, indicator_id order by period_end desc, period_start) = 1
    ),
    england as (select * from headline where level = 'england')
select
    trusts.source_id, trusts.indicator_id, trusts.code, trusts.name, trusts.lms_code, trusts.period_label,
    trusts.period_end, trusts.months_covered, trusts.unit, trusts.numerator, trusts.denominator, trusts.value,
    trusts.lower_95, trusts.upper_95, trusts.comparison, trusts.verdict, trusts.verdict_basis, trusts.verdict_level,
    trusts.usage_warnings, trusts.release_key,
    indicator.statistic, indicator.multiplier, indicator.denominator_definition,
    coalesce(england.value, england.value_min) / indicator.multiplier as p_low,
    coalesce(england.value, england.value_max) / indicator.multiplier as p_high
from trusts
inner join core.dim_indicator as indicator using (indicator_id)
inner join
    england
    on trusts.source_id = england.source_id
    and trusts.indicator_id = england.indicator_id
    and trusts.period_start = england.period_start
    and trusts.period_end = england.period_end
where indicator.statistic in ('rate', 'proportion') and coalesce(england.value, england.value_max) > 0
"""

SCORED = """
select *
from {{ funnel(
    "(select * from funnel_point where statistic = '" ~ statistic ~ "')", "numerator", "denominator",
    ["source_id", "indicator_id"], statistic, "multiplier", "if(p_low = p_high, p_low, null)"
) }}
"""

BOUNDED = """
select
    source_id, indicator_id, code,
    case
        when p_low = p_high then null
        when {{ funnel_significance("numerator", "denominator", "p_high", statistic) }} like 'High%'
        then {{ funnel_significance("numerator", "denominator", "p_high", statistic) }}
        when {{ funnel_significance("numerator", "denominator", "p_low", statistic) }} like 'Low%'
        then {{ funnel_significance("numerator", "denominator", "p_low", statistic) }}
        else 'Not significant'
    end as significance
from funnel_point
where statistic = '{{ statistic }}' and denominator is not null and numerator is not null
"""

CURVES = """
with
    ends as (
        select
            source_id, indicator_id, any_value(p_low) as p_low, any_value(p_high) as p_high,
            any_value(multiplier) as multiplier, max(denominator) * 1.05 as largest,
            any_value(tau2) as tau2, bool_or(coalesce(over_dispersed, false)) as over_dispersed
        from ({{ scored }})
        where denominator is not null and numerator is not null
        group by all
    ),
    grid as (
        -- closer together where the limits bend most
        select *, greatest(1, largest * pow(unnest(range(1, {{ steps }} + 1)) / {{ steps }}::double, 2)) as n from ends
    ),
    limits as (
        select
            *,
            {% for side, level, name in sides %}
                {% set p = "p_low" if side == "lower" else "p_high" %}
                coalesce(
                    {{ over_dispersed_limit(p, "n", "tau2", "multiplier", side, level, statistic) }},
                    {{ funnel_limit(p, "n", "multiplier", side, level, statistic) }}
                ) as {{ name }}{{ "," if not loop.last }}
            {% endfor %}
        from grid
    )
select
    source_id, indicator_id, any_value(p_low * multiplier), any_value(p_high * multiplier),
    bool_or(over_dispersed), list(n order by n), list(lower_998 order by n), list(lower_95 order by n),
    list(upper_95 order by n), list(upper_998 order by n)
from limits
group by all
"""
SIDES = [
    ("lower", 99.8, "lower_998"),
    ("lower", 95, "lower_95"),
    ("upper", 95, "upper_95"),
    ("upper", 99.8, "upper_998"),
]


@dataclass(frozen=True)
class Funnel:
    """One funnel: its points (trust records with `significance`), limits, and who is not in it."""

    source_id: str
    indicator_id: str
    period: str
    unit: str
    denominator: str
    points: list[Record]
    limits: Limits
    over_dispersed: bool
    is_bounded: bool
    skipped: int

    @property
    def outside(self) -> list[Record]:
        """Return the points outside the 99.8% limits."""
        return [point for point in self.points if str(point["significance"]).endswith("(0.001)")]


def funnels(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], Funnel]:
    """Return the funnel of each indicator and source that has one. Needs the temporary table `headline`."""
    connection.execute(POINTS)
    found: dict[tuple[str, str], Funnel] = {}
    for statistic in ("rate", "proportion"):
        scored = stats.render(SCORED, statistic=statistic)
        points = _points(connection, scored, stats.render(BOUNDED, statistic=statistic))
        curves = stats.render(CURVES, statistic=statistic, scored=scored, steps=STEPS, sides=SIDES)
        for source, indicator, low, high, over_dispersed, *ends in connection.execute(curves).fetchall():
            mine = points[source, indicator]
            visible = [row for row in mine if None not in (row["denominator"], row["numerator"], row["value"])]
            if len(visible) >= FEWEST_POINTS:
                found[source, indicator] = Funnel(
                    source,
                    indicator,
                    words.period(mine[0]),
                    mine[0]["unit"],
                    mine[0]["denominator_definition"] or "Denominator",
                    visible,
                    Limits(ends[0], ends[1], ends[2], ends[3], ends[4], (low, high)),
                    over_dispersed,
                    high > low,
                    len(mine) - len(visible),
                )
    return found


def _points(connection: duckdb.DuckDBPyConnection, scored: str, bounded: str) -> dict[tuple[str, str], list[Record]]:
    """Return the points of each funnel, each with what it is called against the limits that are drawn."""
    within = {row[:3]: row[3] for row in connection.execute(bounded).fetchall()}
    cursor = connection.execute(f"from ({scored}) order by source_id, indicator_id, code")
    names = [column[0] for column in cursor.description or []]
    found: dict[tuple[str, str], list[Record]] = {}
    for cells in cursor.fetchall():
        row = dict(zip(names, cells, strict=True))
        key = (row["source_id"], row["indicator_id"])
        row["significance"] = row["od_significance"] or row["significance"] or within.get((*key, row["code"]))
        found.setdefault(key, []).append(row)
    return found
