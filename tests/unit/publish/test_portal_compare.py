"""What the comparison page reads: every organisation with its peers, every number in the words of the other pages."""

import json
from pathlib import Path
from typing import Any

import made_up
import pytest
from crawler import tree


@pytest.fixture(scope="module")
def folder(made: Path) -> Path:
    return made / "portal"


def read(folder: Path, name: str) -> Any:
    return json.loads((folder / "compare" / f"{name}.json").read_text(encoding="utf-8"))


def test_everybody_who_stands_can_be_chosen_and_has_a_page(folder: Path) -> None:
    start = read(folder, "organisations")
    assert start["is_synthetic"] is True
    codes = {one["code"] for one in start["organisations"]}
    assert codes == {code for code, *_ in made_up.TRUSTS if code != "R07"} | {code for code, _ in made_up.LMSS}
    for one in start["organisations"]:
        assert (folder / one["page"]).is_file()
        assert one["region"] == "Shires"
    assert start["first"] in {one["id"] for one in start["indicators"]}


def test_each_indicator_has_a_file_whose_values_lead_to_their_release(folder: Path) -> None:
    for one in read(folder, "organisations")["indicators"]:
        about = read(folder, f"values-{one['file']}")
        assert about["is_synthetic"] is True
        assert about["name"] == one["name"]
        assert about["values"]
        for row in about["values"]:
            assert (folder / row["release"]).is_file()
            assert row["shown"]


def test_numbers_are_those_of_the_pages_and_masked_ones_are_not_there(folder: Path) -> None:
    rows = {row["code"]: row for row in read(folder, "values-stillbirth_rate")["values"]}
    assert rows["R01"]["shown"] == "11.25"
    assert rows["R01"]["adjusted"] == "3.40"
    assert rows["R01"]["verdict"] == "Worse"
    assert rows["R03"]["shown"] == "Masked"
    assert not {"value", "lower_95", "upper_95", "value_min", "value_max"} & set(rows["R03"])
    assert rows["QAA"]["shown"] == "Between 4.01 and 4.52"
    assert "value" not in rows["QAA"]


def test_without_script_the_page_says_where_else_to_compare(folder: Path) -> None:
    page = tree(folder / "compare.html")
    assert page.xpath("//div[@data-compare]/@hidden")
    links = page.xpath("//section[@id='without']//li/a/@href")
    assert len(links) == 3
    assert all((folder / link).is_file() for link in links)


def test_an_lms_page_leads_to_the_comparison_of_its_trusts(folder: Path) -> None:
    [own, others] = tree(folder / "lms/QAA.html").xpath("//a[contains(@href, 'compare.html')]/@href")
    assert set(own.split("=")[1].split(",")) == {"R01", "R02", "R03"}
    assert others == "../compare.html?t=QAA"
