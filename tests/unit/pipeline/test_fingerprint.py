"""What makes an edition out of date: any landed release, decision, shipped file or library version."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.archive.manifest import Manifest
from perinatal import settings
from perinatal.settings import PROJECT_ROOT
from pipeline import fingerprint

NO_DECISIONS = Path("no such file")
MANIFEST = Manifest(
    "demo",
    "counts",
    "counts",
    "2024",
    1,
    "final",
    "ab" * 32,
    "1-2-3-4",
    1,
    "x.csv",
    None,
    None,
    None,
    "2026-01-01T00:00:00+00:00",
    "Nobody",
    "none",
    "public",
    False,
    1,
    1,
    1,
    0,
    [],
)


def mark(*items: Manifest, decisions: Path = NO_DECISIONS) -> str:
    return fingerprint.whole(fingerprint.parts(items, decisions))


def test_another_engine_changes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    before = mark(MANIFEST)
    monkeypatch.setenv("PERINATAL_ENGINE", "spark")
    settings.get.cache_clear()
    assert mark(MANIFEST) != before


@pytest.mark.parametrize(
    "changes",
    [
        {"sha256": "cd" * 32},
        {"revision": 2},
        {"parser_version": 2},
        {"release": "2025"},
        {"status": "provisional"},
        {"published_on": "2026-02-01"},
    ],
)
def test_a_changed_release_changes_it(changes: dict[str, object]) -> None:
    assert mark(MANIFEST) == mark(MANIFEST)
    assert mark(MANIFEST) != mark()
    assert mark(MANIFEST) != mark(replace(MANIFEST, **changes))  # type: ignore[arg-type]


def test_the_order_of_landing_does_not() -> None:
    other = replace(MANIFEST, release="2025")
    assert mark(MANIFEST, other) == mark(other, MANIFEST)


def test_people_s_decisions_change_it(tmp_path: Path) -> None:
    decisions = tmp_path / "decisions.csv"
    decisions.write_text("finding_id,theme_id\n")
    assert mark(MANIFEST, decisions=decisions) != mark(MANIFEST)


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a copy of every shipped file."""
    root = tmp_path_factory.mktemp("shipped")
    for path in fingerprint.shipped_files(PROJECT_ROOT):
        target = root / path.relative_to(PROJECT_ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return root


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("publish/packs/tables.py", "downloads"),
        ("publish/tables.yml", "downloads"),
        ("publish/portal/static/portal.css", "pages"),
        ("perinatal/charts/plot.py", "pages"),
        ("perinatal/charts/charts.css", "pages"),
        ("dbt_project/dbt_project.yml", "models"),
        ("ingest/sources/mbrrace/corrections.yml", "models"),
        ("docs/methods.md", "pages"),
        ("docs/queries/01_lms_board_what_stands_out.sql", "pages"),
        ("expectations/release/10_shape.yml", "gate"),
        ("insights/taxonomy/themes.csv", "themes"),
        ("pipeline/steps.py", "code"),
    ],
)
def test_a_changed_or_added_shipped_file_changes_its_step_alone(shipped: Path, name: str, step: str) -> None:
    before = fingerprint.code_parts(shipped)
    path = shipped / name
    path.parent.mkdir(parents=True, exist_ok=True)
    original = path.read_bytes() if path.exists() else None
    path.write_bytes((original or b"") + b"\n")
    fingerprint.code_parts.cache_clear()
    after = fingerprint.code_parts(shipped)
    path.write_bytes(original) if original is not None else path.unlink()
    fingerprint.code_parts.cache_clear()
    assert {part for part in before if before[part] != after[part]} == {step}


def test_every_library_version_counts(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint.code_parts(shipped)
    for step, names in fingerprint.LIBRARIES.items():
        for name in names:
            fingerprint.code_parts.cache_clear()
            monkeypatch.setattr(fingerprint, "version", lambda asked, name=name: "0" if asked == name else "1")
            first = fingerprint.code_parts(shipped)
            fingerprint.code_parts.cache_clear()
            monkeypatch.setattr(fingerprint, "version", lambda _: "1")
            assert {part for part in first if first[part] != fingerprint.code_parts(shipped)[part]} == {step}
    fingerprint.code_parts.cache_clear()
    assert set(before) == set(fingerprint.SHIPPED.values())


def test_what_is_made_here_does_not_count(shipped: Path) -> None:
    before = fingerprint.code_parts(shipped)
    for name in ("ingest/__pycache__/x.pyc", "dbt_project/target/manifest.json", "dbt_project/logs/dbt.log"):
        (shipped / name).parent.mkdir(parents=True, exist_ok=True)
        (shipped / name).write_text("made here")
    fingerprint.code_parts.cache_clear()
    assert fingerprint.code_parts(shipped) == before
