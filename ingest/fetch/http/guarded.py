"""Connections that reach public addresses alone: the peer of every new connection is looked at, not a name.

So a name that resolves to this machine or to the inside of a network is refused, also where it resolved otherwise a
moment ago. A configured proxy is not looked at: it resolves names itself and stands inside by its nature.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection
from typing import Any, Final

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from ingest.fetch.http.addresses import Origin

NAT64: Final = ipaddress.ip_network("64:ff9b::/96")


class PrivatePeer(Exception):
    """A host's name led to an address that is not on the public internet; nothing was sent there."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.address = address


class GuardedAdapter(HTTPAdapter):
    """Sends requests over connections to public addresses, and to the origins that are exempt."""

    def __init__(self, exempt: Collection[Origin], **options: Any) -> None:
        self._exempt = exempt
        super().__init__(**options)

    def init_poolmanager(self, *sizes: Any, **options: Any) -> None:
        """Make the pools of direct connections; those through a proxy are the library's own."""
        super().init_poolmanager(*sizes, **options)
        self.poolmanager.pool_classes_by_scheme = _pool_classes(self._exempt)


def is_public(address: str) -> bool:
    """Tell whether an IP address is on the public internet; one that wraps an IPv4 address is judged by that."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        wrapped = found.ipv4_mapped or found.sixtofour
        if found in NAT64:
            wrapped = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if wrapped:
            return is_public(str(wrapped))
    return found.is_global and not found.is_multicast


def _checked(connected: socket.socket, origin: Origin, exempt: Collection[Origin]) -> socket.socket:
    """Return a connection that may be used; else close it and raise PrivatePeer."""
    address = connected.getpeername()[0]
    if origin in exempt or is_public(address):
        return connected
    connected.close()
    raise PrivatePeer(address)


def _pool_classes(exempt: Collection[Origin]) -> dict[str, type[HTTPConnectionPool]]:
    """Return urllib3's pools by scheme, whose connections are checked as soon as they stand."""

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return _checked(super()._new_conn(), Origin("http", self.host, self.port), exempt)

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return _checked(super()._new_conn(), Origin("https", self.host, self.port), exempt)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}
