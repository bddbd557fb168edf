"""What an error of the operating system means for whoever runs the command: one line that says what to do."""

from __future__ import annotations

import errno
import getpass
import os
from pathlib import Path
from typing import Final

from perinatal import home

NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
NOT_ALLOWED: Final = (errno.EROFS, errno.EACCES, errno.EPERM)


def in_words(error: Exception) -> str | None:
    """Return the line for a full disk, or for a place that may not be written or read; None for any other error."""
    if not isinstance(error, OSError):
        return None
    if error.errno in NO_ROOM:
        return f"no space left ({error.strerror}): free some space and run it again; nothing incomplete is kept"
    if error.errno not in NOT_ALLOWED or not isinstance(error.filename, (str, bytes)):
        return None
    what = "lies on a read-only file system" if error.errno == errno.EROFS else f"not allowed ({error.strerror})"
    place, state = Path(os.fsdecode(error.filename)), home.named().root
    if not place.is_relative_to(state):
        return f"{place}: {what}; choose another place, or correct its rights"
    return (
        f"{place}: {what}. This command needs the state folder {state} writable for {getpass.getuser()}: correct "
        "its rights or its mount, or name another folder with PERINATAL_HOME. What only reads works as it is "
        "(status, query, pack, brief, portal)"
    )
