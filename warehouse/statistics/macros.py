"""The dbt project's SQL macros, rendered by plain Jinja without dbt."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import jinja2

MACROS = Path(__file__).resolve().parents[2] / "dbt_project" / "macros"


def render(template: str, **names: Any) -> str:
    """Return the SQL of a Jinja template that may call the project's macros; `names` are its variables."""
    return _environment().from_string(template).render(**names).strip()


@cache
def _environment() -> jinja2.Environment:
    """Return Jinja with every macro as a global name; macros that ask for a model need dbt itself."""
    import jinja2

    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)  # noqa: S701 - SQL, not HTML
    # One text for all files: so a macro finds another by its bare name, as it does in dbt.
    macros = "\n".join(path.read_text(encoding="utf-8") for path in sorted(MACROS.glob("*.sql")))
    environment.globals.update(vars(environment.from_string(macros).module))
    return environment
