"""What a reviewer is asked: the codes that nobody has decided on, the most uncertain first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from insights.themes import theme_ids

if TYPE_CHECKING:
    from insights.coding import Coder

DOUBT_FLOOR = 0.15  # themes that score below this are not worth a reviewer's time


@dataclass(frozen=True)
class Question:
    """One thing to decide: whether this theme belongs to this finding."""

    finding_id: str
    text: str
    theme_id: str
    score: float
    proposed: bool
    evidence: str
    said: str = ""  # who said what of it, where people do not agree


def queue(
    coder: Coder,
    findings: Sequence[tuple[str, str]],
    limit: int | None = None,
    theme_id: str | None = None,
    disputed: Mapping[tuple[str, str], str] | None = None,
) -> list[Question]:
    """Return what to decide: first what people do not agree on (`disputed`: who said what), then the undecided.

    Each part has the most uncertain first (score nearest the threshold), ties by finding and theme.
    """
    from insights.model import THRESHOLD

    proposed = {(a.finding_id, a.theme_id): a for a in coder.code(findings)}
    scores = coder.scores([text for _, text in findings])
    questions = []
    for (finding_id, text), row in zip(findings, scores, strict=True):
        for theme, score in zip(theme_ids(), row.tolist(), strict=True):
            key = (finding_id, theme)
            said = (disputed or {}).get(key, "")
            passed_over = score < DOUBT_FLOOR or key in coder.decisions
            if (passed_over and not said) or (theme_id and theme != theme_id):
                continue
            assignment = proposed.get(key)
            evidence = assignment.evidence if assignment else ""
            questions.append(Question(finding_id, text, theme, round(score, 4), key in proposed, evidence, said))
    questions.sort(key=lambda q: (not q.said, abs(q.score - THRESHOLD), q.finding_id, q.theme_id))
    return questions[:limit]
