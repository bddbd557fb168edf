"""The error for a file that its header contract cannot read."""

from __future__ import annotations

from ingest.registry import Identity
from perinatal.errors import PerinatalError


class Unreadable(PerinatalError):
    """A file that cannot be decoded by its header contract.

    Carries a short reason code, and what the file was recognised as, where it was.
    """

    identity: Identity | None = None

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
