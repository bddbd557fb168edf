"""Damaged files of every source: what comes in is refused with a reason or landed whole, quickly, without a crash.

Every source's own sample is mutated: cut off, bits turned, columns shuffled, renamed or doubled, encodings mixed, cells
made huge, turned into formulas or full of quotes. 20 examples a source, the same in every run;
PERINATAL_TEST_EXAMPLES=1000 for more, and other ones (with `-rP`, how many were read and landed is printed).
"""

import csv
import io
import os
import random
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.land import sniff
from ingest.registry import Source, all_sources
from tests.unit.sources.conftest import Arrived, arrive

EXAMPLES = int(os.environ.get("PERINATAL_TEST_EXAMPLES", "20"))
ROWS = 60  # of a sample file; more would only cost time
FORMULAS = ('=HYPERLINK("http://evil.example","x")', "+cmd|' /C calc'!A0", "@SUM(1+9)*cmd", "-2+3", "\t=1+1")
QUOTES = ('"', '""', 'a "quoted" word', '"""', "it's", '","', '"\n"', "“curly”")
BYTES = (b"\xa0", b"\xff\xfe", b"\x00", b"\x80", b"\xe9", "é".encode("utf-16"), b"\xef\xbb\xbf", b"\x1a", b"\r")
Mutation = Callable[[bytes, random.Random], bytes]


@cache
def sample_files(source_id: str) -> tuple[tuple[str, bytes], ...]:
    """Return the head of every kind of sample file of a source: name, content."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        all_sources()[source_id].sample.generate(Path(folder))
        paths = sorted(path for path in Path(folder).rglob("*") if path.is_file())
        heads = {head_of(path)[:200]: (path.name, head_of(path)) for path in paths}
    kinds = {header.split(b"\n", 1)[0]: found for header, found in heads.items()}
    return tuple(kinds.values())


def head_of(path: Path) -> bytes:
    """Return the first rows of a table, or the whole of a document."""
    content = path.read_bytes()
    if sniff.sniff(path) is not sniff.Kind.CSV:
        return content
    return b"".join(content.splitlines(keepends=True)[: ROWS + 1])


def parsed(text: str) -> list[list[str]]:
    """Return the cells of a CSV of any kind; a limit on cells is not asked of Python's reader here."""
    limit = csv.field_size_limit(1 << 30)
    try:
        return list(csv.reader(io.StringIO(text, newline="")))
    finally:
        csv.field_size_limit(limit)


# --- mutations -----------------------------------------------------------------------------------------------------


def cut(content: bytes, dice: random.Random) -> bytes:
    return content[: dice.randrange(len(content) + 1)]


