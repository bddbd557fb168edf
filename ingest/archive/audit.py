"""The log of decisions: what a person (or the fetcher, on a publisher's correction) decided, who, when and why.

Append-only; nothing is ever rewritten.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

from perinatal.durable import locked
from perinatal.home import Home
from perinatal.json_lines import append_records, read_records

Decision = Literal["released", "rejected", "superseded", "dismissed"]


def record(home: Home, decision: Decision, who: str, why: str, **about: Any) -> None:
    """Add a decision; `about` says on what, e.g. `source_id`, `sha256`, `original_name`."""
    at = datetime.now(UTC).isoformat(timespec="seconds")
    with locked(home.root / ".decisions.lock"):
        append_records(home.decisions, [{"at": at, "who": who, "decision": decision, "why": why, **about}])


def decided(home: Home, *decisions: Decision) -> frozenset[str]:
    """Return the hashes of the bytes on which there is a decision (of these kinds; any, if none is named)."""
    return frozenset(
        entry["sha256"]
        for entry in read_records(home.decisions)
        if "sha256" in entry and (not decisions or entry["decision"] in decisions)
    )
