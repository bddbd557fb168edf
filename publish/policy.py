"""What pages may load, as Content-Security-Policy: in the pages themselves and again in the server's answers."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from urllib.parse import quote

PAGES = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'"
)
# Great Expectations' Data Docs hold scripts and styles inside their pages and ask five other hosts for more: the first
# may run, the second may not, wherever the pages are hosted. They read plainly without; only their front page is empty
# without the other hosts' scripts, so that a plain list is put into it.
DATA_DOCS = "default-src 'self' 'unsafe-inline' data:; base-uri 'none'; form-action 'none'"
# Data Docs' marks of a standard met or not come from a font that is kept out: words stand there in its place.
MARKS = "<style>.fa-check-circle::before{content:'Met'}.fa-times::before{content:'Not met'}</style>"


def seal(folder: Path) -> None:
    """Write the policy into every page of Data Docs, and the list of its pages into the front page."""
    front = folder / "index.html"
    text = front.read_text(encoding="utf-8")
    front.write_text(re.sub(r"<body[^>]*>", lambda body: body[0] + _contents(folder), text, count=1), encoding="utf-8")
    for page in folder.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        meta = f'<meta http-equiv="Content-Security-Policy" content="{DATA_DOCS}">'
        page.write_text(text.replace("<head>", f"<head>{meta}{MARKS}", 1), encoding="utf-8")


def _contents(folder: Path) -> str:
    """Return a list of all validations, each with the suite that it was judged by."""
    lines = []
    for page in sorted(folder.glob("validations/**/*.html")):
        suite = page.relative_to(folder / "validations").parts[0]
        validation, expectations = quote(str(page.relative_to(folder))), quote(f"expectations/{suite}.html")
        trend = quote(f"trends/{suite}.html")
        lines.append(
            f'<li><a href="{validation}">{escape(suite)}</a> (<a href="{expectations}">its standards</a>, '
            f'<a href="{trend}">each release</a>)</li>'
        )
    back = '<p><a href="../../portal/quality.html">Data quality</a></p>'
    return f"{back}<h1>Data Docs: what each suite found</h1><ul>{''.join(lines)}</ul>"
