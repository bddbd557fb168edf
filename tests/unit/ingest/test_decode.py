"""A table is typed by its contract, in the publisher's order, and nothing is guessed."""

import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import pytest

from ingest.land import content_hash, decode, header, sniff
from ingest.land.decode import Decoded
from ingest.land.unreadable import Unreadable
from ingest.registry import Source
from tests.conftest import REPO

Read = Callable[[bytes], tuple[Decoded, list[dict[str, object]]]]


@pytest.fixture
def read(demo: Source, tmp_path: Path) -> Read:
    """Decode bytes as the demo source's table."""

    def run(content: bytes) -> tuple[Decoded, list[dict[str, object]]]:
        (tmp_path / "in.csv").write_bytes(content)
        target = tmp_path / "rows.parquet"
        decoded = decode.to_parquet(tmp_path / "in.csv", demo, "counts", target, "300MB", 0)
        relation = duckdb.sql(f"from read_parquet('{target}')")
        return decoded, [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]

    return run


def test_columns_get_their_types_and_rows_their_numbers(read: Read) -> None:
    decoded, rows = read(b"Org Code,Events,Rate,Share,Day\nA1,5,1.25,2.70%,2024-01-31\nB2,,-,,31/01/2024\n")
    assert decoded.rows == 2
    assert rows[0] == {
        "source_row": 1,
        "code": "A1",
        "events": 5,
        "rate": 1.25,
        "share": 2.7,
        "day": date(2024, 1, 31),
        "cast_errors": None,
        "cell_words": None,
    }
    assert rows[1] | {"cast_errors": ["rate"], "day": date(2024, 1, 31), "events": None} == rows[1]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7),
        (" 7 ", 7),
        ("7.0", 7),
        ('"1,234"', 1234),
        ("-1", -1),
        ("", None),
        ("  ", None),
    ],
)
def test_whole_numbers(read: Read, text: str, value: int | None) -> None:
    _, [row] = read(f"Code,Events\na,{text}\n".encode())
    assert (row["events"], row["cast_errors"]) == (value, None)


@pytest.mark.parametrize("text", ["7.5", "seven", "nan", "inf", "?", "1 2", "0x10"])
def test_what_is_no_whole_number_is_named_not_guessed(read: Read, text: str) -> None:
    _, [row] = read(f"Code,Events\na,{text}\n".encode())
    assert (row["events"], row["cast_errors"]) == (None, ["events"])


@pytest.mark.parametrize("text", ["*", "[c]", " [X] ", "[low]"])
def test_what_stands_for_no_number_is_kept_as_a_word(read: Read, text: str) -> None:
    _, [row] = read(f"Code,Events\na,{text}\n".encode())
    assert (row["events"], row["cast_errors"], row["cell_words"]) == (None, None, f"events={text.strip()}")


@pytest.mark.parametrize(
    ("column", "text"),
    [("Rate", "nan"), ("Rate", "inf"), ("Rate", "1.2.3"), ("Share", "nan%"), ("Share", "inf"), ("Share", "%")],
)
def test_no_number_that_is_not_finite_gets_in(read: Read, column: str, text: str) -> None:
    _, [row] = read(f"Code,Events,{column}\na,1,{text}\n".encode())
    assert (row[column.lower()], row["cast_errors"]) == (None, [column.lower()])


@pytest.mark.parametrize("text", ["2024-13-01", "31/31/2024", "07-Oct", "4500", "31 Foo 2024"])
def test_what_is_no_date_is_named(read: Read, text: str) -> None:
    _, [row] = read(f"Code,Events,Day\na,1,{text}\n".encode())
    assert (row["day"], row["cast_errors"]) == (None, ["day"])


def test_blank_text_is_null_and_other_text_stands_as_published(read: Read) -> None:
    _, rows = read("Code,Events\n   ,1\n St Mary’s ,2\n".encode())
    assert [row["code"] for row in rows] == [None, " St Mary’s "]


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfCode,Events\na,1\nb,2\n",
        b"Code,Events\r\na,1\r\nb,2\r\n",
        b"Code,Events\na,1\nb,2",
        b"Code,Events\na,1\nb,2\n\n",
        b'"Code","Events"\n"a","1"\n"b","2"\n',
        b"events,CODE\n1,a\n2,b\n",
    ],
    ids=["bom", "crlf", "no end", "blank last line", "quoted", "other order"],
)
def test_one_table_in_many_bytes(read: Read, content: bytes) -> None:
    plain, expected = read(b"Code,Events\na,1\nb,2\n")
    decoded, rows = read(content)
    assert [{**row} for row in rows] == expected
    assert decoded.content_sha256 == plain.content_sha256


