"""The error for a file that its header contract cannot read."""

from __future__ import annotations

from ingest.registry import Identity
from perinatal.errors import PerinatalError


class Unreadable(PerinatalError):
    """A file that cannot be decoded by its header contract.

    Carries a short reason code, the line of the table that is meant (1 is the header), how many columns the header has,
    and what the file was recognised as, where it was. `sheet` and `header_line` say where the table stands in the file
    that people know.
    """

    identity: Identity | None = None
    sheet: str | None = None
    header_line: int = 1

    def __init__(self, reason: str, message: str, line: int | None = None, columns: int | None = None) -> None:
        super().__init__(message)
        self.reason, self.message, self.line, self.columns = reason, message, line, columns

    @property
    def line_of_file(self) -> int | None:
        """Return the line of the file (of a sheet: its row) that is meant."""
        return None if self.line is None else self.line + self.header_line - 1

    def __str__(self) -> str:
        """Return the message, with the line of the file (of a sheet: its row) in front."""
        if (line := self.line_of_file) is None:
            return self.message
        return f"sheet {self.sheet!r}, row {line}: {self.message}" if self.sheet else f"line {line}: {self.message}"
