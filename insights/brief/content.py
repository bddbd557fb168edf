"""What a briefing says: read from an edition, chosen and put into words, nothing computed anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb

from insights.brief import formats as words
from perinatal import charts
from perinatal.errors import PerinatalError

TOP = 10  # themes of a national briefing
TIERS = ("death", "harm", "outcome", "process")  # the order of the numbers: what is gravest leads
STILLBIRTH = "stillbirth_rate"  # the first ambition: on every briefing of an LMS and of all
QUOTES = {"national": 3, "theme": 7, "lms": 0}
FIGURES = {"national": 4, "theme": 8, "lms": 0}
INDICATORS = {"national": 4, "theme": 8, "lms": 8}
PICTURES = {"national": 2, "theme": 2, "lms": 2}
LMS_THEMES = 6
LINKS = {"national": 6, "theme": 8, "lms": 8}
Row = dict[str, Any]

THEMES = """
select * from marts.theme order by convergence_rank
"""

# the best-founded words first, each theme and each source in turn, so that one long report does not fill the page
QUOTED = """
with
    found as (
        select
            evidence.theme_id, evidence.evidence, evidence.evidence_start, evidence.evidence_end, evidence.score,
            evidence.coded_by, finding.text, finding.kind, finding.recipient, finding.status, finding.source_id,
            finding.document_title, finding.document_url, finding.page, finding.published_on, finding.finding_id
        from marts.theme_evidence as evidence
        join core.fct_finding as finding using (finding_id)
        where list_contains($themes, evidence.theme_id)
        qualify row_number() over (partition by finding.text order by evidence.score desc, finding.finding_id) = 1
    ),
    placed as (
        select *, row_number() over (
            partition by theme_id, source_id order by coded_by = 'person' desc, kind = 'theme', score desc, finding_id
        ) as place
        from found
    ),
    turned as (
        select *, row_number() over (
            partition by theme_id order by place, score desc, source_id, finding_id
        ) as turn
        from placed
    )
select * from turned order by turn, list_position($themes, theme_id), finding_id limit $most
"""

FIGURED = """
with
    gathered as (
        select * exclude (theme_id, link_status, usage_warnings), list(distinct theme_id order by theme_id) as themes
        from marts.theme_figure
        where list_contains($themes, theme_id) and kind <> 'theme' and is_seen and published_value is not null
        group by all
    )
select * from gathered
order by kind <> 'share', value desc nulls last, body, period_label, statement
limit $most
"""

NAMED = """
select body, list(distinct period_label order by period_label) as periods,
    max_by(source_url, (period_end, source_url)) as source_url
from marts.theme_figure where list_contains($themes, theme_id) and kind in ('theme', 'rank') and is_seen
group by body order by body
"""

INDICATED = """
with
    gathered as (
        select * exclude (theme_id, link, link_status, link_note), list(distinct theme_id order by theme_id) as themes,
            bool_or(link = 'outcome') as is_outcome
        from marts.theme_indicator
        where list_contains($themes, theme_id)
        group by all
    ),
    tiered as (
        select gathered.*, (
            select min(list_position($tiers, outcome.tier)) from reference.outcome
            where regexp_full_match(gathered.indicator_id, outcome.indicator_pattern)
        ) as place
        from gathered
    )
select * from tiered
order by place nulls last, indicator_id <> $first, is_outcome desc, trusts_compared = 0,
    trusts_worse / greatest(trusts_compared, 1) desc, indicator_id, source_id
"""

SYSTEMS = """
select * from marts.lms_indicator
where indicator_id = $indicator and source_id = $source and breakdown = 'all'
qualify dense_rank() over (order by period_end desc, period_start) = 1
order by lms_name
"""

OWN_TRUSTS = """
select indicator_id, source_id, list(distinct trust_name order by trust_name) filter (verdict = 'worse') as worse
from marts.trust_indicator
where lms_code = $lms and breakdown = 'all'
and (indicator_id, source_id, period_end) in (
    select (indicator_id, source_id, max(period_end)) from marts.trust_indicator where breakdown = 'all'
    group by indicator_id, source_id)
