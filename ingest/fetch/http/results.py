"""What a fetch hands back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True)
class Validators:
    """What a publisher said about the copy we have; sent back to ask "has it changed?"."""

    etag: str | None = None
    last_modified: str | None = None


NOTHING_SEEN: Final = Validators()


@dataclass(frozen=True)
class NotModified:
    """The publisher says that our copy is still the newest."""

    url: str
    validators: Validators
    status: int = 304


@dataclass(frozen=True)
class Received:
    """A whole body: `size` (bytes) and `sha256` are of the decoded content; `url` is the final address."""

    sha256: str
    size: int
    etag: str | None
    last_modified: str | None
    url: str
    content_type: str
    status: int

    @property
    def validators(self) -> Validators:
        """Return what to send with the next request for the same address."""
        return Validators(self.etag, self.last_modified)


@dataclass(frozen=True)
class Fetched(Received):
    """A body in a temporary file that is the caller's to move or delete."""

    path: Path


@dataclass(frozen=True)
class Document(Received):
    """A small body in memory."""

    content: bytes
