"""The search: hospitals lead to their trusts, everyday words to indicators; all of it is a plain list."""

import csv
import json
from pathlib import Path

import made_up
from crawler import tree

from publish.portal import search

SEEDS = Path(made_up.__file__).parents[2] / "dbt_project" / "seeds" / "reference"
THEMES = Path(made_up.__file__).parents[2] / "insights" / "taxonomy" / "themes.csv"


def column(path: Path, name: str) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return [row[name] for row in csv.DictReader(file)]


def test_everyday_words_lead_to_the_official_names() -> None:
    assert "bleeding" in search.everyday("Postpartum haemorrhage of 1,500 ml or more")
    for name in ("Stillbirth rate", "Neonatal mortality rate"):
        assert "baby deaths" in search.everyday(name)
    assert search.everyday("Trusts that met all ten safety actions") == []
    assert "premature" not in search.everyday("Premature births, by residence (ONS)")  # its name says so already


def test_every_everyday_word_stands_for_something_in_the_catalogue() -> None:
    names = [
        name.lower()
        for name in (
            *column(SEEDS / "indicator.csv", "indicator_name"),
            *column(SEEDS / "fingertips_indicator.csv", "name"),
            *column(SEEDS / "msds_indicator_rule.csv", "indicator_name"),
            *column(THEMES, "label"),
        )
    ]
    unused = [part for part in column(search.EVERYDAY_WORDS, "name_holds") if not any(part in name for name in names)]
    assert unused == []


def test_a_hospital_stands_once_and_leads_to_its_trust(made: Path) -> None:
    found = tree(made / "portal/search.html").xpath("//li[contains(@data-words, 'R0401')]")
    assert [link.get("href") for item in found for link in item.xpath("a")] == ["trust/R04.html"]
    assert "hospital of East Shire NHS Trust" in found[0].text_content()
    text = (made / "portal/search.html").read_text()
    assert "R9901" not in text  # the same hospital under the code of before a merger
    assert "Beyond the Border" not in text  # no trust of England


def test_the_plain_list_names_everyday_words_and_where_hospitals_are_from(made: Path) -> None:
    page = tree(made / "portal/search.html")
    [item] = page.xpath("//li[a[.='Stillbirth rate']]")
    assert "baby deaths" in item.xpath("span")[0].text
    assert "Maternity Services Data Set" in page.xpath("//section[h2='Hospitals']")[0].text_content()


def test_the_suggestions_are_what_the_list_holds(made: Path) -> None:
    index = json.loads((made / "portal/search.json").read_text())
    assert index["is_synthetic"] is True
    suggested = index["entries"]
    assert len(suggested) == len(tree(made / "portal/search.html").xpath("//ul[@data-findable]/li"))
    assert {"kind", "name", "code", "page"} == set(suggested[0])
