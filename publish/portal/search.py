"""What the search finds: local maternity systems, trusts, hospitals, indicators and themes, each with its page."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from publish.portal import wording as words
from publish.portal.lookup import Lookup

EVERYDAY_WORDS = Path(__file__).parent / "everyday_words.csv"


@dataclass(frozen=True)
class Found:
    """One thing that the search finds; `page` is from the root, `about` stands beside the name, `words` is hidden."""

    kind: str
    name: str
    code: str
    page: str
    about: str
    words: str = ""


def sections(lookup: Lookup) -> list[tuple[str, list[Found]]]:
    """Return everything that can be found, by heading; headings without anything are left out."""
    found = [
        ("Local maternity systems", list(_systems(lookup))),
        ("Trusts", list(_trusts(lookup))),
        ("Hospitals", list(_hospitals(lookup))),
        ("Indicators", list(_indicators(lookup))),
        ("Themes", list(_themes(lookup))),
    ]
    return [(heading, entries) for heading, entries in found if entries]


def index(found: Sequence[tuple[str, Sequence[Found]]], *, is_synthetic: bool) -> str:
    """Return the text of `search.json`, from which the search box makes suggestions."""
    shown = ("kind", "name", "code", "page")
    entries = [{name: asdict(entry)[name] for name in shown} for _, entries in found for entry in entries]
    content = {"is_synthetic": is_synthetic, "entries": entries}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def everyday(name: str) -> list[str]:
    """Return the words that people say for what an indicator or theme is called, as everyday_words.csv has them."""
    held = name.lower().replace("’", "'")
    said = (word for part, found in _said() if part in held for word in found if word.lower() not in held)
    return list(dict.fromkeys(said))


@cache
def _said() -> list[tuple[str, tuple[str, ...]]]:
    with EVERYDAY_WORDS.open(encoding="utf-8", newline="") as file:
        return [(row["name_holds"], tuple(row["said"].split("; "))) for row in csv.DictReader(file)]


def _systems(lookup: Lookup) -> Iterator[Found]:
    for row in lookup.edition.lms:
        code = row["lms_code"]
        about = f"local maternity system, {row['region_name']}"
        yield Found("LMS", row["lms_name"], code, f"lms/{words.slug(code)}.html", about, row["icb_name"] or "")


def _trusts(lookup: Lookup) -> Iterator[Found]:
    for row in lookup.edition.trusts.values():
        about = f"trust {row['code']}{', closed' if row['closed_on'] else ''}"
        aliases = " ".join(row["aliases"] or [])
        yield Found("trust", row["name"], row["code"], f"trust/{words.slug(row['code'])}.html", about, aliases)


def _hospitals(lookup: Lookup) -> Iterator[Found]:
    """Yield the places of birth; a hospital has no page of its own and leads to its trust's."""
    for row in lookup.edition.hospitals:
        trust = lookup.edition.trusts.get(row["trust_code"])
        if trust:
            about = f"hospital of {trust['name']}"
            yield Found("hospital", row["name"], row["code"], f"trust/{words.slug(trust['code'])}.html", about)


def _indicators(lookup: Lookup) -> Iterator[Found]:
    for key, row in lookup.edition.indicators.items():
        name = row["indicator_name"]
        hidden = f"{key.replace('_', ' ')} {row.get('programme') or ''}"
        yield Found("indicator", name, key, lookup.indicator_page(key), _about("indicator", name), hidden)


def _themes(lookup: Lookup) -> Iterator[Found]:
    for row in lookup.edition.themes:
        page = f"theme/{words.slug(row['theme_id'])}.html"
        yield Found("theme", row["label"], row["theme_id"], page, _about("theme", row["label"]))


def _about(kind: str, name: str) -> str:
    """Say what an entry is, and the everyday words for it: people find these words on the page without a script."""
    said = everyday(name)
    return f"{kind}: {', '.join(said)}" if said else kind
