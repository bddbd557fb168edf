"""Asking publishers over HTTP as a polite guest: one connection a host, conditional, bounded, resumable.

Nothing here knows a source. A body is streamed to a temporary file (or kept in memory for small documents),
hashed on the way, and handed back with what the publisher said about it. All failures are one of two:
`PublisherUnavailable` (the world failed; the next run tries again) and `BadResponse` (an answer came and is
not usable; a person looks).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import random
import re
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final, cast
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit
from urllib.request import getproxies

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.utils import should_bypass_proxies

from perinatal.errors import PerinatalError

CHUNK: Final = 1 << 16
EXPANSION_FLOOR: Final = 1 << 20  # bytes; compressed bodies below it may expand by any factor
DOCUMENT_LIMIT: Final = 32 << 20  # bytes; a page or JSON document kept in memory
EXCERPT: Final = 300  # bytes of a plain-text error body that are worth showing
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
TRY_AGAIN: Final = frozenset({408, 425, 429})  # and every 5xx
SECRET_KEYS: Final = re.compile(r"key|token|secret|passw|sig|credential|auth|session", re.IGNORECASE)
LOOPBACK: Final = re.compile(r"localhost|127(\.\d+){3}|::1")


@dataclass(frozen=True)
class HttpOptions:
    """How to ask. Times are seconds, sizes bytes.

    `contact` (an address or page) is sent in the User-Agent. `total_timeout` covers one `fetch` or `read`
    with all its attempts. `max_expansion` bounds decoded over transferred bytes. A `Retry-After` above
    `retry_after_max` is not slept on: the fetch ends as unavailable. `delay` is the pause between two
    requests to a host. `proxies` maps scheme to proxy URL; None takes the environment's, as does
    `ca_bundle`. With `lock_folder` the rule of one connection a host holds across processes. `stand_ins`
    maps URL prefixes to the prefixes really asked (the sample publishers): everything handed back keeps the
    publisher's own address.
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


@dataclass(frozen=True)
class Validators:
    """What a publisher said about the copy we have; sent back to ask "has it changed?"."""

    etag: str | None = None
    last_modified: str | None = None


NOTHING_SEEN: Final = Validators()


@dataclass(frozen=True)
class NotModified:
    """The publisher says that our copy is still the newest."""

    url: str
    validators: Validators
    status: int = 304


@dataclass(frozen=True)
class Received:
    """A whole body: `size` (bytes) and `sha256` are of the decoded content; `url` is the final address."""

    sha256: str
    size: int
    etag: str | None
    last_modified: str | None
    url: str
    content_type: str
    status: int

    @property
    def validators(self) -> Validators:
        """Return what to send with the next request for the same address."""
        return Validators(self.etag, self.last_modified)


@dataclass(frozen=True)
class Fetched(Received):
    """A body in a temporary file that is the caller's to move or delete."""

    path: Path


@dataclass(frozen=True)
class Document(Received):
    """A small body in memory."""

    content: bytes


class HttpError(PerinatalError):
    """One line: host, what happened, what to do. `reason` is a stable code, `status` the HTTP one."""

    def __init__(self, url: str, what: str, remedy: str, *, reason: str, status: int | None = None) -> None:
        super().__init__(f"{host_of(url)}: {what}; {remedy}")
        self.url, self.host = public_url(url), host_of(url)
        self.what, self.remedy, self.reason, self.status = what, remedy, reason, status


class PublisherUnavailable(HttpError):
    """The world failed: no answer, a broken answer, or "not now". Retry later.

    `again` says whether trying again at once may help; `retry_after` is the pause asked for, in seconds.
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


LATER: Final = "the next run tries again"
LOOK: Final = "open the address in a browser and mend it in source.yml"


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


def checked_url(url: str) -> str:
    """Return `url` if it may be asked: http or https, with a host, without credentials. Else BadResponse."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise BadResponse(url, f"{public_url(url)!r} is not a web address", LOOK, reason="bad_address")
    if "@" in parts.netloc:
        raise BadResponse(url, "the address carries a user name or password", "take it out", reason="credentials")
    return url


