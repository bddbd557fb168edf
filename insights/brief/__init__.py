"""The briefing: two printed pages from the current edition on one theme, for one LMS or on all; the national report.

One HTML file without scripts or requests; everything from the data is escaped, and a policy in the page forbids what
it does not need.
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from insights.brief import content, national
from insights.brief import formats as words
from perinatal import charts
from perinatal.durable import write_atomically
from perinatal.errors import PerinatalError
from perinatal.made_files import UNNAMED, MadeFiles, Since
from perinatal.opening import open_database

FOLDER = Path(__file__).parent
STYLE = "brief.css"


def write(database: Path, out: Path, *, theme: str | None = None, lms: str | None = None) -> None:
    """Write the briefing of an edition to `out`. Raises PerinatalError on an unknown theme or LMS."""
    with open_database(database, read_only=True) as connection:
        page = content.page(content.Asked(connection, theme, lms), _facts(database))
    _write(out, render(page))


def write_national(database: Path, out: Path) -> None:
    """Write the national report of an edition to `out`, with what the kept edition before it lacked."""
    facts = _facts(database)
    last = national.edition_before(database)
    if last and _facts(last / database.name)["is_synthetic"] != facts["is_synthetic"]:
        last = None  # invented figures and real ones are not compared
    with open_database(database, read_only=True) as connection:
        page = national.page(content.Asked(connection), facts, last)
    _write(out, render(page, "national.html"))


def write_all(database: Path, made: MadeFiles, *, is_synthetic: bool) -> int:
    """Write the briefing of every LMS and theme of an edition and the one on all; returns how many.

    They lie in `brief/` of the edition's downloads, lead back to the portal's pages, and share one stylesheet beside
    them, since the server allows no style inside a page.
    """
    known: dict[tuple[str, str], list[content.Row]] = {}
    made.text(f"brief/{STYLE}", lambda _: _style())
    with open_database(database, read_only=True) as connection:
        systems = connection.execute("select lms_code, lms_name from core.dim_lms order by lms_code").fetchall()
        themes = connection.execute("select theme_id, label from marts.theme order by theme_id").fetchall()
        wanted = [("all", content.Asked(connection, known=known), "theme/index.html", "All themes")]
        wanted += [
            (f"lms-{code}", content.Asked(connection, lms=code, known=known), f"lms/{code}.html", name)
            for code, name in systems
        ]
        wanted += [
            (f"theme-{code}", content.Asked(connection, theme=code, known=known), f"theme/{code}.html", label)
            for code, label in themes
        ]
        for name, asked, back, words_of_page in wanted:
            linked = {"style": STYLE, "back": f"../../portal/{back}", "back_words": f"{words_of_page}: whole page"}
            page = content.page(asked, _as_facts(UNNAMED) | {"is_synthetic": is_synthetic})
            make = partial(_write_linked, page=page, linked=linked)
            made.write(f"brief/{name}.html", made.key(repr((page, linked))), make)
    return len(wanted)


def _write_linked(path: Path, since: Since, *, page: dict[str, Any], linked: dict[str, str]) -> None:
    """Write a briefing of an edition, with the first edition in which it reads so."""
    path.write_text(render(page | content.of_edition(_as_facts(since)), linked=linked), encoding="utf-8")


def _as_facts(since: Since) -> dict[str, Any]:
    return {"edition_id": since.edition_id, "published_at": since.published_at}


def _facts(database: Path) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((database.parent / "edition.json").read_text(encoding="utf-8"))
    return facts


def _write(out: Path, text: str) -> None:
    try:
        write_atomically(out.absolute(), text)
    except OSError as error:
        raise PerinatalError(f"{out}: cannot be written ({error.strerror})") from error


def _style() -> str:
    """Return the stylesheet of briefings and of the charts in them."""
    return (FOLDER / STYLE).read_text(encoding="utf-8") + charts.STYLE.read_text(encoding="utf-8")


def render(page: dict[str, Any], template: str = "brief.html", linked: dict[str, str] | None = None) -> str:
    """Return the page as HTML: whole in itself, or `linked` to a stylesheet beside it and to a page of the portal."""
    style = _style()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    shared = {"style": Markup(style), "style_hash": digest, "linked": linked}  # noqa: S704 - our own stylesheet
    return _environment().get_template(template).render(**shared, **page)


@cache
def _environment() -> Environment:
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
        "period": words.period,
        "trust": words.trust,
        "source_name": words.source_name,
        "address": words.address,
        "day": words.day,
    }
    return environment
