"""How far an edition judges otherwise than the last one: headlines of the ambitions, and verdicts on organisations.

What changed row by row is in `marts.edition_change`; here is what a person should have looked at before it is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from perinatal.opening import open_database
from perinatal.sql import attach
from publish import marts

MUCH = 0.05  # share of verdicts from which a change is much
JUDGED = (marts.BY_LEVEL["trust"], marts.BY_LEVEL["lms"])
VERDICTS = "('better', 'similar', 'worse')"

TABLE = """
create or replace table quality.judgement_change (
    kind varchar, subject varchar, was varchar, became varchar, changed bigint, compared bigint, causes varchar[]
)
"""

HEADLINES = """
with
    newest_of as (
        {newest}
    )
select coalesce(o.ambition_name, n.ambition_name) as subject, o.stands as was, n.stands as became
from (select * from newest_of where side = 'old') as o
full join (select * from newest_of where side = 'new') as n using (ambition_id)
where o.stands is distinct from n.stands
order by subject
"""

NEWEST = """
select
    '{side}' as side, ambition_id, ambition_name,
    concat_ws(
        ', ', definition || ' (' || geography || ')', period || ': ' || round(actual, 2)::varchar,
        case when on_track then 'on the trajectory' when not on_track then 'above the trajectory' end
    ) as stands
from {catalog}.marts.national_ambition
where is_headline
qualify row_number() over (partition by ambition_id order by year desc, period desc) = 1
"""


@dataclass(frozen=True)
class Judgements:
    """What an edition judges otherwise than the last: a line each headline, and verdicts of rows in both editions."""

    headlines: tuple[str, ...] = ()
    verdicts_changed: int = 0
    verdicts_compared: int = 0
    causes: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """Return the share of verdicts that changed."""
        return self.verdicts_changed / self.verdicts_compared if self.verdicts_compared else 0.0

    @property
    def is_much(self) -> bool:
        """Whether a headline changed, or more than 5% of the verdicts."""
        return bool(self.headlines) or self.share > MUCH

    @property
    def message(self) -> str:
        """Say what changed and why, in one line."""
        said = [*self.headlines]
        if self.verdicts_changed:
            counts = f"{self.verdicts_changed:,} of {self.verdicts_compared:,}"
            said.append(f"{counts} verdicts on trusts and LMSs differ ({self.share:.1%})")
        return f"{'; '.join(said)}. Cause: {'; '.join(self.causes) or 'not known'}"


def causes(before: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what may have changed judgements between two editions, as `edition.json` describes them."""
    earlier, later = set(before["releases"]), set(now["releases"])
    found = [f"release {key}" for key in sorted(later - earlier)]
    found += [f"release {key} is no longer used" for key in sorted(earlier - later)]
    again, old_again = now.get("landed_again", {}), before.get("landed_again", {})
    found += [f"release {key} came again" for key in sorted(earlier & set(again)) if again[key] != old_again.get(key)]
    parts, old_parts = now["fingerprint_parts"], before.get("fingerprint_parts", {})
    differ = {name for name in parts if parts[name] != old_parts.get(name)}
    if "models" in differ:
        found.append("rule: the models or their reference data")
    if "gate" in differ:
        found.append("rule: the standards of the release gate")
    if differ - {"releases", "models", "gate"}:
        found.append(f"code: {', '.join(sorted(differ - {'releases', 'models', 'gate'}))}")
    return tuple(found)


def record(candidate: Path, last: Path | None, why: Sequence[str]) -> Judgements:
    """Write `quality.judgement_change` into the candidate and return it; empty for a first edition."""
    with open_database(candidate) as connection:
        connection.execute(TABLE)
        if last is None:
            return Judgements()
        attach(connection, last / "perinatal.duckdb", "last_edition")
        headlines = _headlines(connection)
        changed, compared = _verdicts(connection)
        rows: list[list[Any]] = [["headline", *row, 1, 1, list(why)] for row in headlines]
        rows.append(["verdicts", "trusts and LMSs", None, None, changed, compared, list(why)])
        for row in rows:
            connection.execute("insert into quality.judgement_change values (?, ?, ?, ?, ?, ?, ?)", row)
    lines = tuple(f"{name}: {was or 'no figure'} → {became or 'no figure'}" for name, was, became in headlines)
    return Judgements(lines, changed, compared, tuple(why))


def _headlines(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str | None, str | None]]:
    """Return the ambitions whose newest headline stands elsewhere: name, and both in words."""
    sides = [
        f"({NEWEST.format(side=side, catalog=catalog)})"
        for side, catalog in (("old", "last_edition"), ("new", "perinatal"))
    ]
    return connection.execute(HEADLINES.format(newest=" union all ".join(sides))).fetchall()


def _verdicts(connection: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    """Count the rows of trusts and LMSs in both editions that have a verdict in either: changed, compared."""
    changed = compared = 0
    for mart in JUDGED:
        old, new = (_verdict_of(connection, catalog, mart.name) for catalog in ("last_edition", "perinatal"))
        keys = f"{mart.series}, period_start, period_end, breakdown, breakdown_value"
        found = connection.execute(
            f"""
            with
                o as (select {keys}, {old} as verdict from last_edition.{mart.table}),
                n as (select {keys}, {new} as verdict from perinatal.{mart.table})
            select count(*) filter (where o.verdict is distinct from n.verdict), count(*)
            from o inner join n using ({keys})
            where coalesce(o.verdict, n.verdict) is not null
            """
        ).fetchall()[0]
        changed, compared = changed + int(found[0]), compared + int(found[1])
    return changed, compared


def _verdict_of(connection: duckdb.DuckDBPyConnection, catalog: str, mart: str) -> str:
    """Return the column that holds a mart's verdict: an edition of an older shape has it in `comparison`."""
    found = connection.execute(
        "select 1 from duckdb_columns() where database_name = ? and schema_name = 'marts' and table_name = ? "
        "and column_name = 'verdict'",
        [catalog, mart],
    ).fetchall()
    column = "verdict" if found else "comparison"
    return f"case when {column} in {VERDICTS} then {column} end"
