"""The briefing: two printed pages from the current edition on one theme, for one LMS or on all; the national report.

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

from insights.brief import content, national
from insights.brief import formats as words
from perinatal import charts
from perinatal.durable import write_atomically
from perinatal.errors import PerinatalError

FOLDER = Path(__file__).parent


def write(database: Path, out: Path, *, theme: str | None = None, lms: str | None = None) -> None:
    """Write the briefing of an edition to `out`. Raises PerinatalError on an unknown theme or LMS."""
    with duckdb.connect(str(database), read_only=True) as connection:
        page = content.page(content.Asked(connection, theme, lms), _facts(database))
    _write(out, render(page))


def write_national(database: Path, out: Path) -> None:
    """Write the national report of an edition to `out`, with what the kept edition before it lacked."""
    facts = _facts(database)
    last = national.edition_before(database)
    if last and _facts(last / database.name)["is_synthetic"] != facts["is_synthetic"]:
        last = None  # invented figures and real ones are not compared
    with duckdb.connect(str(database), read_only=True) as connection:
        page = national.page(content.Asked(connection), facts, last)
    _write(out, render(page, "national.html"))


def _facts(database: Path) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((database.parent / "edition.json").read_text(encoding="utf-8"))
    return facts


def _write(out: Path, text: str) -> None:
    try:
        write_atomically(out.absolute(), text)
    except OSError as error:
        raise PerinatalError(f"{out}: cannot be written ({error.strerror})") from error


def render(page: dict[str, Any], template: str = "brief.html") -> str:
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
    style = _style()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return environment.get_template(template).render(style=Markup(style), style_hash=digest, **page)  # noqa: S704


def _style() -> str:
    """Return our own style and that of the charts."""
    return "".join(path.read_text(encoding="utf-8") for path in (FOLDER / "brief.css", charts.STYLE))
