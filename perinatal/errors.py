"""Errors that reach a person: one clear line and an exit code, no traceback."""

from collections.abc import Iterable


class PerinatalError(Exception):
    """Something a person can mend: says what, where (file, line) and what to do. Exit code 1.

    Whoever opens alerts for it says so: `alerted` has their scopes, as the alert log writes them.
    """

    exit_code = 1

    def __init__(self, message: str, alerted: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.alerted = tuple(alerted)


class RefusedAtArrival(PerinatalError):
    """A file did not pass the arrival gate and went to quarantine. Exit code 3.

    `in_full` is for whoever holds the file: it may quote cells of one whose cells stay out of logs and alerts.
    """

    exit_code = 3

    def __init__(self, message: str, in_full: str = "", alerted: Iterable[str] = ()) -> None:
        super().__init__(message, alerted)
        self.in_full = in_full or message


class NoRoom(PerinatalError):
    """Disk or memory does not suffice: not the file's fault. Exit code 1."""


class Damaged(PerinatalError):
    """Bytes or records in the archive, a backup or the shared store are not what they must be. Exit code 1."""


class BlockedByGate(PerinatalError):
    """A candidate did not pass the release gate; the last good edition stays. Exit code 3."""

    exit_code = 3


class HeldForSignature(BlockedByGate):
    """A candidate judges much otherwise than the last edition and waits for a person's name. Exit code 3."""
