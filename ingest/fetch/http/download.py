"""One body on its way: where it goes, what has come so far, and the bounds that it must keep."""

from __future__ import annotations

import gzip
import hashlib
import re
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final, cast

import requests
import urllib3

from ingest.fetch.http.addresses import public_url
from ingest.fetch.http.errors import LATER, BadResponse, PublisherUnavailable
from ingest.fetch.http.results import Received, Validators

CHUNK: Final = 1 << 16
EXPANSION_FLOOR: Final = 1 << 20  # bytes; compressed bodies below it may expand by any factor
GZIP: Final = frozenset({"gzip", "x-gzip"})


@dataclass
class Download:
    """One body on its way, over as many answers as it takes. `deadline` is in monotonic seconds."""

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

    def seconds_left(self) -> float:
        """Return the seconds left; raises PublisherUnavailable when there are none."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            error = PublisherUnavailable(self.url, "did not finish in the time allowed", LATER, reason="timeout")
            error.again = False
            raise error
        return left

    def request_headers(self) -> dict[str, str]:
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

    def receive(self, response: requests.Response) -> Received:
        """Take the body of a 200 or 206 and return what has come, whole.

        Raises BadResponse where a bound is broken, else PublisherUnavailable: what came is kept if it can be resumed.
        """
        whole = self._begin(response)
        for chunk in self._chunks(response):
            self._take(chunk, response.raw.tell())
        if whole is not None and self.size != whole:
            raise self._broken(f"sent {self.size:,} of {whole:,} bytes")
        return Received(
            sha256=self.digest.hexdigest(),
            size=self.size,
            etag=response.headers.get("ETag") or self.resume_etag,
            last_modified=response.headers.get("Last-Modified"),
            url=public_url(self.final_url),
            content_type=response.headers.get("Content-Type", ""),
            status=200,
        )

    def _begin(self, response: requests.Response) -> int | None:
        """Make ready for a 200 (from the start) or 206 (the rest); return the whole size where it is declared."""
        if response.status_code == 206:
            return self._begin_part(response)
        self.restart()
        headers = response.headers
        encoded = self._encoding(response) != "identity"
        etag, ranges = headers.get("ETag", ""), headers.get("Accept-Ranges", "bytes") == "bytes"
        self.resume_etag = etag if etag.startswith('"') and ranges and not encoded else None
        declared = headers.get("Content-Length", "")
        whole = int(declared) if declared.isdecimal() and not encoded else None
        if whole is not None and whole > self.max_bytes:
            raise self._too_large()
        return whole

    def _begin_part(self, response: requests.Response) -> int | None:
        """Check that a 206 is the part that was asked for, of the version that the first part is of."""
        found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
        is_asked = found and self._encoding(response) == "identity" and self.size and int(found[1]) == self.size
        if not found or not is_asked:
            self.restart()
            raise PublisherUnavailable(self.url, "sent another part than was asked", LATER, reason="bad_range")
        if response.headers.get("ETag", self.resume_etag) != self.resume_etag:
            self.restart()
            raise PublisherUnavailable(self.url, "sent a part of another version", LATER, reason="bad_range")
        return int(found[2]) if found[2] != "*" else None

    def _chunks(self, response: requests.Response) -> Iterator[bytes]:
        """Yield the decoded body as it comes. A body that breaks off, or is damaged, is PublisherUnavailable."""
        wire = _Wire(response.raw, self)
        body = gzip.GzipFile(fileobj=cast(BinaryIO, wire)) if self._encoding(response) in GZIP else wire
        try:
            while chunk := body.read1(CHUNK):
                yield chunk
        except EOFError:
            raise self._broken(f"broke off inside its compressed body, after {self.size:,} bytes") from None
        except (zlib.error, gzip.BadGzipFile):
            raise self._broken("sent a damaged compressed body") from None
        except urllib3.exceptions.TimeoutError:
            raise self._broken(f"stopped sending after {self.size:,} bytes", "timeout") from None
        except (urllib3.exceptions.HTTPError, requests.RequestException):
            raise self._broken(f"broke off after {self.size:,} bytes") from None
        if body is not wire and not response.raw.tell():
            raise self._broken("sent nothing of its compressed body")

    def _take(self, chunk: bytes, transferred: int) -> None:
        """Write a chunk and check every bound. `transferred`: bytes of this answer on the wire."""
        self.size += len(chunk)
        if self.size > self.max_bytes:
            raise self._too_large()
        if self.size > EXPANSION_FLOOR and self.size > self.max_expansion * transferred and not self.resume_etag:
            what = f"its compressed answer expands more than {self.max_expansion} times"
            raise BadResponse(self.url, what, "nothing was kept; ask the publisher", reason="gzip_bomb")
        self.digest.update(chunk)
        self.sink.write(chunk)

    def _encoding(self, response: requests.Response) -> str:
        """Return how the body is encoded: identity or gzip. Raises BadResponse for what was not asked for."""
        encoding = response.headers.get("Content-Encoding", "").strip().lower() or "identity"
        if encoding != "identity" and encoding not in GZIP:
            what = f"sends its answer in the encoding {encoding[:20]!r}, which was not asked for"
            raise BadResponse(self.url, what, "ask the publisher", reason="bad_encoding")
        return encoding

    def _broken(self, what: str, reason: str = "broken") -> PublisherUnavailable:
        """Return the error for a body that did not come whole; what came is forgotten where it cannot be resumed."""
        if not self.resume_etag:
            self.restart()
        return PublisherUnavailable(self.url, what, LATER, reason=reason)

    def _too_large(self) -> BadResponse:
        """Return the error for a body over the limit."""
        what = f"the file is larger than the limit of {self.max_bytes:,} bytes"
        return BadResponse(self.url, what, "raise the limit if it is right", reason="too_large")


class _Wire:
    """The body as it comes over the wire, undecoded; every read minds the time left."""

    def __init__(self, raw: urllib3.HTTPResponse, download: Download) -> None:
        self._raw, self._download = raw, download

    def read1(self, size: int) -> bytes:
        """Return what has come: a body that drips cannot outlast the total time limit."""
        self._download.seconds_left()
        return self._raw.read1(size, decode_content=False)

    read = read1  # the name that GzipFile asks by
