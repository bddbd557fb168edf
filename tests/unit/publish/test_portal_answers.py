"""Answers of trusts and local maternity systems: beside their figure, in a list of their own, on the board report."""

from pathlib import Path

import made_up
import pytest
from crawler import tree


def words_of(element: object) -> str:
    return " ".join(element.text_content().split())  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def folder(made: Path) -> Path:
    return made / "portal"


def test_an_answer_stands_beside_its_figure_and_leads_to_its_whole_text(folder: Path) -> None:
    page = tree(folder / "trust/R01.html")
    [row] = page.xpath("//table[contains(@class, 'values')]//tr[th/a[text()='Stillbirth rate']][@data-verdict]")
    [link] = row.xpath(".//a[starts-with(@href, '#answer-')]")
    assert "Answer: A <b>resubmission</b> is due." in words_of(row)
    [whole] = page.xpath(f"//li[@id='{link.get('href')[1:]}']")
    assert "stillbirth rate, 2024: A <b>resubmission</b> is due. Director of <Midwifery>, 1 June 2025" in words_of(
        whole
    )
    assert whole.xpath(".//a[contains(@href, 'release/')]")


def test_an_answer_to_another_period_is_not_beside_today_s_figure(folder: Path) -> None:
    page = tree(folder / "trust/R01.html")
    [row] = page.xpath("//table[@data-sortable]//tr[th/a[text()='Apgar score below 7']][@data-verdict]")
    assert "Answer" not in words_of(row)
    assert "To another year" in words_of(page.xpath("//section[h2[@id='answers']]")[0])


def test_an_lms_answers_on_its_own_page(folder: Path) -> None:
    assert "We have reviewed all" in words_of(tree(folder / "lms/QBB.html"))
    assert not tree(folder / "lms/QCC.html").xpath("//*[@id='answers']")


def test_all_answers_stand_in_one_list_newest_first(folder: Path) -> None:
    rows = tree(folder / "answers.html").xpath("//table//tbody/tr")
    assert len(rows) == 4
    assert "We have reviewed all" in words_of(rows[0])
    assert made_up.FORMULA in words_of(rows[2])
    assert "every figure" in words_of(rows[2])
    assert "<b>" not in (folder / "answers.html").read_text(encoding="utf-8").replace("<body", "")


def test_the_board_reads_what_the_trust_has_said(folder: Path) -> None:
    [part] = tree(folder / "board/R01.html").xpath("//section[h2[@id='said']]")
    assert [words_of(item).split(":")[0] for item in part.xpath(".//li")] == ["Every figure", "stillbirth rate, 2024"]
    assert not tree(folder / "board/R02.html").xpath("//*[@id='said']")
