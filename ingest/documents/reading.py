"""Reports as findings: the passages of a web page or PDF that are findings, with page and heading, as template CSV.

`ingest/templates/findings/passages.yml` says under which headings, or with which words, a passage is a finding,
recommendation or theme; other passages are left out. `insights.findings` splits them. PDFs are read in a process of
their own, under limits: a hostile one cannot take the run with it.
"""

from __future__ import annotations

import copy
import csv
import itertools
import json
import re
import statistics
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from ingest.documents import findings
from ingest.documents import web_pages as pages
from ingest.land.sniff import Kind, sniff
from ingest.land.template import iso_date
from ingest.land.unreadable import Unreadable
from ingest.registry import TEMPLATES_DIR

RULES: Final = TEMPLATES_DIR / "findings" / "passages.yml"
EXTRACTED_BY: Final = "passages 1"
COLUMNS: Final = (
    "source",
    "document_title",
    "document_url",
    "published_on",
    "kind",
    "text",
    "count",
    "denominator",
    "share",
    "page",
    "heading",
    "recipient",
    "status",
    "extracted_by",
)
LARGEST_PAGE: Final = 32 << 20  # bytes of a web page
PDF_PAGES: Final = 1500
PDF_MEMORY: Final = 2 << 30  # bytes
PDF_SECONDS: Final = 180
MONTHS: Final = "January|February|March|April|May|June|July|August|September|October|November|December"
DAY_IN_WORDS: Final = re.compile(rf"\b(?P<day>\d{{1,2}})(st|nd|rd|th)?\s+(?P<month>{MONTHS})\s+(?P<year>20\d\d)\b")
BULLET: Final = re.compile(r"^\s*([•·▪–*-]|\(?\d{1,2}[.)]|[a-z]\))\s+")
FULL_STOP: Final = (".", "!", "?", ":", ";")


@dataclass(frozen=True)
class Passage:
    """One paragraph or list item. `headings` go from the document's title down to the nearest."""

    text: str
    headings: tuple[str, ...] = ()
    page: int | None = None


@dataclass(frozen=True)
class Document:
    """What was read of a document. `published_on` is an ISO date, None where the document does not say it."""

    title: str
    url: str | None
    published_on: str | None
    passages: tuple[Passage, ...]


@dataclass(frozen=True)
class Rule:
    """One rule of passages.yml: `words` are asked of the text, `headings` of each heading."""

    kind: str
    words: re.Pattern[str] | None
    headings: re.Pattern[str] | None


def findings_csv(path: Path, out: Path, name: str, source_id: str) -> None:
    """Write the findings of a web page or PDF as CSV in the findings template. Raises Unreadable."""
    kind = sniff(path)
    if kind is Kind.HTML:
        document = read_html(path)
    elif kind is Kind.PDF:
        document = read_pdf(path)
    else:
        raise Unreadable("not_a_document", f"{name}: is neither a web page nor a PDF, nor a table")
    document = replace(document, published_on=document.published_on or _day_of(name))
    with out.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, COLUMNS, lineterminator="\n", restval="")
        writer.writeheader()
        writer.writerows(_rows(document, source_id))


def _day_of(name: str) -> str | None:
    """Return the day in a file name: `report-2023-01-26.pdf`."""
    found = re.search(r"(20\d\d-\d\d-\d\d)", name)
    return iso_date(found[1]) if found else None


def _rows(document: Document, source_id: str) -> Iterator[dict[str, Any]]:
    """Yield the findings: a recommendation whole, with recipient and status, other passages sentence by sentence."""
    common = {
        "source": source_id,
        "document_title": document.title,
        "document_url": document.url or "",
        "published_on": document.published_on or "",
        "extracted_by": EXTRACTED_BY,
    }
    about = findings.Document(source_id, document.title, document.url or "", document.published_on or "")
    for kind, passages in itertools.groupby(document.passages, key=kind_of):
        for found in findings.split_findings(about, _lines(passages) if kind else ()):
            yield {
                **common,
                "kind": findings.RECOMMENDATION if found.kind == findings.RECOMMENDATION else kind,
                "text": found.text,
                "page": found.page or "",
                "heading": found.heading,
                "recipient": found.recipient,
                "status": found.status,
            }


