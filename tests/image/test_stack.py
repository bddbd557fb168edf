"""The team server as its documents describe it: built, started, used, broken and taken down (`make test-image`)."""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from ingest import registry
from ingest.archive.synthetic import SyntheticHashes
from ingest.sample import publishers
from perinatal.home import Home
from tests.e2e.service import crowd, free_port, wait_for
from tests.image import bases
from tests.image.engine import Engine, engine

REPO = Path(__file__).resolve().parents[2]
NAME = "perinatal-mortality-rates-{year}-trusthealth-board.csv"
INBOX = "/var/lib/perinatal/inbox/mbrrace/"

pytestmark = [pytest.mark.image, pytest.mark.timeout(5400)]


def compose_file() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((REPO / "docker-compose.yml").read_text(encoding="utf-8"))
    return found


class Stack:
    """The team server in containers, and what it says over HTTP."""

    def __init__(self, docker: Engine, folder: Path) -> None:
        self.docker, self.folder = docker, folder
        self.name = f"perinatal-test-{secrets.token_hex(3)}"
        self.ports = {"PORTAL_PORT": free_port(), "AIRFLOW_PORT": free_port()}
        (folder / ".env").write_text("\n".join(f"{key}={value}" for key, value in self._settings().items()))
        (folder / "crowded.yml").write_text(yaml.safe_dump({"services": dict(self._patient())}))

    def _settings(self) -> dict[str, Any]:
        """Fill in .env.example as it says."""
        lines = (REPO / ".env.example").read_text(encoding="utf-8").splitlines()
        empty = [line[:-1] for line in lines if line.endswith("=") and not line.startswith("#")]
        filled = {key: secrets.token_hex(32) for key in empty}
        key = base64.urlsafe_b64encode(os.urandom(32)).decode()
        return filled | self.ports | {"AIRFLOW_FERNET_KEY": key, "PERINATAL_MODE": "inbox"}

    def _patient(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield, for each part of ours, that it is built once, and has longer to start on a crowded machine."""
        for name, about in compose_file()["services"].items():
            more: dict[str, Any] = {"pull_policy": "never"} if "build" in about else {}
            if "build" in about and "healthcheck" in about:
                more["healthcheck"] = {"start_period": f"{int(180 * crowd())}s"}
            if more:
                yield name, more

    def compose(self, *words: str, seconds: float = 600, check: bool = True) -> str:
        files = ("--file", str(REPO / "docker-compose.yml"), "--file", str(self.folder / "crowded.yml"))
        place = ("--project-name", self.name, "--env-file", str(self.folder / ".env"), *files)
        return self.docker.run("compose", *place, *words, seconds=seconds, check=check)

    def within(self, part: str, command: str, *, check: bool = True) -> str:
        """Run a line of shell in a part."""
        return self.compose("exec", "--no-TTY", part, "sh", "-c", command, check=check)

    def get(self, path: str) -> requests.Response:
        """Ask the portal."""
        return requests.get(f"http://127.0.0.1:{self.ports['PORTAL_PORT']}{path}", timeout=30)

    def releases(self) -> list[str]:
        """Return the releases of MBRRACE-UK in the edition that the portal serves; none while there is none."""
        answer = self.get("/edition.json")
        found = answer.json()["releases"] if answer.status_code == 200 else []
        return [key for key in found if key.startswith("mbrrace/")]

    def drop(self, file: Path) -> float:
        """Copy a file into the inbox as docs/airflow.md says; returns when."""
        self.compose("cp", str(file), f"worker-fetch:{INBOX}")
        return time.monotonic()

    def states(self) -> dict[str, str]:
        """Return part → healthy, starting, unhealthy, or its state where it has no check."""
        lines = self.compose("ps", "--all", "--format", "json").splitlines()
        parts = [json.loads(line) for line in lines]
        return {part["Service"]: part["Health"] or part["State"] for part in parts}

    def building(self) -> str:
        """Return the work files of a build that runs."""
        return self.within("worker-build", "ls /var/lib/perinatal/build/*/work.duckdb 2>/dev/null", check=False).strip()


@pytest.fixture(scope="module")
def docker() -> Iterator[Engine]:
    """Give an engine; TEST_IMAGE_FOLDER keeps what it downloads and builds for the next run."""
    kept = os.environ.get("TEST_IMAGE_FOLDER")
    folder = Path(kept or tempfile.mkdtemp(prefix="perinatal-image-"))  # short: sockets have short names
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with engine(folder) as found:
            start = time.monotonic()
            made = bases.provide(found, folder)
            said = f"stand-ins made of Debian packages: {', '.join(made)}" if made else "all found"
            print(f"\nbase images ({time.monotonic() - start:.0f} s): {said}")
            yield found
    finally:
        if not kept:
            shutil.rmtree(folder)


@pytest.fixture(scope="module")
def stack(docker: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Build the image and start everything; take it down, with its volumes, in the end."""
    made = Stack(docker, tmp_path_factory.mktemp("stack"))
    image = compose_file()["services"]["init"]["image"]
    start = time.monotonic()
    docker.run("build", "--quiet", *docker.build_options, "--tag", image, str(REPO), seconds=3600)
    built = time.monotonic()
    print(f"image: {built - start:.0f} s (crowd {crowd():.1f})")
    try:
        made.compose("up", "--detach", "--wait", seconds=600 * crowd())
        print(f"up --wait: {time.monotonic() - built:.0f} s")
        yield made
    finally:
        made.compose("down", "--volumes", "--timeout", "60", seconds=900)
        left = docker.run("ps", "--all", "--quiet", "--filter", f"label=com.docker.compose.project={made.name}")
        assert left == ""


@pytest.fixture(scope="module")
def files(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Give two files of MBRRACE-UK's, of two years of the sample; the server knows that they are synthetic."""
    home = Home(tmp_path_factory.mktemp("sample"))
    source = registry.source("mbrrace")
    made = publishers.prepare(home.cache, SyntheticHashes(home.synthetic), source) / "by_hand"
    stack.compose("cp", str(home.synthetic), "worker-fetch:/var/lib/perinatal/synthetic.txt")
    return [made / NAME.format(year=year) for year in (2021, 2022)]


def test_every_part_is_up_and_hardened(stack: Stack) -> None:
    states = stack.states()
    assert states.pop("init") == "exited"
    assert set(states.values()) == {"healthy"}
    for name in stack.compose("ps", "--quiet").split():
        [about] = json.loads(stack.docker.run("inspect", name))
        assert about["HostConfig"]["ReadonlyRootfs"]
        assert about["HostConfig"]["CapDrop"] == ["ALL"]
    assert stack.within("worker-build", "id -u").strip() == "10001"
    assert stack.within("portal", "touch /srv/perinatal/x 2>&1 || true").strip().endswith("Read-only file system")


def test_a_dropped_file_is_in_an_edition_that_nginx_serves(stack: Stack, files: list[Path]) -> None:
    start = stack.drop(files[0])
    wait_for("the edition", stack.releases, 600)
    print(f"\nfile dropped → edition read through nginx: {time.monotonic() - start:.0f} s (crowd {crowd():.1f})")
    assert stack.releases() == [key for key in stack.releases() if "/2021/" in key]
    assert "Synthetic sample data" in stack.get("/portal/index.html").text
    assert stack.get("/").url.endswith("/portal/index.html")
    table = stack.get("/downloads/trust_indicator.csv")
    assert table.text.startswith("trust_code,")
    assert "text/csv" in table.headers["Content-Type"]
    assert stack.get("/perinatal.duckdb").content[8:12] == b"DUCK"
    stack.within("worker-build", "cd /var/lib/perinatal/current && mkdir -p restricted && echo x > restricted/x")
    assert {stack.get(path).status_code for path in ("/restricted/", "/restricted/x", "/../inbox/", "/edition")} == {
        404
    }
    assert requests.post(stack.get("/portal/index.html").url, timeout=30).status_code == 405


def test_kills_in_mid_build_cost_time_and_nothing_else(stack: Stack, files: list[Path]) -> None:
    [first] = stack.releases()
    start = stack.drop(files[1])
    wait_for("a build", stack.building, 300)
    stack.within("worker-build", "kill -9 -1", check=False)
    killed = time.monotonic()
    stack.within("postgres", "kill -9 -1", check=False)
    assert stack.releases() == [first]
    wait_for("the edition", lambda: len(stack.releases()) == 2, 900)
    took = time.monotonic() - killed
    print(f"\nkilled in mid-build → edition: {took:.0f} s; {killed - start:.0f} s after the drop (crowd {crowd():.1f})")
    wait_for("all parts", lambda: set(stack.states().values()) == {"healthy", "exited"}, 300)
    assert stack.building() == ""
    assert stack.within("worker-build", "ls -A /var/lib/perinatal/build /var/lib/perinatal/inbox/mbrrace").split() == [
        "/var/lib/perinatal/build:",
        "/var/lib/perinatal/inbox/mbrrace:",
    ]
