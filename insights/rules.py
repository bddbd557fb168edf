"""Rules: the lexicon read with its context.

A phrase counts for nothing where care is only praised, where the document speaks of itself, or where a condition is
denied ("no history of diabetes"). What is left are hits: `include` patterns speak for a theme by themselves, `topic`
patterns where their clause also asks for something or says that something failed, `context` patterns (and all that
is background, see insights.roles) only beside other evidence.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from insights.lexicon import ANY_THEME, Lexicon, Match, Span, normalise
from insights.roles import Cues, Roles, find_roles

ABSENCE_REACH = 60  # characters after "no history of" in which a condition counts as denied
PROCESS_REACH = 25  # characters after a condition in which "… screening" makes it care, not a condition
CLINICAL = "C"


@dataclass
class Hits:
    """What the lexicon says of one theme in one text; spans in order of position, longest first."""

    include: list[Span] = field(default_factory=list)
    context: list[Span] = field(default_factory=list)


@dataclass(frozen=True)
class Reading:
    """A text read by the rules: hits by theme, and the text (same offsets) without what it assures or denies."""

    hits: dict[str, Hits]
    effective: str


def read(text: str, lexicon: Lexicon) -> Reading:
    """Read one finding."""
    lowered = normalise(text)
    cues: dict[str, list[Span]] = defaultdict(list)
    themed: dict[str, list[Match]] = defaultdict(list)
    for match in lexicon.find(text):
        if match.entry.theme_id == ANY_THEME:
            cues[match.entry.kind].append(match.span)
        else:
            themed[match.entry.theme_id].append(match)
    roles = find_roles(text, lowered, cues)
    hits = {}
    denied: list[Span] = []
    for theme_id, matches in themed.items():
        found, refused = _theme_hits(theme_id, matches, roles, cues)
        denied += refused
        if found.include or found.context:
            hits[theme_id] = found
    return Reading(hits, _blanked(lowered, [*roles.silenced, *denied]))


def _theme_hits(theme_id: str, matches: list[Match], roles: Roles, cues: Cues) -> tuple[Hits, list[Span]]:
    """Find the hits that stand, and the phrases that the text denies."""
    excluded = [m.span for m in matches if m.entry.kind == "exclude"]
    hits, denied = Hits(), []
    for match in matches:
        span = match.span
        if roles.is_silenced(span) or any(span.overlaps(other) for other in excluded):
            continue
        if theme_id.startswith(CLINICAL) and _is_denied(span, cues):
            denied.append(span)
            continue
        (hits.include if _speaks(match, roles) else hits.context).append(span)
    hits.include = _distinct(hits.include)
    hits.context = [s for s in _distinct(hits.context) if not any(s.overlaps(i) for i in hits.include)]
    return hits, denied


def _speaks(match: Match, roles: Roles) -> bool:
    if match.entry.kind == "context" or roles.is_background(match.span):
        return False
    return match.entry.kind == "include" or roles.is_asked_or_failed(match.span)


def _is_denied(span: Span, cues: Cues) -> bool:
    after = any(0 <= cue.start - span.end <= PROCESS_REACH for cue in cues["absence_after"])
    if after:
        return True
    if not any(0 <= span.start - cue.end <= ABSENCE_REACH for cue in cues["absence"]):
        return False
    return not any(span.start <= p.start <= span.end + PROCESS_REACH for p in cues["process"])


def _distinct(spans: list[Span]) -> list[Span]:
    """Drop spans that lie within another, so that two patterns on one phrase count once."""
    kept: list[Span] = []
    for span in sorted(set(spans), key=lambda s: (s.start - s.end, s.start)):
        if not any(other.start <= span.start and span.end <= other.end for other in kept):
            kept.append(span)
    return sorted(kept)


def _blanked(text: str, spans: list[Span]) -> str:
    for span in spans:
        text = text[: span.start] + " " * (span.end - span.start) + text[span.end :]
    return text
