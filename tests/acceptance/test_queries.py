"""The example queries answer on the real edition; each says who asks and what to mind."""

import re
from pathlib import Path

import pytest

import perinatal
from perinatal.home import Home
from perinatal.settings import PROJECT_ROOT

QUERIES = sorted((PROJECT_ROOT / "docs" / "queries").glob("*.sql"))
ROLES = ("LMS board", "board safety champion", "head of midwifery", "national Insights group")
# what one year of one source, in a first edition, cannot answer; the sample edition has more
UNANSWERED = (
    "04_lms_board_inequalities.sql",  # MBRRACE-UK gives no groups of trusts
    "11_insights_group_who_worsened_most.sql",  # there is no year before
    "12_insights_group_outliers_two_years.sql",  # nor here
    "13_insights_group_what_changed.sql",  # there is no edition before
)


def test_there_are_queries_for_all_four_roles() -> None:
    assert len(QUERIES) == 13
    texts = [path.read_text(encoding="utf-8") for path in QUERIES]
    assert all(re.match(r"(-- .*\n)*?-- .*\?", text) and text.startswith("-- For the ") for text in texts)
    for role in ROLES:
        assert any(role in text.splitlines()[0] for text in texts), role


def test_the_analysts_page_lists_them_all() -> None:
    listed = re.findall(r"`(\d\d_\w+\.sql)`", (PROJECT_ROOT / "docs" / "analysts.md").read_text(encoding="utf-8"))
    assert listed == [path.name for path in QUERIES]


@pytest.mark.slow
@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_it_answers(path: Path, published: Home) -> None:
    with perinatal.connect(published.root) as edition:
        rows = edition.sql(path.read_text(encoding="utf-8")).fetchall()
    assert bool(rows) == (path.name not in UNANSWERED)


@pytest.mark.slow
def test_no_answer_holds_a_masked_value(published: Home) -> None:
    """A query that shows a value of a trust never shows one that the publisher masks."""
    with perinatal.connect(published.root) as edition:
        history = edition.sql(
            (PROJECT_ROOT / "docs/queries/07_head_of_midwifery_our_history.sql").read_text()
        ).fetchall()
    assert all(row[4] is None for row in history if "suppressed" in row[-1])
