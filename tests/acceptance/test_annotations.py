"""Answers to figures from the inbox to the edition: they are counted and listed, and change no number."""

from pathlib import Path

import duckdb
import pytest

from perinatal.home import Home
from pipeline import steps
from tests.conftest import land

pytestmark = pytest.mark.slow

ANSWERS = """organisation,indicator,period,text,name,date
RCF,stillbirth_rate,2023,A <b>resubmission</b> is due in March.,Director of Midwifery,2026-01-15
RCF,all,,=1+1 unit closed in June,Director of Midwifery,2026-01-15
"""
NOT_FIGURES = ("annotation", "edition_change")


def contents(database: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return every mart with its rows, as text: lists and NaN compare then; `is_new` is of the edition before."""
    with duckdb.connect(str(database), read_only=True) as connection:
        names = connection.execute(
            "select table_name from information_schema.tables where table_schema = 'marts'"
        ).fetchall()
        return {
            name: connection.execute(
                "select figure::varchar from "
                f"(select columns(lambda part: part <> 'is_new') from marts.{name}) as figure order by 1"
            ).fetchall()
            for (name,) in names
            if name not in NOT_FIGURES
        }


def test_an_answer_changes_no_number(copied: Home, tmp_path: Path) -> None:
    before = contents(copied.database)
    assert sum(map(len, before.values())) > 1000
    file = tmp_path / "answers.csv"
    file.write_text(ANSWERS, encoding="utf-8")
    [landed] = land(copied, file, source="annotations")
    assert landed.what == "landed", landed.message
    assert steps.build(copied).what == "published"
    assert contents(copied.database) == before
    with duckdb.connect(str(copied.database), read_only=True) as connection:
        rows = connection.execute(
            "select level, organisation_code, indicator_id, indicator_name, period_label, text, said_by "
            "from marts.annotation order by indicator_id"
        ).fetchall()
        counted = connection.execute(
            "select rows_in, rows_mart, rows_excluded from quality.source_health where source_id = 'annotations'"
        ).fetchall()
    assert rows == [
        ("trust", "RCF", "all", None, None, "=1+1 unit closed in June", "Director of Midwifery"),
        ("trust", "RCF", "stillbirth_rate", "Stillbirth rate", "2023", "A <b>resubmission</b> is due in March.",
         "Director of Midwifery"),
    ]  # fmt: skip
    assert counted == [(2, 2, 0)]
    page = (copied.current / "portal" / "trust" / "RCF.html").read_text(encoding="utf-8")
    assert "A &lt;b&gt;resubmission&lt;/b&gt; is due in March." in page
    assert "'=1+1 unit closed" in (copied.current / "downloads" / "annotation.csv").read_text(encoding="utf-8")
