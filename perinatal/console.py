"""Telling people what goes on: plain lines on standard error, so that standard output stays data."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from perinatal.printable import redacted


def say(text: str) -> None:
    """Print one line of progress, without the credentials of any address in it."""
    print(redacted(text), file=sys.stderr, flush=True)


@contextmanager
def step(text: str) -> Iterator[None]:
    """Announce a step as it starts, and how long it took; on a terminal in one line."""
    start = time.monotonic()
    terminal = sys.stderr.isatty()
    if terminal:
        print(f"{text} …", end="", file=sys.stderr, flush=True)
    else:
        say(f"{text} …")
    try:
        yield
    finally:
        took = f"{time.monotonic() - start:.1f} s"
        say(f"\r{text}: {took}   " if terminal else f"{text}: {took}")


def show(found: Any, as_json: bool, printer: Callable[[Any], None]) -> None:
    """Print what was found on standard output: as one JSON document, or for people."""
    if as_json:
        print(json.dumps(found, ensure_ascii=False, indent=1, default=str))
    else:
        printer(found)