@dataclass
class _Turnstile:
    """Lets one request at a time through to a host; the next may follow at `free_at` (monotonic seconds)."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    free_at: float = 0.0


@dataclass
class _Download:
    """One body on its way: where it goes, what has come so far, and the bounds that it must keep."""

    url: str
    sink: BinaryIO
    seen: Validators
    max_bytes: int
    max_expansion: int
    deadline: float
    final_url: str = ""
    size: int = 0
    resume_etag: str | None = None

    def __post_init__(self) -> None:
        self.digest = hashlib.sha256()

    def remaining(self) -> float:
        """Return the seconds left; raise when there are none."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            error = PublisherUnavailable(self.url, "did not finish in the time allowed", LATER, reason="timeout")
            error.again = False
            raise error
        return left

    def headers(self) -> dict[str, str]:
        """Return the request headers: a range of what is missing, or the conditions on what we have."""
        if self.size and self.resume_etag:
            # a range counts encoded bytes, so the rest is asked for as it is
            return {
                "Range": f"bytes={self.size}-",
                "If-Range": self.resume_etag,
                "Accept-Encoding": "identity",
            }
        conditions = {"If-None-Match": self.seen.etag, "If-Modified-Since": self.seen.last_modified}
        return {name: value for name, value in conditions.items() if value}

    def restart(self) -> None:
        """Forget what has come."""
        self.sink.seek(0)
        self.sink.truncate()
        self.digest, self.size, self.resume_etag = hashlib.sha256(), 0, None

    def begin(self, response: requests.Response) -> int | None:
        """Make ready for a 200 (from the start) or 206 (the rest); return the whole size if told."""
        declared = response.headers.get("Content-Length", "")
        encoded = response.headers.get("Content-Encoding", "identity") != "identity"
        whole = int(declared) if declared.isdecimal() and not encoded else None
        if response.status_code == 206:
            found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
            if not found or encoded or not self.size or int(found[1]) != self.size:
                self.restart()
                raise PublisherUnavailable(self.url, "sent another part than was asked", LATER, reason="bad_range")
            return int(found[2]) if found[2] != "*" else None
        self.restart()
        etag = response.headers.get("ETag", "")
        ranges = response.headers.get("Accept-Ranges", "bytes") == "bytes"
        self.resume_etag = etag if etag.startswith('"') and ranges and not encoded else None
        if whole is not None and whole > self.max_bytes:
            raise self.too_large()
        return whole

    def take(self, chunk: bytes, transferred: int) -> None:
        """Write a chunk and check every bound. `transferred`: bytes of this answer on the wire."""
        self.size += len(chunk)
        if self.size > self.max_bytes:
            raise self.too_large()
        if self.size > EXPANSION_FLOOR and self.size > self.max_expansion * transferred and not self.resume_etag:
            what = f"its compressed answer expands more than {self.max_expansion} times"
            raise BadResponse(self.url, what, "nothing was kept; ask the publisher", reason="gzip_bomb")
        self.digest.update(chunk)
        self.sink.write(chunk)
        self.remaining()

    def too_large(self) -> BadResponse:
        """Return the error for a body over the limit."""
        what = f"the file is larger than the limit of {self.max_bytes:,} bytes"
        return BadResponse(self.url, what, "raise the limit if it is right", reason="too_large")


