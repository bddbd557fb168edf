"""YAML files read into typed records: a wrong one is named with its file, its field and what was expected."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from perinatal.errors import PerinatalError

T = TypeVar("T")
WORDS = {"missing": "is missing", "extra_forbidden": "is not a field of this file"}


class Record(BaseModel):
    """A typed record of a YAML file: it cannot be changed, and a field that it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def read_record(path: Path, kind: type[T], **known: object) -> T:
    """Return a YAML file as one record; `known` are fields that the file does not hold. Raises PerinatalError."""
    content = _content(path)
    if not isinstance(content, dict):
        raise PerinatalError(f"{path}: expected fields and values, one a line (`title: …`)")
    return _checked(path, kind, {**content, **known})


def read_records(path: Path, kind: type[T]) -> tuple[T, ...]:
    """Return a YAML file as a list of records. Raises PerinatalError."""
    content = _content(path)
    if not isinstance(content, list):
        raise PerinatalError(f"{path}: expected a list (`- …`)")
    return tuple(_checked(path, kind, item, at=(number,)) for number, item in enumerate(content, start=1))


def _content(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise PerinatalError(f"{path}: {error}") from None


def _checked(path: Path, kind: type[T], content: object, at: tuple[int, ...] = ()) -> T:
    try:
        return TypeAdapter(kind).validate_python(content)
    except ValidationError as error:
        wrong = "; ".join(_line(at + tuple(item["loc"]), item) for item in _items(error))
        raise PerinatalError(f"{path}: {wrong}") from None


def _items(error: ValidationError) -> Iterable[Any]:
    return error.errors(include_url=False)


def _line(where: tuple[int | str, ...], item: dict[str, Any]) -> str:
    """Return field, value and what was expected instead, e.g. `audience 'all': expected 'public' or 'restricted'`."""
    field = ".".join(map(str, where))
    if item["type"] in WORDS:
        return f"{field} {WORDS[item['type']]}"
    shown = f" {item['input']!r}" if isinstance(item["input"], str | int | float) else ""
    says = item["msg"].removeprefix("Value error, ").replace("Input should be", "expected")
    return f"{field}{shown[:80]}: {says}"
