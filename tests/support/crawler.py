"""Follow the links of a portal as a reader would, and find what leads nowhere or has no source."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from lxml import html

LINKS = "//a/@href | //link/@href | //script/@src | //form/@action"


def tree(path: Path) -> html.HtmlElement:
    """Return a page as a tree."""
    return html.fromstring(path.read_bytes())


def crawl(edition: Path) -> tuple[set[Path], list[str]]:
    """Return all files that are reached from the front page, and what is wrong with links on the way.

    `edition` is the folder that is served. Pages of Great Expectations are reached, not followed.
    """
    faults: list[str] = []
    ids: dict[Path, set[str]] = {}
    asked: set[tuple[Path, Path, str]] = set()
    start = (edition / "portal" / "index.html").resolve()
    seen, waiting = {start}, [start]
    while waiting:
        page = waiting.pop()
        found = tree(page)
        ids[page] = set(found.xpath("//@id"))
        for address in found.xpath(LINKS):
            parts = urlsplit(address)
            if parts.scheme:
                faults += [] if parts.scheme in ("http", "https") else [f"{page}: {address}"]
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            if not target.is_relative_to(edition.resolve()) or not target.is_file():
                faults.append(f"{page}: {address} leads nowhere")
                continue
            if parts.fragment:
                asked.add((page, target, parts.fragment))
            if target not in seen:
                seen.add(target)
                if target.suffix == ".html" and "quality" not in target.relative_to(edition.resolve()).parts:
                    waiting.append(target)
    faults += [f"{page}: no #{name} in {target}" for page, target, name in asked if name not in ids.get(target, {name})]
    return seen, faults


def tables_without_csv(page: html.HtmlElement) -> list[str]:
    """Return the tables of a page that have no CSV in their part of the page (from one h2 to the next)."""
    if page.xpath("//div[@class='prose']"):
        return []
    part, tables, csvs = 0, [], set()
    for element in page.xpath("//main")[0].iter():
        if element.tag == "h2":
            part += 1
        elif element.tag == "table":
            tables.append(
                (part, " ".join(element.xpath("string(caption)").split()) or element.getparent().get("aria-label"))
            )
        elif element.tag == "a" and ".csv" in element.get("href", ""):
            csvs.add(part)
    return [name for part, name in tables if part not in csvs]


def values_without_source(page: html.HtmlElement) -> Iterator[str]:
    """Yield the rows that show a value and have no link to a release."""
    for row in page.xpath("//table//tr[.//span[@class='v']]"):
        if not row.xpath(".//a[contains(@href, 'release/')]"):
            yield " ".join(row.text_content().split())
    for figure in page.xpath(
        "//figure[.//svg[starts-with(@class, 'chart')]][not(ancestor::section[@class='ambition'])]"
    ):
        if not figure.xpath(".//a[contains(@href, 'release/')] | self::*[contains(@class, 'wide')]"):
            yield " ".join(figure.xpath("string(figcaption)").split())
