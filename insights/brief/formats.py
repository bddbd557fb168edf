"""Numbers, dates and lists as the briefing says them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from perinatal.periods import in_words

LONGEST_ADDRESS = 60
LONGEST_ACRONYM = 7  # MBRRACE
WEB = re.compile(r"https?://[^\s;,)*…<>\"']+")


def value(number: float | None, unit: str | None) -> str:
    """Say a number with its unit: 3.80 per 1,000, 7.8%; a dash for none."""
    if number is None:
        return "–"
    if unit == "%":
        return f"{number:.1f}%"
    if unit and unit.startswith("per "):
        return f"{number:.2f} {unit}"
    return f"{number:,.0f}" if number == round(number) else f"{number:,.1f}"


def listed(names: Sequence[str], most: int = 6) -> str:
    """Say a list in words, cut after `most`."""
    shown = list(names[:most])
    if len(names) > most:
        shown.append(f"{len(names) - most} more")
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def short(text: str | None, most: int) -> str:
    """Cut a text at a word after `most` characters."""
    plain = " ".join((text or "").split())
    return plain if len(plain) <= most else plain[:most].rsplit(" ", 1)[0].rstrip(",;:. ") + " …"


def trend(word: str | None) -> str:
    """Say a trend in a narrow column; a dash where it could not be asked."""
    return {"no significant change": "no clear change", "cannot be calculated": "–"}.get(word or "", word or "–")


def period(row: dict[str, Any]) -> str:
    """Say the period of a row; a dash for none."""
    label = row["period_label"]
    return in_words(label, row["period_end"], row.get("months_covered")) if label else "–"


def address(url: str) -> str:
    """Write an address as it can be printed: whole where it is short, else the site (the link holds the rest)."""
    plain = url.removeprefix("https://").removeprefix("http://").removeprefix("www.").rstrip("/")
    return plain if len(plain) <= LONGEST_ADDRESS else plain.split("/", 1)[0] + "/…"


def source_name(source: str) -> str:
    """Write a source's id as people know it (MBRRACE, NMPA, Fingertips); the name of a publisher stays."""
    if re.fullmatch(r"[a-z]+(_[a-z]+)*", source):
        return source.upper() if len(source) <= LONGEST_ACRONYM else source.replace("_", " ").capitalize()
    return source


def trust(name: str) -> str:
    """Shorten a trust's name by what nearly all have in common."""
    return re.sub(r" (?:University )?(?:Hospitals? )?NHS (?:Foundation )?Trust$", "", name)


def links(text: str | None) -> list[tuple[str, str]]:
    """Find the web addresses in a text: (address, site). What is no http address gives none."""
    found = []
    for address in WEB.findall(text or ""):
        site = urlsplit(address).hostname
        if site and not address.endswith(".."):  # noted with an ellipsis: no whole address
            found.append((address.rstrip("."), site.removeprefix("www.")))
    return found


def label(word: str | None) -> str:
    """Turn a word of a vocabulary into plain words: `machine_coded` → machine coded."""
    return (word or "").replace("_", " ")


def day(when: date | None) -> str:
    """Say a day: 1 May 2022."""
    return f"{when.day} {when:%B %Y}" if when else "no date"
