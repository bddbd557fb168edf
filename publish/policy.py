"""What pages may load, as Content-Security-Policy: said in the pages themselves and again by the server."""

from __future__ import annotations

from pathlib import Path

PAGES = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'"
)
# Great Expectations' Data Docs hold scripts and styles inside their pages and ask five other hosts for more: the first
# may run, the second may not, wherever the pages are hosted. They read plainly without.
DATA_DOCS = "default-src 'self' 'unsafe-inline' data:; base-uri 'none'; form-action 'none'"


def seal(folder: Path) -> None:
    """Write the policy into every page of Data Docs."""
    for page in folder.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        meta = f'<meta http-equiv="Content-Security-Policy" content="{DATA_DOCS}">'
        page.write_text(text.replace("<head>", f"<head>{meta}", 1), encoding="utf-8")
