"""One file a part from one query: each holds its own rows, all of them, in the order that the query gives."""

from pathlib import Path

import duckdb
import pytest

from publish.partition import KEY, Form, write_parts

PARTS, ROWS = 130, 20_000  # more parts than DuckDB keeps open at once


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize("order", ["n", f"{KEY}, n", "n desc"])
def test_rows_stand_in_the_order_of_the_query(form: Form, order: str, tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute(
            f"create table numbers as select i as n, (i * 7919) % {PARTS} as k "
            f"from range({ROWS}) as r(i) order by hash(i)"
        )
        sql = f"select n, n as place, 'part ' || k as {KEY} from numbers order by {order}"
        written = write_parts(connection, sql, lambda key: tmp_path / f"{key}.{form}", form)
        assert len(written) == PARTS
        seen = 0
        for path in written:
            found = [n for (n,) in connection.sql(f"select n from '{path}'").fetchall()]
            assert found == sorted(found, reverse=order.endswith("desc"))
            assert {n * 7919 % PARTS for n in found} == {int(path.stem.removeprefix("part "))}
            seen += len(found)
        assert seen == ROWS


def test_the_key_names_the_file_and_is_not_written(tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        sql = f"select 1 as n, 'a/b c' as {KEY}"
        [path] = write_parts(connection, sql, lambda key: tmp_path / f"{key.replace('/', '-')}.csv")
        assert path.name == "a-b c.csv"
        assert path.read_text() == "n\n1\n"
