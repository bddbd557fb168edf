"""From a figure to the row of the file: one click to the row and the file's hash, two to the release."""

import csv
import re
from pathlib import Path

import pytest
from crawler import tree
from lxml import html

LISTED = "release/aaaaaaaaaaaa/stillbirth_rate"


@pytest.fixture(scope="module")
def folder(made: Path) -> Path:
    return made / "portal"


def cells(row: html.HtmlElement) -> list[str]:
    return [" ".join(cell.text_content().split()) for cell in row]


def followed(page: Path, label: str, of: str) -> html.HtmlElement:
    """Click the source of the first row of a page that holds a text, and give the row that it leads to."""
    [address, *_] = tree(page).xpath(f"//tr[contains(., '{of}')]//a[.='{label}']/@href")
    path, _, anchor = address.partition("#")
    [row] = tree(page.parent / path).xpath(f"//tr[@id='{anchor}']")
    return row


def test_a_trusts_figure_leads_to_its_row(folder: Path) -> None:
    row = followed(folder / "trust/R02.html", "MBRRACE 2024", "Stillbirth rate")
    assert cells(row) == ["Middle Shire Hospitals NHS Foundation Trust", "2024", "3.33", "15", "4,500", "28"]
    page = tree(folder / f"{LISTED}.html")
    assert page.xpath(f"//dd[code='file.csv'] and //dd[code='{'a' * 64}']")
    assert page.xpath("//dd/a[@href='../../release/aaaaaaaaaaaa.html']")


def test_a_masked_figure_has_its_row_and_no_number(folder: Path) -> None:
    assert cells(followed(folder / "trust/R03.html", "MBRRACE 2024", "Stillbirth rate"))[1:5] == [
        "2024", "Masked", "", "",
    ]  # fmt: skip


def test_a_sum_names_the_rows_of_its_trusts(folder: Path) -> None:
    row = followed(folder / "lms/QBB.html", "MBRRACE 2024", "Stillbirth rate")
    assert re.fullmatch(r"sum of \d+ \(R04\), \d+ \(R05\)", cells(row)[-1])


def test_the_publishers_own_row_for_an_area_is_named(folder: Path) -> None:
    row = followed(folder / "lms/QCC.html", "MBRRACE 2024", "Stillbirth rate")
    assert cells(row)[-1] == "15 and 2 more of the same indicator"


def test_a_figure_by_group_leads_to_the_row_of_its_group(folder: Path) -> None:
    page = folder / "indicator/stillbirth_rate.html"
    row = followed(page, "MBRRACE 2024", "Quintile 1 <most deprived>")
    assert cells(row)[:3] == ["England", "Quintile 1 <most deprived>", "2024"]
    assert "MBRRACE" in tree(page).text_content()


def test_the_csv_beside_a_listing_has_earlier_periods_and_the_rows(folder: Path) -> None:
    with (folder / f"{LISTED}.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert {row["period_label"] for row in rows} == {str(year) for year in range(2020, 2025)}
    assert [int(row["source_row"]) for row in rows] == sorted(int(row["source_row"]) for row in rows)
    assert not [row for row in rows if row["is_suppressed"] == "true" and row["numerator"] + row["value"]]


def test_a_release_lists_the_rows_of_what_it_feeds(folder: Path) -> None:
    links = tree(folder / "release/aaaaaaaaaaaa.html").xpath("//main//li/a/@href")
    assert f"../{LISTED}.html" in links
    assert f"../{LISTED}-deprivation.html" in links
