"""The sha256 of a typed table: the same for the same rows in the same order, whatever bytes or Parquet hold them.

It is taken over the columns in the order of their names, in pieces of a fixed number of rows: for each column its name
and type, which cells are filled, and the cells themselves (text as its lengths and UTF-8 bytes, numbers and days in 64
bits, little-endian, empty cells as zero). So it depends on no library's own hash or text form.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from expectations.no_values import WORDS

PIECE = 50_000  # rows; part of the definition
# columns of a landed table that are not the publisher's
LINEAGE = ("source_row", "cast_errors", "cell_marks")


def content_of(parquet: Path) -> tuple[int, str]:
    """Return the number of rows of a landed table and the sha256 of its content, in hexadecimal."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(parquet) as file:
        # what stood for no value is content where there is any: a mask is not the same as a blank
        left_out = LINEAGE if _has_words(file) else (*LINEAGE, WORDS)
        names = sorted(name for name in file.schema_arrow.names if name not in left_out)
        digest, rows = hashlib.sha256("|".join(names).encode()), 0
        for piece in _pieces(file, names):
            rows += piece.num_rows
            for name in names:
                _add(digest, name, piece.column(name))
    digest.update(rows.to_bytes(8, "little"))
    return rows, digest.hexdigest()


def _has_words(file: Any) -> bool:
    if WORDS not in file.schema_arrow.names:
        return False
    words = file.read(columns=[WORDS]).column(WORDS)
    return bool(words.null_count < len(words))


def is_sha256(content: str) -> bool:
    """Tell whether a manifest's content hash is one; manifests of version 0.1 hold a sum of DuckDB's row hashes."""
    return re.fullmatch(r"[0-9a-f]{64}", content) is not None


def _pieces(file: Any, names: list[str]) -> Iterator[Any]:
    """Yield the rows as tables of `PIECE` rows each, however the file groups them."""
    import pyarrow as pa

    held = None
    for batch in file.iter_batches(batch_size=PIECE, columns=names, use_threads=False):
        table = pa.Table.from_batches([batch])
        held = table if held is None else pa.concat_tables([held, table])
        while held.num_rows >= PIECE:
            yield held.slice(0, PIECE)
            held = held.slice(PIECE)
    if held is not None and held.num_rows:
        yield held


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
