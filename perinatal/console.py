"""Lines of progress on standard error, so that standard output stays data: plain text, or JSON where it is asked for.

A line of JSON has `at` (UTC, ISO 8601), `level`, `message`, and what it is about: `run`, `edition`, `source`, `step`,
`seconds`, as far as they are known.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from perinatal.printable import redacted

ABOUT: ContextVar[Mapping[str, Any]] = ContextVar("about", default=MappingProxyType({}))
DETAILED: ContextVar[bool] = ContextVar("detailed", default=False)


def say(text: str, *, level: str = "info", **facts: Any) -> None:
    """Print one line of progress, without the credentials of any address in it."""
    print(_line(redacted(text), level, facts), file=sys.stderr, flush=True)


def say_detail(text: str) -> None:
    """Print a line that only a log wants, not a person at a terminal."""
    if DETAILED.get():
        say(text)


def _line(text: str, level: str, facts: Mapping[str, Any]) -> str:
    if not _as_json():
        return text
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    record = {"at": at, "level": level, "message": text.strip(), **ABOUT.get(), **facts}
    return json.dumps({name: value for name, value in record.items() if value is not None}, ensure_ascii=False)


def _as_json() -> bool:
    from perinatal import settings  # read when a line is printed: `--help` reads none

    return settings.log_format() == "json"


@contextmanager
def about(**facts: Any) -> Iterator[None]:
    """Say of each line of the block what it is about, e.g. `source="msds"`."""
    token = ABOUT.set({**ABOUT.get(), **facts})
    try:
        yield
    finally:
        ABOUT.reset(token)


@contextmanager
def detailed() -> Iterator[None]:
    """Print what only a log wants too, for the time of the block."""
    token = DETAILED.set(True)
    try:
        yield
    finally:
        DETAILED.reset(token)


@contextmanager
def step(text: str) -> Iterator[None]:
    """Announce a step as it starts, and how long it took; on a terminal in one line."""
    start = time.monotonic()
    terminal = sys.stderr.isatty() and not _as_json()
    if terminal:
        print(f"{text} …", end="", file=sys.stderr, flush=True)
    else:
        say(f"{text} …", step=text)
    try:
        yield
    finally:
        took = time.monotonic() - start
        line = f"{text}: {took:.1f} s"
        say(f"\r{line}   " if terminal else line, step=text, seconds=round(took, 1))


def show(found: Any, as_json: bool, printer: Callable[[Any], None]) -> None:
    """Print what was found on standard output: as one JSON document, or for people."""
    if as_json:
        print(json.dumps(found, ensure_ascii=False, indent=1, default=str))
    else:
        printer(found)