def test_the_content_hash_sees_values_columns_and_order(read: Read) -> None:
    def content(text: bytes) -> str:
        return read(text)[0].content_sha256

    base = content(b"Code,Events\na,1\nb,2\n")
    assert content_hash.is_sha256(base)
    others = [
        b"Code,Events\nb,2\na,1\n",
        b"Code,Events\na1,\n,2\n",
        b"Code,Events\na,1\nb,3\n",
        b"Code,Events\na,1\nb,2\nb,2\n",
        b"Code,Events\na,1\n",
        b"Code,Events,Rate\na,1,\nb,2,\n",
        b"Code,Events,New\na,1,x\nb,2,\n",
        b"Code,Events\na,\nb,2\n",
    ]
    assert len({base, *map(content, others)}) == len(others) + 1


@pytest.mark.parametrize("odd", ["", "b,1 234\n"], ids=["quick", "thorough"])
def test_the_content_hash_is_that_of_the_rows_written_however_they_were_read(
    demo: Source, tmp_path: Path, odd: str
) -> None:
    """Rows for several pieces and row groups, none of which ends with another."""
    lines = "".join(f"code {number},{number}\n" for number in range(3 * decode.ROW_GROUP + 7))
    csv, rows = tmp_path / "in.csv", tmp_path / "rows.parquet"
    csv.write_text(f"Code,Events\n{lines}{odd}", encoding="utf-8")
    decoded = decode.to_parquet(csv, demo, "counts", rows, "200MB", 2)
    assert (decoded.rows, decoded.content_sha256) == content_hash.content_of(rows)
    assert decoded.rows == 3 * decode.ROW_GROUP + 7 + bool(odd)


def test_a_new_column_is_kept_as_text(read: Read) -> None:
    decoded, [row] = read(b"Code,Events,Brand New\na,1,=x\n")
    assert decoded.new_columns == ["Brand New"]
    assert row["x_brandnew"] == "=x"


def test_columns_without_a_name_are_kept_each_with_its_own_content(read: Read) -> None:
    decoded, [row] = read(b"Code,Events,,\na,1,first,second\n")
    assert decoded.new_columns == ["", ""]
    assert {value for name, value in row.items() if name.startswith("x_")} == {"first", "second"}


@pytest.mark.parametrize(
    ("content", "reason", "says"),
    [
        (b"Code\na\n", "missing_column", "required column(s) missing: Events; the header has 1 columns: Code"),
        (b"Code;Events\na;1\n", "missing_column", "Code, Events"),
        (b"Code,Events,events\na,1,1\n", "doubled_column", "'Events' stands more than once"),
    ],
)
def test_a_header_that_breaks_the_contract_is_refused(read: Read, content: bytes, reason: str, says: str) -> None:
    with pytest.raises(Unreadable) as error:
        read(content)
    assert error.value.reason == reason
    assert says in str(error.value)


