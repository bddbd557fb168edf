"""The statistics of docs/methods.md on a CSV file: the marts' own SQL macros, rendered without dbt.

The formulas live in ``dbt_project/macros/*.sql`` alone. Here a file is read and checked, the macros are
rendered by plain Jinja and run by DuckDB in memory, and the result is written as CSV with doubles that read
back exactly.

Each kind needs some columns and adds others: a column of the same name in the file is replaced, every other
column is kept as it stands. Empty and ``NA`` cells are missing; a missing count gives missing results.

rate
    Needs ``x`` (events), ``n``. Adds ``value, lower95_0cl, upper95_0cl, lower99_8cl, upper99_8cl,
    confidence, statistic, method`` as PHEindicatormethods' ``phe_rate`` (with method 'Byar', not 'Byars').
proportion
    The same columns for x of n, as ``phe_proportion``; method 'Wilson'.
funnel
    ``Population, baseline`` (already multiplied): adds the control limits ``lower_2s_limit, upper_2s_limit,
    lower_3s_limit, upper_3s_limit``. ``Events, baseline``: the same for rates by observed events.
    ``x, n`` (with ``trust`` or other names): adds ``value``, the four limits, ``baseline, significance, phi,
    tau2, limits_used``, four ``od_...`` limits and ``od_significance``; the baseline is the file's, else
    sum(x) / sum(n). Where the file's ``statistic`` begins with 'rate', rates are meant, else proportions.
spc
    ``x`` (ISO date or number), ``y``; optional ``series, f, rebase_group, screen_outliers,
    improvement_direction, fix_y, target``. Adds the columns of NHSRplotthedots' ``ptd_spc`` and, with a
    target, ``assurance``. ``improvement_direction, lpl, upl, target`` without y: adds ``assurance`` alone.
trend
    ``year`` and either ``count, denominator`` or ``value, lower_ci95, upper_ci95`` or both; optional ``case,
    polarity`` ('low' or 'high' is good) and ``statistic`` ('proportion' or 'rate', else the word in the
    case's name, else rate where the file has intervals). Adds ``statistic, chi2, slope, significant,
    recent_trend`` of the last five points of each case, on every row of the case.

The multiplier is ``--multiplier``, else what the file's ``statistic`` says ('rate per 1000', 'percentage',
'proportion of 1'), else 1000 for rates and 100 for proportions.
"""

from __future__ import annotations

import csv
import math
import re
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from perinatal.errors import PerinatalError
from perinatal.sql import literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb
    import jinja2

MACROS = Path(__file__).resolve().parent.parent / "dbt_project" / "macros"
KINDS = ("rate", "proportion", "funnel", "spc", "trend")
DEFAULT_MULTIPLIER = {"rate": 1000.0, "proportion": 100.0}

LIMITS = [
    ("lower", 95, "lower95_0cl"),
    ("upper", 95, "upper95_0cl"),
    ("lower", 99.8, "lower99_8cl"),
    ("upper", 99.8, "upper99_8cl"),
]
FUNNEL_LIMITS = [
    ("lower", 95, "lower_2s_limit"),
    ("upper", 95, "upper_2s_limit"),
    ("lower", 99.8, "lower_3s_limit"),
    ("upper", 99.8, "upper_3s_limit"),
]


@dataclass(frozen=True)
class Table:
    """A result: column names, and rows of as many cells (text, float, int, bool or None)."""

    columns: list[str]
    rows: list[tuple[Any, ...]]


