"""Findings from file to edition: coded, masked, ranked, beside what publishers publish, and decided on by people."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from perinatal.home import Home
from pipeline import steps

SEED = Path(__file__).parents[2] / "dbt_project/seeds/reference/published_theme.csv"
FINDINGS = [
    ("finding", "The CTG was pathological for an hour before Dr Zebediah Quillfeather was called.", 3),
    ("finding", "After Quillfeather had left, concerns about the trace were not escalated again.", 3),
    ("recommendation", "The Trust should ensure that staff follow guidance on intermittent auscultation.", 9),
    ("theme", "Fetal monitoring was a leading contributory factor.", 12),
]
HEADER = [
    "source",
    "document_title",
    "document_url",
    "published_on",
    "kind",
    "text",
    "count",
    "denominator",
    "share",
    "page",
    "recipient",
    "status",
]

pytestmark = pytest.mark.slow


def write_findings(path: Path) -> Path:
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, HEADER, restval="")
        writer.writeheader()
        for kind, text, page in FINDINGS:
            row = {"source": "hsib", "document_title": "Learning from births", "published_on": "2024-05-01"}
            row |= {"document_url": "https://example.org/births", "kind": kind, "text": text, "page": page}
            if kind == "theme":
                row |= {"count": 31, "denominator": 44, "share": "70%"}
            if kind == "recommendation":
                row |= {"recipient": "The Trust", "status": "accepted"}
            writer.writerow(row)
    return path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, landed: Callable[..., object]) -> Home:
    folder = tmp_path_factory.mktemp("themes")
    home = Home(folder / "home")
    landed(home, write_findings(folder / "hsib-findings-2024-05-01.csv"), source="hsib")
    assert steps.build(home).what == "published"
    return home


def rows(home: Home, sql: str, *values: object) -> list[tuple]:
    with duckdb.connect(str(home.database), read_only=True) as connection:
        return connection.execute(sql, values).fetchall()


def test_every_code_leads_back_to_document_and_release(built: Home) -> None:
    found = rows(
        built,
        "select theme_id, evidence, page, document_url, dim_release.source_id, is_synthetic from marts.theme_evidence "
        "join core.dim_release using (release_key) where theme_id = 'C01'",
    )
    assert len(found) >= 2
    assert {row[3:] for row in found} == {("https://example.org/births", "hsib", False)}
    assert all(row[1] and row[2] in (3, 9, 12) for row in found)


def test_no_name_of_a_person_is_anywhere_in_the_edition(built: Home) -> None:
    assert rows(built, "select count(*) from core.fct_finding where text like '%[name]%'") == [(2,)]
    for path in built.current.resolve().rglob("*"):
        if path.is_file():
            assert b"Quillfeather" not in path.read_bytes(), path
    assert any(b"Quillfeather" in path.read_bytes() for path in built.archive.rglob("*") if path.is_file())


def test_published_counts_stand_as_published_with_links_and_are_never_mixed(built: Home) -> None:
    with SEED.open(encoding="utf-8", newline="") as handle:
        seed = {(row["source"], row["period"], row["theme_or_measure"]): row for row in csv.DictReader(handle)}
    figures = rows(
        built,
        "select publisher, period_label, statement, published_value, published_unit, published_denominator, source_url "
        "from marts.theme_figure where linked_by = 'taxonomy'",
    )
    assert len(figures) >= 30
    for publisher, period, statement, *told in figures:
        row = seed[publisher, period, statement]
        names = ("value", "unit", "denominator", "url")
        assert told == [row[name] or None for name in names]
    listed = json.loads(rows(built, "select published_figures from marts.theme where theme_id = 'C01'")[0][0])
    assert ("49", "92 investigations") in {(item["published_value"], item["published_denominator"]) for item in listed}
    ((findings, coded),) = rows(
        built,
        "select findings, (select count(*) from marts.theme_evidence where theme_id = 'C01') "
        "from marts.theme where theme_id = 'C01'",
    )
    assert findings == coded <= len(FINDINGS)


def test_every_number_of_the_seed_is_in_the_edition(built: Home) -> None:
    with SEED.open(encoding="utf-8", newline="") as handle:
        wanted = sorted(
            (row["source"], row["theme_or_measure"], row["value"] or "", row["url"]) for row in csv.DictReader(handle)
        )
    found = rows(
        built, "select publisher, statement, coalesce(published_value, ''), source_url from core.published_theme"
    )
    assert sorted(found) == wanted


def test_people_win_from_the_next_build_on(built: Home, home: Home, cli: Callable[..., object], tmp_path: Path) -> None:
    import shutil

    shutil.copytree(built.root, home.root, symlinks=True)
    assert steps.build(home).what == "nothing_new"
    ((finding_id,),) = rows(home, "select finding_id from core.fct_finding where kind = 'theme'")
    home.theme_inbox.mkdir(parents=True)
    header = "finding_id,theme_id,decision,reviewer,decided_on\n"
    lines = f"{finding_id},C01,reject,A. Midwife,2026-11-01\n{finding_id},S07,add,A. Midwife,2026-11-01\n"
    (home.theme_inbox / "review.csv").write_text(header + lines)
    assert steps.build(home).what == "published"
    coded = dict(rows(home, "select theme_id, coded_by from marts.theme_evidence where finding_id = $1", finding_id))
    assert "C01" not in coded
    assert coded["S07"] == "person"
    assert rows(home, "select max(published_share_max) from marts.theme where theme_id = 'S07'") == [(70.0,)]
    assert steps.build(home).what == "nothing_new"
    out = tmp_path / "brief.html"
    assert cli("brief", "--theme", "S07", "--out", out, at=home).code == 0
    assert "coded by person" in out.read_text(encoding="utf-8")
