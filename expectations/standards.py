"""A standard: one native expectation as data, with all that a data steward reads of it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from perinatal.errors import PerinatalError

Severity = Literal["block", "warn", "info"]
Dimension = Literal["completeness", "uniqueness", "consistency", "timeliness", "validity", "accuracy"]

ROWS_QUERY = "unexpected_rows_expectation"
COMPOUND = "expect_compound_columns_to_be_unique"
IN_SET = "expect_column_values_to_be_in_set"
# what is asked of a whole column or table, which has no failing rows
WHOLE = (
    "expect_table_",
    "expect_column_to_",
    "expect_column_distinct_",
    "expect_column_proportion_",
    "expect_column_unique_value_count_",
    "expect_column_sum_",
    "expect_column_max_",
    "expect_column_min_",
    "expect_column_mean_",
    "expect_column_median_",
    "expect_column_values_to_be_of_type",
    "expect_column_values_to_be_in_type_list",
)
SAID = ("description", "problem", "remedy")


class Standard(BaseModel):
    """One standard: a native expectation (`type`, `kwargs`, as Great Expectations documents them) and its words.

    `description` says what must hold, `problem` what is wrong where it does not, `why` why that matters, `remedy` what
    to do. `table` is what it is asked of. In YAML, `query` stands for an UnexpectedRowsExpectation: SQL over `{batch}`
    (the table) that gives the rows that fail. Severity `block` stops the release or the edition, `warn` publishes with
    an alert, `info` is a record. Dimensions are those of the Government Data Quality Framework. `needs` names what must
    be there: one of each group "a|b". `blocked_by` is the standard of the release gate that is sure to fail too.
    `shows` are columns that examples show beside what names their row.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    type: str = ROWS_QUERY
    kwargs: dict[str, Any] = Field(default_factory=dict)
    severity: Severity = "block"
    dimension: Dimension = "validity"
    description: str = ""
    problem: str = ""
    why: str = ""
    remedy: str = ""
    owner: str = ""
    affected_marts: tuple[str, ...] = ()
    table: str = "rows"
    needs: str = ""
    reason: str = ""
    blocked_by: str = ""
    shows: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _written_as_query(cls, raw: Any) -> Any:
        if not isinstance(raw, dict) or "query" not in raw:
            return raw
        if raw.get("type", ROWS_QUERY) != ROWS_QUERY or "kwargs" in raw:
            raise ValueError("query stands alone, without type and kwargs")
        rest = {name: value for name, value in raw.items() if name != "query"}
        return {**rest, "kwargs": {"unexpected_rows_query": " ".join(str(raw["query"]).split())}}

    @model_validator(mode="after")
    def _is_whole(self) -> Standard:
        if self.type == ROWS_QUERY and "{batch}" not in self.query:
            raise ValueError("a query must say {batch}, the table that it is asked of")
        if "row_condition" in self.kwargs and not self.type.startswith(WHOLE):
            raise ValueError("row_condition is for expectations on a whole column or table; write a query")
        return self

    @property
    def query(self) -> str:
        """Return the SQL of an UnexpectedRowsExpectation, as written; empty for other types."""
        return str(self.kwargs.get("unexpected_rows_query", ""))

    def is_for(self, at_hand: Iterable[str]) -> bool:
        """Tell whether all that the standard needs is at hand: one of each group "a|b" of `needs`."""
        return all(set(at_hand) & set(group.split("|")) for group in self.needs.split())

    @property
    def tolerates_none(self) -> bool:
        """Tell whether one failing row breaks it, so that where it is met none fails."""
        return not self.type.startswith(WHOLE) and "mostly" not in self.kwargs

    def native_kwargs(self) -> dict[str, Any]:
        """Return the kwargs as the library takes them."""
        if self.type == ROWS_QUERY:
            return {"unexpected_rows_query": query_over("{batch}", self.query.replace("{", "{{").replace("}", "}}"))}
        if "row_condition" in self.kwargs:
            return {"condition_parser": "great_expectations", **self.kwargs}
        return dict(self.kwargs)

    def query_of(self, table: str) -> str:
        """Return the SQL of the failing rows of a table, for an UnexpectedRowsExpectation."""
        return query_over(table, self.query)


def query_over(table: str, query: str) -> str:
    """Return a query in which `{batch}` is a table, wherever it stands: in joins and in `with` too."""
    body = query.replace("{{batch}}", "batch").replace("{batch}", "batch")
    return f"with batch as not materialized (select * from {table}) select * from ({body})"


@cache
def load_standards(path: Path, required: tuple[str, ...] = SAID) -> tuple[Standard, ...]:
    """Read a YAML list of standards. Raises PerinatalError naming file and standard where one is not well said."""
    if not path.exists():
        return ()
    found: dict[str, Standard] = {}
    for raw in yaml.safe_load(path.read_text(encoding="utf-8")) or []:
        standard = _read(path, raw, required)
        if standard.id in found:
            raise PerinatalError(f"{path}: standard {standard.id!r}: stands twice")
        found[standard.id] = standard
    return tuple(found.values())


def _read(path: Path, raw: Any, required: tuple[str, ...]) -> Standard:
    named = raw.get("id") if isinstance(raw, dict) else raw
    try:
        standard = Standard.model_validate(raw)
        missing = [name for name in required if not getattr(standard, name)]
        wrong = f"{' and '.join(missing)} must be said" if missing else ""
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        wrong = f"{where}: {first['msg']}" if where else str(first["msg"])
    if wrong:
        raise PerinatalError(f"{path}: standard {named!r}: {wrong}")
    return standard
