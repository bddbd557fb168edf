"""The national report: what bodies stress, where in the country, what is amenable to which driver, and what is new."""

from __future__ import annotations

from pathlib import Path

import duckdb

from insights.brief import content
from insights.brief.content import Asked, Row
from perinatal.errors import PerinatalError
from perinatal.sql import attach

LAST = "last_edition"
CONVERGING, QUOTED, NUMBERS, PICTURES, PLACES, LINKS, MOVES, CONCEPTS_SHOWN = 10, 5, 6, 1, 8, 6, 6, 12

# what stands out, by concept: how many trusts and LMSs, the events a year above the comparator where they are known
CONCEPTS = """
select
    tier, concept_id, min_by(indicator_name, length(indicator_name)) as name,
    count(*) filter (level = 'trust')::integer as trusts, count(*) filter (level = 'lms')::integer as systems,
    count(*) filter (level = 'trust' and is_new)::integer as new_trusts,
    sum(excess) filter (level = 'trust') as excess,
    (count(*) filter (level = 'trust' and excess is null))::integer as without_excess,
    any_value(link.themes) as themes
from marts.attention
left join
    (
        select concept_id, list(distinct theme_id order by theme_id) as themes
        from marts.theme_indicator where link <> 'context' group by concept_id
    ) as link using (concept_id)
group by tier, concept_id
order by list_position($tiers, tier), trusts desc, concept_id
"""

# LMSs by what stands out in them: deaths before harm before other outcomes, then by how much
PLACED = """
select
    any_value(organisation_name) as name, any_value(lms.region_name) as region, lms_code,
    count(*)::integer as entries, count(*) filter (is_new)::integer as new_entries,
    count(*) filter (tier = 'death')::integer as death, count(*) filter (tier = 'harm')::integer as harm,
    count(*) filter (tier = 'outcome')::integer as outcome, count(*) filter (tier = 'process')::integer as process,
    list(indicator_name order by rank)[:3] as first,
    list_distinct(flatten(list(coalesce(trusts, []))))[:3] as trusts
from marts.attention left join core.dim_lms as lms using (lms_code)
where level = 'lms'
group by lms_code
order by death desc, harm desc, outcome desc, process desc, sum(excess) desc nulls last, lms_code
"""

REGIONS = """
select
    coalesce(region_name, 'region not known') as region, count(distinct organisation_code)::integer as trusts,
    count(distinct organisation_code) filter (tier = 'death')::integer as death,
    count(distinct organisation_code) filter (tier = 'harm')::integer as harm
from marts.attention left join core.dim_lms using (lms_code)
where level = 'trust'
group by 1 order by trusts desc, region
"""

NEW_RELEASES = f"""
select publisher, count(*)::integer as releases, list(distinct release order by release) as names
from core.dim_release where release_key not in (select release_key from {LAST}.core.dim_release)
group by publisher order by publisher
"""

NEW_FINDINGS = f"""
select theme_id, count(distinct finding_id)::integer as findings
from marts.theme_evidence where finding_id not in (select finding_id from {LAST}.core.fct_finding)
group by theme_id order by findings desc, theme_id
"""

MOVED = f"""
select theme_id, now.label, now.convergence_rank as place, last.convergence_rank as last_place
from marts.theme as now left join {LAST}.marts.theme as last using (theme_id)
where now.convergence_rank <> last.convergence_rank or last.theme_id is null
order by least(now.convergence_rank, coalesce(last.convergence_rank, 99)), theme_id
"""

GONE = f"""
select count(*) from {LAST}.marts.attention as last
anti join marts.attention as now using (level, organisation_code, concept_id)
"""


def page(asked: Asked, facts: Row, last: Path | None) -> Row:
    """Return everything that the report shows; `last` is the folder of the edition before, where one is kept."""
    ranked = asked.rows(content.THEMES)
    if not ranked:
        raise PerinatalError("the current edition has no themes; run `perinatal build --force`")
    stressed = [row for row in ranked if row["n_bodies"]]
    chosen = stressed[:CONVERGING]
    ids = [row["theme_id"] for row in chosen]
    indicators = content.with_stillbirths(content.once(content.indicated(asked, ids)), asked, ranked)
    concepts = asked.rows(CONCEPTS, tiers=list(content.TIERS))[:CONCEPTS_SHOWN]
    return {
        "title": "Safer perinatal care: what bodies stress, and where to act",
        "edition": facts["edition_id"],
        "published_at": facts["published_at"][:10],
        "is_synthetic": facts["is_synthetic"],
        "total": len(ranked),
        "stressed": len(stressed),
        "converging": [row for row in stressed if row["n_bodies"] > 1],
        "themes": chosen,
        "quotes": [content.quote(row) for row in asked.rows(content.QUOTED, themes=ids, most=QUOTED)],
        "indicators": indicators[:NUMBERS],
        "indicators_left": max(0, len(indicators) - NUMBERS),
        "pictures": content.pictures(asked, indicators, None)[:PICTURES],
        "concepts": concepts,
        "places": asked.rows(PLACED)[:PLACES],
        "regions": asked.rows(REGIONS),
        "drivers": content.drivers(stressed),
        "news": _news(asked, last),
        "links": content.links(asked, ids, LINKS),
        "coding": asked.rows(content.CODING, themes=ids)[0],
    }


def _news(asked: Asked, last: Path | None) -> Row | None:
    """Return what the last edition lacked; None where there is none to compare with."""
    if last is None:
        return None
    attach(asked.connection, last / "perinatal.duckdb", LAST)
    moved = asked.rows(MOVED)
    return {
        "last": last.name,
        "releases": asked.rows(NEW_RELEASES),
        "findings": asked.rows(NEW_FINDINGS),
        "moved": [row for row in moved if _is_noteworthy(row)][:MOVES],
        "moved_in_all": len(moved),
        "new_entries": asked.rows("select count(*) filter (is_new)::integer as n from marts.attention")[0]["n"],
        "gone_entries": _gone(asked.connection),
    }


def _is_noteworthy(row: Row) -> bool:
    """Tell whether a theme moved by three places or more, or into or out of those that the report shows."""
    before = row["last_place"]
    return before is None or abs(before - row["place"]) > 2 or (before > CONVERGING) != (row["place"] > CONVERGING)


def _gone(connection: duckdb.DuckDBPyConnection) -> int | None:
    """Count what stood out in the last edition and does so no more; None where that edition had no such list."""
    known = connection.execute(
        "select 1 from duckdb_tables() where database_name = ? and table_name = 'attention'", [LAST]
    ).fetchall()
    return int(connection.execute(GONE).fetchall()[0][0]) if known else None


def edition_before(database: Path) -> Path | None:
    """Find the folder of the newest kept edition before that of `database`; None where there is none."""
    current = database.parent.resolve()
    older = [folder for folder in current.parent.iterdir() if folder.name < current.name]
    return max((folder for folder in older if (folder / "perinatal.duckdb").exists()), default=None)
