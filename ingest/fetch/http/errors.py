"""The two ways in which a fetch fails, and the sentences for an answer that never came."""

from __future__ import annotations

from typing import Final

import requests

from ingest.fetch.http.addresses import host_of, public_url
from perinatal.errors import PerinatalError

LATER: Final = "the next run tries again"
CHECK_ADDRESS: Final = "open the address in a browser and correct it in source.yml"
ADD_HOST: Final = "if the publisher's files are there, add the host to `hosts` of the probe in source.yml"


class HttpError(PerinatalError):
    """One line: host, what happened, what to do. `reason` is a stable code, `status` the HTTP one."""

    def __init__(self, url: str, what: str, remedy: str, *, reason: str, status: int | None = None) -> None:
        super().__init__(f"{host_of(url)}: {what}; {remedy}")
        self.url, self.host = public_url(url), host_of(url)
        self.what, self.remedy, self.reason, self.status = what, remedy, reason, status


class PublisherUnavailable(HttpError):
    """No answer, a broken answer, or "not now": worth another try later.

    `again` says whether trying again at once may help; `retry_after` is the pause asked for, in seconds; `tries`
    counts the attempts made.
    """

    again: bool = True
    retry_after: float | None = None
    tries: int = 1

    @property
    def host_is_down(self) -> bool:
        """Tell whether other addresses of this host are not worth asking now: one broken body, or a 500, is no sign."""
        return self.status != 500 and self.reason not in ("broken", "bad_range")

    def final(self, tries: int) -> PublisherUnavailable:
        """Return the error to raise when no more is tried."""
        if tries > 1:
            self.args = (f"{self.host}: {self.what}, {tries} times; {self.remedy}",)
        self.tries = tries
        return self


class BadResponse(HttpError):
    """An answer came and cannot be used: trying again brings the same. A person looks at the address."""


def no_answer(url: str, error: Exception) -> PublisherUnavailable:
    """Return the error for an answer that did not come.

    The library's own text is left out: it may hold the credentials of a proxy.
    """
    what, remedy, again = "no connection", LATER, True
    if isinstance(error, requests.exceptions.SSLError):
        what, again = "its TLS certificate cannot be verified", False
        remedy = "set the CA bundle if your network re-signs traffic; verification is never switched off"
    elif isinstance(error, requests.exceptions.ProxyError):
        what, remedy = "the proxy did not let us through", "check the proxy settings"
    elif isinstance(error, requests.exceptions.ConnectTimeout):
        what = "no connection in the time allowed"
    elif isinstance(error, requests.exceptions.Timeout):
        what = "no answer in the time allowed"
    elif "NameResolutionError" in repr(error):
        what, remedy = "the host's name is not known", "check the network; " + LATER
    elif isinstance(error, ValueError):
        what, remedy, again = "the address cannot be asked", CHECK_ADDRESS, False
    found = PublisherUnavailable(url, what, remedy, reason="no_answer")
    found.again = again
    return found
