"""The same table written in many styles gives the same rows, or a refusal that names cells, for every source.

Every source's own sample is written anew: other separators, decimal and thousands marks, per cent signs, encodings and
forms of dates. PERINATAL_TEST_EXAMPLES=200 for more of them.
"""

import csv
import datetime as dt
import io
import os
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from expectations.columns import NUMBER_TYPES, Column
from ingest.land import header, typed_table
from ingest.land.arriving_file import Arrival
from ingest.land.dates import DateCell, read_days
from ingest.land.unreadable import Unreadable
from ingest.registry import Identity, Source, all_sources
from tests.unit.sources.test_mutations import sample_files

EXAMPLES = int(os.environ.get("PERINATAL_TEST_EXAMPLES", "6"))
NUMBER = re.compile(r"(-?)(\d+|\d{1,3}(?:,\d{3})+)(?:\.(\d+))?(\s*%?(?:<.*|\*)?)")
DAY_FORMS: tuple[Callable[[dt.date], str], ...] = (
    lambda day: day.isoformat(),
    lambda day: f"{day}T00:00:00",
    lambda day: f"{day} 00:00:00",
    lambda day: f"{day:%d/%m/%Y}",
    lambda day: f"{day:%m/%d/%Y}",
    lambda day: f"{day:%d-%b-%y}",
    lambda day: str((day - dt.date(1899, 12, 30)).days),
)


@dataclass(frozen=True)
class Written:
    """How a table is written."""

    separator: str
    decimal: str
    thousands: str
    encoding: str
    day: int

    def number(self, text: str) -> str:
        """Return a plain number in this style; other text stays."""
        found = NUMBER.fullmatch(text.strip())
        if not found:
            return text
        sign, whole, fraction, behind = found.groups()
        whole = whole.replace(",", "")
        grouped = f"{int(whole):,}".replace(",", self.thousands) if self.thousands and whole[0] != "0" else whole
        return f"{sign}{grouped}{self.decimal + fraction if fraction else ''}{behind}"

    def cell(self, column: Column, text: str, days: dict[str, dt.date]) -> str:
        """Return a cell of a column in this style."""
        if column.type == "interval_text":
            return " to ".join(map(self.number, text.split(" to ")))
        if column.type in NUMBER_TYPES:
            return self.number(text)
        return DAY_FORMS[self.day](days[text]) if column.type == "date" and text else text


STYLES = st.builds(
    Written,
    separator=st.sampled_from(",;\t|"),
    decimal=st.sampled_from(".,"),
    thousands=st.sampled_from(["", ",", ".", " ", "\u00a0", "'"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig"]),
    day=st.sampled_from(range(len(DAY_FORMS))),
).filter(lambda style: style.decimal != style.thousands)


def tables_of(source: Source) -> list[tuple[str, bytes]]:
    if not (source.folder / "sample.py").exists():
        return []
    return [(name, content) for name, content in sample_files(source.id) if name.endswith(".csv")]


def text_of(content: bytes) -> str:
    """Return the text of a sample; bare bytes in it are Windows-1252."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252")


def rewritten(content: bytes, columns: tuple[Column, ...], style: Written) -> bytes:
    """Return a table in another style."""
    first, *rows = csv.reader(io.StringIO(text_of(content), newline=""))
    at = {
        place: column
        for column in columns
        for name, place in header.bind(first, columns).items()
        if name == column.name
    }
    days = read_days(
        DateCell(column.name, 0, row[place]) for row in rows for place, column in at.items() if column.type == "date"
    ).of
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=style.separator)
    writer.writerow(first)
    writer.writerows(
        [style.cell(at[place], text, days) if place in at else text for place, text in enumerate(row)] for row in rows
    )
    return out.getvalue().encode(style.encoding)


def read(source: Source, name: str, content: bytes) -> tuple[Identity, list[dict[str, Any]]]:
    """Return what a file is and its typed rows."""
    with tempfile.TemporaryDirectory() as folder:
        file, rows = Path(folder) / "incoming", Path(folder) / "rows.parquet"
        file.write_bytes(content)
        identity, _ = typed_table.typed_rows(file, Arrival(source, name), Path(folder), rows)
        with duckdb.connect() as connection:
            relation = connection.read_parquet(str(rows))
            return identity, [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]


def read_or_refused(source: Source, name: str, content: bytes) -> tuple[Identity, list[dict[str, Any]]] | Unreadable:
    try:
        return read(source, name, content)
    except Unreadable as refusal:
        return refusal


@cache
def clean(source_id: str, place: int) -> tuple[str, bytes, Identity, list[dict[str, Any]]]:
    name, content = tables_of(all_sources()[source_id])[place]
    return name, content, *read(all_sources()[source_id], name, content)


@pytest.mark.parametrize("source_id", sorted(key for key, source in all_sources().items() if tables_of(source)))
def test_the_same_table_in_many_styles(source_id: str) -> None:
    source = all_sources()[source_id]
    seen = []

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(place=st.sampled_from(range(len(tables_of(source)))), style=STYLES)
    def check(place: int, style: Written) -> None:
        name, content, identity, rows = clean(source_id, place)
        found = read_or_refused(source, name, rewritten(content, source.columns[identity.contract], style))
        seen.append("refused" if isinstance(found, Unreadable) else "read")
        if isinstance(found, Unreadable):
            assert found.reason in ("number_style_unknown", "date_order_unknown")
            assert re.search(r"row \d+, .+: '", str(found))
        else:
            assert found == (identity, rows)

    check()
    assert "read" in seen
