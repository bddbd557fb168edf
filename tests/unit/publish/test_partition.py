"""One file a part from one query: each holds its own rows, all of them, in order; what is the same is taken over."""

from pathlib import Path

import duckdb
import pytest

from perinatal.made_files import MadeFiles, Since, Standing
from publish.partition import KEY, Files, Form, Parts, rows_as

PARTS, ROWS = 130, 20_000
CHANGED = (7, 8)
NOW, BEFORE = Since("now", "2026-11-02T00:00:00+00:00"), Since("before", "2026-11-01T00:00:00+00:00")


def numbers(rows: int = ROWS, parts: int = PARTS) -> duckdb.DuckDBPyConnection:
    """Give `rows` numbers in no order, each in one of the parts."""
    connection = duckdb.connect()
    connection.execute(
        f"create table numbers as select i as n, md5(i::varchar) as word, 'part ' || (i * 7919) % {parts} as {KEY} "
        f"from range({rows}) as r(i) order by hash(i)"
    )
    return connection


def write(connection: duckdb.DuckDBPyConnection, made: MadeFiles, form: Form = "csv", order: str = "n") -> None:
    """Write the parts of the numbers, and the list of what was made."""
    parts = Parts(connection, "select * from numbers", f"{KEY}, {order}")
    parts.write(made, Files(form, lambda key: key, rows_as("n, word")))
    made.close()


