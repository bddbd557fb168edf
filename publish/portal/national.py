"""The front page and the lists: the five ambitions, the LMSs, the themes."""

from __future__ import annotations

from collections import Counter
from typing import Any

from publish.portal import charts, words
from publish.portal.charts import Line
from publish.portal.lookup import Lookup
from publish.portal.model import Record

OTHER_LOOKS = (("l-other1", "triangle"), ("l-other2", "diamond"), ("l-other3", "inverted"), ("l-other4", "square"))


def ambitions(lookup: Lookup) -> list[dict[str, Any]]:
    """Return each ambition: newest headline, sentence, chart, and all published actuals."""
    edition = lookup.edition
    found = []
    for ambition in edition.ambitions:
        mine = [row for row in edition.actuals if row["ambition_id"] == ambition["ambition_id"]]
        headline = [row for row in mine if row["is_headline"]]
        newest = max(headline, key=lambda row: (row["year"], row["period"]), default=None)
        path = [row for row in edition.trajectory if row["ambition_id"] == ambition["ambition_id"]]
        if newest is None or not path:
            continue
        found.append(
            {
                "about": ambition,
                "newest": newest,
                "sentence": words.ambition_sentence(newest),
                "age": int(edition.facts.published_at[:4]) - newest["year"],
                "rows": mine,
                "positions": _position_counts(lookup, ambition["ambition_id"]),
                "indicators": [
                    row for row in edition.indicators.values() if row["ambition_id"] == ambition["ambition_id"]
                ],
                **_trajectory(ambition, path, headline, mine),
            }
        )
    return found


def _trajectory(ambition: Record, path: list[Record], headline: list[Record], mine: list[Record]) -> dict[str, Any]:
    last = max([row["year"] for row in mine] + [2025])
    target = Line(
        "Trajectory", [(row["year"], row["target"]) for row in path if row["year"] <= last], "l-target", "square"
    )
    name = f"{headline[0]['definition']} ({headline[0]['geography']})"
    lines = [Line(name, [(row["year"], row["actual"]) for row in headline], "l-own", "dot")]
    others: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for row in mine:
        if not row["is_headline"]:
            others.setdefault((row["definition"], row["geography"]), []).append((row["year"], row["actual"]))
    # one definition a line; more than the looks at hand stand in the table only
    for (definition, geography), (look, shape) in zip(others, OTHER_LOOKS, strict=False):
        lines.append(Line(f"{definition} ({geography})", others[definition, geography], look, shape))
    first, newest = headline[0], max(headline, key=lambda row: row["year"])
    alternative = (
        f"Chart: {ambition['ambition_name']}, {ambition['unit']}. "
        f"Published: {words.number(first['actual'], first['unit'])} in {first['period']}, "
        f"{words.number(newest['actual'], newest['unit'])} in {newest['period']}. Trajectory: "
        + ", ".join(f"{words.number(row['knot_target'], ambition['unit'])} in {row['year']}" for row in _knots(path))
        + "."
    )
    return {
        "svg": charts.trajectory(target, [row["year"] for row in _knots(path)], lines, ambition["unit"], alternative),
        "key": [("l-target", "square", "Trajectory (straight lines between the guide's knots)")]
        + [(line.look, line.shape, line.name) for line in lines],
        "not_drawn": max(0, len(others) - len(OTHER_LOOKS)),
    }


def _knots(path: list[Record]) -> list[Record]:
    return [row for row in path if row["year"] == row["knot_year"]]


def _position_counts(lookup: Lookup, ambition_id: str) -> list[dict[str, Any]]:
    """Count the LMSs by their position against the trajectory, for each indicator that measures the ambition."""
    found: dict[tuple[str, str], Counter[str]] = {}
    for row in lookup.edition.positions:
        if row["ambition_id"] == ambition_id and row["level"] == "lms":
            key = (row["indicator_id"], row["source_id"])
            found.setdefault(key, Counter())[row["position"] or "bounds on both sides"] += 1
    return [
        {"indicator_id": indicator, "source_id": source, "counts": counts}
        for (indicator, source), counts in sorted(found.items())
    ]


def regions(lookup: Lookup) -> list[dict[str, Any]]:
    """Return the LMSs by region, each with its trusts and the number of values worse and better."""
    found: dict[str, list[dict[str, Any]]] = {}
    for lms in lookup.edition.lms:
        values = [value for value in lookup.by_organisation["lms", lms["lms_code"]] if value.is_current]
        trusts = lookup.trusts_of[lms["lms_code"]]
        counted = Counter(
            value.comparison
            for values_of in [values, *(lookup.by_organisation["trust", trust["code"]] for trust in trusts)]
            for value in values_of
            if value.is_current
        )
        found.setdefault(lms["region_name"], []).append(
            {
                "lms": lms,
                "trusts": trusts,
                "worse": counted["worse"],
                "better": counted["better"],
                "incomplete": sum(value.is_complete is False for value in values),
                "values": len(values),
            }
        )
    return [{"region": region, "rows": rows} for region, rows in sorted(found.items())]


def themes(lookup: Lookup) -> dict[str, Any]:
    """Return the themes in order of convergence, with the picture of how many sources name each."""
    rows = [_theme(row) for row in lookup.edition.themes]
    rows.sort(key=lambda row: (row["rank"] is None, row["rank"], -row["source_count"], row["label"]))
    drawn = [
        (row["label"], float(row["source_count"]), words.plural(row["findings"] or 0, "finding")) for row in rows[:25]
    ]
    alternative = "Chart: themes by the number of independent sources that name them. " + "; ".join(
        f"{label}: {count:.0f} ({note})" for label, count, note in drawn[:8]
    )
    return {"themes": rows, "svg": charts.bars(drawn, "sources that name the theme", alternative) if drawn else None}


def _theme(row: Record) -> Record:
    """Return a theme with its sources as a list, whether the mart gives names or a number."""
    sources = row.get("sources")
    names = [] if sources is None or isinstance(sources, int) else _listed(sources)
    rank = next((row[name] for name in ("convergence_rank", "rank", "convergence") if row.get(name) is not None), None)
    return row | {
        "source_names": names,
        "source_count": sources if isinstance(sources, int) else len(names),
        "findings": row.get("findings"),
        "rank": rank,
    }


def _listed(value: Any) -> list[str]:
    if isinstance(value, str):
        return [part.strip() for part in value.replace("|", ";").split(";") if part.strip()]
    return [str(part) for part in value]
