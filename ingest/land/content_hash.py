"""The sha256 of a typed table: the same for the same rows in the same order, whatever bytes or Parquet hold them.

It is taken over the columns in the order of their names, in pieces of a fixed number of rows: for each column its name
and type, which cells are filled, and the cells themselves (text as its lengths and UTF-8 bytes, numbers and days in 64
bits, little-endian, empty cells as zero). So it depends on no library's own hash or text form.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from expectations.no_values import WORDS

PIECE = 50_000  # rows; part of the definition; about 20 MB of a wide table
# columns of a landed table that are not the publisher's
LINEAGE = ("source_row", "cast_errors", "cell_marks")


class Content:
    """The content of a typed table, whose rows are handed over in their order, in pieces (see `pieces`).

    `names` are all its columns; `has_words` says whether something stands for no value in a cell of a number: that is
    content, because a mask is not the same as a blank.
    """

    def __init__(self, names: Iterable[str], *, has_words: bool) -> None:
        left_out = LINEAGE if has_words else (*LINEAGE, WORDS)
        self._names = sorted(set(names) - set(left_out))
        self._digest = hashlib.sha256("|".join(self._names).encode())
        self._rows = 0

    def add(self, piece: Any) -> None:
        """Take the next piece, an Arrow table."""
        self._rows += piece.num_rows
        for name in self._names:
            _add(self._digest, name, piece.column(name))

    def found(self) -> tuple[int, str]:
        """Return the number of all rows and the sha256 of their content, in hexadecimal."""
        whole = self._digest.copy()
        whole.update(self._rows.to_bytes(8, "little"))
        return self._rows, whole.hexdigest()


def pieces(batches: Iterable[Any]) -> Iterator[Any]:
    """Yield the rows of Arrow record batches as tables of PIECE rows; the last one holds what is left."""
    import pyarrow as pa

    held: Any = None
    for batch in batches:
        rows = pa.Table.from_batches([batch])
        held = rows if held is None else pa.concat_tables([held, rows])
        while held.num_rows >= PIECE:
            yield held.slice(0, PIECE)
            held = held.slice(PIECE)
    if held is not None and held.num_rows:
        yield held


def content_of(parquet: Path) -> tuple[int, str]:
    """Return the number of rows of a landed table and the sha256 of its content, in hexadecimal."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(parquet) as file:
        names = file.schema_arrow.names
        content = Content(names, has_words=_has_words(file))
        for piece in pieces(file.iter_batches(batch_size=PIECE, use_threads=False)):
            content.add(piece)
    return content.found()


def _has_words(file: Any) -> bool:
    if WORDS not in file.schema_arrow.names:
        return False
    words = file.read(columns=[WORDS]).column(WORDS)
    return bool(words.null_count < len(words))


def is_sha256(content: str) -> bool:
    """Tell whether a manifest's content hash is one; manifests of version 0.1 hold a sum of DuckDB's row hashes."""
    return re.fullmatch(r"[0-9a-f]{64}", content) is not None


def _add(digest: Any, name: str, column: Any) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = "text" if pa.types.is_string(column.type) else "number" if pa.types.is_floating(column.type) else "whole"
    digest.update(f"{name}:{kind}:{len(column)}".encode())
    if column.null_count:
        digest.update(pc.is_valid(column).cast(pa.uint8()).to_numpy().tobytes())
    else:
        digest.update(b"filled")
    if kind == "text":
        digest.update(pc.fill_null(pc.binary_length(column), 0).to_numpy().astype("<i4", copy=False).tobytes())
        for chunk in column.chunks:
            digest.update(_text_of(chunk))
    elif kind == "number":
        # adding zero makes one of the two zeros
        digest.update((pc.fill_null(column, 0.0).to_numpy() + 0.0).astype("<f8", copy=False).tobytes())
    else:
        whole = column.cast(pa.int32()) if pa.types.is_date32(column.type) else column
        digest.update(pc.fill_null(whole.cast(pa.int64()), 0).to_numpy().astype("<i8", copy=False).tobytes())


def _text_of(chunk: Any) -> memoryview:
    """Return the bytes of all texts of an array, one after the other; empty cells hold none."""
    filled = chunk.drop_null() if chunk.null_count else chunk
    if not len(filled):
        return memoryview(b"")
    _, offsets, data = filled.buffers()
    ends = memoryview(offsets).cast("i")[filled.offset : filled.offset + len(filled) + 1]
    return memoryview(data)[ends[0] : ends[-1]] if data else memoryview(b"")
