"""How to ask: time limits, sizes, retries, pauses, proxies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class HttpOptions:
    """How to ask. Times are seconds, sizes bytes.

    `contact` (an address or page) is sent in the User-Agent. `total_timeout` covers one `fetch` or `read` with all its
    attempts. `max_expansion` bounds decoded over transferred bytes. `backoff` and `backoff_max` are the factor and
    ceiling of `urllib3.util.Retry`. A `Retry-After` above `retry_after_max` is not waited for: the fetch ends as
    unavailable. `delay` is the pause between two requests to a host. `proxies` maps scheme to proxy URL; None takes
    the environment's, as does `ca_bundle`. With `lock_folder` the rule of one connection a host holds across
    processes. `stand_ins` maps URL prefixes to the prefixes really asked (the sample publishers): everything handed
    back keeps the publisher's own address.
    """

    user_agent: str = "perinatal-insights"
    contact: str = ""
    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    total_timeout: float = 1800.0
    max_bytes: int = 4 << 30
    max_expansion: int = 200
    max_redirects: int = 5
    attempts: int = 4
    backoff: float = 2.0
    backoff_max: float = 60.0
    retry_after_max: float = 300.0
    delay: float = 1.0
    ca_bundle: str | None = None
    proxies: Mapping[str, str] | None = field(default=None, repr=False)
    no_proxy: str | None = None
    lock_folder: Path | None = None
    stand_ins: Mapping[str, str] = field(default_factory=dict)

    @property
    def full_user_agent(self) -> str:
        """Return the User-Agent header: the name, and the contact where there is one."""
        return self.user_agent + (f" (+{self.contact})" if self.contact else "")
