"""Web addresses as they may be shown and stored: without credentials and secrets."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

SECRET_KEYS: Final = re.compile(r"key|token|secret|passw|sig|credential|auth|session", re.IGNORECASE)


def host_of(url: str) -> str:
    """Return host and port of a URL, without credentials."""
    return urlsplit(url).netloc.rpartition("@")[2] or "no host"


def public_url(url: str) -> str:
    """Return a URL that may be shown and stored: no user, password or fragment, secrets masked."""
    parts = urlsplit(url)
    query = parts.query
    if SECRET_KEYS.search(query):
        pairs = parse_qsl(query, keep_blank_values=True)
        query = urlencode([(key, "***" if SECRET_KEYS.search(key) else value) for key, value in pairs], safe="*,/:")
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, query, ""))