def _lines(passages: Iterable[Passage]) -> Iterator[findings.Line]:
    """Yield each passage as a line, a blank line after it: passages are never joined."""
    for passage in passages:
        yield findings.Line(passage.text, passage.page, passage.headings[-1] if passage.headings else "")
        yield findings.Line("", passage.page)


# --- which passages -----------------------------------------------------------------------------------------


@cache
def rules() -> tuple[Rule, ...]:
    """Read passages.yml."""
    return tuple(
        Rule(raw["kind"], _pattern(raw.get("words")), _pattern(raw.get("headings")))
        for raw in yaml.safe_load(RULES.read_text(encoding="utf-8"))
    )


def _pattern(text: str | None) -> re.Pattern[str] | None:
    return re.compile(text, re.IGNORECASE) if text else None


def kind_of(passage: Passage) -> str | None:
    """Return theme, recommendation or finding; None for a passage that is none. Lead-ins are none."""
    if passage.text.endswith(":"):
        return None
    for rule in rules():
        if rule.words and rule.words.search(passage.text):
            return rule.kind
    for heading in reversed(passage.headings):
        for rule in rules():
            if rule.headings and rule.headings.search(heading):
                return None if rule.kind == "none" else rule.kind
    return None


# --- web pages ----------------------------------------------------------------------------------------------


def read_html(path: Path) -> Document:
    """Read a web page: its title, address, day and the passages of its main part."""
    if path.stat().st_size > LARGEST_PAGE:
        raise Unreadable("too_large", f"{path.name}: a web page of more than {LARGEST_PAGE:,} bytes")
    content = path.read_bytes()
    try:
        tree = pages.parsed(content, _encoding(content))
    except ValueError as error:
        raise Unreadable("not_a_page", f"{path.name}: cannot be read as a web page ({error})") from None
    url = _first(tree, "//link[@rel='canonical']/@href", "//meta[@property='og:url']/@content")
    published_on = _page_day(tree)
    main = pages.main_of(tree)
    title = _first(tree, "//h1", "//title") or path.name
    web = url if url and re.fullmatch(r"https?://\S+", url) else None
    return Document(title, web, published_on, tuple(_html_passages(main)))


def _encoding(content: bytes) -> str | None:
    """Return UTF-8 where the page is that, else None: the parser then goes by what the page declares."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return "utf-8"


def _first(tree: Any, *places: str) -> str | None:
    for place in places:
        for found in tree.xpath(place):
            text = _plain(found if isinstance(found, str) else found.text_content())
            if text:
                return text
    return None


def _page_day(tree: Any) -> str | None:
    """Return the day of publication from the page's metadata, else from "Published 26 January 2023"."""
    places = ("//meta[@property='article:published_time']/@content", "//time/@datetime", "//time")
    for place in places:
        text = _first(tree, place)
        day = text and (iso_date(text[:10]) or _day_in_words(text))
        if day:
            return day
    said = re.search(rf"published:?\s+(on\s+)?({DAY_IN_WORDS.pattern})", _plain(tree.text_content()), re.IGNORECASE)
    return _day_in_words(said[0]) if said else None


def _day_in_words(text: str) -> str | None:
    found = DAY_IN_WORDS.search(text)
    if not found:
        return None
    month = MONTHS.split("|").index(found["month"].capitalize()) + 1
    return iso_date(f"{found['year']}-{month:02}-{int(found['day']):02}")


def _html_passages(main: Any) -> Iterator[Passage]:
    """Yield paragraphs and list items in order; a list inside an item gives items of its own."""
    headings: dict[int, str] = {}
    for element in main.iter("h1", "h2", "h3", "h4", "h5", "h6", "p", "li"):
        if element.tag[0] == "h":
            level = int(element.tag[1])
            headings = {known: text for known, text in headings.items() if known < level}
            headings[level] = _plain(element.text_content())
        elif element.tag == "li" or next(element.iterancestors("li"), None) is None:
            text = _own_text(element)
            if text:
                yield Passage(text, tuple(headings.values()))


