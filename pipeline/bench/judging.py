"""How long the arrival gate takes of what is landed in this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any


@contextmanager
def timed() -> Iterator[list[float]]:
    """Note the seconds of each judgement meanwhile; Great Expectations is imported before, for it takes seconds."""
    from expectations import arrival, native

    native.library()
    judge, spent = arrival.judge, list[float]()

    def noted(*arguments: Any) -> Any:
        start = monotonic()
        results = judge(*arguments)
        spent.append(monotonic() - start)
        return results

    arrival.judge = noted  # type: ignore[assignment]
    try:
        yield spent
    finally:
        arrival.judge = judge
