"""One publisher breaks in each way, as people see it: the others land, people are told, and the next run recovers.

`test_sample_publishers.py` asks the same of the client for every way of arriving; here the commands are run.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from faulty_publishers import faulty_sample

from ingest.archive import manifest as manifests
from ingest.archive import quarantine
from ingest.archive.synthetic import SyntheticHashes
from ingest.registry import source
from ingest.sample import publishers
from perinatal.home import Home

Cli = Callable[..., Any]
pytestmark = pytest.mark.timeout(900)

FILE, SOUND_FILE = "hosp-epis-stat-mat-msdscsv-2019-20.csv", "msds-sep2024-exp-measures.csv"
BY_HAND = 3  # files of the other publisher, in the inbox
BUNDLED = 1  # what comes with the software
# kind of fault → its details, what becomes of the file, what people are told
FAULTS: dict[str, tuple[dict[str, object], str, str]] = {
    "status": ({"status": 500}, "failed", "answers 500"),
    "reset": ({"after": 10}, "failed", "broke off"),
    "stall": ({"after": 10}, "failed", "stopped sending"),
    "wrong_length": ({}, "failed", "broke off after"),
    "html": ({}, "refused", "web page"),
    "header": ({}, "refused", "not_recognised"),
    "redirect_ring": ({}, "failed", "redirects in a circle"),
}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prepare the samples of two publishers, the first with two files only: enough to see one break."""
    home = Home(tmp_path_factory.mktemp("two") / "home")
    publishers.prepare(home.cache, SyntheticHashes(home.synthetic), source("nnap"))
    page = publishers.prepare(home.cache, SyntheticHashes(home.synthetic), source("msds")) / "page.html"
    lines = page.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if "<li>" not in line or FILE in line or SOUND_FILE in line]
    page.write_text("".join(kept), encoding="utf-8")
    return home.root


@pytest.fixture
def home(home: Home, prepared: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    monkeypatch.setenv("PERINATAL_INBOX_QUIET_SECONDS", "0.05")
    shutil.copytree(prepared, home.root)
    with faulty_sample():
        yield home


def set_fault(home: Home, fault: dict[str, object] | None) -> None:
    """Let the site that the commands serve break the file, or mend it."""
    table = home.cache / "sample" / "msds" / "site.json"
    document = json.loads(table.read_text(encoding="utf-8"))
    routes = [route for site in document["sites"].values() for route in site["routes"]]
    (route,) = (route for route in routes if route["path"].endswith(FILE))
    route.pop("fault", None)
    if fault:
        route["fault"] = fault
    table.write_text(json.dumps(document), encoding="utf-8")


def run(cli: Cli, home: Home, command: str) -> Any:
    ran = cli(command, "--sample", "--source", "msds", "--source", "nnap", at=home)
    assert ran.code == 0, ran.err
    assert "Traceback" not in ran.err
    return ran


def warnings(ran: Any) -> list[str]:
    return [line for line in ran.err.splitlines() if line.startswith("warning: ")]


# a quirk of the sample: a category that a spreadsheet has made a date
STANDING = {"arrival/msds/annual/2019-20"}


def open_scopes(cli: Cli, home: Home) -> set[str]:
    told = json.loads(cli("alerts", "--json", at=home).out)
    return {alert["scope"] for alert in told if alert["state"] == "open"} - STANDING


def landed_names(home: Home) -> set[str]:
    return {item.original_name for item in manifests.LandedReleases(home.landed).all()}


@pytest.mark.parametrize("kind", FAULTS)
def test_fetch_tells_of_a_broken_file_and_the_next_run_recovers(cli: Cli, home: Home, kind: str) -> None:
    details, outcome, told = FAULTS[kind]
    set_fault(home, {"kind": kind, **details})
    broken = run(cli, home, "fetch")
    (summary,) = (line.split() for line in broken.out.splitlines() if line.startswith("msds "))
    sound = 0 if kind == "stall" else 1  # a host that no longer answers is asked nothing more
    assert summary[:3] == ["msds", outcome, str(sound)]
    assert f"Inbox: {BY_HAND} landed" in broken.out
    assert len(landed_names(home)) == BY_HAND + sound
    (warning,) = warnings(broken)
    assert "msds" in warning
    assert FILE in warning
    assert told in warning
    assert {scope.split("/")[0] for scope in open_scopes(cli, home)} == {
        "fetch-sample" if outcome == "failed" else "arrival"
    }

    set_fault(home, None)
    mended = run(cli, home, "fetch")
    assert warnings(mended) == []
    assert FILE in landed_names(home)
    assert len(landed_names(home)) == BY_HAND + 2
    assert open_scopes(cli, home) == set()
    assert list(quarantine.Quarantine(home.quarantine).reports()) == []


@pytest.mark.slow
def test_refresh_publishes_the_others_and_then_the_rest(cli: Cli, home: Home) -> None:
    set_fault(home, {"kind": "reset", "after": 10})
    broken = run(cli, home, "refresh")
    assert any("msds" in line for line in warnings(broken))
    assert "fetch-sample/msds" in open_scopes(cli, home)
    first = home.current.resolve()
    assert len(json.loads((first / "edition.json").read_text(encoding="utf-8"))["releases"]) == BY_HAND + BUNDLED + 1

    set_fault(home, None)
    mended = run(cli, home, "refresh")
    assert not any("msds" in line for line in warnings(mended))
    assert "fetch-sample/msds" not in open_scopes(cli, home)
    assert home.current.resolve() != first
    assert (
        len(json.loads((home.current / "edition.json").read_text(encoding="utf-8"))["releases"])
        == BY_HAND + BUNDLED + 2
    )