group by all
"""

DOCUMENTS = """
select distinct finding.document_title as title, finding.document_url as url
from marts.theme_evidence as evidence join core.fct_finding as finding using (finding_id)
where list_contains($themes, evidence.theme_id) and finding.document_url is not null
order by title limit $most
"""

RELEASES = """
select distinct publisher as title, url from core.dim_release
where release_key in (select release_key from marts.theme_indicator where list_contains($themes, theme_id))
order by title
"""


CODING = """
select count(*) as codes, count(*) filter (coded_by = 'person') as by_person,
    count(distinct finding_id) as findings,
    count(distinct finding_id) filter (kind = 'recommendation') as recommendations,
    count(distinct finding_id) filter (kind = 'recommendation' and finding.recipient is not null) as addressed,
    count(distinct finding_id) filter (kind = 'recommendation' and finding.status is not null) as answered
from (select finding_id, coded_by from marts.theme_evidence where list_contains($themes, theme_id)) as evidence
join core.fct_finding as finding using (finding_id)
"""


@dataclass(frozen=True)
class Asked:
    """What was asked of which edition; `known` are the answers to queries that several briefings may share."""

    connection: duckdb.DuckDBPyConnection
    theme: str | None = None
    lms: str | None = None
    known: dict[tuple[str, str], list[Row]] = field(default_factory=dict)

    def rows(self, sql: str, **values: object) -> list[Row]:
        """Return the rows of a query as dictionaries, not to be changed: whoever asks the same gets the same ones."""
        key = (sql, repr(values))
        if key not in self.known:
            relation = self.connection.execute(sql, values)
            names = [column[0] for column in relation.description or []]
            self.known[key] = [dict(zip(names, row, strict=True)) for row in relation.fetchall()]
        return self.known[key]


def page(asked: Asked, facts: Row) -> Row:
    """Return everything that the page shows."""
    ranked = asked.rows(THEMES)
    if not ranked:
        raise PerinatalError("the current edition has no themes; run `perinatal build --force`")
    own = _lms(asked) if asked.lms else None
    chosen = [_theme(ranked, asked.theme)] if asked.theme else ranked if own else ranked[:TOP]
    kind = "theme" if asked.theme else "lms" if own else "national"
    ids = [row["theme_id"] for row in chosen]
    indicators = indicated(asked, ids)
    if not asked.theme:
        indicators = with_stillbirths(once(indicators), asked, ranked)
    systems = {_key(row): _systems(asked, row, own) for row in indicators if row["lms_with_value"]}
    if own:
        indicators = _with_own(asked, indicators, systems, own)
        chosen = _themes_of(ranked, indicators)[:LMS_THEMES]
    return {
        "kind": kind,
        "title": _title(kind, chosen, own),
        "lms": own,
        "theme": chosen[0] if kind == "theme" else None,
        **of_edition(facts),
        "is_synthetic": facts["is_synthetic"],
        "total": len(ranked),
        "themes": chosen[:TOP],
        "stressed": _stressed(chosen[:TOP]),
        "quotes": [quote(row) for row in _limited(asked, QUOTED, ids, QUOTES[kind])],
        "figures": _limited(asked, FIGURED, ids, FIGURES[kind]),
        "named": asked.rows(NAMED, themes=ids) if kind == "theme" else [],
        "indicators": indicators[: INDICATORS[kind]],
        "indicators_left": max(0, len(indicators) - INDICATORS[kind]),
        "pictures": _pictures(once(indicators), systems, own)[: PICTURES[kind]],
        "drivers": drivers(chosen[:TOP]),
        "links": links(asked, ids, LINKS[kind]),
        "has_stillbirths": any(row["indicator_id"] == STILLBIRTH for row in indicators),
        "coding": asked.rows(CODING, themes=ids)[0],
        "warnings": sorted({word for row in chosen for word in row["usage_warnings"]}),
    }


def of_edition(facts: Row) -> Row:
    """Return what a briefing says of its edition: name and day."""
    return {"edition": facts["edition_id"], "published_at": facts["published_at"][:10]}


def indicated(asked: Asked, themes: Sequence[str]) -> list[Row]:
    """Return the indicators that are linked to themes, deaths first, then harm, other outcomes and care."""
    return asked.rows(INDICATED, themes=list(themes), tiers=list(TIERS), first=STILLBIRTH)


def with_stillbirths(indicators: list[Row], asked: Asked, ranked: Sequence[Row]) -> list[Row]:
    """Put stillbirths first where none of the chosen themes is linked to them; `ranked` are all themes."""
    if any(row["indicator_id"] == STILLBIRTH for row in indicators):
        return indicators
    every = once(indicated(asked, [row["theme_id"] for row in ranked]))
    return [row for row in every if row["indicator_id"] == STILLBIRTH] + indicators


def pictures(asked: Asked, indicators: Sequence[Row], own: Row | None) -> list[Row]:
    """Draw where the LMSs stand on each indicator of which any has a value."""
    systems = {_key(row): _systems(asked, row, own) for row in indicators if row["lms_with_value"]}
    return _pictures(indicators, systems, own)


def _pictures(indicators: Sequence[Row], systems: dict[tuple[str, str], list[Row]], own: Row | None) -> list[Row]:
    return [_picture(row, systems[_key(row)], own) for row in indicators if _key(row) in systems]


def _limited(asked: Asked, sql: str, themes: list[str], most: int) -> list[Row]:
    return asked.rows(sql, themes=themes, most=most) if most else []


def once(indicators: Sequence[Row]) -> list[Row]:
    """Keep each indicator from the source that compares most trusts."""
    best: dict[str, Row] = {}
    for row in indicators:
        kept = best.get(row["indicator_id"])
        if kept is None or row["trusts_compared"] > kept["trusts_compared"]:
            best[row["indicator_id"]] = row
    return [row for row in indicators if best[row["indicator_id"]] is row]


def _key(row: Row) -> tuple[str, str]:
    return row["indicator_id"], row["source_id"]


def _theme(ranked: Sequence[Row], wanted: str | None) -> Row:
    found = next((row for row in ranked if row["theme_id"] == (wanted or "").upper()), None)
    if found is None:
        known = ", ".join(sorted(row["theme_id"] for row in ranked))
        raise PerinatalError(f"unknown theme {wanted!r}; the themes are {known}")
    return found


def _lms(asked: Asked) -> Row:
    """Find an LMS by its code, its name, or the one name that holds the words."""
    every = asked.rows("select lms_code, lms_name, region_name from core.dim_lms order by lms_code")
    words_of = (asked.lms or "").strip().casefold()
    exact = [row for row in every if words_of in (row["lms_code"].casefold(), row["lms_name"].casefold())]
    found = exact or [row for row in every if words_of and words_of in row["lms_name"].casefold()]
    if len(found) != 1:
        which = "; ".join(f"{row['lms_code']} {row['lms_name']}" for row in found or every)
        raise PerinatalError(f"{'several LMSs match' if found else 'no LMS is'} {asked.lms!r}. Choose of: {which}")
    return found[0]


def _systems(asked: Asked, row: Row, own: Row | None) -> list[Row]:
    found = asked.rows(SYSTEMS, indicator=row["indicator_id"], source=row["source_id"])
    return [item | {"is_own": bool(own) and item["lms_code"] == (own or {}).get("lms_code")} for item in found]


def _with_own(asked: Asked, indicators: list[Row], systems: dict[tuple[str, str], list[Row]], own: Row) -> list[Row]:
    """Give each indicator the LMS's own value and its place among the LMSs that have one; those without it go."""
    trusts = {_key(row): row["worse"] or [] for row in asked.rows(OWN_TRUSTS, lms=own["lms_code"])}
    told = []
    for row in indicators:
        mine = next((item for item in systems.get(_key(row), []) if item["is_own"]), None)
        if mine is None:
            continue
        valued = [item["value"] for item in systems[_key(row)] if item["value"] is not None]
        below = None if mine["value"] is None else sum(value < mine["value"] for value in valued)
        told.append(
            row | {"own": mine, "below": below, "valued": len(valued), "trusts_of_own": trusts.get(_key(row), [])}
        )
    # within a tier what is worse leads, here or in a trust of it; stillbirths lead in any case
    return sorted(
        told,
        key=lambda row: (
            row["place"] or len(TIERS) + 1,
            row["indicator_id"] != STILLBIRTH,
            row["own"]["verdict"] != "worse" and not row["trusts_of_own"],
            row["own"]["value"] is None,
        ),
    )


