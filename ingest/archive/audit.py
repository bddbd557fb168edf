"""The log of decisions: what a person (or the fetcher, on a publisher's correction) decided, who, when and why.

Append-only; nothing is ever rewritten.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from perinatal.durable import locked
from perinatal.json_lines import append_records, read_records

Decision = Literal["released", "rejected", "superseded", "dismissed", "withdrawn", "reinstated"]


class AuditLog:
    """One file of JSON lines, only ever added to."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def record(self, decision: Decision, who: str, why: str, **about: Any) -> None:
        """Add a decision; `about` says on what, e.g. `source_id`, `sha256`, `original_name`."""
        at = datetime.now(UTC).isoformat(timespec="seconds")
        with locked(self.path.with_name(".decisions.lock")):
            append_records(self.path, [{"at": at, "who": who, "decision": decision, "why": why, **about}])

    def of(self, sha256: str) -> list[dict[str, Any]]:
        """Return the decisions on these bytes, oldest first: `at` (UTC, ISO 8601), `who`, `decision`, `why`."""
        return [entry for entry in read_records(self.path) if entry.get("sha256") == sha256]

    def decided(self, *decisions: Decision) -> frozenset[str]:
        """Return the hashes of the bytes on which there is a decision (of these kinds; any, if none is named)."""
        return frozenset(
            entry["sha256"]
            for entry in read_records(self.path)
            if "sha256" in entry and (not decisions or entry["decision"] in decisions)
        )
