"""Answers to recommendations, and whom they are addressed to, where a report has lines of their own for them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ingest.documents.findings import ADDRESSEE
from ingest.documents.passages import Passage

Read = tuple[str | None, Passage]  # what a passage is (passage_kinds.kind_of), and the passage

ANSWER = re.compile(
    r"^(?:the )?(?:[\w&'’() -]{1,60}? )?(?:responses?|status)(?: (?:received|from|by)[^:.]{0,80})?\s*(?::|–|-|$)\s*",
    re.I,
)
RECEIVED = re.compile(r"^(?:response|update) (?:was )?received (?:on|by|from)\b", re.I)
ANSWER_HEADING = re.compile(r"^(?:the )?(?:[\w&'’() -]{1,60} )?responses?(?: (?:to|from|received)\b.*)?$", re.I)
ASKS = re.compile(r"^(?:safety )?recommendation\b|^it is recommended\b|\brecommends? that\b", re.I)
# the first that fits; all that is left is an answer that neither accepts nor rejects
ANSWERS = (
    ("not accepted", r"\b(?:not accept(?:ed|s)?|(?:does|do|did|has|have) not accept(?:ed)?|reject(?:ed|s)?)\b"),
    (
        "partially accepted",
        r"\b(?:partial(?:ly)? accept(?:ed|s|ance)?|accept(?:ed|s)? (?:this |it |the recommendation )?in part)\b",
    ),
    ("accepted in principle", r"\baccept(?:ed|s)? (?:this |it |the recommendation )?in principle\b"),
    ("accepted", r"\baccept(?:ed|s|ance)?\b"),
    ("no response", r"\bno (?:response|reply)\b|\bawait(?:ed|ing)\b"),
    ("completed", r"\b(?:completed?|implemented|closed)\b"),
    ("in progress", r"\b(?:in progress|ongoing|open|underway|under way)\b"),
    ("superseded", r"\bsuperseded\b"),
)


def status_of(answer: str) -> str:
    """Return the status that an answer gives a recommendation: accepted, partially accepted, … or responded."""
    return next((status for status, words in ANSWERS if re.search(words, answer, re.IGNORECASE)), "responded")


def with_answers(passages: Iterable[Read]) -> Iterator[Read]:
    """Yield the passages; the answer to a recommendation is one line `Status: …` behind it, and no finding."""
    asked: Read | None = None
    answer: list[str] | None = None
    for kind, passage in passages:
        if asked and ADDRESSEE.match(passage.text):
            yield asked[0], passage
            continue
        same_part = asked is not None and asked[1].headings == passage.headings
        said = _answer(passage, answering=answer is not None and same_part)
        if asked and said is not None:
            answer = [*(answer or []), said]
            continue
        yield from _status_line(asked, answer)
        asked, answer = ((kind, passage) if kind == "recommendation" else None), None
        yield kind, passage
    yield from _status_line(asked, answer)


def _answer(passage: Passage, *, answering: bool) -> str | None:
    """Return what a passage answers; None where it is no answer. What stands below a line "Response:" is one."""
    heading = passage.headings[-1] if passage.headings else ""
    found = ANSWER.match(passage.text)
    if found:
        return passage.text[found.end() :]
    if RECEIVED.match(passage.text) or ANSWER_HEADING.match(heading):
        return passage.text
    return passage.text if answering and not ASKS.search(passage.text) else None


def _status_line(asked: Read | None, answer: list[str] | None) -> Iterator[Read]:
    if asked and answer:
        kind, passage = asked
        yield kind, Passage(f"Status: {status_of(' '.join(answer))}", passage.headings, passage.page)
