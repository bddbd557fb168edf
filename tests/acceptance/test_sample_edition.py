"""The sample edition as people meet it: every link, every CSV, every number's source, a pack, the ten questions.

It is built once (two minutes). `SAMPLE_HOME=/path/to/state` takes a state folder that has one already.
"""

from __future__ import annotations

import csv
import gzip
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import unquote

import crawler
import duckdb
import pytest
from frictionless import Package, system

import perinatal
from perinatal.home import Home
from perinatal.settings import PROJECT_ROOT
from publish import edition, portal
from publish.portal.model import Facts

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
LIGHT = 150_000  # bytes of an LMS page with all that it loads
SENT = 50_000  # the same as it comes to a reader: servers compress it
# files that describe no data (docs/data-dictionary.md)
DESCRIBING = {
    "data_dictionary.csv", "dictionary.csv", "indicators.csv", "usage_warnings.csv", "made_files.csv",
    "quality-checks.csv", "quality-alerts.csv", "theme_review.csv",
}  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Give a state folder with the sample edition. Read-only."""
    if kept := os.environ.get("SAMPLE_HOME"):
        return Home(Path(kept))
    root = tmp_path_factory.mktemp("sample") / "home"
    ran = subprocess.run(
        [sys.executable, "-m", "pipeline.commands.app", "refresh", "--sample"],
        cwd=PROJECT_ROOT,
        env={**os.environ, "PERINATAL_HOME": str(root), "PERINATAL_INBOX_QUIET_SECONDS": "0.05"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return Home(root)


@pytest.fixture(scope="module")
def folder(home: Home) -> Path:
    return home.current.resolve()


@pytest.fixture(scope="module")
def crawled(folder: Path) -> tuple[set[Path], list[str]]:
    return crawler.crawl(folder)


def test_every_link_leads_somewhere_and_every_page_is_linked(
    folder: Path, crawled: tuple[set[Path], list[str]]
) -> None:
    seen, faults = crawled
    assert faults == []
    pages = set((folder / "portal").rglob("*.html"))
    assert len(pages) > 250
    assert pages - seen == set()
    assert (folder / "quality" / "data_docs" / "index.html").resolve() in seen
    assert {path for path in seen if path.suffix == ".xlsx"} == set((folder / "downloads" / "lms").rglob("*.xlsx"))


def test_the_front_page_of_data_docs_leads_to_every_validation(folder: Path) -> None:
    docs = folder / "quality" / "data_docs"
    linked = {(docs / unquote(address)).resolve() for address in crawler.tree(docs / "index.html").xpath("//a/@href")}
    assert set(docs.rglob("validations/**/*.html")) <= linked
    assert set(docs.glob("expectations/*.html")) <= linked
    assert (folder / "portal" / "quality.html") in linked


def test_every_csv_that_is_linked_opens(crawled: tuple[set[Path], list[str]]) -> None:
    linked = [path for path in crawled[0] if path.suffix == ".csv"]
    assert len(linked) > 200
    for path in linked:
        with path.open(encoding="utf-8", newline="") as handle:
            rows = csv.reader(handle)
            header = next(rows)
            assert len(set(header)) == len(header) > 1, path
            assert all(len(row) == len(header) for row in rows), path


def test_every_table_has_its_csv(folder: Path) -> None:
    lacking = {
        path.name: found
        for path in sorted((folder / "portal").rglob("*.html"))
        if (found := crawler.tables_without_csv(crawler.tree(path)))
    }
    assert lacking == {}


def test_every_number_has_a_path_to_its_source_in_two_clicks(folder: Path) -> None:
    shown = 0
    for path in sorted((folder / "portal").rglob("*.html")):
        page = crawler.tree(path)
        shown += len(page.xpath("//span[@class='v']"))
        assert list(crawler.values_without_source(page)) == [], path
    assert shown > 5000
    with duckdb.connect(str(folder / edition.DATABASE), read_only=True) as connection:
        releases = connection.execute("select release_key, sha256, url from core.dim_release").fetchall()
    for key, sha256, url in releases:
        page = crawler.tree(folder / "portal" / "release" / f"{key.rsplit('/', 1)[-1]}.html")
        assert sha256 in page.text_content()
        assert not url or not url.startswith("http") or page.xpath(f"//a[@href='{url}']"), key


def test_every_lms_page_is_light(folder: Path) -> None:
    shared = sum(path.stat().st_size for path in (folder / "portal" / "static").iterdir())
    heaviest = max((folder / "portal" / "lms").glob("*.html"), key=lambda path: path.stat().st_size)
    assert heaviest.stat().st_size + shared < LIGHT, heaviest


def test_little_of_an_lms_page_is_sent(folder: Path) -> None:
    for page in (folder / "portal" / "lms").glob("*.html"):
        loads = crawler.tree(page).xpath("//link[@rel='stylesheet' or @rel='icon']/@href | //script/@src")
        assert len(loads) > 4
        loaded = [page, *((page.parent / address).resolve() for address in loads)]
        assert sum(len(gzip.compress(path.read_bytes(), 6)) for path in loaded) < SENT, page


@pytest.mark.bench
def test_the_pages_are_made_in_seconds(folder: Path, tmp_path: Path) -> None:
    start = time.process_time()
    written = portal.write(
        folder / edition.DATABASE, tmp_path / "portal", Facts("one", "2026-11-23T00:00:00+00:00", True)
    )
    assert written.pages > 250
    assert time.process_time() - start < 20


def test_a_trajectory_stands_in_the_unit_of_the_value(folder: Path) -> None:
    """Premature births are published per 1,000, the ambition in %."""
    with duckdb.connect(str(folder / edition.DATABASE), read_only=True) as connection:
        ratios = connection.execute(
            "select indicator_id, median(value / target) from marts.ambition_position where value > 0 group by all"
        ).fetchall()
    # the ambition counts all births: those of singletons alone (preterm_birth) have no position
    assert {indicator for indicator, _ in ratios} == {
        "neonatal_mortality_rate",
        "neonatal_mortality_rate_ons",
        "preterm_birth_all_births",
        "preterm_birth_ons",
        "stillbirth_rate",
        "stillbirth_rate_ons",
    }
    assert all(1 / 3 < ratio < 3 for _, ratio in ratios), ratios


@pytest.mark.parametrize("path", sorted((PROJECT_ROOT / "docs" / "queries").glob("*.sql")), ids=lambda path: path.stem)
def test_the_ten_questions_have_answers(path: Path, home: Home) -> None:
    with perinatal.connect(home.root) as answered:
        rows = answered.sql(path.read_text(encoding="utf-8")).fetchall()
    # nothing has changed yet: it is the first edition (test_mbrrace.py has a second one)
    assert bool(rows) != (path.name == "13_insights_group_what_changed.sql")


def is_silent(path: Path, real: set[str]) -> bool:
    """Whether a CSV cannot say that a row is synthetic, or has rows that deny it.

    Rows of a real release may deny it, and of none: figures that publishers printed, and measures without a figure.
    """
    with path.open(encoding="utf-8", newline="") as handle:
        table = csv.DictReader(handle)
        columns, rows = set(table.fieldnames or []), list(table)
    if not {"is_synthetic", "usage_warnings"} & columns:
        return True
    unsaid = [r for r in rows if r.get("is_synthetic") != "true" and "synthetic" not in r.get("usage_warnings", "")]
    if "release_key" in columns:
        return any(row["release_key"] not in real | {""} for row in unsaid)
    return bool(rows) and len(unsaid) == len(rows)


def test_every_file_with_data_says_that_it_is_synthetic(folder: Path) -> None:
    with duckdb.connect(str(folder / edition.DATABASE), read_only=True) as connection:
        found = connection.execute("select release_key from core.dim_release where not is_synthetic").fetchall()
    real = {key for (key,) in found}
    files = [path for room in ("downloads", "portal") for path in (folder / room).rglob("*") if path.is_file()]
    tables = [path for path in files if path.suffix == ".csv" and path.name not in DESCRIBING]
    assert len(tables) > 1000
    assert [path.relative_to(folder) for path in tables if is_silent(path, real)] == []
    texts = [path for path in files if path.suffix in (".xml", ".json", ".html") and "schema" not in path.parts]
    assert len(texts) > 1000
    says = re.compile(rb'"is_synthetic": ?true|synthetic (sample|data|releases)', re.IGNORECASE)
    assert [path.relative_to(folder) for path in texts if not says.search(path.read_bytes())] == []


def test_frictionless_finds_no_fault_in_a_pack(folder: Path) -> None:
    with system.use_context(trusted=False):
        report = Package(str(folder / "downloads" / "lms" / "QWO" / "datapackage.json")).validate()
    assert report.valid, report.flatten(["type", "note"])