def _themes_of(ranked: Sequence[Row], indicators: Sequence[Row]) -> list[Row]:
    linked = {theme for row in indicators for theme in row["themes"]}
    return [row for row in ranked if row["theme_id"] in linked]


def _title(kind: str, chosen: Sequence[Row], own: Row | None) -> str:
    if own:
        return f"Perinatal safety in {own['lms_name']}"
    return str(chosen[0]["label"]) if kind == "theme" else "Safer perinatal care: what reviews and investigations find"


def _stressed(chosen: Sequence[Row]) -> str:
    """Say how many bodies stress themes: agreement is said only where there are two or more."""
    several, one = sum(row["n_bodies"] > 1 for row in chosen), sum(row["n_bodies"] == 1 for row in chosen)
    none = len(chosen) - several - one
    said = f"{several} {'is' if several == 1 else 'are'} stressed by two or more independent bodies, {one} by one"
    return said + (f", {none} by none" if none else "")


def quote(row: Row) -> Row:
    """Cut a finding around its evidence: (before, evidence, after)."""
    start, end, text = row["evidence_start"], row["evidence_end"], row["text"]
    evidence = text[start:end]
    if len(evidence) > 160:
        evidence = words.short(evidence, 160)
    before, after = text[:start], text[end:]
    if len(before) > 80:
        before = "… " + before[-80:].split(" ", 1)[-1]
    return row | {"before": before, "marked": evidence, "after": after[:1] + words.short(after[1:], 100)}


