"""Noticing new releases: ask a publisher a small question, compare with the last answer, say what is new.

State goes in and comes out as a JSON-ready token that the caller keeps; nothing is stored here. Three kinds:
`fingertips_metadata` (upload date of each indicator), `page` (a web page's main text and the links in it) and
`govuk_content` (the GOV.UK content API). Keep the new token only when all findings were dealt with.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urldefrag, urljoin, urlsplit

from ingest.documents import web_pages as pages
from ingest.fetch.fingertips_api import changed_ids, upload_dates
from ingest.fetch.http import BadResponse, Document, HttpClient, NotModified, Validators
from ingest.fetch.probe_settings import ProbeKind, ProbeSpec

Token = Mapping[str, Any]

MONTH: Final = "(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
VOLATILE: Final = re.compile(
    rf"\b\d{{1,2}}(st|nd|rd|th)?\s+{MONTH},?\s+\d{{4}}\b"
    rf"|\b{MONTH}\s+\d{{1,2}}(st|nd|rd|th)?,?\s+\d{{4}}\b"
    r"|\b\d{4}-\d{2}-\d{2}(t[\d:.]+z?)?\b|\b\d{1,2}/\d{1,2}/\d{2,4}\b|\b\d{1,2}:\d{2}(:\d{2})?\s*([ap]m\b)?"
    r"|\b\d+ (second|minute|hour|day|week|month|year)s? ago\b",
    re.IGNORECASE,
)
REMEDY: Final = "open it in a browser; if the publisher has moved it, correct the probe in source.yml"


@dataclass(frozen=True)
class Finding:
    """Something new: a link (`id` is its address) or an indicator (`id` is its number)."""

    id: str
    title: str
    url: str


@dataclass(frozen=True)
class ProbeResult:
    """What a probe found; `token` (JSON-ready) goes in next time.

    `findings` are new since the last token; a first look, without one, finds everything new. `links` are all the
    links of releases that are there now; `answered` is false where the publisher only said "not modified". `warnings`
    are lines about the config, such as indicators that the publisher does not have.
    """

    changed: bool
    token: dict[str, Any]
    findings: tuple[Finding, ...]
    message: str
    warnings: tuple[str, ...] = ()
    links: tuple[Finding, ...] = ()
    answered: bool = True


def probe(client: HttpClient, spec: ProbeSpec, token: Token | None = None) -> ProbeResult:
    """Ask the publisher and compare with the last token. Raises PublisherUnavailable or BadResponse."""
    last = dict(token or {})
    same_question = last.get("spec") == spec.key
    seen = Validators(last.get("etag"), last.get("last_modified")) if same_question else Validators()
    document = client.read(spec.url, seen)
    if isinstance(document, NotModified):
        return ProbeResult(False, last, (), "nothing new (not modified)", answered=False)
    result = JUDGES[spec.kind](document, spec, last)
    answer = {"spec": spec.key, "etag": document.etag, "last_modified": document.last_modified}
    return replace(result, token=result.token | answer)


def links_of(document: Document, pattern: str) -> tuple[Finding, ...]:
    """Return the links of a web page whose address or title matches, each once."""
    return tuple({link.id: link for link in _links(_parsed(document), document.url, pattern)}.values())


def judge_fingertips(document: Document, spec: ProbeSpec, last: Token) -> ProbeResult:
    """Find the indicators with another upload date than last time."""
    dates = upload_dates(document.content, document.url)
    known: Mapping[str, str] = last.get("dates", {})
    new = changed_ids(spec.indicator_ids, dates, known)
    findings = tuple(Finding(str(id_), f"uploaded {dates[id_] or 'never'}", document.url) for id_ in new)
    unknown = [id_ for id_ in spec.indicator_ids if id_ not in dates]
    names = ", ".join(map(str, unknown))
    warnings = (f"the publisher does not have indicator(s) {names}; correct source.yml",) if unknown else ()
    kept = {str(id_): dates[id_] for id_ in spec.indicator_ids if id_ in dates}
    message = f"{len(new)} of {len(spec.indicator_ids)} indicators have new data" if new else "nothing new"
    return ProbeResult(bool(new), {"dates": kept}, findings, message, warnings)


def judge_page(document: Document, spec: ProbeSpec, last: Token) -> ProbeResult:
    """Compare a page's main text (no menus, dates, times) and find links that were never seen before."""
    tree = _parsed(document)
    links = list(_links(tree, document.url, spec.links)) if spec.links else []
    digest = hashlib.sha256(_main_text(tree, document.url).encode()).hexdigest()
    return _compared("text", digest, links, last)


