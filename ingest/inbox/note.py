"""The note beside a file in the inbox: `<name>.yml`, which says what the file is where it does not say so itself."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Final

from pydantic import BeforeValidator, model_validator

from ingest.land.arriving_file import FOLDER_NAME, Arrival
from perinatal import dropped_files
from perinatal.errors import PerinatalError
from perinatal.records import Record
from perinatal.yaml_records import read_yaml

SUFFIXES: Final = (".yml", ".yaml")
SIZE_LIMIT: Final = 1 << 16  # bytes
HASH: Final = re.compile(r"[0-9a-f]{12,64}")


def _name(value: object) -> object:
    """Return the name of a dataset or release as text: YAML takes 2023 for a number and 2024-01-01 for a date."""
    if isinstance(value, float):
        raise ValueError(f"{value} may have lost digits; put it in quotes")  # noqa: TRY004 - pydantic reads it
    text = value.isoformat() if isinstance(value, date) else str(value)
    if not FOLDER_NAME.fullmatch(text):
        raise ValueError(f"{text[:80]!r}: use letters, digits and . _ - only")
    return text


def _day(value: object) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f"{str(value)[:80]!r}: expected YYYY-MM-DD") from None


def _hash(value: object) -> str:
    text = str(value).lower()
    if not isinstance(value, str) or not HASH.fullmatch(text):
        raise ValueError(f"{text[:80]!r}: put the first 12 characters of the file's sha256, or all 64, in quotes")
    return text


class Note(Record):
    """What a `.yml` says of one file. `sha256`, or its first characters, says which: others may have its name."""

    dataset: Annotated[str, BeforeValidator(_name)] | None = None
    release: Annotated[str, BeforeValidator(_name)] | None = None
    published_on: Annotated[date, BeforeValidator(_day)] | None = None
    sheet: str | None = None
    sha256: Annotated[str, BeforeValidator(_hash)] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Note:
        if not self.model_fields_set - {"sha256"}:
            raise ValueError(f"says nothing of the file; it may say {', '.join(Note.model_fields)}")
        return self

    def is_of(self, sha256: str) -> bool:
        """Tell whether a file's bytes are those that are meant; a note without `sha256` leaves it open."""
        return self.sha256 is None or sha256.startswith(self.sha256)

    def added_to(self, arrival: Arrival) -> Arrival:
        """Return the arrival with what is said here."""
        day = self.published_on
        published_on = day.isoformat() if day else arrival.published_on
        return replace(arrival, dataset=self.dataset, release=self.release, published_on=published_on, sheet=self.sheet)


def read(path: Path) -> Note:
    """Read the note beside a file. Raises Unusable where it is not a plain file or does not hold what it should."""
    dropped_files.check_incoming(path, path.parent)
    name = dropped_files.usable_name(path.name)
    try:
        return read_yaml(path, Note, limit=SIZE_LIMIT, name=f"the note {name}")
    except PerinatalError as error:
        raise dropped_files.Unusable("bad_note", f"{error}; correct the note") from None