def files(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder without its list."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "made_files.csv"}


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize("order", ["n", "n desc"])
def test_rows_stand_in_the_order_of_the_query(form: Form, order: str, tmp_path: Path) -> None:
    with numbers() as connection:
        write(connection, MadeFiles(tmp_path, NOW), form, order)
        written = sorted(tmp_path.glob(f"*.{form}"))
        seen = 0
        for path in (path for path in written if path.name != "made_files.csv"):
            found = [n for (n,) in connection.sql(f"select n from '{path}'").fetchall()]
            assert found == sorted(found, reverse=order.endswith("desc"))
            assert {n * 7919 % PARTS for n in found} == {int(path.stem.removeprefix("part "))}
            seen += len(found)
        assert len(files(tmp_path)) == PARTS
        assert seen == ROWS


def test_rows_of_a_small_table_stand_in_order_too(tmp_path: Path) -> None:
    with numbers(1_400, 44) as connection:  # fewer rows than DuckDB takes at a time
        write(connection, MadeFiles(tmp_path, NOW))
        for path in tmp_path.glob("part *.csv"):
            found = [int(line.split(",")[0]) for line in path.read_text().splitlines()[1:]]
            assert found == sorted(found), path.name
    assert len(files(tmp_path)) == 44


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize("changed", [1, 2])
def test_only_parts_whose_rows_changed_are_made_and_all_are_as_if_made(
    form: Form, changed: int, tmp_path: Path
) -> None:
    with numbers() as connection:
        write(connection, MadeFiles(tmp_path / "before", BEFORE), form)
        changes = [f"update numbers set word = 'other' where n = {CHANGED[0]}"]
        changes += [f"delete from numbers where n = {n}" for n in CHANGED[1:]]
        connection.execute("; ".join(changes[:changed]))
        write(connection, MadeFiles(tmp_path / "now", NOW, Standing(tmp_path / "before")), form)
        write(connection, MadeFiles(tmp_path / "full", NOW, Standing(tmp_path / "before", anew=True)), form)
    assert files(tmp_path / "now") == files(tmp_path / "full")
    assert (tmp_path / "now" / "made_files.csv").read_bytes() == (tmp_path / "full" / "made_files.csv").read_bytes()
    remade = {f"part {n * 7919 % PARTS}.{form}" for n in CHANGED[:changed]}
    for name in files(tmp_path / "now"):
        same = (tmp_path / "now" / name).samefile(tmp_path / "before" / name)
        assert same is (name not in remade), name
        assert not (tmp_path / "full" / name).samefile(tmp_path / "before" / name)


def test_parquet_of_a_part_depends_on_its_rows_alone(tmp_path: Path) -> None:
    rows = 700_000  # more than a row group, and than DuckDB buffers
    with numbers(rows, 5) as connection:
        connection.execute(f"update numbers set {KEY} = 'large' where n < 250000")
        write(connection, MadeFiles(tmp_path / "all", NOW), "parquet")
        connection.execute(f"delete from numbers where {KEY} in ('part 0', 'part 3')")
        write(connection, MadeFiles(tmp_path / "some", NOW), "parquet")
    assert {name: content == files(tmp_path / "all")[name] for name, content in files(tmp_path / "some").items()} == {
        name: True for name in ("large.parquet", "part 1.parquet", "part 2.parquet", "part 4.parquet")
    }


def test_a_column_without_null_in_this_part_alone_is_written_the_same(tmp_path: Path) -> None:
    for name, other in (("with null", "null"), ("without", "'b'")):
        with duckdb.connect() as connection:
            rows = f"select 'a' as word, 'one' as {KEY} union all select {other}, 'two'"
            Parts(connection, rows, f"{KEY}, word").write(
                MadeFiles(tmp_path / name, NOW), Files("parquet", lambda key: key, rows_as("word"))
            )
    assert files(tmp_path / "with null")["one.parquet"] == files(tmp_path / "without")["one.parquet"]


def test_a_number_s_sign_and_a_row_that_is_there_twice_count(tmp_path: Path) -> None:
    with duckdb.connect() as connection:

        def digest(rows: str) -> str:
            parts = Parts(connection, f"select *, 'one' as {KEY} from (values {rows}) as t(x, words)", "x")
            made = MadeFiles(tmp_path / rows, NOW)
            parts.write(made, Files("csv", lambda key: key, rows_as("x")))
            return made.files["one.csv"].key

        rows = ["(0.0::double, ['a'])", "(-0.0::double, ['a'])", "(0.0::double, ['b'])", "(null, ['a'])"]
        assert len({digest(row) for row in [*rows, f"{rows[0]}, {rows[0]}"]}) == 5
        assert digest(f"{rows[0]}, {rows[2]}") == digest(f"{rows[2]}, {rows[0]}")


def test_an_empty_list_is_not_none(tmp_path: Path) -> None:
    """DuckDB gives both the same hash; in a CSV they are written differently."""
    with duckdb.connect() as connection:
        keys = set()
        for words in ("null", "[]", "[null]"):
            rows = f"select {words}::varchar[] as words, 'one' as {KEY}"
            made = MadeFiles(tmp_path / words, NOW)
            Parts(connection, rows, KEY).write(made, Files("csv", lambda key: key, rows_as("words")))
            keys.add(made.files["one.csv"].key)
    assert len(keys) == 3


def test_the_key_names_the_file_and_is_not_written(tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        parts = Parts(connection, f"select 1 as n, 'a/b c' as {KEY} union all select 2, 'd'", KEY)
        named = Files("csv", lambda key: key.replace("/", "-"), rows_as(f"* exclude ({KEY})"))
        parts.write(MadeFiles(tmp_path, NOW), named)
    assert files(tmp_path) == {"a-b c.csv": b"n\n1\n", "d.csv": b"n\n2\n"}


def test_a_file_may_have_several_names_and_no_rows(tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        parts = Parts(connection, f"select 1 as n, 'a' as {KEY}", KEY)
        parts.write(MadeFiles(tmp_path, NOW), Files("csv", {"a": ["one", "two"], "b": ["none"]}, rows_as("n")))
    assert files(tmp_path) == {"one.csv": b"n\n1\n", "two.csv": b"n\n1\n", "none.csv": b"n\n"}
    assert (tmp_path / "one.csv").samefile(tmp_path / "two.csv")


def test_a_file_that_says_its_edition_says_the_first_that_reads_so(tmp_path: Path) -> None:
    def says(folder: str, number: int, since: Since, standing: Standing) -> bytes:
        with duckdb.connect() as connection:
            made = MadeFiles(tmp_path / folder, since, standing)
            parts = Parts(connection, f"select {number} as n, 'a' as {KEY}", KEY)

            def query(key: str, since: Since) -> str:
                return rows_as(f"'{since.edition_id}' as edition, n")(key, since)

            parts.write(made, Files("csv", lambda key: key, query))
            made.close()
            return files(tmp_path / folder)["a.csv"]

    assert says("before", 1, BEFORE, Standing()) == b"edition,n\nbefore,1\n"
    standing = Standing(tmp_path / "before")
    assert says("same", 1, NOW, standing) == b"edition,n\nbefore,1\n"
    assert says("anew", 1, NOW, Standing(tmp_path / "before", anew=True)) == b"edition,n\nbefore,1\n"
    assert says("other", 2, NOW, standing) == b"edition,n\nnow,2\n"
    assert says("other code", 1, NOW, Standing(tmp_path / "before", "other")) == b"edition,n\nnow,1\n"


def test_a_file_is_made_again_where_what_it_shows_beside_its_rows_changed(tmp_path: Path) -> None:
    def write_beside(folder: str, beside: dict[str, str], standing: Standing) -> MadeFiles:
        with duckdb.connect() as connection:
            made = MadeFiles(tmp_path / folder, NOW, standing)
            parts = Parts(connection, f"select 1 as n, unnest(['a', 'b']) as {KEY}", KEY)
            parts.write(made, Files("csv", lambda key: key, rows_as("n"), beside))
            made.close()
            return made

    write_beside("before", {"a": "1", "b": "1"}, Standing())
    assert write_beside("now", {"a": "1", "b": "2"}, Standing(tmp_path / "before")).taken_over == 1
    assert (tmp_path / "now" / "a.csv").samefile(tmp_path / "before" / "a.csv")
    assert not (tmp_path / "now" / "b.csv").samefile(tmp_path / "before" / "b.csv")


def test_kinds_of_files_of_one_part_may_differ_in_which_parts_they_have(tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        parts = Parts(connection, f"select 1 as n, unnest(['a', 'b']) as {KEY}", KEY)
        made = MadeFiles(tmp_path, NOW)
        parts.write(made, Files("csv", {"a": ["only"]}, rows_as("n")), Files("json", lambda key: key, rows_as("n")))
    assert files(tmp_path) == {"only.csv": b"n\n1\n", "a.json": b'{"n":1}\n', "b.json": b'{"n":1}\n'}
