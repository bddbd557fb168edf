"""The contract of one published column: what `columns.csv` says of its type, blanks, range, set and pattern."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

ColumnType = Literal["text", "prose", "integer", "number", "percent", "date", "number_or_word", "interval_text"]
# types that any text has; `prose` is free text, in which names of persons are masked on landing
TEXT_TYPES = ("text", "prose", "number_or_word", "interval_text")
# types that hold numbers, which are read by the number style of the file; the last two stay text, in plain form
NUMBER_TYPES = ("integer", "number", "percent", "number_or_word", "interval_text")
# what spreadsheet programs show in a cell that they could not compute; the last form is LibreOffice's
SPREADSHEET_ERROR_BEGINS: Final = ("#", "Err:")  # what every such error begins with
SPREADSHEET_ERROR: Final = r"#(N/A|REF!|DIV/0!|VALUE!|NAME\?|NUM!|NULL!|SPILL!|CALC!)|Err:\d{3}"
Severity = Literal["block", "warn", "info"]
Meaning = Literal["masked", "missing"]


@dataclass(frozen=True)
class NoValue:
    """Words that mean the same: `numbers` and `words` of a cell, or a `pattern` of a note (of its lower-case text).

    `unless` is SQL over the row: where it holds, the cell has its value.
    """

    meaning: Meaning
    numbers: tuple[float, ...] = ()
    words: tuple[str, ...] = ()
    pattern: str = ""
    unless: str = ""


@dataclass(frozen=True)
class Column:
    """One column of a published file: a row of `columns.csv`.

    `published_names` are all the headers that publishers have used for it over the years, compared without
    case, spaces and punctuation; one between slashes is a regular expression for that plain form, for headers that
    name something of the file (`/comparedto.*percentiles/`). `minimum`/`maximum` bound numbers, `allowed` and
    `pattern` bound text. `no_values` are what stands for no value in it, by the seed `no_value_word`.
    """

    name: str
    published_names: tuple[str, ...]
    type: ColumnType
    required: bool
    nullable: bool
    minimum: float | None
    maximum: float | None
    allowed: tuple[str, ...]
    pattern: str | None
    severity: Severity
    unit: str
    description: str
    no_values: tuple[NoValue, ...] = ()

    @property
    def sql_type(self) -> str:
        """Return the type of this column in landed tables."""
        return {"integer": "bigint", "number": "double", "percent": "double", "date": "date"}.get(self.type, "varchar")

    @property
    def holds_digits(self) -> bool:
        """Tell whether cells are numbers or dates: another one where a digit is lost or added."""
        return self.type in NUMBER_TYPES or self.type == "date"


def header_key(name: str) -> str:
    """Compare headers without case, spaces, punctuation and byte order mark."""
    return re.sub(r"[^a-z0-9.]+", "", name.lower())


def _number(row: dict[str, str], name: str) -> float | None:
    try:
        return float(row[name]) if row[name] else None
    except ValueError:
        raise ValueError(f"{name} {row[name]!r}: expected a number") from None


def choice_of(row: dict[str, Any], name: str, choices: tuple[str, ...]) -> Any:
    """Return one of a few allowed words. Raises ValueError."""
    if row[name] not in choices:
        raise ValueError(f"{name} {row[name]!r}: expected {' or '.join(choices)}")
    return row[name]


def _pattern(row: dict[str, str]) -> str | None:
    try:
        re.compile(row["pattern"])
    except re.error as error:
        raise ValueError(f"pattern {row['pattern']!r}: {error}") from None
    return row["pattern"] or None


def column_of(row: dict[str, str]) -> Column:
    """Return the contract that one row of `columns.csv` states. Raises ValueError."""
    return Column(
        name=row["column"],
        published_names=tuple(row["published_names"].split("|")),
        type=choice_of(row, "type", get_args(ColumnType)),
        required=choice_of(row, "required", ("yes", "no")) == "yes",
        nullable=choice_of(row, "nullable", ("yes", "no")) == "yes",
        minimum=_number(row, "minimum"),
        maximum=_number(row, "maximum"),
        allowed=tuple(row["allowed"].split("|")) if row["allowed"] else (),
        pattern=_pattern(row),
        severity=choice_of(row, "severity", (*get_args(Severity), "")) or "block",
        unit=row["unit"],
        description=row["description"],
    )
