"""Great Expectations inside DuckDB: an execution engine and a data source over one open connection.

Importing this module imports the library, which takes seconds: only `expectations.native` does, when it validates.
What the library lacks for DuckDB is registered here for this engine: types by DuckDB's names, regular expressions, and
uniqueness of several columns that takes empty cells as equal and needs little memory.
"""

from __future__ import annotations

import atexit
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy
from great_expectations.compatibility.pydantic import PrivateAttr
from great_expectations.core import id_dict
from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.datasource.fluent import SQLDatasource
from great_expectations.execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations.expectation import Expectation
from great_expectations.expectations.metrics.map_metric_provider import (
    ColumnMapMetricProvider,
    MulticolumnMapMetricProvider,
    column_condition_partial,
    multicolumn_function_partial,
)
from great_expectations.expectations.metrics.metric_provider import metric_value
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider
from great_expectations.validator.metric_configuration import MetricConfiguration

if TYPE_CHECKING:
    import duckdb

PLAIN = (str, int, float, type(None))  # values that JSON has
ROW_METRICS = (".unexpected_values", ".unexpected_index_list", ".unexpected_rows", "unexpected_rows_query.table")


@atexit.register
def _let_go() -> None:
    """Empty duckdb_engine: the library keeps it alive to the end, and DuckDB would report all of itself as leaked."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "duckdb_engine":
            vars(module).clear()


class _Borrowed:
    """A caller's connection as SQLAlchemy wants it: never closed, and no transaction is begun or ended on it."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self.notices: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def cursor(self) -> Any:
        from duckdb_engine import CursorWrapper  # here: the library never lets go of this module, nor of what it holds

        wrapper: Any = self
        return CursorWrapper(self._connection, wrapper)

    def begin(self) -> None:
        """Do nothing: transactions, and the end of the connection, are the caller's."""

    commit = rollback = close = begin


class _TypeNames:
    """A module of types as the library looks for one: each name that DuckDB may give is a class of its own."""

    __name__ = "duckdb"

    @staticmethod
    @cache
    def named(name: str) -> type:
        return type(name, (), {})

    def __getattr__(self, name: str) -> type:
        return self.named(name.upper())


@contextmanager
def less_done_again() -> Iterator[None]:
    """Have the library compose the configuration of each expectation once meanwhile, and convert no plain values.

    It composes it anew each time that it looks up one word of it, about a hundred times for a verdict. And it converts
    the arguments of each metric, to name it, though nearly all are texts and numbers. Together: a third of the gate.
    """
    composed: dict[int, tuple[Any, Any]] = {}
    compose, convert = Expectation.configuration, id_dict.convert_to_json_serializable

    def once(expectation: Any) -> Any:
        if id(expectation) not in composed:
            composed[id(expectation)] = expectation, compose.__get__(expectation)  # kept, so that its id stays its own
        return composed[id(expectation)][1]

    def where_needed(data: dict[str, Any]) -> Any:
        return data if all(isinstance(value, PLAIN) for value in data.values()) else convert(data)

    Expectation.configuration = property(once)
    id_dict.convert_to_json_serializable = where_needed
    try:
        yield
    finally:
        Expectation.configuration = compose
        id_dict.convert_to_json_serializable = convert


class DuckDBExecutionEngine(SqlAlchemyExecutionEngine):
    """The library's SQL engine on one connection, which looks up failing rows only where some were counted."""

    _connection: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.dialect_module = _TypeNames()

    @contextmanager
    def get_connection(self) -> Iterator[Any]:
        """Yield the one connection. It stays open, because results are fetched after this has returned."""
        if self._connection is None:
            self._connection = self.engine.connect()
        yield self._connection

    def resolve_metrics(
        self, metrics_to_resolve: Any, metrics: Any = None, runtime_configuration: Any = None
    ) -> dict[Any, Any]:
        """Return the metrics that can be had: first all counts, then the rows of those counts that are not zero."""
        ready = list(metrics_to_resolve)
        wanted = [item for item in ready if not item.metric_name.endswith(ROW_METRICS)] or ready
        empty: dict[Any, Any] = {item.id: [] for item in wanted if _counted(item, metrics or {}) == 0}
        left = [item for item in wanted if item.id not in empty]
        return {**super().resolve_metrics(left, metrics, runtime_configuration), **empty}


def _counted(metric: Any, metrics: dict[Any, Any]) -> Any:
    """Return how many rows were counted of a metric that looks up rows, or None if that is not known."""
    if not metric.metric_name.endswith(ROW_METRICS):
        return None
    condition = (metric.metric_dependencies or {}).get("unexpected_condition")
    if metric.metric_name == "unexpected_rows_query.table":
        name, of = "unexpected_rows_query.row_count", metric
    elif condition:
        name, of = condition.metric_name.removesuffix(".condition") + ".unexpected_count", condition
    else:
        return None
    return metrics.get(MetricConfiguration(name, of.metric_domain_kwargs, of.metric_value_kwargs).id)