def test_foreign_bytes_under_a_clean_head_are_refused_with_a_reason(demo: Source, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_bytes(b"Code,Events\n" + b"x" * 70_000 + b",1\nA\xff,2\n")
    assert decode.is_plain_csv(tmp_path / "in.csv")
    for read in (header.read_sample, lambda path: header.absent_trailing(path, ["Code"], {}, ())):
        with pytest.raises(Unreadable, match="utf-8") as caught:
            read(tmp_path / "in.csv")
        assert caught.value.reason == "unreadable_rows"


@pytest.mark.parametrize("header", ["Code,{0}", "Code,Events,{0},{0}"])
def test_what_is_said_of_a_header_fits_a_line(read: Read, header: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read((header.format("x" * 5000) + "\na,1,2,3\n").encode())
    assert len(str(caught.value)) < 300


def test_lines_of_another_width_are_set_aside_with_their_numbers(read: Read) -> None:
    decoded, rows = read(b"Code,Events\na,1\nb\nc,3\nd,4,5\ne,5\n")
    assert decoded.malformed == [(3, "has fewer fields than the header"), (5, "has more fields than the header")]
    assert decoded.rows == 3
    assert [(row["source_row"], row["code"]) for row in rows] == [(1, "a"), (3, "c"), (5, "e")]


def test_an_open_quote_and_foreign_bytes_are_set_aside(read: Read) -> None:
    decoded, _ = read(b'Code,Events\na,1\n"b,2\n')
    assert decoded.malformed == [(3, "has an opening quote that is not closed")]
    decoded, _ = read(b"Code,Events\n" + b"a,1\n" * 50_000 + "é,2\n".encode("latin-1"))
    assert decoded.malformed == [(50_002, "has bytes that are not UTF-8")]


def test_cells_may_hold_commas_quotes_and_line_ends(read: Read) -> None:
    _, rows = read(b'Code,Events\n"a, ""b""\nc",1\nd,2\n')
    assert [row["code"] for row in rows] == ['a, "b"\nc', "d"]


def test_only_optional_last_columns_may_be_absent_from_every_row(read: Read) -> None:
    decoded, [row] = read(b"Code,Events,Rate\na,1\n")
    assert (decoded.absent_trailing_columns, decoded.malformed) == (["Rate"], [])
    assert "rate" not in row
    decoded, [row] = read(b"Code,Events,Brand New\na,1\n")
    assert (decoded.absent_trailing_columns, decoded.new_columns, decoded.malformed) == (["Brand New"], [], [])
    assert read(b"Code,Rate,Events\na,1\n")[0].malformed == [(2, "has fewer fields than the header")]
    assert read(b"Code,Events,Rate\na,1\nb,2,3\n")[0].malformed == [(2, "has fewer fields than the header")]


def test_rows_keep_their_order_in_large_tables(read: Read, tmp_path: Path) -> None:
    read(b"Code,Events\n" + b"".join(b"c%d,%d\n" % (i, i % 100) for i in range(1, 400_001)))
    wrong = duckdb.sql(
        f"select count(*) from read_parquet('{tmp_path / 'rows.parquet'}') where code <> 'c' || source_row"
    ).fetchall()
    assert wrong == [(0,)]


def test_a_header_alone_is_a_table_of_no_rows(read: Read) -> None:
    assert read(b"Code,Events\n")[0].rows == 0
    assert read(b"Code,Events")[0].rows == 0


def test_a_full_disk_is_not_the_files_fault(demo: Source, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_bytes(b"Code,Events\na,1\n")
    with pytest.raises(Exception, match="no-such-folder") as error:
        decode.to_parquet(tmp_path / "in.csv", demo, "counts", tmp_path / "no-such-folder" / "rows", "300MB", 0)
    assert not isinstance(error.value, Unreadable)


@pytest.mark.parametrize(
    ("content", "is_plain"),
    [
        (b"a,b\n1,2\n", True),
        (b"\xef\xbb\xbfa,b\n1,2\n", True),
        (b"a,b\r\n1,2\r\n", True),
        (b'a,b\r\n1,"2\n3"\r\n', True),
        (b'a,"b\nc"\r\n1,2\r\n', False),
        (b'a,"b\rc"\n1,2\n', False),
        (b"a,b\r\n1,2\n", False),
        (b"a,b\r1,2\r", False),
        (b"a;b\n1;2\n", False),
        ("a,b\né,2\n".encode("latin-1"), False),
        ("a,b\n1,2\n".encode("utf-16"), False),
        (b"PK\x03\x04,", False),
        (b'<!doctype html><html lang="en, gb">\n', False),
        (b'\xef\xbb\xbf<!doctype html><html lang="en, gb">\n', False),
        (b'{"a": 1,\n"b": 2}', False),
        (b"a,b\n\x001,2\n", False),
        (b"", False),
    ],
)
def test_what_can_be_read_as_it_lies(tmp_path: Path, content: bytes, is_plain: bool) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(content)
    assert decode.is_plain_csv(path) is is_plain


def test_a_character_cut_at_the_end_of_the_head_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text("a,b\n" + "é,1\n" * sniff.HEAD)
    assert decode.is_plain_csv(path)


ODD_NUMBERS = (
    *("7", " 7", "7 ", "+7", "-0", "7.", ".5", "1e3", "1E-2", "007", "1_000", "0x1F", "1,5", "nan", "inf", "-Infinity"),
    *("9007199254740993", "1e400", "1e-400", "12*", "-", "\u00a07", "\t7", "1 2", "--1", "5%", "", " ", "true"),
)


@pytest.mark.parametrize("text", ODD_NUMBERS)
@pytest.mark.parametrize("column", ["Events", "Rate"])
def test_the_quick_way_gives_what_the_thorough_one_gives(
    demo: Source, read: Read, monkeypatch: pytest.MonkeyPatch, column: str, text: str
) -> None:
    cells = f'"{text}",1' if column == "Events" else f'1,"{text}"'
    content = f'Code,Events,Rate\na,{cells}\nb,3,3\n"  ",4,\n"\u00a0",,5\n'.encode()
    quick = read(content)
    monkeypatch.setattr(decode, "quick_query", lambda *_: None)
    assert read(content) == quick


def test_a_clean_table_is_typed_by_the_quick_way_alone(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "thorough_query", lambda *_: "no SQL")
    _, rows = read(b"Code,Events,Rate,New\na,1,2.5125,x\n,,,\n")
    assert [(row["code"], row["events"], row["rate"], row["x_new"]) for row in rows] == [
        ("a", 1, 2.5125, "x"),
        (None, None, None, None),
    ]


@pytest.mark.parametrize("block", range(1, 24))
def test_a_second_header_is_found_wherever_a_block_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(header, "BLOCK", block)
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    one.write_bytes(b"Code,Events,Rate\nCo,1,2\nCode,Event,1\nx,Code,Events\n")
    two.write_bytes(b"Code,Events,Rate\nCo,1,2\nCode,Event,1\nCode,Events\n")
    assert header.has_one_header(one)
    assert not header.has_one_header(two)


def test_looking_for_a_second_header_takes_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(b"Code,Events\n" + b"some name of a trust,12\n" * (1 << 22))
    script = (
        "import resource, sys; from pathlib import Path; from ingest.land.header import has_one_header\n"
        "most = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before = most(); assert has_one_header(Path(sys.argv[1])); print(most() - before)"
    )
    asked = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, check=True, cwd=REPO)
    assert int(asked.stdout) < 32 << 10  # kB, of a file of 100 MB
