"""What part a stretch of text plays in its sentence: assured, spoken of the document itself, background, or asked for.

Only what a sentence is about speaks for a theme. "In line with guidance", a list of examples, a title and what stands
in brackets are background: there a phrase is at most weak evidence. A sentence on the document itself (its search
terms, where to find it) is no finding.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from insights.lexicon import Span, sentence_spans

Cues = Mapping[str, list[Span]]
CLAUSE_END = re.compile(r"[.!?;:](?=\s|$)|\s[-–—]\s")
CLAUSE_END_OR_COMMA = re.compile(r"[.!?;:,](?=\s|$)|\s[-–—]\s")
BRACKETS = re.compile(r"[(\[][^()\[\]]*[)\]]")
# "A, B and C" or "A or B" after a word that introduces background
LIST = re.compile(
    r"(?:[^,.;:()]{1,50},\s)+(?:and|or)\s[^,.;:()]+|(?:[^,.;:()]{1,50},\s)*[^,.;:()]{1,60}\s(?:and|or)\s[^,.;:()]+"
)
UNTIL_COMMA = re.compile(r"[^,.;:()]*")
# a name such as "Birth Choices Guidance": words that begin with a capital, ending in the kind of document or body
NAME = re.compile(
    r"(?:[A-Z][\w’'-]*\s(?:of\s|and\s|for\s|in\s|the\s)*)+"
    r"(?:Guidance|Guideline|Policy|Paper|Report|Act|Framework|Platform|Bundle|Programme|Tool|Committee|Standard|Inquiry)s?\b"
)
OPENING = re.compile(r"[\s\d.)(•\-–—*a-h]{0,6}")  # a number or a bullet before the first word of a sentence
# "If she declines, offer …", "For women with diabetes, provide …": the verb that asks comes after the comma
FRONTED = re.compile(
    r"(?:if|when|whenever|where|for|in|during|after|before|at|as|once|unless|until|while|with|on|by)\b"
)
# a clause that takes up the one before it: "but this was not done", "However, it did not happen"
TAKEN_UP = re.compile(r"\W*(?:(?:but|however|although|though|yet|and)\W+)?(?:this|it|that|these|they|neither|none)\b")
COMMA = re.compile(r",\s+(?:and\s+)?")


@dataclass(frozen=True)
class Roles:
    """Clauses of a text with the stretches that are silenced and those that are background."""

    clauses: list[Span]
    silenced: list[Span]
    background: list[Span]
    asks_or_fails: list[Span]

    def is_silenced(self, span: Span) -> bool:
        """Tell whether a phrase stands where care is only praised or the document speaks of itself."""
        return any(span.overlaps(other) for other in self.silenced)

    def is_background(self, span: Span) -> bool:
        """Tell whether a phrase begins in background."""
        return any(other.start <= span.start < other.end for other in self.background)

    def is_asked_or_failed(self, span: Span) -> bool:
        """Tell whether a phrase's clause asks for something or says that something failed, outside the phrase."""
        clause = next(c for c in self.clauses if c.overlaps(span))
        return any(clause.overlaps(cue) and not span.overlaps(cue) for cue in self.asks_or_fails)


def find_roles(text: str, lowered: str, cues: Cues) -> Roles:
    """Find the roles in a text; `lowered` is the text as the lexicon read it."""
    clauses = clause_spans(lowered, cues["contrast"])
    sentences = sentence_spans(lowered)
    requests = [*cues["directive"], *_imperatives(lowered, sentences, cues)]
    silenced = [c for c in clauses if _is_assured(c, sentences, requests, cues)]
    silenced += [s for s in sentences if any(s.overlaps(cue) for cue in cues["itself"])]
    asks_or_fails = [*requests, *cues["problem"], *_taken_up(lowered, clauses, cues)]
    return Roles(clauses, silenced, _background(text, lowered, cues), asks_or_fails)


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


def _imperatives(lowered: str, sentences: list[Span], cues: Cues) -> list[Span]:
    """Verbs that ask because they open a sentence, or its main part: "Provide care", "If she asks, provide care"."""
    starts = [(s, match.end()) for s in sentences if (match := OPENING.match(lowered, s.start))]
    openings = {start for _, start in starts}
    for sentence, start in starts:
        if FRONTED.match(lowered, start):
            openings.update(comma.end() for comma in COMMA.finditer(lowered, start, sentence.end))
    return [cue for cue in cues["imperative"] if cue.start in openings]


def _taken_up(lowered: str, clauses: list[Span], cues: Cues) -> list[Span]:
    """List ends of clauses of which the next says that they failed: "… every four hours, but this was not done"."""
    pairs = [(a, b) for a, b in pairwise(clauses) if TAKEN_UP.match(lowered, b.start)]
    return [Span(a.end - 1, a.end) for a, b in pairs if any(b.overlaps(cue) for cue in cues["problem"])]


def _is_assured(clause: Span, sentences: list[Span], requests: list[Span], cues: Cues) -> bool:
    praise = [span for span in cues["assurance"] if clause.overlaps(span)]
    if not praise:
        return False
    sentence = next(s for s in sentences if s.overlaps(clause))
    if any(sentence.overlaps(span) for span in requests):
        return False
    return not any(
        clause.overlaps(problem) and not any(problem.overlaps(span) for span in praise) for problem in cues["problem"]
    )


def _background(text: str, lowered: str, cues: Cues) -> list[Span]:
    spans = [Span(*match.span()) for pattern in (BRACKETS, NAME) for match in pattern.finditer(text)]
    return spans + [
        _introduced(lowered, cue, cues)
        for cue in cues["background"]
        if not any(cue.overlaps(other) for other in cues["substance"])  # "issues such as" introduces what failed
    ]


def _introduced(lowered: str, cue: Span, cues: Cues) -> Span:
    """From a word such as "including" to the end of its list or its part of the sentence, or to a request."""
    reach = LIST.match(lowered, cue.end) or UNTIL_COMMA.match(lowered, cue.end)
    end = reach.end() if reach else cue.end
    return Span(cue.start, min((r.start for r in cues["directive"] if cue.end <= r.start < end), default=end))
