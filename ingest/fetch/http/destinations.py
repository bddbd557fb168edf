"""Where a request may go: web addresses only, redirects within the rules, stand-ins, proxies, the CA bundle."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final
from urllib.parse import urljoin, urlsplit
from urllib.request import getproxies

from requests.utils import should_bypass_proxies

from ingest.fetch.http.addresses import public_url
from ingest.fetch.http.errors import CHECK_ADDRESS, BadResponse
from ingest.fetch.http.options import HttpOptions
from perinatal.errors import PerinatalError

LOOPBACK: Final = re.compile(r"localhost|127(\.\d+){3}|::1")


def checked_url(url: str) -> str:
    """Return `url` if it may be asked: http or https, with a host, without credentials. Raises BadResponse."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise BadResponse(url, f"{public_url(url)!r} is not a web address", CHECK_ADDRESS, reason="bad_address")
    if "@" in parts.netloc:
        raise BadResponse(url, "the address carries a user name or password", "take it out", reason="credentials")
    return url


def asked_url(url: str, options: HttpOptions) -> str:
    """Return the address that is really asked: the stand-in's where there is one."""
    for public, stand_in in options.stand_ins.items():
        if url == public or url.startswith(public.rstrip("/") + "/"):
            return stand_in + url.removeprefix(public)
    return url


def redirected_url(url: str, location: str, options: HttpOptions) -> str:
    """Return where a redirect leads: never to another scheme, never with credentials. Raises BadResponse."""
    asked = asked_url(url, options)
    target = urljoin(asked, location)
    if urlsplit(target).scheme != urlsplit(asked).scheme:
        what = f"redirects from {urlsplit(asked).scheme} to {urlsplit(target).scheme or 'nowhere'}"
        raise BadResponse(url, what, CHECK_ADDRESS, reason="redirect_scheme")
    for public, stand_in in options.stand_ins.items():
        if target.startswith(stand_in):
            target = public + target.removeprefix(stand_in)
    return checked_url(target)


def proxies_for(url: str, options: HttpOptions) -> dict[str, str]:
    """Return the proxies for this address; none for loopback and what `no_proxy` names."""
    if LOOPBACK.fullmatch(urlsplit(url).hostname or "") or should_bypass_proxies(url, no_proxy=options.no_proxy):
        return {}
    return dict(getproxies() if options.proxies is None else options.proxies)


def ca_bundle(options: HttpOptions) -> str | bool:
    """Return the CA bundle to verify with: the option's, the environment's, or True for the bundled one."""
    bundle = options.ca_bundle or os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    if bundle and not Path(bundle).exists():
        raise PerinatalError(
            f"{bundle}: the CA bundle is not there; correct the CA bundle setting or REQUESTS_CA_BUNDLE"
        )
    return bundle or True
