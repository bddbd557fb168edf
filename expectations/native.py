"""Native Great Expectations over a table or view of an open DuckDB connection.

`validate` is all that the gates need. Importing this module is cheap; the library is imported by the first validation.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from expectations import messages
from expectations.failing import EXAMPLES, FailingRows, Shown
from expectations.results import Result
from expectations.standards import COMPOUND, IN_SET, ROWS_QUERY, Standard
from perinatal.errors import PerinatalError
from perinatal.sql import identifier, literals

if TYPE_CHECKING:
    import duckdb

GX_SEVERITY = {"block": "critical", "warn": "warning", "info": "info"}


def library() -> Any:
    """Import Great Expectations: quiet, with its telemetry off, and without Spark's client for a server elsewhere.

    Where pyspark is installed without what that client needs, importing it ends some programs, with success (a worker
    of the tests, `python -c`).
    """
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    sys.modules.setdefault("pyspark.sql.connect", None)  # type: ignore[arg-type]  # "not to be imported"
    logging.getLogger("great_expectations").setLevel(logging.CRITICAL)  # before the import, which logs a page
    import great_expectations

    return great_expectations


@contextmanager
def at_hand(wanted: bool) -> Iterator[None]:
    """Import the library meanwhile, where the work inside takes long enough anyway: importing it takes seconds."""
    helper = threading.Thread(target=library) if wanted else None
    if helper:
        helper.start()
    try:
        yield
    finally:
        if helper:
            helper.join()


def everything(columns: Sequence[str]) -> Sequence[str]:
    """Show every column of example rows."""
    return columns


def validate(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    standards: Sequence[Standard],
    *,
    suite: str = "",
    shown: Callable[[Standard], Shown] = lambda _: everything,
) -> list[Result]:
    """Return what the library finds for each standard on a table or view, in the order given.

    `table` may stand in a schema ("marts.theme") and in an attached database. `shown` picks the columns that examples
    may show. The connection stays open and keeps its transaction. Raises PerinatalError, naming each standard, where
    one cannot be evaluated: that is never a verdict.
    """
    if not standards:
        return []
    library()
    from expectations.gx_duckdb import DuckDBDatasource

    names = [column for column in _columns(connection, table) if names_a_row(column)]
    engine = DuckDBDatasource.over(connection).get_execution_engine()
    schema, _, name = table.rpartition(".")
    validator = _validator(engine, _batch(engine, name, schema or None))
    asked = dict(enumerate(standards))
    # where a standard that tolerates no row is met, that says the number of failing rows too
    strict = {number: item for number, item in asked.items() if item.tolerates_none}
    counted = {number: item for number, item in asked.items() if not item.tolerates_none}
    found = _verdicts(validator, table, strict, {"result_format": "BOOLEAN_ONLY"})
    found |= _verdicts(validator, table, counted, {"result_format": "BASIC", "partial_unexpected_count": EXAMPLES})
    rows = validator.get_metric(_row_count())
    # the SQL of failing rows costs as much as the verdict itself, and nearly all standards are met
    failed = {number: item for number, item in asked.items() if not found[number].success}
    found |= _verdicts(validator, table, failed, _result_format(names))
    connection.abort()  # the library reads at most 200 of the failing rows of a query, and leaves the rest unread
    results = []
    for number, standard in asked.items():
        verdict = found[number]
        sql = None if verdict.success else _failing_sql(standard, table, verdict.result)
        failing = FailingRows(connection, sql, shown(standard)) if sql else None
        results.append(_result(suite, standard, verdict, rows, failing))
    return results


def validate_tables(
    connection: duckdb.DuckDBPyConnection,
    standards: Sequence[Standard],
    *,
    suite: str,
    shown: Callable[[Standard], Shown] = lambda _: everything,
) -> list[Result]:
    """Return what the library finds for each standard on the table that it names, in the order given."""
    found: dict[int, Result] = {}
    for table in dict.fromkeys(standard.table for standard in standards):
        places = [place for place, standard in enumerate(standards) if standard.table == table]
        asked = [standards[place] for place in places]
        found |= zip(places, validate(connection, table, asked, suite=suite, shown=shown), strict=True)
    return [found[place] for place in range(len(standards))]


def names_a_row(column: str) -> bool:
    """Tell whether a column says which row it is, of which release and of whom, and nothing else."""
    return column.endswith(("_name", "_code")) or column in ("source_row", "release_key")


def _batch(engine: Any, table: str, schema: str | None) -> Any:
    from great_expectations.core.batch import Batch
    from great_expectations.core.batch_spec import SqlAlchemyDatasourceBatchSpec

    spec = SqlAlchemyDatasourceBatchSpec(table_name=table, schema_name=schema, create_temp_table=False)
    return Batch(data=engine.get_batch_data_and_markers(spec)[0])


def _columns(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    import duckdb

    try:
        return connection.table(table).columns
    except duckdb.Error as error:
        raise PerinatalError(f"{table} cannot be judged: {_line(error)}") from None


def _validator(engine: Any, batch: Any) -> Any:
    from great_expectations.validator.validator import Validator

    validator = Validator(execution_engine=engine, batches=[batch])
    validator.metrics_calculator.show_progress_bars = False
    return validator


def _verdicts(
    validator: Any, table: str, asked: Mapping[int, Standard], result_format: dict[str, Any]
) -> dict[int, Any]:
    """Return the library's verdict on each standard, by its number. Raises PerinatalError where there is none."""
    if not asked:
        return {}
    from expectations.gx_duckdb import less_done_again

    with less_done_again():
        found = validator.graph_validate(
            configurations=[_configuration(item, number) for number, item in asked.items()],
            runtime_configuration={"result_format": result_format},
        )
    by_number = {item.expectation_config.meta["number"]: item for item in found}
    _raise_errors(table, asked, by_number)
    return by_number


