"""Base images under the names of Dockerfile and docker-compose.yml: the real ones, or stand-ins made of Debian."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.image.engine import NEWER_RELEASE, Engine

REPO = Path(__file__).resolve().parents[2]
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"


@dataclass(frozen=True)
class StandIn:
    """How a base image is made: Debian packages of a release, and what a Dockerfile adds to them."""

    packages: str
    lines: str
    release: str = NEWER_RELEASE


# the official image's first start, as far as docker-compose.yml uses it
START_POSTGRES = r"""#!/bin/sh
set -eu
data=/var/lib/postgresql/data
if [ ! -s "$data/PG_VERSION" ]; then
    printf '%s' "$POSTGRES_PASSWORD" > /tmp/password
    initdb --pgdata "$data" --username "$POSTGRES_USER" --pwfile /tmp/password --encoding UTF8 --locale C.UTF-8 \
        --auth-host scram-sha-256 --auth-local trust
    rm /tmp/password
    echo 'host all all all scram-sha-256' >> "$data/pg_hba.conf"
    postgres -D "$data" -c listen_addresses= -c unix_socket_directories=/tmp &
    until createdb --host /tmp --username "$POSTGRES_USER" "$POSTGRES_DB"; do sleep 0.2; done
    kill -INT $!
    wait $! || true
fi
exec postgres -D "$data" -c 'listen_addresses=*' -c unix_socket_directories=/run/postgresql
"""

# the mail catcher, as far as the trial uses it: SMTP at 1025, and at 8025 what has come, as its API gives it
MAILPIT = r"""#!/usr/bin/python3
import email.policy, json, sys, urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

if sys.argv[1:] == ["readyz"]:
    sys.exit(urllib.request.urlopen("http://127.0.0.1:8025/readyz", timeout=4).status != 200)
from aiosmtpd.controller import Controller

caught = []

class Catcher:
    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        text = mail.get_body(("plain", "html")).get_content()
        to = [{"Address": address} for address in envelope.rcpt_tos]
        caught.insert(0, {"Subject": mail["Subject"], "To": to, "Snippet": " ".join(text.split())})
        return "250 OK"

class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"messages": caught}).encode())

Controller(Catcher(), hostname="0.0.0.0", port=1025).start()
ThreadingHTTPServer(("", 8025), Answer).serve_forever()
"""

STAND_INS = {
    "python": StandIn(
        "ca-certificates,python3,python3-venv,python3-pip",
        f"COPY ca-certificates.crt {CERTIFICATES}\n"
        "RUN ln -s /usr/bin/python3 /usr/local/bin/python && ln -s /usr/bin/python3 /usr/local/bin/python3\n"
        f"ENV PIP_CERT={CERTIFICATES} SSL_CERT_FILE={CERTIFICATES}\n",
        "bookworm",
    ),
    "postgres": StandIn(
        "postgresql-17",
        "COPY --chmod=755 start.sh /start.sh\n"
        "RUN install -d -o postgres -g postgres -m 0700 /var/lib/postgresql/data\n"
        # as in the official image: a container that starts again mounts with the folder's mode, not with the option's
        "RUN install -d -o postgres -g postgres -m 3777 /run/postgresql\n"
        'ENV PATH=/usr/lib/postgresql/17/bin:/usr/bin:/bin\nSTOPSIGNAL SIGINT\nENTRYPOINT ["/start.sh"]\n',
    ),
    "redis": StandIn("redis-server", "RUN install -d -o redis -g redis -m 0700 /data\nWORKDIR /data\n"),
    "mailpit": StandIn("python3-aiosmtpd", 'COPY --chmod=755 mailpit /mailpit\nENTRYPOINT ["/mailpit"]\n'),
    "nginx-unprivileged": StandIn("nginx-light,wget", 'CMD ["nginx", "-g", "daemon off;"]\n'),
}


def needed() -> list[str]:
    """Return the names of the base images: of the Dockerfile, and of the parts that are not built."""
    built = re.findall(r"^FROM (\S+)", (REPO / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    services = yaml.safe_load((REPO / "docker-compose.yml").read_text(encoding="utf-8"))["services"].values()
    named = [about["image"] for about in services if "build" not in about]
    return list(dict.fromkeys([*built, *named]))


def short(name: str) -> str:
    """Return an image's name without its place and version."""
    return name.partition(":")[0].rpartition("/")[2]


def provide(engine: Engine, folder: Path) -> list[str]:
    """See that every base image is here; returns the names of those that are stand-ins."""
    made = [name for name in needed() if not engine.has_image(name)]
    for name in made:
        _make(engine, name, folder)
    return made


def _make(engine: Engine, name: str, folder: Path) -> None:
    """Make the stand-in for a base image."""
    if engine.folder is None:
        pytest.skip(f"{name} cannot be pulled, and stand-ins are made only with an engine of our own")
    about = short(name)
    recipe, context = STAND_INS[about], folder / "bases" / about
    context.mkdir(parents=True, exist_ok=True)
    options = ["--variant=minbase", "--mode=root", "--quiet", f"--include={recipe.packages}", recipe.release]
    environment = {key: value for key, value in engine.environment.items() if key != "LD_LIBRARY_PATH"}
    subprocess.run(
        ["mmdebstrap", *options, str(folder / "base.tar"), engine.mirror],
        env={**environment, "TMPDIR": str(folder)},
        check=True,
        capture_output=True,
    )
    engine.run("import", str(folder / "base.tar"), f"debian-for-{about}")
    (folder / "base.tar").unlink()
    (context / "start.sh").write_text(START_POSTGRES)
    (context / "mailpit").write_text(MAILPIT)
    shutil.copy(os.environ.get("SSL_CERT_FILE", CERTIFICATES), context / "ca-certificates.crt")
    (context / "Dockerfile").write_text(f"FROM debian-for-{about}\n{recipe.lines}")
    engine.run("build", "--quiet", "--network", "none", "--tag", name, str(context))