class HttpClient:
    """One client for a whole run, shared by threads: its pool, its politeness and its rules.

    Close it, or use it as a context manager.
    """

    def __init__(self, options: HttpOptions | None = None) -> None:
        self.options = options or HttpOptions()
        self._turnstiles: dict[str, _Turnstile] = {}
        self._guard = threading.Lock()
        self._verify = _ca_bundle(self.options)
        self._session = requests.Session()
        self._session.trust_env = False  # no .netrc; proxies and CA bundle are looked up by us
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        contact = f" (+{self.options.contact})" if self.options.contact else ""
        self._session.headers.update(
            {"User-Agent": self.options.user_agent + contact, "Accept": "*/*", "Accept-Encoding": "gzip"}
        )
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(pool_connections=32, pool_maxsize=8, max_retries=0))

    def __enter__(self) -> HttpClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the pooled connections."""
        self._session.close()

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
                received = self._download(url, cast(BinaryIO, handle), seen, max_bytes or self.options.max_bytes)
            if isinstance(received, NotModified):
                return received
            fetched, path = Fetched(**vars(received), path=path), None
        except OSError as error:
            raise PerinatalError(
                f"{folder}: cannot keep what {host_of(url)} sends ({error.strerror or error}); "
                "make room or mend the folder's rights, then run again"
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
        """Try until the body is whole, the attempts or the time are used up, or trying again is pointless."""
        deadline = time.monotonic() + self.options.total_timeout
        job = _Download(checked_url(url), sink, seen, max_bytes, self.options.max_expansion, deadline)
        tries = 1
        while True:
            try:
                return self._attempt(job)
            except PublisherUnavailable as error:
                pause = self._pause(error, tries)
                if not error.again or tries >= self.options.attempts or pause >= deadline - time.monotonic():
                    raise error.final(tries) from None
                tries += 1
            time.sleep(pause)

    def _pause(self, error: PublisherUnavailable, tries: int) -> float:
        """Return the seconds to wait before the next try: as asked, else doubling, with jitter."""
        if error.retry_after is not None:
            if error.retry_after > self.options.retry_after_max:
                error.again = False
            return error.retry_after
        ceiling = min(self.options.backoff * 2.0 ** (tries - 1), self.options.backoff_max)
        return ceiling * random.uniform(0.5, 1.0)  # noqa: S311 - jitter

    def _attempt(self, job: _Download) -> Received | NotModified:
        """Ask once and take the body. Raises with all that came so far kept in `job` for a resumed try."""
        with self._answer(job) as response:
            headers = response.headers
            if response.status_code == 304 and (job.seen.etag or job.seen.last_modified) and not job.size:
                return NotModified(public_url(job.final_url), job.seen)
            _refuse_status(response, job)
            whole = job.begin(response)
            self._pour(response, job)
            if whole is not None and job.size != whole:
                raise PublisherUnavailable(job.url, f"sent {job.size:,} of {whole:,} bytes", LATER, reason="broken")
            return Received(
                sha256=job.digest.hexdigest(),
                size=job.size,
                etag=headers.get("ETag"),
                last_modified=headers.get("Last-Modified"),
                url=public_url(job.final_url),
                content_type=headers.get("Content-Type", ""),
                status=200,
            )

    def _pour(self, response: requests.Response, job: _Download) -> None:
        """Stream the body into the job's sink; a broken body becomes PublisherUnavailable."""
        raw: urllib3.HTTPResponse = response.raw
        try:
            # read1 hands over what has come: a body that drips cannot outrun the total time limit
            while chunk := raw.read1(CHUNK, decode_content=True):
                job.take(chunk, raw.tell())
        except urllib3.exceptions.DecodeError:
            job.restart()
            raise PublisherUnavailable(job.url, "sent a damaged compressed body", LATER, reason="broken") from None
        except (urllib3.exceptions.HTTPError, requests.RequestException) as error:
            is_late = isinstance(error, urllib3.exceptions.TimeoutError)
            what = f"{'stopped sending' if is_late else 'broke off'} after {job.size:,} bytes"
            if not job.resume_etag:
                job.restart()
            raise PublisherUnavailable(job.url, what, LATER, reason="timeout" if is_late else "broken") from None

    @contextmanager
    def _answer(self, job: _Download) -> Iterator[requests.Response]:
        """Ask, follow redirects within the rules, and hold the host until the body is done with."""
        url, visited = job.url, {job.url}
        while True:
            with self._turn(url, job), ExitStack() as closing:
                response = self._send(url, job)
                closing.callback(response.close)
                location = self._session.get_redirect_target(response)
                if response.status_code not in REDIRECTS or not location:
                    job.final_url = url
                    yield response
                    return
            url = self._next_hop(url, location, job)
            if url in visited or len(visited) > self.options.max_redirects:
                what = "sends us round in a ring" if url in visited else f"redirects more than {len(visited) - 1} times"
                raise BadResponse(job.url, what, LOOK, reason="redirect_loop")
            visited.add(url)

    def _next_hop(self, url: str, location: str, job: _Download) -> str:
        """Return where a redirect leads: never to another scheme, never with credentials."""
        asked = self._stand_in(url)
        target = urljoin(asked, location)
        if urlsplit(target).scheme != urlsplit(asked).scheme:
            what = f"redirects from {urlsplit(asked).scheme} to {urlsplit(target).scheme or 'nowhere'}"
            raise BadResponse(job.url, what, LOOK, reason="redirect_scheme")
        for public, stand_in in self.options.stand_ins.items():
            if target.startswith(stand_in):
                target = public + target.removeprefix(stand_in)
        return checked_url(target)

    def _stand_in(self, url: str) -> str:
        """Return the address that is really asked."""
        for public, stand_in in self.options.stand_ins.items():
            if url == public or url.startswith(public.rstrip("/") + "/"):
                return stand_in + url.removeprefix(public)
        return url

    def _send(self, url: str, job: _Download) -> requests.Response:
        """Send one GET, body unread. Whatever keeps an answer from coming is PublisherUnavailable."""
        asked = self._stand_in(url)
        left = job.remaining()
        try:
            return self._session.get(
                asked,
                headers=job.headers(),
                stream=True,
                allow_redirects=False,
                timeout=(min(self.options.connect_timeout, left), min(self.options.read_timeout, left)),
                proxies=_proxies(asked, self.options),
                verify=self._verify,
            )
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise _no_answer(url, error) from None

    @contextmanager
    def _turn(self, url: str, job: _Download) -> Iterator[None]:
        """Wait for the host to be free, then hold it."""
        host = host_of(url)
        with self._guard:
            gate = self._turnstiles.setdefault(host, _Turnstile())
        if not gate.lock.acquire(timeout=job.remaining()):
            job.remaining()
        try:
            with _process_lock(self.options.lock_folder, host, job):
                time.sleep(max(0.0, gate.free_at - time.monotonic()))
                yield
        finally:
            gate.free_at = time.monotonic() + self.options.delay
            gate.lock.release()