def judge_govuk(document: Document, spec: ProbeSpec, last: Token) -> ProbeResult:
    """Compare `public_updated_at` and find attachments and documents that were never seen before."""
    try:
        content = json.loads(document.content)
        details, linked = content.get("details") or {}, content.get("links") or {}
        updated = str(content["public_updated_at"])
        found = [(a["title"], a["url"]) for a in details.get("attachments") or []]
        found += [(d["title"], d["base_path"]) for d in linked.get("documents") or []]
        findings = [_link(document.url, str(address), str(title)) for title, address in found]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        what = f"sent no GOV.UK content document ({type(error).__name__}: {error})"
        raise BadResponse(document.url, what, REMEDY, reason="not_content") from None
    wanted = [f for f in findings if _fits(f, spec.links)]
    return _compared("date of the last update", updated, wanted, last)


JUDGES: Final[Mapping[ProbeKind, Callable[[Document, ProbeSpec, Token], ProbeResult]]] = {
    "fingertips_metadata": judge_fingertips,
    "page": judge_page,
    "govuk_content": judge_govuk,
}


def _compared(name: str, content: str, links: list[Finding], last: Token) -> ProbeResult:
    """Compare content and links with the last token. A link that goes and comes back is not new."""
    known = set(last.get("links", []))
    new = tuple({link.id: link for link in reversed(links) if link.id not in known}.values())[::-1]
    moved = content != last.get("content")
    token = {"content": content, "links": sorted(known | {link.id for link in links})}
    if "content" not in last:
        message = f"first look: {len(new)} links"
    elif new:
        message = f"{len(new)} new: {', '.join(f'{link.title} <{link.url}>' for link in new[:3])}"
    else:
        message = f"no new link, but the {name} has changed" if moved else "nothing new"
    return ProbeResult(moved or bool(new), token, new, message, links=tuple({link.id: link for link in links}.values()))


def _parsed(document: Document) -> Any:
    """Parse a web page. Raises BadResponse where it is none."""
    if not re.search(rb"<\s*(!doctype html|html|head|body|main|div|p)\b", document.content[:4096], re.IGNORECASE):
        raise BadResponse(document.url, "sent no web page", REMEDY, reason="not_a_page")
    declared = re.search(r"charset=\"?([\w-]+)", document.content_type)
    try:
        return pages.parsed(document.content, declared[1] if declared else None)
    except ValueError as error:
        what = f"sent a page that cannot be read ({error})"
        raise BadResponse(document.url, what, REMEDY, reason="not_a_page") from None


def _main_text(tree: Any, url: str) -> str:
    """Return the main text in one line, without menus, dates and times. Changes `tree`."""
    text = " ".join(VOLATILE.sub(" ", " ".join(pages.main_of(tree).xpath(".//text()"))).split())
    if not text:
        raise BadResponse(url, "sent a page without text", REMEDY, reason="empty_page")
    return text


def _links(tree: Any, base: str, pattern: str) -> Iterator[Finding]:
    """Yield the links of the whole page whose address or title matches, without fragments."""
    for anchor in tree.xpath("//a[@href]"):
        try:
            link = _link(base, anchor.get("href"), " ".join(anchor.text_content().split()))
        except ValueError:
            continue
        if urlsplit(link.url).scheme in {"http", "https"} and _fits(link, pattern):
            yield link


def _link(base: str, address: str, title: str) -> Finding:
    """Return a link; both pages and the content API give some addresses as paths on their site."""
    url = urldefrag(urljoin(base, address.strip())).url
    return Finding(url, title or url, url)


def _fits(link: Finding, pattern: str) -> bool:
    return bool(re.search(pattern, link.url) or re.search(pattern, link.title))
