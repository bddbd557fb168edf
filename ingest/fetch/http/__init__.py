"""Asking publishers over HTTP as a polite guest: one connection a host, conditional, bounded, resumable.

Nothing here knows a source. A body is streamed to a temporary file (or kept in memory for small documents), hashed on
the way, and handed back with what the publisher said about it. Every failure is one of two: `PublisherUnavailable`
(no usable answer now; the next run tries again) and `BadResponse` (an answer came and cannot be used; a person looks).
"""

from ingest.fetch.http.addresses import host_of, public_url
from ingest.fetch.http.client import HttpClient
from ingest.fetch.http.errors import ADD_HOST, CHECK_ADDRESS, LATER, BadResponse, HttpError, PublisherUnavailable
from ingest.fetch.http.options import HttpOptions
from ingest.fetch.http.results import NOTHING_SEEN, Document, Fetched, NotModified, Received, Validators

__all__ = [
    "ADD_HOST",
    "CHECK_ADDRESS",
    "LATER",
    "NOTHING_SEEN",
    "BadResponse",
    "Document",
    "Fetched",
    "HttpClient",
    "HttpError",
    "HttpOptions",
    "NotModified",
    "PublisherUnavailable",
    "Received",
    "Validators",
    "host_of",
    "public_url",
]
