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

MASK = "[name]"
MASK_EMAIL = "[email]"
NAMES_FILE = Path(__file__).parent / "given_names.txt"
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
ORGANISATION = frozenset(
    "academy act adult agency ambulance appeal area assembly association authority avenue awareness bay birth board "
    "branch building bureau campaign care centre charity children clinic clinical college commission committee "
    "community company conference coroner coroners council counts county court day department directorate district "
    "division east emergency england enquiry executive fellowship force forum foundation framework friendly fund "
    "general government group guidance health healthcare home hospital hospitals house incentive infirmary initiative "
    "inquiry institute lane led level line list local london loss manager maternity medical medicine memorial midlands "
    "midwifery minister ministry national neonatal network newborn nhs north notification office ombudsman panel "
    "parliament partnership pathway place practice programme project protocol queen quality register regulation report "
    "resolution resuscitation review road royal safety school score scheme scotland service services society south "
    "square standards state strategy street suite surgery system team tool trust trusts unit union university wales "
    "ward week west wing women year king prince princess saint st voices in on at for the and of to with".split()
)
# Given names that are also words, places or surnames of eponyms: masked only beside other evidence.
AMBIGUOUS = frozenset(
    "amber april art ash austin bill blessing chelsea daisy dawn dean faith florence frank georgia gift grace heather "
    "holly hope howard iris ivy jack jade jasmine jordan joy jude june kit lee logan lewis madison mark mason max may "
    "miles morgan pat penny poppy robin rose ross ruby russell scott stewart stanley sydney taylor victoria violet "
    "virginia will".split()
)
LEADING = frozenset(
    "baby babies midwife nurse sister matron registrar consultant paramedic judge detective constable officer hm senior "
    "area assistant acting deputy coroner mr mrs ms miss mx dr prof professor doctor rev sir dame lord lady".split()
)
NOT_NAMES = frozenset(
    "a i an as at after although and because before both but by caesarean christmas council covid csection ctg during "
    "each early english every following for friday from further general group had he her his however if in it its "
    "january february march april may june july august september october november december monday tuesday wednesday "
    "thursday saturday sunday mother mothers my neither no none of on one our parents she since some so staff such "
    "that the their then there these they this those to two was we were what when where which while who why with "
    "woman women you your black asian white british african caribbean muslim led based born deaths died kit blue".split()
)
# Names of people that name a thing in these reports; masked only after a title.
EPONYMS = frozenset(
    "apgar bishop kaiser montgomery kielland kielland's kielland’s mcroberts pinard doppler down down's erb erb's dawes "
    "ockenden kirkup cumberlege".split()
)


@cache
def given_names() -> frozenset[str]:
    """Given names common in the UK, lower case."""
    return frozenset(NAMES_FILE.read_text(encoding="utf-8").split())


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
    """The names found in a text, in order, so that a whole document can be masked alike."""
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
            if span and pattern is not TITLED and text[slice(*span)].split()[0].lower() in EPONYMS:
                continue
            if span and not (pattern in (ROLED, ANNOUNCED) and _is_organisation(text, *match.span(1))):
                yield span
    yield from _known_given_names(text)


def _known_given_names(text: str) -> Iterator[tuple[int, int]]:
    """A known given name with what follows it, or alone where the word means nothing else."""
    for match in RUN.finditer(text):
        if _is_organisation(text, match.start(), match.end()):
            continue
        words = list(re.finditer(r"\S+", match.group()))
        given = next((w for w in words[:-1] if w.group().lower() in given_names()), None)
        span = _trim(text, match.start() + given.start(), match.end()) if given else None
        if span:
            yield span
    for match in ALONE.finditer(text):
        plain = match.group().lower()
        if plain in given_names() - AMBIGUOUS and not _is_organisation(text, match.start(), match.end()):
            yield match.span()


def _trim(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Cut a candidate at the first word that is no name; None where nothing of a name is left."""
    lead = next((w for w in re.finditer(r"\S+", text[start:end]) if w.group().strip(".").lower() not in LEADING), None)
    if lead is None:
        return None
    start += lead.start()
    kept_end, real = start, False
    for word in re.finditer(r"\S+", text[start:end]):
        plain = word.group().strip(".,'’").lower()
        if plain in NOT_NAMES or (plain in ORGANISATION and plain not in {"st", "king", "prince"}):
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
    return bool(words & (ORGANISATION - {"in", "on", "at", "for", "the", "and", "of", "to", "with", "area", "coroner"}))


def _parts(name: str) -> list[str]:
    words = re.findall(r"[^\s.,]+", name)
    return [
        word
        for word in words
        if len(word) >= SHORTEST_PART and word[0].isupper() and word.lower() not in NOT_NAMES | ORGANISATION
    ]
