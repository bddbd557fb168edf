"""National figures that people enter: only those with an official source land."""

from collections.abc import Callable

import pytest

from ingest.registry import source

from .conftest import Arrived

COLUMNS = (
    "source,dataset,release,indicator,organisation_name,organisation_code,level,period,breakdown,breakdown_value,"
    "numerator,denominator,value,unit,lower_95,upper_95,note,source_url"
)
ROW = (
    "official_figures,national_ambitions,2026-12-01,national_stillbirth_rate,,,{level},2024,,,,,3.8,"
    '"per 1,000",,,,{url}'
)
OFFICIAL = (
    "https://www.ons.gov.uk/births/2024",
    "https://questions-statements.parliament.uk/written-questions/84835",
    "https://github.com/ONSdigital/sdg-data/blob/b68b9d92/data/indicator_3-1-1.csv",
    "https://www.ndph.ox.ac.uk/news/maternal-death-rates",
)
COPIES = (
    "",
    "https://www.boyesturnerclaims.com/news/mbrrace-uk-show-maternal-death-rate-increased",
    "https://www.parallelparliament.co.uk/question/84835",
    "https://ons.gov.uk.example.com/births",
    "https://github.com/somebody/ONSdigital/blob/main/data.csv",
)


def _file(level: str, url: str) -> str:
    return f"{COLUMNS}\n{ROW.format(level=level, url=url)}\n"


@pytest.mark.parametrize("url", OFFICIAL)
@pytest.mark.parametrize("level", ["england", "england_and_wales", "uk"])
def test_a_figure_with_an_official_source_lands(arrives: Callable[..., Arrived], level: str, url: str) -> None:
    found = arrives("official_figures", "figures.csv", _file(level, url))
    assert not found.refused, found.messages
    assert found.rows[0]["source_url"] == url


@pytest.mark.parametrize("url", COPIES)
def test_somebodys_copy_of_a_figure_is_refused(arrives: Callable[..., Arrived], url: str) -> None:
    found = arrives("official_figures", "figures.csv", _file("england", url))
    assert "figures_have_an_official_source" in found.refused


def test_the_bundled_release_meets_every_standard(arrives: Callable[..., Arrived]) -> None:
    one = source("official_figures")
    assert one.bundled
    found = arrives(one.id, one.bundled, (one.folder / one.bundled).read_bytes())
    assert (found.refused, found.warned) == (frozenset(), frozenset()), found.messages
    assert found.identity
    assert found.identity.release in one.bundled
