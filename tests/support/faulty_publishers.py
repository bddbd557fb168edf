"""The sample publishers' server, made to go wrong on purpose: the same real HTTP, with faults.

A fault is set by `FaultyPublishers.fault(path, …)`, or stands in the route table (`site.json`) beside a route:
`"fault": {"kind": "status", "status": 503, "retry_after": 1, "times": 2}`.
"""

import gzip
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import pytest

from ingest.sample import publishers
from ingest.sample.answers import Answer
from ingest.sample.server import Handler, SamplePublishers, Server

HTML_INSTEAD: Final = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Sign in</body></html>\n"
BLOCK: Final = b"1,2,3\n" * 10_000

FaultKind = Literal[
    "status",
    "reset",
    "slow",
    "stall",
    "hang",
    "wrong_length",
    "cut_gzip",
    "other_part",
    "html",
    "other_body",
    "header",
    "redirect_ring",
    "redirect_scheme",
    "gzip_bomb",
    "endless",
]


@dataclass
class Fault:
    """One way of going wrong, for the next `times` requests (None: all).

    `status`, `retry_after` (seconds, or a text sent as it is) for kind `status`; `after` bytes go out before a `reset`,
    a `stall` or the end of a compressed body that is cut (`cut_gzip`, sent without a length); `wait` seconds between
    the bytes of `slow`; `extra` bytes more (or fewer) are declared than sent for `wrong_length`; `rename` is what
    becomes of the first header cell for `header`; `size` decoded bytes of a `gzip_bomb`; `hang` never answers, `stall`
    never goes on, until `end_waiting` or the next fault; `endless` never stops; `other_part` is the range asked for, of
    another version with an ETag of its own; `body` is sent instead of the true one for `other_body`. `then` is called
    when a fault has happened.
    """

    kind: FaultKind
    times: int | None = None
    status: int = 500
    retry_after: float | str | None = None
    after: int = 1000
    wait: float = 0.05
    extra: int = 100
    rename: str = "Renamed column"
    size: int = 8 << 20
    body: bytes = b""
    then: Callable[[], object] = lambda: None


class FaultyServer(Server):
    """The sample server, and the faults that its requests meet."""

    def __init__(self, address: tuple[str, int], handler: type[Handler], root: Path) -> None:
        super().__init__(address, handler, root)
        self.faults: dict[str, Fault] = dict(_faults_below(root))
        self.over = threading.Event()  # set when waiting answers are to end

    def fault_for(self, path: str) -> Fault | None:
        """Return the fault that this request meets, and use one of its times up."""
        with self.lock:
            fault = self.faults.get(path)
            if fault is None or fault.times == 0:
                return None
            if fault.times is not None:
                fault.times -= 1
            return fault


class FaultyHandler(Handler):
    """One connection that goes wrong as its fault says, before, within or after the true answer."""

    server: FaultyServer
    fault: Fault | None = None

    def respond(self) -> None:
        """Answer in the fault's way, or as a sound publisher would."""
        self.over = self.server.over
        self.fault = self.server.fault_for(self.url_path)
        if self.fault is not None and self.fault.kind in INSTEAD:
            INSTEAD[self.fault.kind](self, self.fault)
        else:
            super().respond()
        if self.fault is not None:
            self.fault.then()

    def send_answer(self, answer: Answer, *, packed: bool) -> None:
        """Send the answer, spoilt where the fault is about what is sent."""
        if self.fault is not None and self.fault.kind in SPOILT:
            answer = SPOILT[self.fault.kind](answer, self.fault)
        super().send_answer(answer, packed=packed)

    def send_head(self, status: int, headers: Mapping[str, str]) -> None:
        """Send the head, with a false length or a false ETag where that is the fault."""
        if self.fault is not None and self.fault.kind == "wrong_length" and "Content-Length" in headers:
            headers = {**headers, "Content-Length": str(int(headers["Content-Length"]) + self.fault.extra)}
            self.close_connection = True
        super().send_head(status, headers)

    def send_body(self, data: bytes) -> None:
        """Send the body, or what the fault leaves of it."""
        if self.fault is not None and self.fault.kind in BODIES:
            BODIES[self.fault.kind](self, data, self.fault)
        else:
            super().send_body(data)

    def slowly(self, data: bytes, fault: Fault) -> None:
        """Send the body byte by byte."""
        for offset in range(len(data)):
            if self.over.wait(fault.wait):
                return
            super().send_body(data[offset : offset + 1])

    def stall(self, data: bytes, fault: Fault) -> None:
        """Send the first bytes, then nothing until the waiting is ended."""
        super().send_body(data[: min(fault.after, len(data) - 1)])
        self.close_connection = True
        self.over.wait()

    def reset(self, data: bytes, fault: Fault) -> None:
        """Send the first bytes, then break the connection with a reset."""
        super().send_body(data[: fault.after])
        self.wfile.flush()
        time.sleep(0.05)  # a reset overtakes bytes that the client has not read yet
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()
        self.close_connection = True

    def refuse(self, fault: Fault) -> None:
        """Answer with an error status and perhaps Retry-After."""
        body = f"{fault.status} on purpose".encode()
        headers = {"Content-Type": "text/plain", "Content-Length": str(len(body))}
        if fault.retry_after is not None:
            headers["Retry-After"] = str(fault.retry_after)
        super().send_head(fault.status, headers)
        super().send_body(body)

    def hang(self, _: Fault) -> None:
        """Send nothing until the waiting is ended."""
        self.close_connection = True
        self.over.wait()

    def redirect(self, location: str) -> None:
        super().send_head(302, {"Location": location, "Content-Length": "0"})

    def redirect_in_a_ring(self, _: Fault) -> None:
        """Send from `?a` to `?b` and back."""
        path = urlsplit(self.path).path
        self.redirect(f"{path}?{'b' if self.path.endswith('?a') else 'a'}")

    def redirect_to_https(self, _: Fault) -> None:
        self.redirect(f"https://{self.headers['Host']}{self.path}")

    def gzip_bomb(self, fault: Fault) -> None:
        """Send zeros that expand a thousandfold."""
        body = _bomb(fault.size)
        headers = {"Content-Type": "text/csv", "Content-Encoding": "gzip", "Content-Length": str(len(body))}
        super().send_head(200, headers)
        super().send_body(body)

    def cut_gzip(self, fault: Fault) -> None:
        """Send the first bytes of a compressed body, without saying how many there should be, and close."""
        route = self.server.route_for(self.url_path)
        assert route
        body = gzip.compress(route.answer(self.url_path, "").body, mtime=0)
        self.close_connection = True
        super().send_head(200, {"Content-Type": "text/csv", "Content-Encoding": "gzip", "Connection": "close"})
        super().send_body(body[: fault.after])

    def other_part(self, _: Fault) -> None:
        """Send the range that was asked for, of a body that is all `x` and has an ETag of its own."""
        route = self.server.route_for(self.url_path)
        assert route
        size = len(route.answer(self.url_path, "").body)
        start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        part = b"x" * (size - start)
        headers = {"Content-Type": "text/csv", "Content-Length": str(len(part)), "ETag": '"another version"'}
        super().send_head(206, {**headers, "Content-Range": f"bytes {start}-{size - 1}/{size}"})
        super().send_body(part)

    def endless(self, _: Fault) -> None:
        """Send chunks until the client has had enough."""
        self.close_connection = True
        super().send_head(200, {"Content-Type": "text/csv", "Transfer-Encoding": "chunked"})
        while not self.over.is_set():
            super().send_body(f"{len(BLOCK):x}\r\n".encode() + BLOCK + b"\r\n")


