"""Files read into typed records: whatever does not fit is one error that names file, entry and field.

A record is a pydantic model or dataclass. `Record` is the usual base: it cannot be changed once made, and knows every
field that a file may have.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast, get_args, get_origin

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from perinatal.errors import PerinatalError
from perinatal.printable import one_line, printable

T = TypeVar("T")
STRICT = ConfigDict(extra="forbid", frozen=True)


class Record(BaseModel):
    """One record of a file. A field that it does not know is an error."""

    model_config = STRICT


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def record_of(kind: type[T], raw: object, where: str) -> T:
    """Return plain data as the record `kind` (or `list[Model]`). Raises PerinatalError that begins with `where`."""
    try:
        checked: T = _adapter(cast("Hashable", kind)).validate_python(raw)
    except ValidationError as error:
        raise PerinatalError(f"{where}: {problem(kind, raw, error)}") from None
    return checked


def read_json(path: Path, kind: type[T]) -> T:
    """Read a JSON file into a record. Raises PerinatalError that names the file and the field."""
    return json_of(kind, path.read_bytes(), str(path))


def json_of(kind: type[T], content: bytes, where: str) -> T:
    """Return a JSON document as a record. Raises PerinatalError that begins with `where` and names the field."""
    try:
        checked: T = _adapter(cast("Hashable", kind)).validate_json(content)
    except ValidationError as error:
        raise PerinatalError(f"{where}: {problem(kind, None, error)}") from None
    return checked


def problem(kind: Any, raw: object, error: ValidationError) -> str:
    """Return the first thing that is wrong with data, in one line, and how many more there are."""
    first, *others = error.errors(include_url=False, include_context=False)
    location = list(first["loc"])
    entry = ""
    if location and isinstance(location[0], int):
        number = int(location.pop(0))
        entry = f"entry {number + 1}{_named(raw, number)}: "
    what = one_line(first["msg"].removeprefix("Value error, "))[:300]
    if first["type"] == "extra_forbidden":
        known = _fields(kind) if len(location) == 1 else []
        what = "is not a known field" + (f"; there are: {', '.join(known)}" if known else "")
    elif first["type"] == "missing":
        what = "is missing"
    field = f"field {printable('.'.join(map(str, location)))}: " if location else ""
    return f"{entry}{field}{what}" + (f" (and {len(others)} more)" if others else "")


def _named(raw: object, number: int) -> str:
    """Return the id of an entry in brackets, where it has one."""
    entry = raw[number] if isinstance(raw, list) else None
    name = entry.get("id") if isinstance(entry, dict) else None
    return f" ({printable(str(name))})" if name is not None else ""


def _fields(kind: Any) -> list[str]:
    """Return the names of a record's fields, or of the records' in a list."""
    if get_origin(kind) in (list, tuple):
        kind = get_args(kind)[0]
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return [field.alias or name for name, field in kind.model_fields.items()]
    return [field.name for field in dataclasses.fields(kind)] if dataclasses.is_dataclass(kind) else []
