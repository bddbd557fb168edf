"""The board report: one sheet with figures, verdicts, trends, what is not reported and where to get it."""

from pathlib import Path

import duckdb
import made_up
import pdfplumber
import pytest
from crawler import tree

from perinatal.errors import PerinatalError
from publish import board_report
from publish.portal.board import _icon


def words_of(element: object) -> str:
    return " ".join(element.text_content().split())  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def folder(made: Path) -> Path:
    return made / "portal" / "board"


def test_a_figure_stands_with_adjusted_value_verdict_path_and_trend(folder: Path) -> None:
    page = tree(folder / "R01.html")
    [row] = page.xpath("//table[contains(@class, 'measures')]/tbody/tr")
    cells = [words_of(cell) for cell in row.xpath("*")]
    assert cells[0] == "Stillbirth rate per 1,000"
    assert cells[1] == "11.25 (7.90 to 15.70)"
    assert cells[2] == "3.40 (3.00 to 4.00)"
    assert cells[3] == "England: 3.50"
    assert cells[4].startswith("Worse")
    assert cells[5] == "Above path 2.82"
    assert row.xpath(".//svg[@role='img']/@aria-label") == ["Getting worse"]
    assert row.xpath(".//a[contains(@href, 'release/')]")


def test_what_is_not_reported_is_named_with_where_to_get_it(folder: Path) -> None:
    [part] = tree(folder / "R01.html").xpath("//section[h2[@id='blank']]")
    assert "Safe staffing levels: the trust's <own> log of safe staffing levels." in words_of(part)
    assert "Stillbirths" not in words_of(part)
    assert "perinatal board R01 --restricted" in words_of(part)
    nothing = tree(folder / "R02.html")
    assert "No source in this edition reports one of these measures" in words_of(nothing)
    assert len(nothing.xpath("//section[h2[@id='blank']]//li")) == 2
    [gap] = tree(folder / "R06.html").xpath("//section[h2[@id='blank']]//li[contains(., 'missing from')]")
    assert "MBRRACE" in words_of(gap)


def test_what_stands_out_and_the_room_for_words_are_there(folder: Path) -> None:
    page = tree(folder / "R01.html")
    assert "Stillbirth rate: 3.40 per 1,000 after adjustment" in words_of(page.xpath("//section[h2[@id='out']]")[0])
    assert page.xpath("//label[@for='own-words']")
    assert page.xpath("//textarea[@id='own-words']")
    assert "SYNTHETIC" in words_of(page.xpath("//article")[0])


def test_trusts_that_have_closed_have_no_board(folder: Path) -> None:
    assert (folder / "R06.html").is_file()
    assert not (folder / "R07.html").exists()
    trust = tree(folder.parent / "trust" / "R01.html")
    assert trust.xpath("//a[@href='../board/R01.html']")


@pytest.mark.parametrize(
    ("word", "polarity", "look", "way"),
    [
        ("better", "low", "better", "down"),
        ("better", "high", "better", "up"),
        ("worse", "low", "worse", "up"),
        ("concern", "high", "worse", "down"),
        ("increasing", "none", "change", "up"),
        ("neutral_low", "none", "change", "down"),
        ("common_cause", "low", "level", "level"),
        ("no significant change", "low", "level", "level"),
    ],
)
def test_an_icon_points_where_the_figures_go(word: str, polarity: str, look: str, way: str) -> None:
    icon = _icon(word, polarity, "says")
    assert (icon.look, icon.way) == (look, way)


class Restricted:
    """The restricted file of a made-up trust: its own month beside a public figure."""

    @staticmethod
    def write(current: Path) -> None:
        folder = current / "restricted"
        folder.mkdir(mode=0o700)
        with duckdb.connect(str(folder / "board_return.duckdb")) as connection:
            connection.execute(f"attach '{current / 'perinatal.duckdb'}' as public_edition (read_only)")
            connection.execute("create schema marts")
            connection.execute(
                "create table marts.board_dashboard as select * from public_edition.marts.board_dashboard "
                "where trust_code = 'R01' and indicator_id is not null"
            )
            connection.execute(
                "insert into marts.board_dashboard (trust_code, measure_id, measure, place, indicator_id, source_id, "
                "period_label, period_end, value, unit, usage_warnings) values ('R01', 'safe staffing levels', "
                "'Safe staffing levels', 2, 'midwife_fill_rate', 'board_return', '2026-09', date '2026-09-30', 91.5, "
                "'%', [])"
            )


@pytest.fixture
def own_edition(tmp_path: Path) -> Path:
    return made_up.edition_folder(tmp_path)


def pages_of(pdf: Path) -> list[str]:
    with pdfplumber.open(pdf) as document:
        assert [(round(page.width), round(page.height)) for page in document.pages] == [(595, 842)] * len(
            document.pages
        )
        return [page.extract_text() for page in document.pages]


def test_the_pdf_is_one_a4_sheet_with_the_page_s_words(made: Path, tmp_path: Path) -> None:
    board_report.write_pdf(board_report.page_of(made, " r01 "), tmp_path / "out.pdf")
    [text] = pages_of(tmp_path / "out.pdf")
    assert "Stillbirth rate" in text
    assert "3.40" in text
    assert "SYNTHETIC" in text
    assert "Skip to main content" not in text
    assert "Search" not in text


def test_a_pack_gets_the_reports_of_its_trusts(made: Path, tmp_path: Path) -> None:
    written = board_report.write_of_lms(made, "West Shire", tmp_path / "board")
    assert [path.name for path in written] == ["R06.pdf"]  # R07 has closed
    assert "West Shire NHS Trust" in pages_of(written[0])[0]


def test_the_board_return_is_in_the_restricted_report_alone(own_edition: Path) -> None:
    Restricted.write(own_edition)
    page, pdf = board_report.write_restricted(own_edition, "R01")
    assert page.parent == pdf.parent == own_edition / "restricted" / "board"
    assert [path.stat().st_mode & 0o777 for path in (page.parent, page, pdf)] == [0o700, 0o600, 0o600]
    written = tree(page)
    rows = [words_of(row) for row in written.xpath("//table[contains(@class, 'measures')]/tbody/tr")]
    assert len(rows) == 2
    assert "91.5" in rows[1]
    assert not written.xpath("//section[h2[@id='blank']]//li[contains(., 'staffing')]")
    [text] = pages_of(pdf)
    assert "Restricted" in text
    assert "91.5" in text
    for path in own_edition.joinpath("portal").rglob("*.html"):
        assert "91.5" not in path.read_text(encoding="utf-8"), path
    style = (page.parent / written.xpath("//link[@rel='stylesheet']/@href")[0]).resolve()
    assert style.is_file()


def test_a_trust_without_a_board_return_says_how_one_arrives(own_edition: Path) -> None:
    Restricted.write(own_edition)
    with pytest.raises(PerinatalError, match=r"no board return of R02 .* inbox, folder board_return"):
        board_report.write_restricted(own_edition, "R02")
    assert not (own_edition / "restricted" / "board").exists()


def test_an_unknown_trust_names_those_there_are(made: Path) -> None:
    with pytest.raises(PerinatalError, match=r"no board report of '../../x' in this edition.*R01, R02"):
        board_report.page_of(made, "../../x")
