"""The bundled sample over real HTTP: a second run transfers and publishes nothing; any one publisher may break."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from faulty_publishers import Fault, FaultyPublishers, faulty_sample

from expectations import alerts
from ingest.archive import manifest as manifests
from ingest.archive.synthetic import SyntheticHashes
from ingest.fetch import fetching as fetch
from ingest.fetch import probe_state
from ingest.fetch.http import HttpClient
from ingest.inbox import collect as inbox
from ingest.registry import Source, all_sources
from ingest.sample import publishers
from ingest.stores import FetchStores
from perinatal.home import Home

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # the whole sample lands here
FAULTS = [
    Fault("status", status=500),
    Fault("status", status=429, retry_after=1),
    Fault("reset", after=10),
    Fault("stall", after=10),
    Fault("hang"),
    Fault("wrong_length"),
    Fault("redirect_ring"),
    Fault("redirect_scheme"),
    Fault("gzip_bomb"),
    Fault("endless"),
]


def watched() -> list[Source]:
    return [source for source in all_sources().values() if publishers.has_sample(source) and source.probe]


def one_of_each_kind() -> list[Source]:
    """Return a source for each way of arriving."""
    return list({source.arrives: source for source in watched()}.values())


def address_of(source: Source) -> tuple[str, str]:
    """Return host and path of the address that is watched."""
    assert source.probe
    return urlsplit(source.probe.url).netloc, urlsplit(source.probe.url).path


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("sample") / "home")


@pytest.fixture(scope="module")
def running(home: Home) -> Iterator[tuple[FaultyPublishers, HttpClient]]:
    """Everything landed once, and the sample publishers still there to be broken."""
    for source in all_sources().values():
        if publishers.has_sample(source):
            publishers.drop(home.cache, FetchStores.of(home), source)
    dropped = inbox.collect(FetchStores.of(home), all_sources(), 0.01)
    assert [item for item in dropped if item.left] == []
    with (
        faulty_sample(),
        publishers.running(home.cache, SyntheticHashes(home.synthetic), watched()) as (server, options),
    ):
        # no answer ends by time: no machine is too slow for this test
        patient = replace(options, read_timeout=300, total_timeout=900, attempts=2, backoff=0.01, max_bytes=32 << 20)
        with HttpClient(patient) as client:
            reports = list(fetch.fetch_all(FetchStores.of(home), client, watched(), synthetic=True))
            assert [report for report in reports if report.outcome in ("failed", "needs_person")] == []
            warnings = [line for report in reports for line in report.warnings]
            assert warnings
            assert all("no data for area type" in line for line in warnings), warnings
            yield server, client


def test_every_sample_lands_as_synthetic(home: Home, running: tuple[FaultyPublishers, HttpClient]) -> None:
    landed = list(manifests.LandedReleases(home.landed).all())
    assert all(item.is_synthetic for item in landed)
    assert {item.source_id for item in landed} == {s.id for s in all_sources().values() if publishers.has_sample(s)}


def test_a_second_run_transfers_no_body(home: Home, running: tuple[FaultyPublishers, HttpClient]) -> None:
    server, client = running
    before = len(list(manifests.LandedReleases(home.landed).all()))
    server.forget()
    for source in all_sources().values():
        if publishers.has_sample(source):
            publishers.drop(home.cache, FetchStores.of(home), source)
    assert inbox.collect(FetchStores.of(home), all_sources(), 0.01) == []
    reports = list(fetch.fetch_all(FetchStores.of(home), client, watched(), synthetic=True))
    assert {report.outcome for report in reports} == {"unchanged"}
    assert server.count().requests >= len(watched())
    assert server.count().body_bytes == 0
    assert len(list(manifests.LandedReleases(home.landed).all())) == before


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.kind}-{fault.status}")
@pytest.mark.parametrize("source", one_of_each_kind(), ids=lambda source: source.id)
def test_one_broken_publisher_is_reported_and_recovers(
    home: Home, running: tuple[FaultyPublishers, HttpClient], source: Source, fault: Fault
) -> None:
    server, client = running
    host, path = address_of(source)
    # nothing is remembered of this publisher, so that it has to send bodies
    probe_state.ProbeStates(home.probes).path_of(source.id, synthetic=True).unlink()
    server.fault(host + path, replace(fault))
    others = {other.id for other in watched() if address_of(other)[0] != host}
    reports = {}
    for report in fetch.fetch_all(FetchStores.of(home), client, watched(), synthetic=True):
        reports[report.source_id] = report
        if others <= reports.keys():  # they were all served while a silent publisher was still silent
            server.end_waiting()
    server.fault(host + path, None)
    assert reports.pop(source.id).outcome == "failed"
    same_page = {other.id for other in watched() if address_of(other) == (host, path)}
    assert {report.outcome for name, report in reports.items() if name not in same_page} <= {"unchanged"}
    standing = [
        str(alert.scope) for alert in alerts.AlertLog(home.alerts).open() if alert.scope.kind.startswith("fetch")
    ]
    assert f"fetch-sample/{source.id}" in standing
    reports = {
        report.source_id: report for report in fetch.fetch_all(FetchStores.of(home), client, watched(), synthetic=True)
    }
    assert reports[source.id].outcome in ("unchanged", "no_data")
    assert [
        str(alert.scope) for alert in alerts.AlertLog(home.alerts).open() if alert.scope.kind.startswith("fetch")
    ] == []


def perinatal(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PERINATAL_HOME": str(home), "PERINATAL_INBOX_QUIET_SECONDS": "0.05"}
    command = [sys.executable, "-m", "pipeline.commands.app", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_refresh_twice_publishes_once(tmp_path: Path) -> None:
    first = perinatal(tmp_path, "refresh", "--sample")
    assert first.returncode == 0, first.stderr
    edition = (tmp_path / "current").resolve()
    second = perinatal(tmp_path, "refresh", "--sample")
    assert second.returncode == 0, second.stderr
    assert "nothing new" in second.stdout
    assert (tmp_path / "current").resolve() == edition
    third = json.loads(perinatal(tmp_path, "fetch", "--sample", "--json").stdout)
    assert third["sample_traffic"]["body_bytes"] == 0
    assert third["sample_traffic"]["requests"] >= len(watched())
