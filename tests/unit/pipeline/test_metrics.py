"""What monitoring reads: the gauges by a plain scrape of the portal's server, and its health."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import made_up
import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from expectations.alerts import AlertLog, Breach, Scope
from ingest.archive.quarantine import Quarantine, Report
from ingest.registry import all_sources
from perinatal.home import Home
from pipeline import metrics
from publish import edition, serve
from publish.edition import Editions


@pytest.fixture
def address(home: Home) -> Iterator[str]:
    """Serve the state folder as `perinatal portal` does."""
    server = serve.PortalServer(Editions.of(home), 0, metrics.answers(home))
    thread = threading.Thread(target=server.serve_until_stopped, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.should_exit = True
    thread.join()


def scraped(text: str) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """Return name, labels and value of each sample, read as Prometheus reads it."""
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def publish(home: Home, name: str, **more: Any) -> None:
    folder = home.editions / name
    folder.mkdir(parents=True)
    facts = {"edition_id": name, "published_at": "2026-11-28T02:00:30+00:00", "is_synthetic": True}
    facts |= {"releases": ["a", "b"], "warnings": ["a_rule"], "fingerprint": "f" * 64}
    (folder / edition.INFO).write_text(json.dumps(facts | more))
    duckdb.connect(str(folder / edition.DATABASE)).close()
    Editions.of(home).point_current(folder)


def test_an_empty_installation_is_healthy_and_says_what_it_has(address: str) -> None:
    answer = requests.get(f"{address}/healthz", timeout=20)
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.json() == {
        "status": "ok",
        "edition": None,
        "published_at": None,
        "open_alerts": {"block": 0, "warn": 0, "info": 0},
    }
    found = scraped(requests.get(f"{address}/metrics", timeout=20).text)
    assert found["perinatal_editions"] == {(): 0}
    assert "perinatal_edition_info" not in found
    assert set(found["perinatal_quarantined_files"].values()) == {0}
    assert len(found["perinatal_quarantined_files"]) == len(all_sources())


def test_editions_alerts_quarantine_and_disk_are_scraped(home: Home, address: str, tmp_path: Path) -> None:
    publish(home, "20261127T020000-aaaaaaaa")
    took = {"models": 41.5, "gate": 3.0}
    publish(home, "20261128T020000-bbbbbbbb", seconds=took, bytes={"build": 1_000_000, "landed": 1})
    log = AlertLog(home.alerts)
    log.reconcile(Scope.of("release"), [Breach("one", "block", "x"), Breach("two", "warn", "y")])
    log.reconcile(Scope.of("daily"), [Breach("three", "warn", "z")])
    page = tmp_path / "page.csv"
    page.write_text("<html>")
    report = Report("msds", "ab" * 32, "page.csv", None, None, "2026-01-01T00:00:00+00:00", False, [])
    Quarantine(home.quarantine).put(page, report)

    answer = requests.get(f"{address}/metrics", timeout=20)
    assert answer.headers["Content-Type"].startswith("text/plain")
    found = scraped(answer.text)
    assert found["perinatal_editions"] == {(): 2}
    said = (("edition", "20261128T020000-bbbbbbbb"), ("is_synthetic", "true"))
    assert found["perinatal_edition_info"] == {said: 1}
    assert found["perinatal_edition_published_timestamp_seconds"] == {(): 1795831230}
    assert found["perinatal_build_seconds"] == {(("step", name),): seconds for name, seconds in took.items()}
    assert found["perinatal_alerts_open"] == {
        (("severity", "block"),): 1,
        (("severity", "warn"),): 2,
        (("severity", "info"),): 0,
    }
    assert found["perinatal_quarantined_files"][(("source", "msds"),)] == 1
    assert found["perinatal_disk_free_bytes"][()] <= shutil.disk_usage(home.root).total
    assert found["perinatal_disk_needed_bytes"] == {(): 1_200_000}
    assert requests.get(f"{address}/healthz", timeout=20).json()["edition"] == "20261128T020000-bbbbbbbb"


def test_the_file_for_nginx_is_whole_and_readable(home: Home) -> None:
    metrics.write(home)
    assert home.metrics.stat().st_mode & 0o004
    assert scraped(home.metrics.read_text())["perinatal_editions"] == {(): 0}


def test_figures_of_an_edition_have_their_age(home: Home) -> None:
    made_up.edition_folder(home.root)
    found = scraped(metrics.text(home))
    labels = dict(next(iter(found["perinatal_figures_age_days"])))
    assert set(labels) == {"source", "dataset"}
    for key, days in found["perinatal_figures_age_days"].items():
        since = (
            found["perinatal_metrics_timestamp_seconds"][()] - found["perinatal_figures_up_to_timestamp_seconds"][key]
        )
        assert abs(since / 86400 - days) <= 1


@pytest.mark.parametrize("path", ["/metrics/", "/healthz/x", "/metrics.prom"])
def test_nothing_else_is_answered(address: str, path: str) -> None:
    assert requests.get(f"{address}{path}", timeout=20).status_code in (404, 503)
