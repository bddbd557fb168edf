"""Where a request may go: a source's own hosts, redirects within the rules, stand-ins, proxies, the CA bundle."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from pathlib import Path
from typing import Final
from urllib.parse import urljoin, urlsplit
from urllib.request import getproxies

from requests.utils import should_bypass_proxies

from ingest.fetch.http.addresses import Origin, public_url
from ingest.fetch.http.errors import ADD_HOST, CHECK_ADDRESS, BadResponse
from ingest.fetch.http.options import HttpOptions
from perinatal.errors import PerinatalError

LOOPBACK: Final = re.compile(r"localhost|127(\.\d+){3}|::1")


def checked_url(url: str, hosts: Collection[str] | None = None) -> str:
    """Return `url` if it may be asked: http or https, a host (one of `hosts`), no credentials. Raises BadResponse."""
    parts = urlsplit(url)
    try:
        origin = Origin.of(url)
    except ValueError:
        origin = Origin("", "", None)
    if origin.scheme not in {"http", "https"} or not origin.host:
        raise BadResponse(url, f"{public_url(url)!r} is not a web address", CHECK_ADDRESS, reason="bad_address")
    if "@" in parts.netloc:
        raise BadResponse(url, "the address carries a user name or password", "take it out", reason="credentials")
    if hosts is not None and origin.name not in hosts:
        what = f"{public_url(url)} is not on a host of this source ({', '.join(sorted(hosts)) or 'it has none'})"
        raise BadResponse(url, what, ADD_HOST, reason="other_host")
    return url


def asked_url(url: str, options: HttpOptions) -> str:
    """Return the address that is really asked: the stand-in's where there is one."""
    return next((moved for public, own in options.stand_ins.items() if (moved := _moved(url, public, own))), url)


def redirected_url(url: str, location: str, options: HttpOptions, hosts: Collection[str] | None = None) -> str:
    """Return where a redirect leads: to a host of the source, with the same scheme. Raises BadResponse."""
    asked = asked_url(url, options)
    target = urljoin(asked, location)
    if urlsplit(target).scheme != urlsplit(asked).scheme:
        what = f"redirects from {urlsplit(asked).scheme} to {urlsplit(target).scheme or 'nowhere'}"
        raise BadResponse(url, what, CHECK_ADDRESS, reason="redirect_scheme")
    meant = (moved for public, own in options.stand_ins.items() if (moved := _moved(target, own, public)))
    return checked_url(next(meant, target), hosts)


def _moved(url: str, base: str, to: str) -> str | None:
    """Return an address below `base` as the one below `to`; None where it is not below: another host, port or path."""
    try:
        is_same_host = Origin.of(url) == Origin.of(base)
    except ValueError:
        return None
    parts, root = urlsplit(url), urlsplit(base).path.rstrip("/")
    below = parts.path.removeprefix(root)
    if not is_same_host or "@" in parts.netloc or not parts.path.startswith(root) or below[:1] not in ("", "/"):
        return None
    return to.rstrip("/") + parts._replace(scheme="", netloc="", path=below, fragment="").geturl()


def own_origins(options: HttpOptions) -> frozenset[Origin]:
    """Return where the stand-ins answer: exactly these may be on this machine."""
    return frozenset(map(Origin.of, options.stand_ins.values()))


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
