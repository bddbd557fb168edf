"""Text from outside as it may be shown in a message or on a terminal."""

from __future__ import annotations

import re
from collections.abc import Sequence

# user and password of an address, and parameters of it that are named like a secret
CREDENTIALS = re.compile(r"(?<=://)[^/@\s'\"]+(?=@)")
SECRET_PARAMETER = re.compile(r"(?i)([?&][^=&\s]*(?:key|pass|secret|sig|token)[^=&\s]*=)[^&\s'\"]+")


def redacted(text: str, address: str = "") -> str:
    """Return text without the credentials of the addresses in it: for logs, messages and pages.

    Those of `address` go wherever they stand: a library may print a part of it.
    """
    shown = SECRET_PARAMETER.sub(r"\1***", CREDENTIALS.sub("***", text))
    own = CREDENTIALS.search(address)
    for secret in (own[0], own[0].partition(":")[2]) if own else ():
        shown = shown.replace(secret, "***") if secret else shown
    return shown


def printable(name: str) -> str:
    """Return a name for a message: without control characters, at most 80 characters."""
    return "".join(c if c.isprintable() else "?" for c in name)[:80]


def one_line(text: str) -> str:
    """Return text in one line, without control characters, which a document might send to the terminal."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def listed(names: Sequence[str], most: int = 6) -> str:
    """Return names from a file for a message: the first of them, none longer than a line can hold."""
    return ", ".join(map(printable, names[:most])) + (" …" if len(names) > most else "")