def turn_bits(content: bytes, dice: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(dice.choice((1, 3, 30))):
        if changed:
            changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
    return bytes(changed)


def mix_encodings(content: bytes, dice: random.Random) -> bytes:
    for _ in range(dice.choice((1, 5))):
        place = dice.randrange(len(content) + 1)
        content = content[:place] + dice.choice(BYTES) + content[place:]
    return (
        content
        if dice.random() < 0.7
        else content.decode("cp1252", "replace").encode(dice.choice(("utf-16", "utf-8-sig")))
    )


def drop_or_double_lines(content: bytes, dice: random.Random) -> bytes:
    lines = content.splitlines(keepends=True)
    place = dice.randrange(len(lines) + 1)
    return b"".join(lines[:place] + lines[place : place + 1] * dice.choice((0, 2, 3)) + lines[place + 1 :])


def as_table(change: Callable[[list[list[str]], random.Random], None]) -> Mutation:
    """Return a mutation of the cells."""

    def mutate(content: bytes, dice: random.Random) -> bytes:
        rows = parsed(content.decode("utf-8", "replace"))
        if not rows or not rows[0]:
            return content
        change(rows, dice)
        out = io.StringIO(newline="")
        csv.writer(out, lineterminator=dice.choice(("\n", "\r\n"))).writerows(rows)
        return out.getvalue().encode()

    return mutate


def shuffle_columns(rows: list[list[str]], dice: random.Random) -> None:
    order = list(range(len(rows[0])))
    dice.shuffle(order)
    rows[:] = [[row[place] for place in order if place < len(row)] for row in rows]


def rename_column(rows: list[list[str]], dice: random.Random) -> None:
    place = dice.randrange(len(rows[0]))
    rows[0][place] = dice.choice(("", "Renamed", rows[0][place].upper() + " ", rows[0][0], "x" * 5000))


def drop_column(rows: list[list[str]], dice: random.Random) -> None:
    place = dice.randrange(len(rows[0]))
    for row in rows:
        del row[place : place + 1]


def change_cells(rows: list[list[str]], dice: random.Random) -> None:
    texts = (
        *FORMULAS,
        *QUOTES,
        "x" * 200_000,
        "Ab " * 3000,
        "9" * 400,
        "nan",
        "inf",
        "-1",
        "1e999",
        "",
        " ",
        "٣",
        "2024-02-31",
    )
    for _ in range(dice.choice((1, 4, 20))):
        row = dice.choice(rows)
        if row:
            row[dice.randrange(len(row))] = dice.choice(texts)


MUTATIONS: tuple[Mutation, ...] = (
    cut,
    turn_bits,
    mix_encodings,
    drop_or_double_lines,
    *(as_table(change) for change in (shuffle_columns, rename_column, drop_column, change_cells, change_cells)),
)


# --- what must hold ------------------------------------------------------------------------------------------------


def hold(arrived: Arrived, path: Path) -> None:
    """A refusal or warning says why in one line; what is landed has every row of the file."""
    assert all(message.strip() and len(message) < 1000 for message in arrived.messages), arrived.messages
    if arrived.decoded is None:
        assert len(arrived.refused) == len(arrived.messages) == 1
        return
    seen = arrived.decoded.rows + len(arrived.decoded.malformed)
    if sniff.sniff(path) is sniff.Kind.CSV:
        least, most = records(path)
        assert least <= seen <= most, f"{seen} of {least} to {most} rows are accounted for"
    numbers = [row["source_row"] for row in arrived.rows]
    assert len(set(numbers)) == len(numbers) == arrived.decoded.rows
    lost = {row["source_row"] for row in arrived.rows if row["cast_errors"]}
    assert not lost or arrived.refused, "a value that cannot be read is neither refused nor told"


def records(path: Path) -> tuple[int, int]:
    """Count the rows under the header with Python's reader: those with any text, and all."""
    content = path.read_bytes()
    bom = next((codec for mark, codec in sniff.BOMS if content.startswith(mark)), "utf-8-sig")
    text = content.decode(bom, "replace").replace("\r\n", "\n").replace("\r", "\n")
    rows = parsed(text)
    filled = next((number for number, row in enumerate(rows) if any(row)), len(rows))
    below = rows[filled + 1 :]
    return sum(any(cell.strip() for cell in row) for row in below), len(below)


# their files are of the two templates; `mis` and `npsa` are damaged in every run, one for each template
SAME_TEMPLATES = {"board_return", "cqc", "ebc", "ens", "hsib", "pmrt", "ukoss"}


def sources() -> list[Any]:
    return [
        pytest.param(source, id=source.id, marks=[pytest.mark.slow] if source.id in SAME_TEMPLATES else [])
        for source in all_sources().values()
        if (source.folder / "sample.py").exists()
    ]


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("source", sources())
def test_a_damaged_file_is_refused_or_landed_whole(source: Source, tmp_path: Path) -> None:
    # a child process reads every PDF: fewer of them
    tables = [item for item in sample_files(source.id) if not item[1].startswith(b"%PDF")]

    became: Counter[str] = Counter()

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(st.integers(0, 2**32), st.integers(1, 3))
    def damaged(seed: int, times: int) -> None:
        dice = random.Random(seed)  # noqa: S311 - reproducible damage
        name, content = dice.choice(tables)
        for _ in range(times):
            content = dice.choice(MUTATIONS)(content, dice)
        arrived = check(source, name, content, tmp_path)
        became["not read" if arrived.decoded is None else "read, refused" if arrived.refused else "landed"] += 1

    damaged()
    print(source.id, dict(became))
    assert became["not read"]
    # sixty rows of a large file are too few to land, but every one of them has to be accounted for
    assert became.total() > became["not read"]


def check(source: Source, name: str, content: bytes, folder: Path) -> Arrived:
    path = folder / "incoming"
    path.write_bytes(content)
    arrived = arrive(source, path, name)
    hold(arrived, path)
    return arrived


@pytest.mark.parametrize("seed", range(8))
def test_a_damaged_pdf_is_refused_or_read(seed: int, tmp_path: Path) -> None:
    dice = random.Random(seed)  # noqa: S311 - reproducible damage
    ens = all_sources()["ens"]
    name, content = next(item for item in sample_files("ens") if item[1].startswith(b"%PDF"))
    check(ens, name, dice.choice((cut, turn_bits))(content, dice), tmp_path)


@pytest.mark.parametrize("source", sources())
def test_the_undamaged_sample_lands(source: Source, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    source.sample.generate(folder)
    smallest = min((path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
    arrived = arrive(source, smallest)
    assert arrived.refused == frozenset(), arrived.messages
