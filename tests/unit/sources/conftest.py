"""One file through decoding and the arrival gate, as landing does it.

The library judges in a second what the light gate judges in a tenth of that; here hundreds of files are judged.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from expectations import arrival
from ingest.land import decode, landing, typed_table, unreadable
from ingest.land.arriving_file import Arrival
from ingest.registry import Identity, Source, source
from ingest.stores import Stores
from perinatal import dropped_files
from perinatal.home import Home
from tests.support import light_gate


@dataclass(frozen=True)
class Arrived:
    """What became of a file: `refused` (reason or ids of blocking standards), else what it is and its rows."""

    refused: frozenset[str]
    warned: frozenset[str]
    messages: tuple[str, ...]
    identity: Identity | None = None
    decoded: decode.Decoded | None = None
    rows: tuple[dict[str, object], ...] = ()
    examples: tuple[dict[str, object], ...] = ()


def arrive(publisher: Source, file: Path, name: str | None = None, **said: str) -> Arrived:
    """Decode and judge one file as landing does. Only refusals that landing knows are caught."""
    said_of_it = Arrival(publisher, name or file.name, **said)  # type: ignore[arg-type]
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        rows = Path(folder) / "rows.parquet"
        try:
            identity, decoded = typed_table.typed_rows(file, said_of_it, Path(folder), rows)
        except (unreadable.Unreadable, dropped_files.Unusable) as error:
            return Arrived(frozenset({error.reason}), frozenset(), (str(error),))
        home = Home(Path(folder) / "home")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(arrival.native, "validate_tables", light_gate.validate_tables)
            results = arrival.judge(landing._for_the_gate(Stores.of(home), said_of_it, identity, decoded, rows, []))
        with duckdb.connect() as connection:
            relation = connection.read_parquet(str(rows))
            table = tuple(dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall())
    breached = [result for result in results if result.failed]
    return Arrived(
        frozenset(result.rule for result in breached if result.blocks),
        frozenset(result.rule for result in breached if not result.blocks),
        tuple(result.message for result in breached),
        identity,
        decoded,
        table,
        tuple(row for result in breached for row in result.sample_rows),
    )


@pytest.fixture
def arrives(tmp_path: Path) -> Callable[..., Arrived]:
    """Give `arrives(source id, name, content)`: what becomes of a file."""

    def run(source_id: str, name: str, content: str | bytes, **said: str) -> Arrived:
        file = tmp_path / "incoming"
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return arrive(source(source_id), file, name, **said)

    return run
