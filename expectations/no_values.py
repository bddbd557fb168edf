"""What stands for no value in a column: masks and sentinels, by source and column, from the seed `no_value_word`.

A masked cell is a small number that the publisher hides; a missing one is no number, and no zero. Landed tables keep
the words as published; who reads one (the arrival gate, the warehouse) reads it through `without_no_values`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from expectations.columns import NUMBER_TYPES, Column, Meaning, NoValue
from perinatal.settings import PROJECT_ROOT
from perinatal.sql import identifier, literal, names_where

if TYPE_CHECKING:
    import duckdb

SEED = PROJECT_ROOT / "dbt_project" / "seeds" / "reference" / "no_value_word.csv"
MEANINGS: tuple[Meaning, ...] = ("masked", "missing")
# a landed table's column with the words that stood in cells of numbers: "count=[c]; value=*"
WORDS = "cell_words"


@cache
def _seed() -> tuple[dict[str, str], ...]:
    with SEED.open(encoding="utf-8", newline="") as handle:
        return tuple(csv.DictReader(handle))


def with_no_values(source_id: str, columns: Iterable[Column]) -> tuple[Column, ...]:
    """Return the columns of a source with what stands for no value in each."""
    return tuple(replace(column, no_values=_of(source_id, column)) for column in columns)


def _of(source_id: str, column: Column) -> tuple[NoValue, ...]:
    is_number = column.type in NUMBER_TYPES and column.type != "interval_text"
    found = []
    for row in _seed():
        is_named = column.name in row["column_name"].split("|")
        if row["source_id"] in ("*", source_id) and (is_named or (row["column_name"] == "*" and is_number)):
            found.append(_no_value(row))
    return tuple(found)


def _no_value(row: dict[str, str]) -> NoValue:
    meaning: Meaning = "masked" if row["meaning"] == "masked" else "missing"
    if row["word"].startswith("/"):
        return NoValue(meaning, pattern=row["word"].strip("/"), unless=row["unless"])
    words = [word.lower() for word in row["word"].split("|")]
    numbers = tuple(float(word) for word in words if re.fullmatch(r"-?\d+", word))
    return NoValue(meaning, numbers, tuple(words), unless=row["unless"])


def words_of(column: Column) -> tuple[str, ...]:
    """Return the words, in lower case, that may stand in a column's cells in place of a number."""
    return tuple(word for no_value in column.no_values for word in no_value.words)


def is_one_of(text: str, words: Sequence[str]) -> str:
    """Return the SQL of whether a text is one of some lower-case words, whatever its case.

    A search in one text: DuckDB makes a join of each IN, and dozens of them take hundreds of MB.
    """
    if not words:
        return "false"
    return f"contains({literal('|' + '|'.join(words) + '|')}, '|' || lower({text}) || '|')"


def without_no_values(relation: str, columns: Sequence[Column], present: Collection[str]) -> str:
    """Return SQL over a landed relation in which masked and missing cells are NULL.

    `masked_cells` and `missing_cells` name the columns of each row in which they stood (NULL where in none). `present`
    are the columns that the relation has.
    """
    concerned = [column for column in columns if column.no_values and column.name in present]
    stand = {
        column.name: {meaning: _stands(column, meaning, WORDS in present) for meaning in MEANINGS}
        for column in concerned
    }
    numbers = [column.name for column in concerned if column.type in NUMBER_TYPES]
    nulled = [
        f"case when not coalesce({' or '.join(stand[name].values())}, false) then {identifier(name)} end"
        f" as {identifier(name)}"
        for name in numbers
    ]
    replaced = f" replace ({', '.join(nulled)})" if nulled else ""
    lists = ", ".join(
        f"{names_where({name: conditions[meaning] for name, conditions in stand.items()})} as {meaning}_cells"
        for meaning in MEANINGS
    )
    return f"select *{replaced}, {lists} from {relation}"


def columns_with_no_values(
    connection: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[Column], present: Collection[str]
) -> list[Column]:
    """Return the columns of a landed relation in which a masked or missing cell stands at all, found in one pass."""
    concerned = [column for column in columns if column.no_values and column.name in present]
    if not concerned:
        return []
    has_words = WORDS in present
    stand = (" or ".join(_stands(column, meaning, has_words) for meaning in MEANINGS) for column in concerned)
    asked = ", ".join(f"bool_or({condition})" for condition in stand)
    [found] = connection.execute(f"select {asked} from {relation}").fetchall()
    return [column for column, stands in zip(concerned, found, strict=True) if stands]


def _stands(column: Column, meaning: Meaning, has_words: bool) -> str:
    """Return the SQL of whether something of a meaning stands in a cell."""
    name = identifier(column.name)
    conditions = []
    for no_value in column.no_values:
        if no_value.meaning == meaning:
            found = " or ".join(_found(column, name, no_value, has_words))
            conditions.append(f"(({found}) and not coalesce({no_value.unless}, false))" if no_value.unless else found)
    return f"({' or '.join(conditions) or 'false'})"


def _found(column: Column, name: str, no_value: NoValue, has_words: bool) -> list[str]:
    if no_value.pattern:
        return [f"regexp_full_match(lower(trim({name})), {literal(no_value.pattern)}, 's')"]
    if column.type == "number_or_word":
        found = [is_one_of(f"trim({name})", no_value.words)]
        return found + [f"try_cast({name} as double) = {number}" for number in no_value.numbers]
    found = [f"{name} = {number}" for number in no_value.numbers]
    if has_words:
        word = f"regexp_extract({WORDS}, {literal(f'(^|; ){column.name}=([^;]*)')}, 2)"
        found.append(is_one_of(word, no_value.words))
    return found or ["false"]
