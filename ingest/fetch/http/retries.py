"""When to try again, and after what pause: `urllib3.util.Retry` as the policy.

It is asked from our own loop of attempts, since a body that breaks off is resumed and no adapter can do that. The first
retry follows at once (after the pause that a host is always given), the next after a growing, jittered pause.
"""

from __future__ import annotations

import sys
from typing import Final

from urllib3 import BaseHTTPResponse
from urllib3.exceptions import InvalidHeader, MaxRetryError
from urllib3.util import Retry

from ingest.fetch.http.errors import PublisherUnavailable
from ingest.fetch.http.options import HttpOptions

METHOD: Final = "GET"
TRY_AGAIN: Final = frozenset({408, 425, 429, *range(500, 600)})


def policy(options: HttpOptions) -> Retry:
    """Return the policy for one fetch. A `Retry-After` is read as it is: too long a one ends the fetch."""
    return Retry(
        total=options.attempts - 1,
        allowed_methods={METHOD},
        status_forcelist=TRY_AGAIN,
        backoff_factor=options.backoff,
        backoff_max=options.backoff_max,
        backoff_jitter=options.backoff,
        retry_after_max=sys.maxsize,
    )


def asked_pause(retries: Retry, response: BaseHTTPResponse) -> float | None:
    """Return the seconds that `Retry-After` asks for (seconds or a date); None without a usable one."""
    try:
        return retries.get_retry_after(response)
    except (InvalidHeader, ValueError, OverflowError):
        return None


def next_try(retries: Retry, error: PublisherUnavailable, retry_after_max: float) -> tuple[Retry, float]:
    """Return the policy after this failure, and the seconds to wait. Raises `error` when no more is to be tried."""
    made = len(retries.history) + 1
    if not error.again or (error.retry_after or 0) > retry_after_max:
        raise error.final(made) from None
    try:
        left = retries.increment(METHOD, error.url, error=error)
    except MaxRetryError:
        raise error.final(made) from None
    return left, left.get_backoff_time() if error.retry_after is None else error.retry_after
