"""Rules: the lexicon read with its context.

A clause that only says that care was as it should be ("fetal monitoring was appropriate") counts for nothing,
and so does a condition that is denied ("no history of diabetes"). What is left are hits: `include` patterns
speak for a theme by themselves, `context` patterns only beside other evidence.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise

from insights.lexicon import ANY_THEME, Lexicon, Match, Span, normalise, sentence_spans

CLAUSE_END = re.compile(r"[.!?;:](?=\s|$)|\s[-–—]\s")
CLAUSE_END_OR_COMMA = re.compile(r"[.!?;:,](?=\s|$)|\s[-–—]\s")
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
    assured = [clause for clause in clause_spans(lowered, cues["contrast"]) if _is_assured(clause, lowered, cues)]
    hits = {}
    denied: list[Span] = []
    for theme_id, matches in themed.items():
        found, refused = _theme_hits(theme_id, matches, assured, cues)
        denied += refused
        if found.include or found.context:
            hits[theme_id] = found
    return Reading(hits, _blanked(lowered, [*assured, *denied]))


def clause_spans(lowered: str, contrasts: list[Span]) -> list[Span]:
    """Clauses: cut at stops, at words of contrast, and at commas too in a sentence that holds such a word."""
    cuts = {0, len(lowered)}
    for sentence in sentence_spans(lowered):
        inside = [c.start for c in contrasts if sentence.start <= c.start < sentence.end]
        ends = CLAUSE_END_OR_COMMA if inside else CLAUSE_END
        cuts.update(m.end() for m in ends.finditer(lowered, sentence.start, sentence.end))
        cuts.update((*inside, sentence.end))
    ordered = sorted(cuts)
    return [Span(a, b) for a, b in pairwise(ordered) if lowered[a:b].strip()]


def _is_assured(clause: Span, lowered: str, cues: dict[str, list[Span]]) -> bool:
    praise = [span for span in cues["assurance"] if clause.overlaps(span)]
    if not praise:
        return False
    sentence = next(s for s in sentence_spans(lowered) if s.overlaps(clause))
    if any(sentence.overlaps(span) for span in cues["directive"]):
        return False
    return not any(
        clause.overlaps(problem) and not any(problem.overlaps(span) for span in praise) for problem in cues["problem"]
    )


def _theme_hits(
    theme_id: str, matches: list[Match], assured: list[Span], cues: dict[str, list[Span]]
) -> tuple[Hits, list[Span]]:
    """Find the hits that stand, and the phrases that the text denies."""
    excluded = [m.span for m in matches if m.entry.kind == "exclude"]
    hits, denied = Hits(), []
    for match in matches:
        span = match.span
        if match.entry.kind == "exclude" or any(span.overlaps(other) for other in (*excluded, *assured)):
            continue
        if theme_id.startswith(CLINICAL) and _is_denied(span, cues):
            denied.append(span)
            continue
        (hits.include if match.entry.kind == "include" else hits.context).append(span)
    hits.include = _distinct(hits.include)
    hits.context = [s for s in _distinct(hits.context) if not any(s.overlaps(i) for i in hits.include)]
    return hits, denied


def _is_denied(span: Span, cues: dict[str, list[Span]]) -> bool:
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