@dataclass(frozen=True)
class Source:
    """A CSV file loaded as table ``cells``: ``line``, and the file's columns as text ``c0, c1, ...``."""

    path: Path
    header: list[str]
    connection: duckdb.DuckDBPyConnection
    columns: dict[str, str] = field(default_factory=dict)  # name in lower case -> c0, c1, ...

    def has(self, *names: str) -> bool:
        """Whether the file has all these columns (case does not matter)."""
        return all(name.lower() in self.columns for name in names)

    def text(self, name: str, default: str | None = None) -> str:
        """Give the SQL of a cell as text; `default` (or null) stands for a missing column or cell."""
        fallback = literal(default)
        if not self.has(name):
            return f"{fallback}::varchar"
        cell = self.columns[name.lower()]
        return f"coalesce(nullif(nullif(trim({cell}), ''), 'NA'), {fallback})"

    def number(self, name: str) -> str:
        """Give the SQL of a cell as a double; null where missing (`refuse_text` sees to other text)."""
        return f"try_cast({self.text(name)} as double)"

    def refuse(self, condition: str, what: str) -> None:
        """Raise for the first line where the SQL `condition` holds, saying what is wrong and the remedy."""
        row = self.connection.execute(
            render("select min(line) from cells where {{ condition }}", condition=condition)
        ).fetchone()
        if row is not None and row[0] is not None:
            raise PerinatalError(f"{self.path}, line {row[0]}: {what}")

    def refuse_text(self, *names: str) -> None:
        """Raise for a cell of these columns that is given and no finite number."""
        for name in names:
            if self.has(name):
                self.refuse(
                    f"{self.text(name)} is not null and not coalesce(isfinite({self.number(name)}), false)",
                    f"{name} is not a number; write plain digits (1234.5) or leave the cell empty",
                )


def run(kind: str, path: Path, multiplier: float | None = None) -> Table:
    """Compute the statistics of `kind` on the CSV file; errors name file, line, columns and remedy."""
    if kind not in KINDS:
        raise PerinatalError(f"unknown statistic '{kind}': use one of {', '.join(KINDS)}")
    if multiplier is not None and not (multiplier > 0 and math.isfinite(multiplier)):
        raise PerinatalError(f"--multiplier {multiplier} must be a number above 0, such as 100 or 1000")
    import duckdb

    with duckdb.connect() as connection:
        source = _load(path, connection)
        match kind:
            case "funnel":
                query = _funnel(source, multiplier)
            case "spc":
                query = _spc(source)
            case "trend":
                query = _trend(source)
            case _:
                query = _intervals(kind, source, multiplier)
        return _merged(source, query)


def main(kind: str, path: Path, multiplier: float | None = None, out: TextIO | None = None) -> None:
    """Write the result of `run` as CSV: doubles that read back exactly, TRUE/FALSE, missing as empty."""
    table = run(kind, path, multiplier)
    writer = csv.writer(out or sys.stdout, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows([_cell(value) for value in row] for row in table.rows)


def render(template: str, **names: Any) -> str:
    """Render the SQL of a Jinja template that may call the project's macros; `names` are its variables."""
    return _environment().from_string(template).render(**names).strip()


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return repr(value) if isinstance(value, float) else value


class _Adapter:
    """What dbt's `adapter` is to a macro: it finds DuckDB's spelling of what engines spell differently."""

    def __init__(self, macros: Mapping[str, Any]) -> None:
        self._macros = macros

    def dispatch(self, name: str) -> Any:
        return self._macros[f"duckdb__{name}"]


@cache
def _environment() -> jinja2.Environment:
    """Give Jinja with every macro of the project as a global name; those that ask for a model need dbt itself."""
    import jinja2

    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)  # noqa: S701 - SQL, not HTML
    environment.globals["adapter"] = _Adapter(environment.globals)
    # One text for all files: so a macro finds another by its bare name, as it does in dbt.
    macros = "\n".join(path.read_text(encoding="utf-8") for path in sorted(MACROS.glob("*.sql")))
    environment.globals.update(vars(environment.from_string(macros).module))
    return environment


