"""The front page and the lists: the five ambitions, the LMSs, the themes."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from perinatal import charts
from perinatal.charts import Line, Point, ThemeRow
from publish.portal import wording as words
from publish.portal.lookup import Lookup
from publish.portal.model import Record

NO_POSITION = "no position"
# where an LMS stands beside the trajectory, in the order of the sentence on the front page
STANDINGS = (
    ("above", "above the trajectory"),
    ("not distinguishable", "not distinguishable from it"),
    ("below", "below it"),
    (NO_POSITION, "without a value, or with bounds on both sides of it"),
)
OTHER_LOOKS = (("l-other1", "triangle"), ("l-other2", "diamond"), ("l-other3", "inverted"), ("l-other4", "square"))


def ambitions(lookup: Lookup) -> list[dict[str, Any]]:
    """Return each ambition: newest headline, sentence, chart, and all published actuals."""
    edition = lookup.edition
    found = []
    for ambition in edition.ambitions:
        mine = [row for row in edition.actuals if row["ambition_id"] == ambition["ambition_id"]]
        headline = [row for row in mine if row["is_headline"]]
        newest = max(headline, key=lambda row: (row["year"], row["period"]), default=None)
        if newest is None:
            continue
        trajectory_id = newest["trajectory_id"] or ambition["ambition_id"]
        path = [row for row in edition.trajectory if row["trajectory_id"] == trajectory_id]
        found.append(
            {
                "about": ambition,
                "newest": newest,
                "sentence": words.ambition_sentence(newest),
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
    shown = [row for row in path if row["year"] <= last]
    target = Line(
        "Trajectory",
        [(row["year"], row["target"]) for row in shown],
        "l-target",
        "square",
        [(_target_words(ambition, row), "methods.html") for row in shown],
    )
    name = f"{headline[0]['definition']} ({words.geography(headline[0]['geography'])})"
    lines = [_line(name, headline, "l-own", "dot")]
    others: dict[tuple[str, str], list[Record]] = {}
    for row in mine:
        if not row["is_headline"]:
            others.setdefault((row["definition"], row["geography"]), []).append(row)
    # one definition a line; more than the looks at hand stand in the table only
    for (definition, geography), (look, shape) in zip(others, OTHER_LOOKS, strict=False):
        rows = others[definition, geography]
        lines.append(_line(f"{definition} ({words.geography(geography)})", rows, look, shape))
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
        "key": [("l-target", "square", "Trajectory (straight lines between its knots)")]
        + [(line.look, line.shape, line.name) for line in lines],
        "not_drawn": max(0, len(others) - len(OTHER_LOOKS)),
    }


def _line(name: str, rows: list[Record], look: str, shape: str) -> Line:
    """Return published figures of one definition as a line, each point leading to where it is published."""
    says = [
        f"{name}: {words.with_unit(row['actual'], row['unit'])}, {row['period']}; {row['position'] or 'no position'}"
        for row in rows
    ]
    pages = [words.first_address(row["source_url"]) or "downloads.html" for row in rows]
    return Line(name, [(row["year"], row["actual"]) for row in rows], look, shape, list(zip(says, pages, strict=True)))


def _target_words(ambition: Record, row: Record) -> str:
    figure = words.with_unit(row["target"], ambition["unit"])
    return f"Trajectory of {words.uncapitalised(ambition['ambition_name'])}: {figure}, {row['year']}; an aim"


def _knots(path: list[Record]) -> list[Record]:
    return [row for row in path if row["year"] == row["knot_year"]]


def _position_counts(lookup: Lookup, ambition_id: str) -> list[dict[str, Any]]:
    """Count the LMSs by their position against the trajectory, for each indicator that measures the ambition."""
    found: dict[tuple[str, str], Counter[str]] = {}
    for row in lookup.edition.positions:
        if row["ambition_id"] == ambition_id and row["level"] == "lms":
            key = (row["indicator_id"], row["source_id"])
            found.setdefault(key, Counter())[row["position"] or NO_POSITION] += 1
    return [
        {"indicator_id": indicator, "source_id": source, "counts": counts}
        for (indicator, source), counts in sorted(found.items())
    ]


def themes(lookup: Lookup) -> dict[str, Any]:
    """Return the themes in the order of their score, with the picture of which body names which."""
    rows = [_theme(row) for row in lookup.edition.themes]
    rows.sort(key=lambda row: (row["convergence_rank"] is None, row["convergence_rank"], row["label"]))
    said = {theme: {row["body"]: row for row in bodies} for theme, bodies in lookup.edition.theme_bodies.items()}
    columns = sorted({body for bodies in said.values() for body in bodies})
    spoken = [row for row in rows if row["theme_id"] in said]
    cells = [
        ThemeRow(
            row["label"],
            [_cell(row, body, said[row["theme_id"]].get(body)) for body in columns],
            row["n_bodies"] or 0,
        )
        for row in spoken
    ]
    alternative = "Chart: which body names which theme, themes in the order of their score. " + "; ".join(
        f"{row['label']}: stressed by {words.plural(row['n_bodies'] or 0, 'independent body', 'independent bodies')}, "
        f"{words.plural(row['findings'] or 0, 'finding')}"
        for row in spoken
    )
    return {
        "themes": rows,
        "svg": charts.matrix(cells, columns, "Bodies", alternative) if spoken else None,
        "silent": [row["label"] for row in rows if row["theme_id"] not in said],
    }


def _cell(theme: Record, body: str, row: Record | None) -> tuple[int, bool, Point]:
    """Return what a body says of a theme: its findings, whether it names the theme, and both as a point."""
    findings, is_named = (row["findings"], row["is_named"]) if row else (0, False)
    said = [f"{words.plural(findings, 'finding')} coded to it"] if findings else []
    said += ["names the theme in a published count or list"] if is_named else []
    says = f"{theme['label']}: {body}, {', '.join(said)}"
    return findings, is_named, Point(body, None, says=says, href=f"{words.slug(theme['theme_id'])}.html")


def _theme(row: Record) -> Record:
    """Return a theme with its findings by year."""
    return row | {"by_year": json.loads(row["findings_by_year"] or "[]")}
