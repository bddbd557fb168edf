"""Native Great Expectations over a table or view of an open DuckDB connection.

`validate` is all that the gates need. Importing this module is cheap; the library is imported by the first validation.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from perinatal.errors import PerinatalError

if TYPE_CHECKING:
    import duckdb

EXAMPLES = 5
GX_SEVERITY = {"block": "critical", "warn": "warning", "info": "info"}


@dataclass(frozen=True)
class Expectation:
    """One native expectation: its type and kwargs as the library documents them, and what a steward reads."""

    type: str
    kwargs: Mapping[str, Any]
    severity: str = "block"  # block, warn or info
    id: str | None = None
    description: str | None = None
    notes: str | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Validated:
    """What the library found for one expectation.

    `element_count` counts the rows of the table; `unexpected_percent` (0–100) is of the rows that the expectation looks
    at, which leaves empty cells out. Both, and `unexpected_count`, are None for expectations about a whole column or
    table, which have an `observed` value instead. `examples` are failing rows: a few, by `source_row` where there is
    one. `native` is the library's own result, for Data Docs.
    """

    expectation: Expectation
    success: bool
    element_count: int | None
    unexpected_count: int | None
    unexpected_percent: float | None
    observed: Any
    examples: list[dict[str, Any]]
    native: Any = field(repr=False, compare=False)


def library() -> Any:
    """Import Great Expectations: quiet, and with its telemetry off."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    logging.getLogger("great_expectations").setLevel(logging.CRITICAL)  # before the import, which logs a page
    import great_expectations

    return great_expectations


def validate(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    expectations: Sequence[Expectation],
    schema: str | None = None,
    examples: int = EXAMPLES,
) -> list[Validated]:
    """Return what the library finds for each expectation on a table or view, in the order given.

    `schema` may name an attached database ("candidate.marts"). The connection stays open and keeps its transaction.
    Raises PerinatalError, naming each expectation, where one cannot be evaluated: that is never a verdict.
    """
    if not expectations:
        return []
    library()
    from expectations.gx_duckdb import DuckDBDatasource

    engine = DuckDBDatasource.over(connection).get_execution_engine()
    batch = _batch(engine, table, schema)
    validator = _validator(engine, batch)
    results = validator.graph_validate(
        configurations=[_configuration(item, number) for number, item in enumerate(expectations)],
        runtime_configuration={"result_format": _result_format(examples, _columns(engine, batch, table))},
    )
    by_number = {item.expectation_config.meta["number"]: item for item in results}
    _raise_errors(table, expectations, by_number)
    rows = validator.get_metric(_row_count())
    return [_validated(item, by_number[number], rows, examples) for number, item in enumerate(expectations)]


def _batch(engine: Any, table: str, schema: str | None) -> Any:
    from great_expectations.core.batch import Batch
    from great_expectations.core.batch_spec import SqlAlchemyDatasourceBatchSpec

    spec = SqlAlchemyDatasourceBatchSpec(table_name=table, schema_name=schema, create_temp_table=False)
    return Batch(data=engine.get_batch_data_and_markers(spec)[0])


def _columns(engine: Any, batch: Any, table: str) -> list[str]:
    from sqlalchemy import select
    from sqlalchemy.exc import SQLAlchemyError

    try:
        found = engine.execute_query(select("*").select_from(batch.data.selectable).limit(0))
    except SQLAlchemyError as error:
        raise PerinatalError(f"{table} cannot be judged: {_line(error)}") from None
    return list(found.keys())


def _validator(engine: Any, batch: Any) -> Any:
    from great_expectations.validator.validator import Validator

    validator = Validator(execution_engine=engine, batches=[batch])
    validator.metrics_calculator.show_progress_bars = False
    return validator


def _row_count() -> Any:
    from great_expectations.validator.metric_configuration import MetricConfiguration

    return MetricConfiguration("table.row_count", metric_domain_kwargs={})


def _result_format(examples: int, columns: list[str]) -> dict[str, Any]:
    """Ask for everything: the engine looks up rows only where some fail, and the library stops at 200 of them."""
    wanted = {
        "result_format": "COMPLETE",
        "partial_unexpected_count": examples,
        "include_unexpected_rows": True,
        "return_unexpected_index_query": False,
    }
    return wanted | ({"unexpected_index_column_names": ["source_row"]} if "source_row" in columns else {})


def _configuration(item: Expectation, number: int) -> Any:
    """Return the library's record of an expectation; `number` finds its result again, which comes in another order."""
    from great_expectations.exceptions import GreatExpectationsError
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    configuration = ExpectationConfiguration(
        type=item.type,
        kwargs=dict(item.kwargs),
        severity=GX_SEVERITY[item.severity],
        description=item.description,
        notes=item.notes,
        meta={**item.meta, "number": number},
    )
    try:
        configuration.to_domain_obj()
    except (GreatExpectationsError, ValueError, TypeError) as error:
        raise PerinatalError(f"{_named(item)}: {_line(error)}") from None
    return configuration


def _named(item: Expectation) -> str:
    return f"expectation {item.id or item.type} {dict(item.kwargs)}"


def _line(message: object) -> str:
    """Return a message in one line, without the SQL that SQLAlchemy adds to it."""
    return " ".join(str(message).split("\n[SQL:")[0].split())


def _raise_errors(table: str, expectations: Sequence[Expectation], results: Mapping[int, Any]) -> None:
    wrong = []
    for number, item in enumerate(expectations):
        reason = _reason(results[number]) if number in results else "no result"
        if reason:
            wrong.append(f"{_named(item)}: {reason}")
    if wrong:
        raise PerinatalError(f"{table} cannot be judged: " + "; ".join(wrong))


def _reason(result: Any) -> str | None:
    """Return why an expectation was not evaluated, or None. The library keys reasons by metric where it knows it."""
    told = result.exception_info or {}
    infos = [told] if "raised_exception" in told else list(told.values())
    return next((_line(info["exception_message"]) for info in infos if info["raised_exception"]), None)


def _validated(item: Expectation, result: Any, rows: int, examples: int) -> Validated:
    found = result.result
    failing = found.pop("unexpected_rows", None) or []
    if item.type == "unexpected_rows_expectation":
        failing = found["details"].pop("unexpected_rows")
        found.update(_as_of_rows(found.pop("observed_value"), rows, failing[:examples]))
    return Validated(
        expectation=item,
        success=bool(result.success),
        element_count=found.get("element_count"),
        unexpected_count=found.get("unexpected_count"),
        unexpected_percent=found.get("unexpected_percent"),
        observed=found.get("observed_value"),
        examples=failing[:examples],
        native=result,
    )


def _as_of_rows(count: int, rows: int, examples: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a query's count in the words of other expectations: Data Docs then show its number, share and examples."""
    return {
        "element_count": rows,
        "unexpected_count": count,
        "unexpected_percent": 100 * count / rows if rows else 0.0,
        "partial_unexpected_list": examples,
    }