def _header(path: Path) -> list[str]:
    """Column names of the file, or an error that says why it cannot be read."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = [name.strip() for name in next(csv.reader(file), [])]
    except OSError as error:
        raise PerinatalError(f"{path} cannot be read ({error.strerror}); give the path of a CSV file") from error
    except UnicodeDecodeError as error:
        raise PerinatalError(f"{path} is not UTF-8 text; save it as CSV UTF-8") from error
    lowered = [name.lower() for name in header]
    if not header or "" in lowered:
        raise PerinatalError(f"{path}, line 1: expected a header that names every column")
    if len(set(lowered)) < len(lowered):
        raise PerinatalError(f"{path}, line 1: a column name stands twice; names must differ: {', '.join(header)}")
    return header


def _load(path: Path, connection: duckdb.DuckDBPyConnection) -> Source:
    """Load the file as text cells with their line numbers."""
    import duckdb

    header = _header(path)
    cells = {f"c{position}": "varchar" for position in range(len(header))}
    try:
        connection.execute(
            render(
                "create table cells as select row_number() over () + 1 as line, * from read_csv(?, "
                "delim = ',', quote = '\"', escape = '\"', header = true, auto_detect = false, "
                "columns = {{ cells }})",
                cells=cells,
            ),
            [str(path)],
        )
    except duckdb.Error as error:
        line = re.search(r"Line: (\d+)", str(error))
        place = f"{path}, line {line[1]}" if line else str(path)
        raise PerinatalError(
            f"{place}: expected UTF-8 text of {len(header)} cells a line, as in the header;"
            " quote a cell that holds a comma"
        ) from error
    source = Source(path, header, connection, {name.lower(): cell for name, cell in zip(header, cells, strict=True)})
    if not connection.execute("select 1 from cells limit 1").fetchone():
        raise PerinatalError(f"{path} has a header but no rows; expected at least one row of data")
    return source


def _expected(source: Source, *names: str, instead: str = "") -> None:
    """Raise unless the file has these columns; `instead` says what would do as well."""
    missing = [name for name in names if not source.has(name)]
    if missing:
        alternative = f" or {instead}" if instead else ""
        raise PerinatalError(
            f"{source.path}, line 1: expected the columns {', '.join(names)}{alternative};"
            f" missing: {', '.join(missing)} (found {', '.join(source.header)})"
        )


def _merged(source: Source, query: str) -> Table:
    """Run a query with a first column `line`; its other columns replace or follow the file's own."""
    result = source.connection.execute(query)
    added = [str(column[0]) for column in result.description][1:]
    computed = {row[0]: row[1:] for row in result.fetchall()}
    place = {name.lower(): position for position, name in enumerate(added)}
    taken = [place.get(name.lower()) for name in source.header]
    new = [position for position in range(len(added)) if position not in taken]
    rows = []
    for line, *cells in source.connection.execute("select * from cells order by line").fetchall():
        ours = computed[line]
        kept = [cell if at is None else ours[at] for cell, at in zip(cells, taken, strict=True)]
        rows.append((*kept, *(ours[position] for position in new)))
    return Table(source.header + [added[position] for position in new], rows)


def _multiplier(kind: str, source: Source, asked: float | None) -> str:
    """Give the SQL of the multiplier: asked for, else said by the file's `statistic`, else the kind's."""
    if asked is not None:
        return f"{asked!r}::double"
    statistic = source.text("statistic")
    digits = f"replace(regexp_extract({statistic}, '(?:per|of) ([0-9][0-9.,e+]*)', 1), ',', '')"
    said = f"coalesce(try_cast({digits} as double), {DEFAULT_MULTIPLIER[kind]!r})"
    return f"case when {statistic} = 'percentage' then 100 else {said} end"


def _check_counts(kind: str, source: Source) -> None:
    """Raise for counts that have no rate or no proportion."""
    source.refuse_text("x", "n")
    x, n = source.number("x"), source.number("n")
    source.refuse(f"{n} <= 0", f"n is not above 0; a {kind} needs a denominator n > 0 (leave it empty if unknown)")
    source.refuse(f"{x} < 0", "x is below 0; a count of events must be 0 or more")
    if kind == "proportion":
        source.refuse(f"{x} > {n}", "x is above n; a proportion needs x <= n (use `rate` if events may repeat)")


INTERVALS = """
with counts as (select line, {{ x }} as x, {{ n }} as n, {{ multiplier }} as m from cells)
select
    line,
    {{ rate_value('x', 'n', 'm') }} as value,
    {% for side, level, name in limits -%}
    {{ (rate_limit if kind == 'rate' else wilson_limit)('x', 'n', 'm', side, level) }} as {{ name }},
    {% endfor -%}
    '95%, 99.8%' as confidence,
    {% set said = "if(m = floor(m) and m < 1e15, m::bigint::varchar, m::varchar)" -%}
    {% if kind == 'rate' -%}
    'rate per ' || {{ said }} as statistic,
    {{ rate_method('x') }} as method
    {% else -%}
    if(m = 100, 'percentage', 'proportion of ' || {{ said }}) as statistic,
    'Wilson' as method
    {% endif -%}
from counts
"""


