"""XmR charts of series, and assurance icons for given limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warehouse.statistics import points_in_time
from warehouse.statistics.macros import render

if TYPE_CHECKING:
    from warehouse.statistics.csv_table import CsvTable

ASSURANCE = "select line, {{ spc_assurance(direction, lpl, upl, target) }} as assurance from cells"
SPC = """
select
    line, rebase_group, short_group_warning, fix_y, mean_col, lpl, upl, outside_limits, relative_to_mean,
    close_to_limits, special_cause_type, special_cause_flag, point_type,
    {% if target %}{{ spc_assurance('improvement_direction', 'lpl', 'upl', target) }} as assurance{% endif %}
from {{ spc(
    points,
    ['screen_outliers', 'improvement_direction', 'series', 'facet', 'rebase_group'],
    'position_in_time', 'y', 'improvement_direction', 'screen_outliers', 'fix_y', 'follows'
) }}
"""
POINTS = """(
    select
        line, {{ y }} as y, {{ fix_y }} as fix_y, {{ series }} as series, {{ facet }} as facet,
        {{ rebase }} as rebase_group, {{ direction }} as improvement_direction,
        try_cast({{ screen }} as boolean) as screen_outliers, position_in_time, follows
        {%- if target %}, {{ target }} as target{% endif %}
    from cells
    inner join points_in_time using (line)
    order by position_in_time
)"""
SERIES = ("screen_outliers", "improvement_direction", "series", "f")


def spc(table: CsvTable) -> str:
    """Return the query of an XmR chart for each series (`x`, `y`), or of icons for given `lpl`, `upl`, `target`."""
    direction = table.text("improvement_direction", "increase")
    table.refuse_where(
        f"{direction} not in ('increase', 'decrease', 'neutral')",
        "improvement_direction is unknown; write increase, decrease or neutral",
    )
    if not table.has("y") and table.has("lpl", "upl", "target"):
        table.require_numbers("lpl", "upl", "target")
        numbers = {name: table.number(name) for name in ("lpl", "upl", "target")}
        return render(ASSURANCE, direction=direction, **numbers)
    table.require_columns("x", "y")
    table.require_numbers("y", "fix_y", "target")
    screen = table.text("screen_outliers", "true")
    table.refuse_where(f"try_cast({screen} as boolean) is null", "screen_outliers is unknown; write TRUE or FALSE")
    _order_in_time(table)
    target = table.number("target") if table.has("target") else None
    points = render(
        POINTS,
        y=table.number("y"),
        fix_y=table.number("fix_y" if table.has("fix_y") else "y"),
        series=table.text("series", ""),
        facet=table.text("f", "no facet"),
        rebase=table.text("rebase_group", "0"),
        direction=direction,
        screen=screen,
        target=target,
    )
    return render(SPC, points=points, target="target" if target else None)


def _order_in_time(table: CsvTable) -> None:
    """Make the table `points_in_time`: each line's position in its series, and whether it follows on."""
    ordered = points_in_time.points(table, "x", SERIES)
    gaps = set(points_in_time.lines_after_gaps(table, ordered))
    lines = [point.line for point in ordered]
    table.connection.execute(
        "create table points_in_time as"
        " select unnest(?::bigint[]) as line, unnest(?::bigint[]) as position_in_time, unnest(?::boolean[]) as follows",
        [lines, list(range(len(lines))), [line not in gaps for line in lines]],
    )
