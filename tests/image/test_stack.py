"""The team server as its documents describe it: built, started, used, broken and taken down (`make test-image`)."""

from __future__ import annotations

import base64
import json
import os
import re
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
REAL = REPO.parent / "shared" / "releases" / "mbrrace" / NAME.format(year=2023)
MAILS = "http://127.0.0.1:8025/api/v1/messages"
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
        self.ports = {name: free_port() for name in ("PORTAL_PORT", "AIRFLOW_PORT", "METRICS_PORT")}
        (folder / ".env").write_text("\n".join(f"{key}={value}" for key, value in self._settings().items()))
        (folder / "crowded.yml").write_text(yaml.safe_dump({"services": dict(self._patient())}))

    def _settings(self) -> dict[str, Any]:
        """Fill in the first part of .env.example as it says, with the mail catcher of the trial for alerts."""
        to_fill_in, rest = (REPO / ".env.example").read_text(encoding="utf-8").split("# May stay as they are.")
        empty = re.findall(r"^(\w+)=$", to_fill_in, re.MULTILINE)
        [catcher] = re.findall(r'^# (\["mailto://.*"\])$', rest, re.MULTILINE)
        filled = {key: secrets.token_hex(32) for key in empty}
        key = base64.urlsafe_b64encode(os.urandom(32)).decode()
        own = {"AIRFLOW_FERNET_KEY": key, "PERINATAL_MODE": "inbox", "PERINATAL_ALERT_URLS": catcher}
        return filled | self.ports | own

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
        place = ("--project-name", self.name, "--env-file", str(self.folder / ".env"), "--profile", "trial", *files)
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

    def mails(self) -> list[dict[str, Any]]:
        """Return what the mail catcher has got, the newest first."""
        found: list[dict[str, Any]] = requests.get(MAILS, timeout=30).json()["messages"]
        return found

    def rows(self, sql: str) -> list[list[str]]:
        """Ask Airflow's database."""
        asked = f'psql --username airflow --no-align --tuples-only --command "{sql}"'
        return [line.split("|") for line in self.within("postgres", asked).splitlines()]

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
        try:
            made.compose("up", "--detach", "--wait", seconds=600 * crowd())
        except AssertionError:
            print(made.compose("logs", "--no-color", "--tail", "40"))
            raise
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
    return [made / NAME.format(year=year) for year in (2021, 2022, 2020)]


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
    killed, killed_at = time.monotonic(), time.time()
    stack.within("postgres", "kill -9 -1", check=False)
    assert stack.releases() == [first]
    wait_for("the edition", lambda: len(stack.releases()) == 2, 900)
    took = time.monotonic() - killed
    # PostgreSQL's end takes the scheduler with it, so it is another one that must notice
    [[at]] = stack.rows("select extract(epoch from max(dttm)) from log where event = 'heartbeat timeout'")
    noticed = float(at) - killed_at
    print(f"\nkilled in mid-build, {killed - start:.0f} s after the drop (crowd {crowd():.1f})")
    print(f"noticed {noticed:.0f} s, edition {took:.0f} s after the kill")
    assert noticed <= 90 * crowd()
    wait_for("all parts", lambda: set(stack.states().values()) == {"healthy", "exited"}, 300)
    assert stack.building() == ""
    assert stack.within("worker-build", "ls -A /var/lib/perinatal/build /var/lib/perinatal/inbox/mbrrace").split() == [
        "/var/lib/perinatal/build:",
        "/var/lib/perinatal/inbox/mbrrace:",
    ]


def test_a_stop_in_mid_build_is_short_and_counts_no_try(stack: Stack, files: list[Path]) -> None:
    stack.drop(files[2])
    wait_for("a build", stack.building, 300)
    start = time.monotonic()
    stack.compose("stop")
    print(f"\ndocker compose stop in mid-build: {time.monotonic() - start:.0f} s (crowd {crowd():.1f})")
    stack.compose("up", "--detach", "--wait", seconds=600 * crowd())
    wait_for("the edition", lambda: len(stack.releases()) == 3, 600)
    last = "select run_id from dag_run where dag_id = 'assemble' order by id desc limit 1"
    assert stack.rows(f"select distinct try_number from task_instance where run_id = ({last})") == [["1"]]
    assert not [mail for mail in stack.mails() if "task_failed" in mail["Snippet"]]


def test_a_refused_file_is_in_the_mail_of_whom_it_concerns(stack: Stack, tmp_path: Path) -> None:
    page = tmp_path / NAME.format(year=2019)
    page.write_text("<!doctype html><html><body>Please sign in</body></html>")
    before = len(stack.mails())
    stack.drop(page)
    wait_for("a mail", lambda: len(stack.mails()) > before, 300)
    mail = stack.mails()[0]
    assert [to["Address"] for to in mail["To"]] == ["lead@example.org"]
    assert f"arrival/mbrrace/{page.stem}" in mail["Snippet"]


@pytest.mark.skipif(not REAL.exists(), reason=f"no real release at {REAL}")
def test_a_real_file_is_in_an_edition_without_the_sample(stack: Stack) -> None:
    start = stack.drop(REAL)
    wait_for("the edition", lambda: any("/2023/" in key for key in stack.releases()), 600)
    print(f"\nreal file dropped → edition read through nginx: {time.monotonic() - start:.0f} s (crowd {crowd():.1f})")
    [release] = stack.releases()
    assert "/2023/" in release
    assert "Synthetic sample data" not in stack.get("/portal/index.html").text