class DuckDBDatasource(SQLDatasource):
    """A data source over an open DuckDB connection, given by `over`."""

    type: Literal["duckdb"] = "duckdb"
    connection_string: str = "duckdb:///:memory:"
    create_temp_table: bool = False
    _connection: Any = PrivateAttr(None)
    _over_connection: Any = PrivateAttr(None)

    @classmethod
    def over(cls, connection: duckdb.DuckDBPyConnection, name: str = "duckdb") -> DuckDBDatasource:
        """Return a data source that reads through this connection and leaves it open."""
        source = cls(name=name)
        source._connection = connection
        return source

    @property
    def execution_engine_type(self) -> Any:
        """The engine that keeps one connection."""
        return DuckDBExecutionEngine

    def test_connection(self, test_assets: bool = True) -> None:  # as the library declares it
        """Do nothing: the connection is open, and a table that is absent is an error of the first query."""

    def _create_engine(self) -> Any:
        return sqlalchemy.create_engine(
            self.connection_string,
            creator=lambda: _Borrowed(self._connection),
            poolclass=sqlalchemy.pool.StaticPool,
        )

    def get_execution_engine(self) -> Any:
        """Return the engine over the connection: one for as long as the data source lives."""
        if self._over_connection is None:
            self._over_connection = DuckDBExecutionEngine(engine=self.get_engine(), create_temp_table=False)
        return self._over_connection


class DuckDBColumnTypes(TableMetricProvider):
    """Columns and their types, by DuckDB's own names ("BIGINT", "DECIMAL(18,3)")."""

    metric_name = "table.column_types"
    value_keys = ("include_nested",)
    default_kwarg_values = {"include_nested": True}  # noqa: RUF012  # as the library declares it

    @metric_value(engine=DuckDBExecutionEngine)
    def _duckdb(cls, execution_engine: Any, metric_domain_kwargs: Any, **_: Any) -> list[dict[str, Any]]:  # noqa: N805
        selectable, _compute, _accessor = execution_engine.get_compute_domain(
            metric_domain_kwargs, domain_type=MetricDomainTypes.TABLE
        )
        sql = selectable.compile(dialect=execution_engine.engine.dialect, compile_kwargs={"literal_binds": True})
        found = execution_engine.execute_query(sqlalchemy.text(f"describe {sql}")).fetchall()
        return [{"name": row[0], "type": _TypeNames.named(row[1].upper())()} for row in found]


def _matches(column: Any, regex: str) -> Any:
    """Return whether a regular expression is found in a value, wherever: anchors are the writer's, as elsewhere."""
    return sqlalchemy.func.regexp_matches(sqlalchemy.cast(column, sqlalchemy.String), regex)


class DuckDBMatchRegex(ColumnMapMetricProvider):
    """`expect_column_values_to_match_regex`."""

    condition_metric_name = "column_values.match_regex"
    condition_value_keys = ("regex",)

    @column_condition_partial(engine=DuckDBExecutionEngine)
    def _duckdb(cls, column: Any, regex: str, **_: Any) -> Any:  # noqa: N805
        return _matches(column, regex)


class DuckDBNotMatchRegex(ColumnMapMetricProvider):
    """`expect_column_values_to_not_match_regex`."""

    condition_metric_name = "column_values.not_match_regex"
    condition_value_keys = ("regex",)

    @column_condition_partial(engine=DuckDBExecutionEngine)
    def _duckdb(cls, column: Any, regex: str, **_: Any) -> Any:  # noqa: N805
        return sqlalchemy.not_(_matches(column, regex))


class DuckDBCompoundCount(MulticolumnMapMetricProvider):
    """How many rows share a row's values in several columns: what `expect_compound_columns_to_be_unique` asks.

    The library joins the table with its own counts by "=", so that rows with an empty cell are lost. Here rows are
    first grouped by a hash; only those whose hash occurs twice are compared in full.
    """

    function_metric_name = "compound_columns.count"

    @multicolumn_function_partial(engine=DuckDBExecutionEngine)
    def _duckdb(cls, column_list: Any, _table: Any, _table_columns: Any, **_: Any) -> Any:  # noqa: N805
        key = sqlalchemy.func.hash(*column_list)
        twice = sqlalchemy.select(key).select_from(_table).group_by(key).having(sqlalchemy.func.count() > 1)
        alike = sqlalchemy.func.count().over(partition_by=column_list).label("_num_rows")
        columns: list[Any] = [sqlalchemy.column(name) for name in _table_columns]
        found = sqlalchemy.select(*columns, alike).select_from(_table).where(key.in_(twice))
        return found.order_by(columns[0]).alias("alike")  # the same examples each time
