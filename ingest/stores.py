"""What ingest keeps, handed to whoever needs it: a signature says what a function may touch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from expectations.alerts import AlertLog
from ingest.archive.audit import AuditLog
from ingest.archive.manifest import LandedReleases
from ingest.archive.quarantine import Quarantine
from ingest.archive.store import Archive
from ingest.archive.synthetic import SyntheticHashes
from ingest.fetch.probe_state import ProbeStates
from perinatal.home import Home


@dataclass(frozen=True)
class Stores:
    """Where a file ends that comes in: archived, landed or in quarantine, with its alerts and people's decisions."""

    archive: Archive
    landed: LandedReleases
    quarantine: Quarantine
    audit: AuditLog
    synthetic: SyntheticHashes
    alerts: AlertLog

    @classmethod
    def of(cls, home: Home) -> Self:
        """Return the stores of an installation."""
        return cls(**_stores(home))


@dataclass(frozen=True)
class FetchStores(Stores):
    """The stores, what each publisher said last, and the inbox that a person is sent to."""

    probes: ProbeStates
    inbox: Path

    @classmethod
    def of(cls, home: Home) -> Self:
        """Return the stores of an installation."""
        return cls(**_stores(home), probes=ProbeStates(home.probes), inbox=home.inbox)


def _stores(home: Home) -> dict[str, Any]:
    return {
        "archive": Archive(home.archive),
        "landed": LandedReleases(home.landed),
        "quarantine": Quarantine(home.quarantine),
        "audit": AuditLog(home.decisions),
        "synthetic": SyntheticHashes(home.synthetic),
        "alerts": AlertLog(home.alerts),
    }
