"""From a document's lines to findings: sentences, and recommendations whole, with recipient and status.

Pure functions: the lines come from an adapter that knows pages and headings; nothing is read or written here.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

MIN_WORDS = 4  # shorter pieces are labels, page numbers and table cells, not findings
ID_LENGTH = 16
RECOMMENDATION, FINDING = "recommendation", "finding"

# a mark, "3.", "(b)", "iv)", or a section number: "1.2 Trusts" begins an item, "1.5 per cent" does not
BULLET = re.compile(
    r"^\s*(?:[•●▪◦‣·*–—-]|\(?(?:\d{1,3}|[a-zA-Z]|[ivx]{1,4})[.)]|\d{1,2}(?:\.\d{1,2})+\.?(?=\s+[A-Z]))\s+"
)
MARKED = re.compile(
    r"^\s*(?:(?:safety |key |national |local )?(?:recommendation|action|R|SR)\s*"
    r"(?:[A-Z]{1,6}[/-]?)?\d[\w/.-]*\s*[:.–-]?\s+)",
    re.I,
)
RECOMMENDATION_HEADING = re.compile(
    r"\b(?:recommendations?|essential actions?|actions for learning|matters of concern)\b", re.I
)
STATUS = re.compile(
    r"\b(?:status|response(?: received)?|outcome)\s*[:–-]\s*(accepted in principle|accepted in part|partially accepted|"
    r"not accepted|accepted|rejected|completed?|closed|open|in progress|ongoing|no response|responded|superseded)\b",
    re.I,
)
ABBREVIATIONS = re.compile(
    r"(?:\b(?:Dr|Mr|Mrs|Ms|Prof|St|Rev|No|Nos|vs|v|approx|e\.g|i\.e|etc|cf|Fig|para|p|pp|Vol|ed|al|Ltd|[A-Z])\.|^\(?\d{1,3}\.)$"
)
SENTENCE_BREAK = re.compile(r"[.!?][\"'”’)\]]*\s+(?=[\"'“‘(\[]?[A-Z0-9])")
_OPENING = r"NHS|all|every|each|local|national|maternity|neonatal|integrated|acute|ambulance"
_LINKING = (
    r"and|of|for|the|in|all|NHS|with|or|local|maternity|neonatal|care|health|acute|foundation|ambulance|integrated|royal|"
    r"national|services?|trusts?|boards?|systems?|units?|providers?|hospitals?|networks?|colleges?|commissioners|teams?"
)
BODY = rf"(?:[Tt]he )?(?:[A-Z][\w&'’,()/.-]*|{_OPENING})(?: (?:[A-Z][\w&'’()/-]*|{_LINKING})){{0,14}}?"
RECIPIENT = (
    re.compile(rf"\brecommends? (?:that )?({BODY})(?: (?:should|must|to|works?|ensures?|reviews?|develops?|takes?)\b)"),
    re.compile(rf"\brecommended (?:that )?({BODY})(?: (?:should|must|to|works?|ensures?|reviews?|develops?|takes?)\b)"),
    re.compile(rf"^(?:[Tt]herefore,? )?({BODY}) (?:should|must|needs? to|is asked to|are asked to|to (?=[a-z]))"),
)
ADDRESSEE = re.compile(
    r"^\s*(?:addressed to|made to|for action by|action by|responsible(?: organisation| body)?|recipient|owner|to)\s*"
    r"[:–-]\s*(?P<body>[A-Z].{2,120})$",
    re.I,
)
ADDRESSED_HEADING = re.compile(r"\b(?:recommendations?|actions?) (?:for|to) (?P<body>(?:the )?\S.{2,100})$", re.I)
BODY_WORDS = re.compile(
    r"\b(?:trusts?|nhs|department|secretary of state|colleges?|royal|nice|cqc|commission|boards?|systems?|"
    r"lmns|lms|icbs?|services?|hospitals?|units?|providers?|commissioners|network|networks|council|government|ministry|"
    r"association|bapm|rcog|rcm|hssib|hsib|mnsi|mbrrace|england|wales|scotland|ireland|ukhsa|regulators?|teams?|"
    r"authority|authorities|clinicians|midwives|obstetricians|staff)\b",
    re.I,
)


@dataclass(frozen=True)
class Document:
    """What the findings of one document share; `published_on` is YYYY-MM-DD or empty."""

    source: str
    title: str
    url: str
    published_on: str


@dataclass(frozen=True)
class Line:
    """One line of a document with the page (None on web pages) and the heading that it stands under."""

    text: str
    page: int | None = None
    heading: str = ""


@dataclass(frozen=True)
class Finding:
    """One sentence or one whole recommendation; recipient and status are empty where the text gives none."""

    finding_id: str
    source: str
    document_title: str
    document_url: str
    published_on: str
    kind: str
    text: str
    page: int | None
    heading: str
    recipient: str
    status: str


@dataclass(frozen=True)
class _Block:
    """A paragraph or a bullet, with where it began."""

    text: str
    page: int | None
    heading: str


def split_findings(document: Document, lines: Iterable[Line]) -> list[Finding]:
    """Split a document into findings in its order.

    The id is a hash of source, document, text and how often this text came before in the document, so that it
    survives changes elsewhere in the document.
    """
    seen: Counter[str] = Counter()
    findings: list[Finding] = []
    for block in _blocks(lines):
        status = STATUS.search(block.text)
        if status and findings and _words(block.text) <= MIN_WORDS * 2 and findings[-1].kind == RECOMMENDATION:
            findings[-1] = _with_status(findings[-1], status.group(1))
            continue
        addressee = ADDRESSEE.match(block.text)
        if addressee and findings and findings[-1].kind == RECOMMENDATION and BODY_WORDS.search(addressee["body"]):
            findings[-1] = replace(findings[-1], recipient=findings[-1].recipient or addressee["body"].strip(" ."))
            continue
        for kind, text in _pieces(block):
            if _words(text) < MIN_WORDS:
                continue
            findings.append(_finding(document, block, kind, text, seen[text]))
            seen[text] += 1
    return findings


def recipient(text: str) -> str:
    """Whom a recommendation is addressed to, in its own words; empty where it names nobody."""
    for pattern in RECIPIENT:
        match = pattern.search(text)
        if match and BODY_WORDS.search(match.group(1)):
            return re.sub(r"^[Tt]he ", "", match.group(1)).strip(" ,")
    return ""


def _addressed(heading: str) -> str:
    """Return whom a heading addresses: "Recommendations for NHS England"; empty where it names no body."""
    found = ADDRESSED_HEADING.search(heading)
    return re.sub(r"^[Tt]he ", "", found["body"]) if found and BODY_WORDS.search(found["body"]) else ""


def sentences(text: str) -> list[str]:
    """Split a paragraph into sentences; abbreviations, initials and list numbers do not end one."""
    found, start = [], 0
    for match in SENTENCE_BREAK.finditer(text):
        if ABBREVIATIONS.search(text[start : match.start() + 1]):
            continue
        found.append(text[start : match.end()].strip())
        start = match.end()
    found.append(text[start:].strip())
    return [sentence for sentence in found if sentence]


def _pieces(block: _Block) -> Iterator[tuple[str, str]]:
    body = BULLET.sub("", MARKED.sub("", block.text)).strip()
    if MARKED.match(block.text) or (RECOMMENDATION_HEADING.search(block.heading) and _asks(body)):
        yield RECOMMENDATION, body
        return
    for sentence in sentences(body):
        yield (RECOMMENDATION if _asks(sentence) and recipient(sentence) else FINDING), sentence


def _asks(text: str) -> bool:
    return bool(
        re.search(r"\b(?:should|must|recommend(?:s|ed)?|needs? to|to ensure|to review|to consider)\b", text, re.I)
    )


def _finding(document: Document, block: _Block, kind: str, text: str, before: int) -> Finding:
    status = STATUS.search(text)
    return Finding(
        _stable_id(document.source, document.url or document.title, " ".join(text.split()), str(before)),
        document.source,
        document.title,
        document.url,
        document.published_on,
        kind,
        text,
        block.page,
        block.heading,
        recipient(text) or _addressed(block.heading) if kind == RECOMMENDATION else "",
        status.group(1).lower() if status else "",
    )


def _stable_id(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:ID_LENGTH]


def _with_status(finding: Finding, status: str) -> Finding:
    return replace(finding, status=status.lower())


def _words(text: str) -> int:
    return len(re.findall(r"[A-Za-z]+", text))


def _blocks(lines: Iterable[Line]) -> Iterator[_Block]:
    """Join lines into paragraphs.

    A line without letters (blank, a page number) ends one; a bullet, a marker or another heading starts one.
    """
    held: list[Line] = []
    for line in lines:
        starts = any(mark.match(line.text) for mark in (BULLET, MARKED, STATUS, ADDRESSEE))
        has_words = bool(re.search(r"[A-Za-z]", line.text))
        if held and (not has_words or starts or line.heading != held[0].heading):
            yield _joined(held)
            held = []
        if has_words:
            held.append(line)
    if held:
        yield _joined(held)


def _joined(held: list[Line]) -> _Block:
    text = held[0].text.strip()
    for line in held[1:]:
        piece = line.text.strip()
        text = text[:-1] + piece if re.search(r"[a-z]-$", text) and piece[:1].islower() else f"{text} {piece}"
    return _Block(" ".join(text.split()), held[0].page, held[0].heading)
