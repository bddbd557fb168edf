"""The example queries on an edition: `python -m pipeline.bench.asking DATABASE STOP SECONDS`; says p50 and p95 in ms.

Each of `docs/queries` is asked in turn on one open connection, at least so often and so long, and on while the file
STOP is absent (so that another process can be waited for).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from time import monotonic, perf_counter
from typing import Final

from perinatal.settings import PROJECT_ROOT

TIMES: Final = 20
QUERIES: Final = PROJECT_ROOT / "docs" / "queries"


def percentile(values: list[float], share: float) -> float:
    """Return the smallest value that at least this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * round(share * 100) // 100) - 1)]


def main() -> None:
    """Ask, and say how long it took."""
    import duckdb

    database, stop, seconds = sys.argv[1], Path(sys.argv[2]), float(sys.argv[3])
    queries = {path.stem: path.read_text(encoding="utf-8") for path in sorted(QUERIES.glob("*.sql"))}
    took: dict[str, list[float]] = {name: [] for name in queries}
    with duckdb.connect(database, read_only=True) as connection:
        for sql in queries.values():  # the first time reads the file
            connection.execute(sql).fetchall()
        rounds, began = 0, monotonic()
        while rounds < TIMES or monotonic() - began < seconds or not stop.exists():
            for name, sql in queries.items():
                start = perf_counter()
                connection.execute(sql).fetchall()
                took[name].append(1000 * (perf_counter() - start))
            rounds += 1
    everything = [one for group in took.values() for one in group]
    print(
        json.dumps(
            {
                "rounds": rounds,
                "seconds": monotonic() - began,
                "p50": percentile(everything, 0.5),
                "p95": percentile(everything, 0.95),
                "p95_of": {name: percentile(group, 0.95) for name, group in took.items()},
            }
        )
    )


if __name__ == "__main__":
    main()