def _intervals(kind: str, source: Source, multiplier: float | None) -> str:
    """Query of values and two intervals for rates or proportions."""
    _expected(source, "x", "n")
    _check_counts(kind, source)
    return render(
        INTERVALS,
        kind=kind,
        x=source.number("x"),
        n=source.number("n"),
        multiplier=_multiplier(kind, source, multiplier),
        limits=LIMITS,
    )


CONTROL_LIMITS = """
with points as (
    select line, {{ size }} as size, {{ baseline }} as baseline, {{ multiplier }} as m, baseline / m as p
    from cells
)
select
    line,
    {% for side, level, name in limits -%}
    {% if by_events %}{{ funnel_events_limit('p', 'size', 'm', side, level) }}
    {%- else %}{{ funnel_limit('p', 'size', 'm', side, level, statistic) }}{% endif %} as {{ name }},
    {% endfor -%}
    baseline
from points
"""
FUNNEL = """
select
    line,
    {{ rate_value('x', 'n', 'm') }} as value,
    lower_2s_limit, upper_2s_limit, lower_3s_limit, upper_3s_limit,
    funnel_baseline as baseline,
    significance,
    phi, tau2, limits_used,
    od_lower_2s_limit, od_upper_2s_limit, od_lower_3s_limit, od_upper_3s_limit, od_significance
from {{ funnel(points, 'x', 'n', [], statistic, 'm', 'given' if has_baseline else none) }}
"""
FUNNEL_POINTS = """(
    select line, {{ x }} as x, {{ n }} as n, {{ multiplier }} as m, {{ baseline }} / m as given from cells
)"""


def _funnel_statistic(source: Source) -> str:
    """Say what a funnel file holds: 'rate' by its columns or its `statistic`, else 'proportion'."""
    if source.has("Events") and not source.has("Population"):
        return "rate"
    other = source.connection.execute(
        render("select 1 from cells where {{ text }} not like 'rate%'", text=source.text("statistic", ""))
    ).fetchone()
    return "proportion" if other else "rate"


def _funnel(source: Source, multiplier: float | None) -> str:
    """Query of control limits (Population or Events, baseline) or of limits and significance (x, n)."""
    statistic = _funnel_statistic(source)
    scale, baseline = _multiplier(statistic, source, multiplier), source.number("baseline")
    source.refuse_text("baseline")
    if statistic == "proportion":
        source.refuse(
            f"{baseline} not between 0 and {scale}",
            "the baseline is no proportion at this multiplier; write 7.8 for 7.8%, or set --multiplier",
        )
    size = next((name for name in ("Population", "Events") if source.has(name)), None)
    if size and source.has("baseline"):
        source.refuse_text(size)
        source.refuse(f"{source.number(size)} <= 0", f"{size} is not above 0; limits need {size} > 0")
        return render(
            CONTROL_LIMITS,
            size=source.number(size),
            baseline=baseline,
            multiplier=scale,
            limits=FUNNEL_LIMITS,
            statistic=statistic,
            by_events=size == "Events",
        )
    _expected(source, "x", "n", instead="Population, baseline (limits)")
    _check_counts(statistic, source)
    numbers = {name: source.number(name) for name in ("x", "n", "baseline")}
    points = render(FUNNEL_POINTS, multiplier=scale, **numbers)
    return render(FUNNEL, points=points, has_baseline=source.has("baseline"), statistic=statistic)


