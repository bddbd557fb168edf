"""The client: asks, follows redirects, tries again, and hands back a file or a document."""

from __future__ import annotations

import copy
import re
import tempfile
import time
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from http.cookiejar import DefaultCookiePolicy
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final, cast

import requests
import urllib3

from ingest.fetch.http import retries
from ingest.fetch.http.addresses import host_of, public_url
from ingest.fetch.http.destinations import (
    asked_url,
    ca_bundle,
    checked_url,
    own_origins,
    proxies_for,
    redirected_url,
)
from ingest.fetch.http.download import Download
from ingest.fetch.http.errors import CHECK_ADDRESS, LATER, BadResponse, PublisherUnavailable, no_answer
from ingest.fetch.http.guarded import GuardedAdapter, PrivatePeer
from ingest.fetch.http.options import HttpOptions
from ingest.fetch.http.results import NOTHING_SEEN, Document, Fetched, NotModified, Received, Validators
from ingest.fetch.http.turns import Turns
from perinatal.errors import PerinatalError
from perinatal.scratch import hold

DOCUMENT_LIMIT: Final = 32 << 20  # bytes; a page or JSON document kept in memory
EXCERPT: Final = 300  # bytes of a plain-text error body that are worth showing
OUTSIDE_ALONE: Final = "ask who runs your network; where a proxy leads outside, set https_proxy"
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


