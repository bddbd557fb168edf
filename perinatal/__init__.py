"""Perinatal Insights: settings, command line and the order of the steps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perinatal.reading import Connection

__all__ = ["connect"]


def connect(home: str | Path | None = None) -> Connection:
    """Open the current edition read-only; it follows when a new edition is published.

    `home` is the state folder; else the setting `PERINATAL_HOME`.

    >>> import perinatal
    >>> edition = perinatal.connect()
    >>> edition.sql("select lms_name, value from marts.lms_indicator where indicator_id = 'stillbirth_rate'").df()
    """
    from perinatal.reading import Connection

    return Connection(Path(home).expanduser().absolute() if home is not None else None)