@contextmanager
def _process_lock(folder: Path | None, host: str, job: _Download) -> Iterator[None]:
    """Hold the host's lock file, so that other processes wait; nothing without a folder."""
    if folder is None:
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{re.sub(r'[^a-z0-9.-]', '_', host.lower())}.lock").open("w") as handle:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(min(0.1, job.remaining()))
        yield


def _ca_bundle(options: HttpOptions) -> str | bool:
    """Return the CA bundle to verify with: the option's, the environment's, or True for the bundled one."""
    bundle = options.ca_bundle or os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    if bundle and not Path(bundle).exists():
        raise PerinatalError(f"{bundle}: the CA bundle is not there; mend the CA bundle setting or REQUESTS_CA_BUNDLE")
    return bundle or True


def _proxies(url: str, options: HttpOptions) -> dict[str, str]:
    """Return the proxies for this address; none for loopback and what `no_proxy` names."""
    if LOOPBACK.fullmatch(urlsplit(url).hostname or "") or should_bypass_proxies(url, no_proxy=options.no_proxy):
        return {}
    return dict(getproxies() if options.proxies is None else options.proxies)


def _no_answer(url: str, error: Exception) -> PublisherUnavailable:
    """Say in words why no answer came. The library's own text is left out: it may hold proxy credentials."""
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
        what, remedy, again = "the address cannot be asked", LOOK, False
    found = PublisherUnavailable(url, what, remedy, reason="no_answer")
    found.again = again
    return found


def _refuse_status(response: requests.Response, job: _Download) -> None:
    """Raise for every status but 200 and 206."""
    status = response.status_code
    if status in {200, 206}:
        return
    if status == 416 and job.size:
        job.restart()
        raise PublisherUnavailable(job.url, "no longer has the part we miss", LATER, reason="bad_range", status=status)
    what, code = f"answers {status} for {public_url(job.url)}{_excerpt(response)}", f"status_{status}"
    if status in TRY_AGAIN or status >= 500:
        error = PublisherUnavailable(job.url, what, LATER, reason=code, status=status)
        error.retry_after = _retry_after(response)
        raise error
    raise BadResponse(job.url, what, LOOK, reason=code, status=status)


def _retry_after(response: requests.Response) -> float | None:
    """Return the seconds that `Retry-After` asks for (seconds or a date); None without a usable one."""
    asked = response.headers.get("Retry-After", "")
    try:
        return urllib3.Retry().parse_retry_after(asked) if asked else None
    except urllib3.exceptions.InvalidHeader:
        return None


def _excerpt(response: requests.Response) -> str:
    """Quote the start of a plain-text error body in brackets; publishers' APIs say there what was wrong."""
    if not response.headers.get("Content-Type", "").startswith("text/plain"):
        return ""
    try:
        text = response.raw.read(EXCERPT, decode_content=True).decode("utf-8", "replace")
    except (urllib3.exceptions.HTTPError, OSError):
        return ""
    return f' (it says "{re.sub(r"[^ -~]+", " ", text).strip()}")' if text.strip() else ""