ASSURANCE = "select line, {{ spc_assurance(direction, lpl, upl, target) }} as assurance from cells"
SPC = """
select
    line, rebase_group, short_group_warning, fix_y, mean_col, lpl, upl, outside_limits, relative_to_mean,
    close_to_limits, special_cause_type, special_cause_flag, point_type,
    {% if target %}{{ spc_assurance('improvement_direction', 'lpl', 'upl', target) }} as assurance{% endif %}
from {{ spc(
    points,
    ['screen_outliers', 'improvement_direction', 'series', 'facet', 'rebase_group'],
    'at_time, at_number, line', 'y', 'improvement_direction', 'screen_outliers', 'fix_y'
) }}
"""
SPC_POINTS = """(
    select
        line, {{ y }} as y, {{ fix_y }} as fix_y, {{ series }} as series, {{ facet }} as facet,
        {{ rebase }} as rebase_group, {{ direction }} as improvement_direction,
        try_cast({{ screen }} as boolean) as screen_outliers,
        try_cast({{ x }} as timestamp) as at_time, try_cast({{ x }} as double) as at_number
        {%- if target %}, {{ target }} as target{% endif %}
    from cells
)"""


def _spc(source: Source) -> str:
    """Query of an XmR chart a series, or of assurance icons for given limits."""
    direction = source.text("improvement_direction", "increase")
    source.refuse(
        f"{direction} not in ('increase', 'decrease', 'neutral')",
        "improvement_direction is unknown; write increase, decrease or neutral",
    )
    if not source.has("y") and source.has("lpl", "upl", "target"):
        source.refuse_text("lpl", "upl", "target")
        numbers = {name: source.number(name) for name in ("lpl", "upl", "target")}
        return render(ASSURANCE, direction=direction, **numbers)
    _expected(source, "x", "y")
    source.refuse_text("y", "fix_y", "target")
    x, screen = source.text("x"), source.text("screen_outliers", "true")
    source.refuse(
        f"try_cast({x} as timestamp) is null and try_cast({x} as double) is null",
        "x is neither a date nor a number; write dates as 2024-01-31",
    )
    source.refuse(f"try_cast({screen} as boolean) is null", "screen_outliers is unknown; write TRUE or FALSE")
    target = source.number("target") if source.has("target") else None
    points = render(
        SPC_POINTS,
        y=source.number("y"),
        fix_y=source.number("fix_y" if source.has("fix_y") else "y"),
        series=source.text("series", ""),
        facet=source.text("f", "no facet"),
        rebase=source.text("rebase_group", "0"),
        direction=direction,
        screen=screen,
        x=x,
        target=target,
    )
    return render(SPC, points=points, target="target" if target else None)


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
    asked as (
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
from asked
"""


TREND_STATISTIC = """case
    when regexp_matches({{ named }}, '(^|[^a-z])proportions?([^a-z]|$)') then 'proportion'
    when regexp_matches({{ named }}, '(^|[^a-z])rates?([^a-z]|$)') then 'rate'
    else '{{ otherwise }}'
end"""


def _trend(source: Source) -> str:
    """Query of the recent trend of each case, from its last five consecutive years."""
    interval = ("value", "lower_ci95", "upper_ci95")
    if not source.has(*interval):
        _expected(source, "year", "count", "denominator", instead="year, " + ", ".join(interval))
    _expected(source, "year")
    source.refuse_text("year", "count", "denominator", "value", "lower_ci95", "upper_ci95")
    year, case = source.number("year"), source.text("case", "")
    source.refuse(f"{year} is null or {year} <> floor({year})", "year is not a whole number; write it as 2024")
    source.refuse(f"{source.number('denominator')} <= 0", "denominator is not above 0; leave it empty if unknown")
    source.refuse(
        render(
            "line in (select max(line) from cells group by {{ key }} having count(*) > 1)",
            key=f"{case}, {year}",
        ),
        "this year stands twice in its case; give each case one row a year",
    )
    named = f"lower({source.text('statistic', '')} || ' ' || {case})"
    return render(
        TREND,
        case=case,
        year=year,
        x=source.number("count"),
        n=source.number("denominator"),
        value=source.number("value"),
        lower=source.number("lower_ci95"),
        upper=source.number("upper_ci95"),
        polarity=source.text("polarity"),
        statistic=render(TREND_STATISTIC, named=named, otherwise="rate" if source.has("lower_ci95") else "proportion"),
    )
