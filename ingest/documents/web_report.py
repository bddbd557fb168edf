"""A report that is a web page: its title, address, day, and the passages of its main part with their headings."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from ingest.documents import web_pages
from ingest.documents.passages import Passage, Report
from ingest.land.template import iso_date
from ingest.land.unreadable import Unreadable
from perinatal.printable import one_line

LARGEST_PAGE: Final = 32 << 20  # bytes of a web page
MONTHS: Final = "January|February|March|April|May|June|July|August|September|October|November|December"
DAY_IN_WORDS: Final = re.compile(rf"\b(?P<day>\d{{1,2}})(st|nd|rd|th)?\s+(?P<month>{MONTHS})\s+(?P<year>20\d\d)\b")


def read_web_report(path: Path) -> Report:
    """Read a web page: its title, address, day and the passages of its main part."""
    if path.stat().st_size > LARGEST_PAGE:
        raise Unreadable("too_large", f"{path.name}: a web page of more than {LARGEST_PAGE:,} bytes")
    content = path.read_bytes()
    try:
        tree = web_pages.parsed(content, _encoding(content))
    except ValueError as error:
        raise Unreadable("not_a_page", f"{path.name}: cannot be read as a web page ({error})") from None
    url = _first(tree, "//link[@rel='canonical']/@href", "//meta[@property='og:url']/@content")
    published_on = _page_day(tree)
    main = web_pages.main_of(tree)
    title = _first(tree, "//h1", "//title") or path.name
    web = url if url and re.fullmatch(r"https?://\S+", url) else None
    return Report(title, web, published_on, tuple(_html_passages(main)))


def _encoding(content: bytes) -> str | None:
    """Return UTF-8 where the page is that, else None: the parser then goes by what the page declares."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return "utf-8"


def _first(tree: Any, *paths: str) -> str | None:
    for path in paths:
        for found in tree.xpath(path):
            text = one_line(found if isinstance(found, str) else found.text_content())
            if text:
                return text
    return None


def _page_day(tree: Any) -> str | None:
    """Return the day of publication from the page's metadata, else from "Published 26 January 2023"."""
    paths = ("//meta[@property='article:published_time']/@content", "//time/@datetime", "//time")
    for path in paths:
        text = _first(tree, path)
        day = text and (iso_date(text[:10]) or _day_in_words(text))
        if day:
            return day
    text = one_line(tree.text_content())
    written = re.search(rf"published:?\s+(on\s+)?({DAY_IN_WORDS.pattern})", text, re.IGNORECASE)
    return _day_in_words(written[0]) if written else None


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
            headings[level] = one_line(element.text_content())
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
    return one_line(own.text_content())