def _own_text(element: Any) -> str:
    """Return an element's text without that of lists inside it; line breaks and inner blocks part words."""
    own = copy.deepcopy(element)
    for inner in own.xpath(".//ul | .//ol"):
        inner.drop_tree()
    for block in own.iter("br", "p", "div"):
        block.tail = " " + (block.tail or "")
    return _plain(own.text_content())


def _plain(text: str) -> str:
    """Return text in one line, without control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


# --- PDF ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """One printed line: its page, type size and vertical place, in points."""

    text: str
    page: int
    size: float
    top: float
    bottom: float


def read_pdf(path: Path) -> Document:
    """Read a PDF's passages in a child process, within memory and time. Raises Unreadable."""
    damaged = Unreadable("damaged", f"{path.name}: the PDF cannot be read; fetch it again")
    command = [sys.executable, "-m", "ingest.documents.reading", str(path)]
    try:
        child = subprocess.run(command, capture_output=True, timeout=2 * PDF_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise damaged from None
    try:
        answer = json.loads(child.stdout) if child.returncode == 0 else None
    except ValueError:
        answer = None
    if answer is None:
        raise damaged
    lines = [Line(**line) for line in answer["lines"]]
    if not lines:
        raise Unreadable("no_text", f"{path.name}: the PDF has no text (a scan?); enter it by the findings template")
    passages = tuple(pdf_passages(lines))
    title = answer["title"] or next((p.headings[0] for p in passages if p.headings), None) or path.stem
    return Document(title, None, None, passages)


def pdf_passages(lines: list[Line]) -> Iterator[Passage]:
    """Join printed lines to passages: headings are set larger than the body; gaps and bullets part passages."""
    body = statistics.mode(round(line.size, 1) for line in lines for _ in line.text)
    headings: dict[float, str] = {}
    held: list[Line] = []
    for line in lines:
        if line.size > body * 1.12 and len(line.text) < 150:
            yield from _passage(held, headings)
            held = []
            headings = {size: text for size, text in headings.items() if size > line.size + 0.5}
            headings[line.size] = line.text
        else:
            if held and _starts_anew(held[-1], line):
                yield from _passage(held, headings)
                held = []
            held.append(line)
    yield from _passage(held, headings)


def _starts_anew(before: Line, line: Line) -> bool:
    if BULLET.match(line.text):
        return True
    if line.page != before.page:
        return before.text.endswith(FULL_STOP)
    return line.top - before.bottom > 0.8 * before.size


def _passage(lines: list[Line], headings: dict[float, str]) -> Iterator[Passage]:
    text = " ".join(line.text for line in lines)
    text = _plain(BULLET.sub("", re.sub(r"(?<=[a-z])- (?=[a-z])", "", text)))
    if text:
        yield Passage(text, tuple(headings.values()), lines[0].page)


def _printed_lines(pages: Iterable[Any]) -> Iterator[Line]:
    for number, page in enumerate(pages, start=1):
        for found in page.extract_text_lines(return_chars=True):
            text = _plain(found["text"])
            if text and not re.fullmatch(r"(page )?\d{1,4}( of \d+)?", text, re.IGNORECASE):
                size = statistics.median(char["size"] for char in found["chars"])
                yield Line(text, number, float(size), float(found["top"]), float(found["bottom"]))
        page.close()


def _child(path: str) -> None:
    """Read a PDF under limits that hold for this process; prints one JSON document."""
    import resource

    import pdfplumber

    resource.setrlimit(resource.RLIMIT_AS, (PDF_MEMORY, PDF_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (PDF_SECONDS, PDF_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with pdfplumber.open(path) as pdf:
        if len(pdf.pages) > PDF_PAGES:
            raise ValueError(f"more than {PDF_PAGES} pages")
        title = _plain(str((pdf.metadata or {}).get("Title") or ""))
        lines = [asdict(line) for line in _printed_lines(pdf.pages)]
    sys.stdout.write(json.dumps({"title": title, "lines": lines}))


if __name__ == "__main__":
    _child(sys.argv[1])
