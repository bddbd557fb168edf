"""The briefing: two printed pages from the current edition, national, on one theme, or for one LMS.

One HTML file without scripts or requests; everything from the data is escaped, and a policy in the page forbids what
it does not need.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import duckdb
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from insights.brief import content
from insights.brief import formats as words
from perinatal.durable import write_atomically
from perinatal.errors import PerinatalError

FOLDER = Path(__file__).parent


def write(database: Path, out: Path, *, theme: str | None = None, lms: str | None = None) -> None:
    """Write the briefing of an edition to `out`. Raises PerinatalError on an unknown theme or LMS."""
    facts = json.loads((database.parent / "edition.json").read_text(encoding="utf-8"))
    with duckdb.connect(str(database), read_only=True) as connection:
        page = content.page(content.Asked(connection, theme, lms), facts)
    try:
        write_atomically(out.absolute(), render(page))
    except OSError as error:
        raise PerinatalError(f"{out}: cannot be written ({error.strerror})") from error


def render(page: dict[str, Any]) -> str:
    """Return the page as HTML."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "value": words.value,
        "listed": words.listed,
        "short": words.short,
        "links": words.links,
        "label": words.label,
        "trend": words.trend,
        "trust": words.trust,
        "source_name": words.source_name,
        "address": words.address,
        "day": words.day,
    }
    style = (FOLDER / "brief.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return environment.get_template("brief.html").render(style=Markup(style), style_hash=digest, **page)  # noqa: S704