class FaultyPublishers(SamplePublishers):
    """The sample publishers, with faults. `stop` ends slow, hanging and endless answers."""

    server_class = FaultyServer
    handler_class = FaultyHandler
    _server: FaultyServer

    def stop(self) -> None:
        """Stop listening and end every open answer."""
        self._server.over.set()
        super().stop()

    def end_waiting(self) -> None:
        """Close every connection that hangs or stalls, and those to come, until the next fault is set."""
        self._server.over.set()

    def fault(self, path: str, fault: Fault | None) -> None:
        """Let requests for `/<host name>/<path>` (no query) meet a fault; None takes it back."""
        with self._server.lock:
            self._server.faults.pop("/" + path.lstrip("/"), None)
            self._server.over.set()
            self._server.over = threading.Event()
            if fault is not None:
                self._server.faults["/" + path.lstrip("/")] = fault


@contextmanager
def faulty_sample() -> Iterator[None]:
    """Let everything that serves the bundled sample in this process read faults, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publishers, "SamplePublishers", FaultyPublishers)
        yield


def _faults_below(root: Path) -> Iterator[tuple[str, Fault]]:
    """Yield path → fault for the faults that stand in route tables."""
    for site_file in root.rglob("site.json"):
        sites = json.loads(site_file.read_text(encoding="utf-8"))["sites"]
        for host, site in sites.items():
            yield from ((f"/{host}{raw['path']}", Fault(**raw["fault"])) for raw in site["routes"] if "fault" in raw)


@cache
def _bomb(size: int) -> bytes:
    return gzip.compress(bytes(size), mtime=0)


def _as_html(_: Answer, __: Fault) -> Answer:
    return Answer(HTML_INSTEAD, "text/html; charset=utf-8")


def _with_other_header(answer: Answer, fault: Fault) -> Answer:
    """Rename the first cell of the first line."""
    head, newline, rest = answer.body.partition(b"\n")
    cells = head.split(b",")
    changed = b",".join([fault.rename.encode(), *cells[1:]])
    return Answer(changed + newline + rest, answer.media_type, answer.status, answer.modified)


SPOILT: Final[Mapping[str, Callable[[Answer, Fault], Answer]]] = {
    "html": _as_html,
    "other_body": lambda answer, fault: Answer(fault.body, answer.media_type),
    "header": _with_other_header,
}
INSTEAD: Final[Mapping[str, Callable[[Any, Fault], None]]] = {
    "status": FaultyHandler.refuse,
    "hang": FaultyHandler.hang,
    "redirect_ring": FaultyHandler.redirect_in_a_ring,
    "redirect_scheme": FaultyHandler.redirect_to_https,
    "gzip_bomb": FaultyHandler.gzip_bomb,
    "cut_gzip": FaultyHandler.cut_gzip,
    "other_part": FaultyHandler.other_part,
    "endless": FaultyHandler.endless,
}
BODIES: Final[Mapping[str, Callable[[Any, bytes, Fault], None]]] = {
    "slow": FaultyHandler.slowly,
    "stall": FaultyHandler.stall,
    "reset": FaultyHandler.reset,
}