def _row_count() -> Any:
    from great_expectations.validator.metric_configuration import MetricConfiguration

    return MetricConfiguration("table.row_count", metric_domain_kwargs={})


def _result_format(names: list[str]) -> dict[str, Any]:
    """Ask for counts and for the SQL of the failing rows: the library itself stops at 200 of them."""
    wanted = {
        "result_format": "COMPLETE",
        "partial_unexpected_count": EXAMPLES,
        "include_unexpected_rows": False,
        "return_unexpected_index_query": True,
    }
    return wanted | ({"unexpected_index_column_names": names} if names else {})


def _configuration(item: Standard, number: int) -> Any:
    """Return the library's record of an expectation; `number` finds its result again, which comes in another order."""
    from great_expectations.exceptions import GreatExpectationsError
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    configuration = ExpectationConfiguration(
        type=item.type,
        kwargs=item.native_kwargs(),
        severity=GX_SEVERITY[item.severity],
        description=item.description or None,
        meta={"number": number},
    )
    try:
        configuration.to_domain_obj()
    except (GreatExpectationsError, ValueError, TypeError) as error:
        raise PerinatalError(f"{_named(item)}: {_line(error)}") from None
    return configuration


def _named(item: Standard) -> str:
    return f"standard {item.id} ({item.type} {item.kwargs})"


def _line(message: object) -> str:
    """Return a message in one line, without the SQL that SQLAlchemy adds to it."""
    return " ".join(str(message).split("\n[SQL:")[0].split())


def _raise_errors(table: str, asked: Mapping[int, Standard], results: Mapping[int, Any]) -> None:
    wrong = []
    for number, item in asked.items():
        reason = _reason(results[number]) if number in results else "no result"
        if reason:
            wrong.append(f"{_named(item)}: {reason}")
    if wrong:
        raise PerinatalError(f"{table} cannot be judged: " + "; ".join(wrong))


def _reason(result: Any) -> str | None:
    """Return why an expectation was not evaluated, or None. The library keys reasons by metric where it knows it."""
    given = result.exception_info or {}
    infos = [given] if "raised_exception" in given else list(given.values())
    return next((_line(info["exception_message"]) for info in infos if info["raised_exception"]), None)


def _failing_sql(standard: Standard, table: str, found: dict[str, Any]) -> str | None:
    """Return the SQL of the failing rows; None for what is asked of a whole column or table."""
    if standard.type == ROWS_QUERY:
        return standard.query_of(table)
    if standard.type == COMPOUND:
        key = ", ".join(map(identifier, standard.kwargs["column_list"]))
        return f"select * from {table} qualify count(*) over (partition by {key}) > 1"
    if standard.type == IN_SET:  # the library leaves placeholders ($1) in its SQL where the set holds such numbers
        column = identifier(standard.kwargs["column"])
        return f"select * from {table} where {column} not in ({literals(standard.kwargs['value_set'])})"
    return found["unexpected_index_query"].rstrip(";") if found.get("unexpected_index_query") else None


def _result(suite: str, standard: Standard, verdict: Any, rows: int, failing: FailingRows | None) -> Result:
    found = verdict.result
    count, observed = found.get("unexpected_count"), found.get("observed_value")
    if standard.type == ROWS_QUERY:
        count, observed = observed, None
    if verdict.success and standard.tolerates_none:
        count = 0
    releases = failing.releases() if failing else {}
    if failing:
        message = messages.of_rows(standard, failing, int(count or 0), rows)
    else:
        message = standard.description if verdict.success else messages.of_number(standard, observed)
    return Result(
        suite=suite,
        rule=standard.id,
        expectation=standard.type,
        kwargs=standard.kwargs,
        severity=standard.severity,
        dimension=standard.dimension,
        success=bool(verdict.success),
        observed=_number(observed if count is None else count),
        minimum=_number(standard.kwargs.get("min_value")),
        maximum=_number(standard.kwargs.get("max_value")),
        element_count=rows,
        unexpected_count=count,
        unexpected_percent=_percent(count, found, rows),
        message=message,
        description=standard.description,
        why=standard.why,
        remedy=standard.remedy,
        owner=standard.owner,
        affected_marts=list(standard.affected_marts),
        sample_rows=failing.examples if failing else [],
        release_key=next(iter(releases)) if len(releases) == 1 else None,
        affected_lms=failing.affected_lms() if failing else [],
        releases=releases,
        source_rows=failing.source_rows() if failing and standard.severity == "warn" else [],
    )


def _percent(count: int | None, found: dict[str, Any], rows: int) -> float | None:
    if count is None:
        return None
    given = found.get("unexpected_percent")
    return float(given if given is not None else 100 * count / rows if rows else 0)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None
