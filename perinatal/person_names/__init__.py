"""Masking of personal names before findings land in marts; the original stays in the restricted archive.

Rules, in this order: e-mail addresses; names after a title or a role ("Dr. A. Patel", "Baby Alice Smith", "HM
Coroner Jane Doe"); names that a phrase announces ("the death of …", "her daughter …"); names before an age, a role
or "died"; a known given name with a surname; and, wherever a name was found, its parts again on their own.
Organisations survive: a run of capitalised words that holds or leads to a word such as Hospital, Trust, Ward or
Review is left alone.

Recall is limited and is not a promise: a rare given name with neither title nor announcing phrase is missed, as is
a name in lower case, in capitals throughout, or split over lines. Precision errs towards masking.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

MASK = "[name]"
MASK_EMAIL = "[email]"
LISTS = Path(__file__).parent
SHORTEST_PART = 3  # letters that a part of a name needs to be masked on its own

_PARTICLE = r"(?:de|da|di|du|del|della|van|von|der|den|bin|bint|ibn|al|el|le|la|ter|O|Mac|Mc|St)"
_WORD = r"[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ]+(?:[A-Z][a-zß-öø-ÿ]+)?(?:['’][A-Z][a-zß-öø-ÿ]+)?"
_PART = rf"(?:(?:[A-Z]['’])?{_WORD}(?:[-‐]{_WORD})*)"
_INITIAL = r"(?:[A-Z]\.?(?=[ A-Z]))"
_NEXT = rf"(?:[ \u00a0]+(?:{_PARTICLE}[ \-])*(?:{_PART}|{_INITIAL}))"
NAME = rf"(?:(?:{_INITIAL}[ \u00a0]*)*(?:{_PARTICLE}[ \-])*{_PART}{_NEXT}{{0,4}})"
FULL_NAME = rf"(?:{_PART}{_NEXT}{{1,4}})"

_TITLE = r"(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Rev|Sir|Dame|Lord|Lady|Doctor|Professor|Reverend|Baroness|Baron|Master)"
_ROLE = (
    r"(?:Baby|Babies|Midwife|Nurse|Sister|Matron|Registrar|Consultant|Paramedic|Judge|Detective|Constable|Officer|"
    r"(?:HM |H\.M\. |His Majesty['’]s |Her Majesty['’]s )?(?:(?:Senior|Area|Assistant|Acting|Deputy) )*Coroner)"
)
TITLED = re.compile(rf"\b{_TITLE}(?:\.|\b)[ \u00a0]*(?:and {_TITLE}\.?[ \u00a0])?({NAME})")
ROLED = re.compile(rf"\b{_ROLE}[ \u00a0]({NAME})")
ANNOUNCED = re.compile(
    r"\b(?:death of|deaths of|inquest (?:of|into|touching)(?: the death of)?|"
    r"(?:[Ss]igned|[Nn]ame|NAME|Deceased|Coroner)(?: by)?:?|[Dd]eceased,|"
    r"(?:his|her|their|the) (?:daughter|son|husband|wife|partner|father|mother|sister|brother|twin|twins|baby)(?:,)?)"
    rf"[ \u00a0]({NAME})"
)
BEFORE = re.compile(
    rf"\b({FULL_NAME})(?=,? (?:\(?aged? \d|was born|died|had died|passed away|"
    r"(?:HM )?(?:Senior|Area|Assistant|Acting) Coroner|HM Coroner|(?:who|and) died))"
)
RUN = re.compile(rf"\b({FULL_NAME})")
ALONE = re.compile(rf"\b({_WORD})\b")
EMAIL = re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b")


class _Words(NamedTuple):
    """The word lists of names/, lower case.

    given: given names common in the UK; ambiguous: those that are also words or places, masked only beside other
    evidence; organisation: words that make a capitalised run an organisation or a report; roles: titles and roles,
    kept; not_names: words that end a name; eponyms: names that name a thing here, masked only after a title.
    """

    given: frozenset[str]
    ambiguous: frozenset[str]
    organisation: frozenset[str]
    roles: frozenset[str]
    not_names: frozenset[str]
    eponyms: frozenset[str]


@cache
def _words() -> _Words:
    return _Words(*(frozenset((LISTS / f"{n}.txt").read_text(encoding="utf-8").split()) for n in _Words._fields))


def mask_names(text: str, known: Iterable[str] = ()) -> str:
    """Mask personal names in a text; `known` are names found elsewhere in the same document."""
    masked = EMAIL.sub(MASK_EMAIL, text)
    spans = _merged(_name_spans(masked))
    parts = {p for start, end in spans for p in _parts(masked[start:end])} | {p for n in known for p in _parts(n)}
    pieces, last = [], 0
    for start, end in spans:
        pieces += [masked[last:start], MASK]
        last = end
    masked = "".join([*pieces, masked[last:]])
    if parts:
        alone = "|".join(re.escape(part) for part in sorted(parts, key=lambda p: (-len(p), p)))
        masked = re.sub(rf"\b(?:{alone})\b(?P<rest>{_NEXT}*)", _mask_part, masked)
    return re.sub(rf"{re.escape(MASK)}(?:[ \-‐]{re.escape(MASK)})+", MASK, masked)


def find_names(text: str) -> list[str]:
    """Find the names in a text, in order, so that a whole document can be masked alike."""
    return [text[start:end] for start, end in _merged(_name_spans(text))]


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _mask_part(match: re.Match[str]) -> str:
    return match.group() if _is_organisation(match.string, match.start(), match.end()) else MASK + match["rest"]


def _name_spans(text: str) -> Iterator[tuple[int, int]]:
    for pattern in (TITLED, ROLED, ANNOUNCED, BEFORE):
        for match in pattern.finditer(text):
            span = _trim(text, *match.span(1))
            if span and pattern is not TITLED and text[slice(*span)].split(maxsplit=1)[0].lower() in _words().eponyms:
                continue
            if span and not (pattern in (ROLED, ANNOUNCED) and _is_organisation(text, *match.span(1))):
                yield span
    yield from _known_given_names(text)


def _known_given_names(text: str) -> Iterator[tuple[int, int]]:
    """Yield a known given name with what follows it, or alone where the word means nothing else."""
    for match in RUN.finditer(text):
        if _is_organisation(text, match.start(), match.end()):
            continue
        words = list(re.finditer(r"\S+", match.group()))
        given = next((w for w in words[:-1] if w.group().lower() in _words().given), None)
        span = _trim(text, match.start() + given.start(), match.end()) if given else None
        if span:
            yield span
    for match in ALONE.finditer(text):
        plain = match.group().lower()
        if plain in _words().given - _words().ambiguous and not _is_organisation(text, match.start(), match.end()):
            yield match.span()


def _trim(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Cut a candidate at the first word that is no name; None where nothing of a name is left."""
    lead = next(
        (w for w in re.finditer(r"\S+", text[start:end]) if w.group().strip(".").lower() not in _words().roles), None
    )
    if lead is None:
        return None
    start += lead.start()
    kept_end, real = start, False
    for word in re.finditer(r"\S+", text[start:end]):
        plain = word.group().strip(".,'’").lower()
        if plain in _words().not_names or (plain in _words().organisation and plain not in {"st", "king", "prince"}):
            if len(plain) == 1 and word.group()[0].isupper() and not real:
                kept_end = start + word.end()
                continue
            break
        real = real or len(plain) > 1
        kept_end = start + word.end()
    return (start, kept_end) if real else None


def _is_organisation(text: str, start: int, end: int) -> bool:
    """Tell whether the capitalised run around [start, end) names an organisation, a place or a report."""
    following = re.match(r"(?:['’]s)?(?:[ \u00a0]+(?:and|of|the|for|&|[A-Z][\w'’]*))*[ \u00a0]*[a-z]*", text[end:])
    before = re.search(r"(?:[A-Z][\w'’.]*[ \u00a0])*$", text[:start])
    near = (before.group() if before else "") + text[start:end] + (following.group() if following else "")
    words = {word.strip(".,").lower().removesuffix("'s").removesuffix("’s") for word in near.split()}
    return bool(
        words & (_words().organisation - {"in", "on", "at", "for", "the", "and", "of", "to", "with", "area", "coroner"})
    )


def _parts(name: str) -> list[str]:
    words = re.findall(r"[^\s.,]+", name)
    return [
        word
        for word in words
        if len(word) >= SHORTEST_PART
        and word[0].isupper()
        and word.lower() not in _words().not_names | _words().organisation
    ]
