"""Telling people what goes on: plain lines on standard error, so that standard output stays data."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


def say(text: str) -> None:
    """Print one line of progress."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def step(text: str) -> Iterator[None]:
    """Announce a step and how long it took."""
    start = time.monotonic()
    terminal = sys.stderr.isatty()
    if terminal:
        print(f"{text} …", end="", file=sys.stderr, flush=True)
    try:
        yield
    finally:
        took = f"{time.monotonic() - start:.1f} s"
        say(f"\r{text}: {took}   " if terminal else f"{text}: {took}")