def _picture(row: Row, systems: Sequence[Row], own: Row | None) -> Row:
    valued = [item for item in systems if item["value"] is not None]
    points = [charts.Point(item["lms_name"], item["value"], kind="own" if item["is_own"] else "") for item in valued]
    ends = sorted(valued, key=lambda item: (item["value"], item["lms_name"]))
    lowest, highest = ends[0], ends[-1]
    low, high = (f"{words.value(end['value'], row['unit'])} ({end['lms_name']})" for end in (lowest, highest))
    says = f"{row['indicator_name']}, {words.period(lowest)}: {len(valued)} LMSs from {low} to {high}"
    return {
        "title": row["indicator_name"],
        "source": row["source_id"],
        "period": words.period(lowest),
        "svg": charts.strip(points, row["england_value"], says),
        "lowest": lowest,
        "highest": highest,
        "unit": row["unit"],
        "england_missing": row["england_value"] is None,
        "shown": len(valued),
        "left_out": len(systems) - len(valued),
        "own_missing": bool(own) and not any(item["is_own"] for item in valued),
    }


def drivers(chosen: Sequence[Row]) -> list[Row]:
    """Group themes by the driver that they are amenable to; those without a clinical driver come last."""
    grouped: dict[str, list[Row]] = {}
    for row in chosen:
        grouped.setdefault(row["driver"], []).append(row)
    ordered = sorted(grouped, key=lambda driver: (driver.startswith("no "), driver))
    return [{"driver": name, "themes": grouped[name], "frameworks": _frameworks(grouped[name])} for name in ordered]


def _frameworks(themes: Sequence[Row]) -> list[str]:
    """Return the elements of the care bundle and the safety actions that the themes belong to, each once."""
    named = [row["sbl_element"] for row in themes if row["sbl_element"]]
    named += [action.partition(" ")[0] for row in themes for action in row["mis_action"]]
    return sorted(dict.fromkeys(named))


def links(asked: Asked, themes: list[str], most: int) -> list[tuple[str, str]]:
    """Return (address, what) of documents, published figures and releases, each address once."""
    found: dict[str, str] = {}
    for row in asked.rows(FIGURED, themes=themes, most=most) + asked.rows(NAMED, themes=themes):
        for address, _ in words.links(row["source_url"])[:1]:
            found.setdefault(address, row["body"])
    for row in asked.rows(DOCUMENTS, themes=themes, most=most) + asked.rows(RELEASES, themes=themes):
        for address, _ in words.links(row["url"])[:1]:
            found.setdefault(address, row["title"])
    return list(found.items())[:most]
