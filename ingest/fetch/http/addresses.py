"""Web addresses as they may be shown and stored: without credentials and secrets."""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

SECRET_KEYS: Final = re.compile(r"key|token|secret|passw|sig|credential|auth|session", re.IGNORECASE)

DEFAULT_PORTS: Final = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """Scheme, host and port of an address, in one spelling."""

    scheme: str
    host: str
    port: int | None

    @classmethod
    def of(cls, url: str) -> Origin:
        """Return the origin of a URL. Raises ValueError for a port that is none."""
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
        return cls(parts.scheme, host, DEFAULT_PORTS.get(parts.scheme) if parts.port is None else parts.port)

    @property
    def name(self) -> str:
        """Return the host, with its port where that is not the scheme's own: as source.yml names it."""
        return self.host if self.port == DEFAULT_PORTS.get(self.scheme) else f"{self.host}:{self.port}"


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
