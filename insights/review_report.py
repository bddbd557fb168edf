"""`perinatal themes agreement`: what reviewers do not agree on, and how far they agree on each theme."""

from __future__ import annotations

import dataclasses
import json as json_format
from collections.abc import Sequence
from typing import TextIO

from insights.decisions import Decision
from insights.review_agreement import Key, Reviewed, ThemeAgreement, agreements, reviewed
from insights.themes import load_themes


def write(decisions: Sequence[Decision], out: TextIO, *, json: bool = False) -> None:
    """Write the report: disagreements first, then the themes; as JSON with the same content."""
    codes = reviewed(decisions)
    disputed = {key: code for key, code in codes.items() if code.is_disputed}
    found = agreements(codes)
    out.write(_as_json(disputed, found) if json else _as_text(disputed, found))


def _as_json(disputed: dict[Key, Reviewed], found: list[ThemeAgreement]) -> str:
    shown = {
        "disputed": [
            {
                "finding_id": finding_id,
                "theme_id": theme_id,
                "in_force": code.in_force.decision,
                "said": [dataclasses.asdict(item) for item in code.said],
            }
            for (finding_id, theme_id), code in disputed.items()
        ],
        "themes": [dataclasses.asdict(item) for item in found],
    }
    return json_format.dumps(shown, ensure_ascii=False, indent=1) + "\n"


def _as_text(disputed: dict[Key, Reviewed], found: list[ThemeAgreement]) -> str:
    if not found:
        return "nobody has decided on a code yet; `perinatal themes review` asks\n"
    labels = {theme.theme_id: theme.label for theme in load_themes()}
    lines = [f"Not agreed: {len(disputed)} code(s)"]
    for (finding_id, theme_id), code in disputed.items():
        lines.append(
            f"  {finding_id} {theme_id} {labels[theme_id]}: {code.in_words}; in force: {code.in_force.decision}"
        )
    lines.append("Theme, codes decided, by two or more, not agreed, κ, who, when")
    for item in found:
        agreed = "–" if item.kappa is None else f"{item.kappa:.2f}"
        when = item.first_on if item.first_on == item.last_on else f"{item.first_on} to {item.last_on}"
        counts = f"{item.decided}  {item.by_several}  {item.disputed}  {agreed}"
        lines.append(f"  {item.theme_id} {labels[item.theme_id]}: {counts}  {', '.join(item.reviewers)}  {when}")
    return "\n".join(lines) + "\n"
