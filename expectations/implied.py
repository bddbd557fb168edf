"""The standards that the header contract implies: what `columns.csv` says of each column, and of the whole table."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from expectations.columns import SPREADSHEET_ERROR, SPREADSHEET_ERROR_BEGINS, TEXT_TYPES, Column
from expectations.standards import ROWS_QUERY, Standard
from perinatal.printable import listed
from perinatal.sql import identifier, literal, names_where

# columns that landing adds to those of the publisher
LINEAGE = ("source_row", "cast_errors", "cell_marks", "cell_words", "masked_cells", "missing_cells")
COMPARE = "Compare the rows with the publisher's page; ask the publisher."


def table_standards(
    columns: Sequence[str], new_columns: Sequence[str], absent_columns: Sequence[str], refuses_malformed: bool
) -> list[Standard]:
    """Return the standards on the table as a whole: it has rows, lines have the header's fields, columns are known.

    `columns` are those that the contract and landing give it.
    """
    new, absent = listed(new_columns), listed(absent_columns)
    return [
        Standard(
            id="has_rows",
            type="expect_table_row_count_to_be_between",
            kwargs={"min_value": 1},
            dimension="completeness",
            description="The file has rows under its header",
            problem="The file has no rows under its header",
            why="There is nothing to show of this release.",
            remedy="Download the file again.",
        ),
        Standard(
            id="columns_are_known",
            type="expect_table_columns_to_match_set",
            kwargs={"column_set": list(columns), "exact_match": True},
            severity="warn",
            dimension="consistency",
            description="The columns are those of the header contract",
            problem=f"New columns, which are kept: {new}" if new else "The columns are not those of the contract",
            why="Nobody has said what they mean, so that they are in no mart.",
            remedy="Say in columns.csv of the source what they mean.",
        ),
        Standard(
            id="lines_have_all_fields",
            table="malformed",
            kwargs={"unexpected_rows_query": "select line, why from {batch}"},
            severity="block" if refuses_malformed else "warn",
            description="Every line has as many fields as the header",
            problem="Lines have more or fewer fields than the header",
            why="These lines cannot be read.",
            remedy="The file may be cut off or damaged: download it again.",
            shows=("line", "why"),
        ),
        Standard(
            id="header_names_no_absent_column",
            table="absent_columns",
            kwargs={"unexpected_rows_query": "select named from {batch}"},
            severity="warn",
            dimension="consistency",
            description="Every column that the header names is in the rows",
            problem=f"Columns of the header that the rows lack: {absent}",
            why="They are read as empty; only optional last columns are concerned.",
            remedy="Nothing to do, unless the figures of these columns are wanted: then ask the publisher.",
        ),
    ]


def column_standards(columns: Iterable[Column], unreadable: Collection[str]) -> list[Standard]:
    """Return the standards on the columns. `unreadable` names those in which a cell is not of its column's type.

    Whether cells could be read is asked of all columns at once; each one is asked where that fails. What names a column
    comes first, since people are told the first breach.
    """
    columns = list(columns)
    found = _texts_are_no_errors(columns)
    for column in columns:
        found += _standards_of(column, is_readable=column.name not in unreadable)
    return [*found, _cells_are_readable()]


def _cells_are_readable() -> Standard:
    return Standard(
        id="cells_have_their_type",
        type="expect_column_values_to_be_null",
        kwargs={"column": "cast_errors"},
        description="Every cell can be read as what its column holds: a number, a date, a percentage",
        problem="Rows have cells that are no number, date or percentage where one belongs",
        why="What cannot be read is empty in every figure.",
        remedy=COMPARE,
        shows=("cast_errors",),
    )


def _texts_are_no_errors(columns: list[Column]) -> list[Standard]:
    """Return the standard that no text is an error of a spreadsheet; such a cell of numbers cannot be read anyway."""
    names = [column.name for column in columns if column.type == "text"]
    if not names:
        return []
    # few texts begin like an error: only those are compared
    suspect = " or ".join(
        f"starts_with({identifier(name)}, {literal(begin)})" for name in names for begin in SPREADSHEET_ERROR_BEGINS
    )
    cells = names_where(
        {name: f"regexp_full_match({identifier(name)}, {literal(SPREADSHEET_ERROR)})" for name in names}
    )
    query = f"select *, {cells} as error_cells from (select * from {{batch}} where {suspect})"
    return [
        Standard(
            id="cells_hold_no_spreadsheet_error",
            kwargs={"unexpected_rows_query": f"select * from ({query}) where error_cells is not null"},
            description="No cell is an error of a spreadsheet, such as #N/A or #REF!",
            problem="Cells are errors of a spreadsheet (#N/A, #REF! …)",
            why="What stood there is lost: an organisation or indicator would have the name of an error.",
            remedy="Put right what the cells are computed from, or download the publisher's own file.",
            shows=("error_cells",),
        )
    ]


def _standards_of(column: Column, *, is_readable: bool) -> list[Standard]:
    parts = [_type(column, is_readable), _filled(column), _range(column), _set(column), _pattern(column)]
    return [standard for standard in parts if standard]


def _type(column: Column, is_readable: bool) -> Standard | None:
    if column.type in TEXT_TYPES or is_readable:
        return None
    query = f"select * from {{batch}} where list_contains(cast_errors, {literal(column.name)})"
    said = {"unexpected_rows_query": query}
    return _of(column, "type", ROWS_QUERY, said, f"is of type {column.type}", f"is no {column.type}")


def _filled(column: Column) -> Standard | None:
    if column.nullable:
        return None
    if column.no_values:
        name = literal(column.name)
        query = (
            f"select * from {{batch}} where {identifier(column.name)} is null "
            f"and not coalesce(list_contains(list_concat(masked_cells, missing_cells), {name}), false)"
        )
        said = {"unexpected_rows_query": query}
        return _of(column, "filled", ROWS_QUERY, said, "is given, or said to be masked or missing", "is empty")
    return _of(column, "filled", "expect_column_values_to_not_be_null", {}, "is given", "is empty")


def _range(column: Column) -> Standard | None:
    bounds = (("min_value", "at least", column.minimum), ("max_value", "at most", column.maximum))
    given = [(key, words, value) for key, words, value in bounds if value is not None]
    if not given:
        return None
    says = " and ".join(f"{words} {value:g}" for _, words, value in given)
    kwargs = {key: value for key, _, value in given}
    return _of(
        column, "range", "expect_column_values_to_be_between", kwargs, f"is {says}", f"is out of its range ({says})"
    )


def _set(column: Column) -> Standard | None:
    if not column.allowed:
        return None
    number = {"bigint": int, "double": float}.get(column.sql_type, str)
    says, kwargs = ", ".join(column.allowed), {"value_set": [number(value) for value in column.allowed]}
    kind = "expect_column_values_to_be_in_set"
    return _of(column, "set", kind, kwargs, f"is one of {says}", f"is something else than {says}")


def _pattern(column: Column) -> Standard | None:
    if not column.pattern:
        return None
    kwargs = {"regex": f"^(?:{column.pattern})$"}
    kind = "expect_column_values_to_match_regex"
    return _of(column, "pattern", kind, kwargs, f"looks like {column.pattern}", f"does not look like {column.pattern}")


def _of(column: Column, part: str, kind: str, kwargs: dict[str, Any], says: str, problem: str) -> Standard:
    """Return one standard on a column: `says` and `problem` are what is said of it."""
    return Standard(
        id=f"{column.name}__{part}",
        type=kind,
        kwargs=kwargs if kind == ROWS_QUERY else {"column": column.name, **kwargs},
        severity="block" if part == "type" else column.severity,
        dimension="completeness" if part == "filled" else "validity",
        description=f"{column.name} {says}",
        problem=f"{column.name} {problem}",
        why=f"The column holds: {column.description}." if column.description else "",
        remedy=COMPARE,
        shows=(column.name,),
    )
