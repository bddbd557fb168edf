"""Landing without the judge's library: decode and measure as landing does, hold the numbers against the limits here.

Importing Great Expectations costs seconds and judging tens of milliseconds; what is asked of these tests is whether the
parsers and standards are right, not whether the library can compare two numbers.
"""

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from expectations import arrival
from expectations.checks import Measured, Result
from ingest.land import decode, landing
from ingest.registry import Identity, Source, source
from ingest.stores import Stores
from perinatal import dropped_files
from perinatal.home import Home


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


def compare(suite: str, measured: Sequence[Measured]) -> list[Result]:
    """Judge as the library does: nothing to compare passes."""
    return [
        Result(
            suite=suite,
            rule=item.rule.id,
            expectation="",
            severity=item.rule.severity,
            dimension=item.rule.dimension,
            success=item.observed is None
            or (
                (item.rule.minimum is None or item.observed >= item.rule.minimum)
                and (item.rule.upper is None or item.observed <= item.rule.upper)
            ),
            observed=item.observed,
            minimum=item.rule.minimum,
            maximum=item.rule.upper,
            message=item.message or item.rule.says,
            remedy=item.rule.remedy,
            owner=item.rule.owner,
            affected_marts=[],
            sample_rows=item.rows,
        )
        for item in measured
    ]


def arrive(publisher: Source, file: Path, name: str | None = None, **said: str) -> Arrived:
    """Decode and measure one file as landing does. Only refusals that landing knows are caught."""
    said_of_it = landing.Arrival(publisher, name or file.name, **said)  # type: ignore[arg-type]
    with tempfile.TemporaryDirectory(dir=file.parent) as folder, _light_gate():
        rows = Path(folder) / "rows.parquet"
        try:
            identity, decoded = landing._decode(file, said_of_it, Path(folder), rows)
        except (decode.Unreadable, dropped_files.Unusable) as error:
            return Arrived(frozenset({error.reason}), frozenset(), (str(error),))
        home = Home(Path(folder) / "home")
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


@contextlib.contextmanager
def _light_gate() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrival.gate, "judge", compare)
        yield


@pytest.fixture
def arrives(tmp_path: Path) -> Callable[..., Arrived]:
    """Give `arrives(source id, name, content)`: what becomes of a file."""

    def run(source_id: str, name: str, content: str | bytes, **said: str) -> Arrived:
        file = tmp_path / "incoming"
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return arrive(source(source_id), file, name, **said)

    return run
