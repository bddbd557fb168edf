"""The commands about what comes in, as people type them."""

import json
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from faulty_publishers import faulty_sample

from ingest import registry
from ingest.archive.synthetic import SyntheticHashes
from ingest.sample import publishers
from perinatal.home import Home

NOWHERE = "http://127.0.0.1:1"  # a proxy that lets nobody through: no test asks a real publisher
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path, cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in this process: Great Expectations is imported once, not once a command."""
    monkeypatch.setenv("PERINATAL_INBOX_QUIET_SECONDS", "0.05")
    for name, value in (("HTTPS_PROXY", NOWHERE), ("HTTP_PROXY", NOWHERE), ("NO_PROXY", "")):
        monkeypatch.setenv(name, value)

    def perinatal(*arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        done = cli(*arguments, at=Home(tmp_path))
        assert done.code == code, done.err
        assert "Traceback" not in done.err
        return subprocess.CompletedProcess(arguments, done.code, done.out, done.err)

    return perinatal


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """Return one file of the MBRRACE sample."""
    hashes = SyntheticHashes(tmp_path / "synthetic.txt")
    folder = publishers.prepare(tmp_path / "elsewhere", hashes, registry.source("mbrrace")) / "by_hand"
    return min(folder.iterdir())


def drop(home: Path, name: str, content: str | bytes) -> None:
    folder = home / "inbox" / "mbrrace"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)


def test_fetch_takes_the_inbox_and_tells_troubles_without_failing(run: Run, tmp_path: Path, sample: Path) -> None:
    drop(tmp_path, sample.name, sample.read_bytes())
    drop(tmp_path, "odd.csv", "a,b\n1,2\n")
    (tmp_path / "inbox" / "mbrrace" / "link.csv").symlink_to(sample)
    done = run("fetch")
    assert "Inbox: 1 landed, 1 refused; 1 file(s) left there" in done.stdout
    warnings = [line for line in done.stderr.splitlines() if line.startswith("warning: ")]
    assert len(warnings) == 2
    assert any("link.csv" in line for line in warnings)
    document: dict[str, Any] = json.loads(run("fetch", "--json").stdout)
    assert document["sources"] == []
    assert [item["name"] for item in document["inbox"]] == ["link.csv"]


def test_usage_errors(run: Run) -> None:
    assert "cannot be used together" in run("fetch", "--sample", "--live", code=2).stderr
    assert "no source is called 'nope'" in run("fetch", "--source", "nope", code=1).stderr
    assert "--live" in run("sources", "check", code=2).stderr
    run("quarantine", "reject", "abc", code=2)


def test_live_where_the_network_is_closed(run: Run) -> None:
    assert "not reachable from here" in run("sources", "check", "--live", "--source", "mbrrace").stdout
    (found,) = json.loads(run("sources", "check", "--live", "--source", "mbrrace", "--json").stdout)
    assert found["address"] == registry.source("mbrrace").probe.url


def test_sources_are_listed(run: Run) -> None:
    assert "MBRRACE-UK" in run("sources").stdout
    rows = {row["source"]: row for row in json.loads(run("sources", "--json").stdout)}
    assert set(rows) == set(registry.all_sources())
    row = rows["mbrrace"]
    assert (row["arrives"], row["latest_release"], row["last_probe"]) == ("by hand; its page is watched", None, None)


def test_a_broken_sample_publisher_is_a_warning_and_recovers(
    cli: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERINATAL_INBOX_QUIET_SECONDS", "0.05")
    run = partial(cli, at=Home(tmp_path))
    source = registry.source("mbrrace")
    folder = publishers.prepare(Home(tmp_path).cache, SyntheticHashes(Home(tmp_path).synthetic), source)
    for path in sorted((folder / "by_hand").iterdir())[1:]:
        path.unlink()
    table = json.loads((folder / "site.json").read_text())
    (site,) = table["sites"].values()
    site["routes"][0]["fault"] = {"kind": "status", "status": 500}
    (folder / "site.json").write_text(json.dumps(table))
    with faulty_sample():
        broken = run("fetch", "--sample", "--source", "mbrrace")
    assert "answers 500" in broken.err
    assert "failed" in broken.out
    assert "Inbox: 1 landed" in broken.out
    assert "publisher_unavailable" in run("alerts").out
    del site["routes"][0]["fault"]
    (folder / "site.json").write_text(json.dumps(table))
    mended = run("fetch", "--sample", "--source", "mbrrace")
    assert "warning" not in mended.err
    assert "publisher_unavailable" not in run("alerts").out
    (row,) = [row for row in json.loads(run("sources", "--json").out) if row["source"] == "mbrrace"]
    assert row["last_outcome"] == "unchanged"
    assert row["is_synthetic"]
    assert row["last_probe"]


def test_quarantine_is_worked(run: Run, tmp_path: Path, sample: Path) -> None:
    text = sample.read_text(encoding="utf-8")
    drop(tmp_path, sample.name, text.replace(",TotalBirths,", ",Geburten,", 1))
    drop(tmp_path, "odd.csv", "a,b\n1,2\n")
    run("fetch")
    listed = {row["name"]: row for row in json.loads(run("quarantine", "list", "--json").stdout)}
    assert set(listed) == {sample.name, "odd.csv"}
    assert "not_recognised" in run("quarantine", "list").stdout
    odd, wrong = listed["odd.csv"]["sha256"], listed[sample.name]["sha256"]
    assert "neither name nor content" in run("quarantine", "show", odd).stdout
    shown = json.loads(run("quarantine", "show", odd, "--json").stdout)
    assert shown["sha256"].startswith(odd)
    assert (Path(shown["folder"]) / "odd.csv").read_text() == "a,b\n1,2\n"
    assert "2 quarantined files" in run("quarantine", "show", "", code=1).stderr

    run("quarantine", "reject", wrong, "--why", "not theirs", "--who", "Ann")
    refused = run("quarantine", "release", odd, "--why", "I insist", "--who", "Ann", code=3)
    assert "refused at arrival" in refused.stderr
    assert [row["sha256"] for row in json.loads(run("quarantine", "list", "--json").stdout)] == [odd]
    log = [json.loads(line) for line in (tmp_path / "decisions.jsonl").read_text().splitlines()]
    assert [(entry["who"], entry["decision"], entry["why"]) for entry in log] == [
        ("Ann", "rejected", "not theirs"),
        ("Ann", "released", "I insist"),
    ]
    assert all(entry["at"] and entry["sha256"] for entry in log)


def test_a_release_from_quarantine_lands_with_a_warning(run: Run, tmp_path: Path, sample: Path) -> None:
    lines = sample.read_text(encoding="utf-8").splitlines()
    drop(tmp_path, sample.name, "\n".join([*lines, lines[1]]) + "\n")
    assert "organisation_once" in run("fetch").stderr
    (row,) = json.loads(run("quarantine", "list", "--json").stdout)
    assert "1 warning(s)" in run("quarantine", "release", row["sha256"], "--why", "counted twice, known").stdout
    assert json.loads(run("quarantine", "list", "--json").stdout) == []
    (alert,) = json.loads(run("alerts", "--json").stdout)
    assert (alert["rule"], alert["severity"], alert["state"]) == ("organisation_once", "warn", "open")
    assert "counted twice, known" in alert["message"]


def test_a_person_closes_the_alert_that_asks_for_one(run: Run) -> None:
    assert "no such alert was open" in run("sources", "seen", "mbrrace", "--why", "looked").stdout