class HttpClient:
    """One client for a whole run, shared by threads: its pool, its politeness and its rules.

    Close it, or use it as a context manager.
    """

    def __init__(self, options: HttpOptions | None = None) -> None:
        self.options = options or HttpOptions()
        self._hosts: frozenset[str] | None = None
        self._turns = Turns(self.options.delay, self.options.lock_folder)
        self._retries = retries.policy(self.options)
        self._session = requests.Session()
        self._session.verify = ca_bundle(self.options)
        self._session.trust_env = False  # no .netrc; proxies and CA bundle are looked up by us
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.headers.update(
            {"User-Agent": self.options.full_user_agent, "Accept": "*/*", "Accept-Encoding": "gzip"}
        )
        adapter = GuardedAdapter(own_origins(self.options), pool_connections=32, pool_maxsize=8, max_retries=0)
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, adapter)

    def __enter__(self) -> HttpClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the pooled connections."""
        self._session.close()

    def within(self, hosts: Collection[str]) -> HttpClient:
        """Return this client, bound to these hosts: any other, linked or redirected to, is a BadResponse."""
        bound = copy.copy(self)
        bound._hosts = frozenset(hosts)
        return bound

    def may_ask(self, url: str) -> bool:
        """Tell whether an address may be asked: on a host that this client is bound to."""
        try:
            checked_url(url, self._hosts)
        except BadResponse:
            return False
        return True

    def fetch(
        self, url: str, folder: Path, seen: Validators = NOTHING_SEEN, *, max_bytes: int | None = None
    ) -> Fetched | NotModified:
        """Download `url` to a temporary file in `folder` (`.incoming-…`, the caller's to move or delete).

        Returns NotModified when the publisher says that the copy described by `seen` is the newest. On any
        error no file is left. Raises PublisherUnavailable, BadResponse, or PerinatalError where the disk
        refuses.
        """
        path: Path | None = None
        try:
            with tempfile.NamedTemporaryFile("w+b", dir=folder, prefix=".incoming-", delete=False) as handle:
                path = Path(handle.name)
                hold(handle.fileno())
                received = self._download(url, cast(BinaryIO, handle), seen, max_bytes or self.options.max_bytes)
            if isinstance(received, NotModified):
                return received
            fetched, path = Fetched(**vars(received), path=path), None
        except OSError as error:
            raise PerinatalError(
                f"{folder}: cannot keep what {host_of(url)} sends ({error.strerror or error}); "
                "make room or correct the folder's rights, then run again"
            ) from None
        else:
            return fetched
        finally:
            if path is not None:
                path.unlink(missing_ok=True)

    def read(
        self, url: str, seen: Validators = NOTHING_SEEN, *, max_bytes: int = DOCUMENT_LIMIT
    ) -> Document | NotModified:
        """Get a page or JSON document into memory, at most `max_bytes`; otherwise as `fetch`."""
        sink = BytesIO()
        received = self._download(url, sink, seen, max_bytes)
        return Document(**vars(received), content=sink.getvalue()) if isinstance(received, Received) else received

    def _download(self, url: str, sink: BinaryIO, seen: Validators, max_bytes: int) -> Received | NotModified:
        """Try until the body is whole, the attempts or the time are used up, or trying again cannot help."""
        deadline = time.monotonic() + self.options.total_timeout
        job = Download(checked_url(url, self._hosts), sink, seen, max_bytes, self.options.max_expansion, deadline)
        left = self._retries
        while True:
            try:
                return self._attempt(job)
            except PublisherUnavailable as error:
                left, pause = retries.next_try(left, error, self.options.retry_after_max)
                if pause >= deadline - time.monotonic():
                    raise error.final(len(left.history)) from None
            time.sleep(pause)

    def _attempt(self, job: Download) -> Received | NotModified:
        """Ask once and take the body. Raises with all that came so far kept in `job` for a resumed try."""
        with self._answer(job) as response:
            if response.status_code == 304 and (job.seen.etag or job.seen.last_modified) and not job.size:
                return NotModified(public_url(job.final_url), job.seen)
            self._refuse_status(response, job)
            return job.receive(response)

    @contextmanager
    def _answer(self, job: Download) -> Iterator[requests.Response]:
        """Ask, follow redirects within the rules, and hold the host until the body is done with."""
        url, visited = job.url, {job.url}
        while True:
            with self._turns.at(url, job.seconds_left), ExitStack() as closing:
                response = self._send(url, job)
                closing.callback(response.close)
                location = self._session.get_redirect_target(response)
                if response.status_code not in REDIRECTS or not location:
                    job.final_url = url
                    yield response
                    return
            url = redirected_url(url, location, self.options, self._hosts)
            if url in visited or len(visited) > self.options.max_redirects:
                what = "redirects in a circle" if url in visited else f"redirects more than {len(visited) - 1} times"
                raise BadResponse(job.url, what, CHECK_ADDRESS, reason="redirect_loop")
            visited.add(url)

    def _send(self, url: str, job: Download) -> requests.Response:
        """Send one GET, body unread. Whatever keeps an answer from coming is PublisherUnavailable.

        A host that is not on the public internet is sent nothing, and is a BadResponse.
        """
        asked = asked_url(url, self.options)
        left = job.seconds_left()
        try:
            return self._session.get(
                asked,
                headers=job.request_headers(),
                stream=True,
                allow_redirects=False,
                timeout=(min(self.options.connect_timeout, left), min(self.options.read_timeout, left)),
                proxies=proxies_for(asked, self.options),
            )
        except PrivatePeer as peer:
            what = f"its name leads to {peer.address}, which is not a public address"
            raise BadResponse(url, what, OUTSIDE_ALONE, reason="private_address") from None
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise no_answer(url, error) from None

    def _refuse_status(self, response: requests.Response, job: Download) -> None:
        """Raise for every status but 200 and 206."""
        status = response.status_code
        if status in {200, 206}:
            return
        if status == 416 and job.size:
            job.restart()
            what = "no longer has the part that is missing"
            raise PublisherUnavailable(job.url, what, LATER, reason="bad_range", status=status)
        what, code = f"answers {status} for {public_url(job.url)}{_excerpt(response)}", f"status_{status}"
        if not self._retries.is_retry(retries.METHOD, status):
            raise BadResponse(job.url, what, CHECK_ADDRESS, reason=code, status=status)
        error = PublisherUnavailable(job.url, what, LATER, reason=code, status=status)
        error.retry_after = retries.asked_pause(self._retries, response.raw)
        raise error


def _excerpt(response: requests.Response) -> str:
    """Quote the start of a plain-text error body in brackets; publishers' APIs say there what was wrong."""
    if not response.headers.get("Content-Type", "").startswith("text/plain"):
        return ""
    try:
        text = response.raw.read(EXCERPT, decode_content=True).decode("utf-8", "replace")
    except (urllib3.exceptions.HTTPError, OSError):
        return ""
    return f' (it says "{re.sub(r"[^ -~]+", " ", text).strip()}")' if text.strip() else ""
