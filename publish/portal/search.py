"""The search index: every LMS, trust, indicator and theme with the page about it."""

from __future__ import annotations

import json
from collections.abc import Iterator

from publish.portal import wording as words
from publish.portal.lookup import Lookup
from publish.portal.model import Record


def index(lookup: Lookup) -> str:
    """Return the text of `search.json`, which the page's script reads."""
    return json.dumps(list(_entries(lookup)), ensure_ascii=False, separators=(",", ":"))


def _entries(lookup: Lookup) -> Iterator[Record]:
    edition = lookup.edition
    for row in edition.lms:
        yield _entry("LMS", row["lms_name"], row["lms_code"], f"lms/{words.slug(row['lms_code'])}.html")
    for row in edition.trusts.values():
        yield _entry("trust", row["name"], row["code"], f"trust/{words.slug(row['code'])}.html")
    for key, row in edition.indicators.items():
        yield _entry("indicator", row["indicator_name"], key, lookup.indicator_page(key))
    for row in edition.themes:
        yield _entry("theme", row["label"], row["theme_id"], f"theme/{words.slug(row['theme_id'])}.html")


def _entry(kind: str, name: str, code: str, page: str) -> Record:
    return {"kind": kind, "name": name, "code": code, "page": page}
