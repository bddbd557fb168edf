"""The page of an alert: enough for a steward to act on, and nothing that its table does not ship."""

from pathlib import Path

import made_up
import pytest
from crawler import tree
from lxml import etree

from publish.portal.alerts import place


def text_of(path: Path) -> str:
    return " ".join(tree(path).xpath("//main")[0].text_content().split())


def test_an_open_alert_says_where_whom_why_and_what_to_do(made: Path) -> None:
    path = made / "portal/alert/a1b2c3d4.html"
    page, said = tree(path), text_of(path)
    assert page.xpath("//h1")[0].text == "<script>alert(1)</script> rows do not"
    assert "Boards would read a <wrong> figure" in said
    assert "Found in the whole edition, before it was published. Open since 22 November 2026" in said
    assert "file file.csv, sha256 " + "a" * 64 in said
    [row] = page.xpath("//table//tbody/tr")
    cells = dict(zip(page.xpath("//thead//th/text()"), row.xpath("td"), strict=True))
    assert cells["Row of the file"].text_content() == "72"
    assert cells["Trust code"].text_content() == f"{made_up.SCRIPT} (R01)"
    assert cells["Trust code"].xpath("a/@href") == ["../trust/R01.html"]
    assert cells["Indicator id"].xpath("a/@href") == ["../indicator/stillbirth_rate.html"]
    assert cells["Release key"].xpath("a/@href") == ["../release/aaaaaaaaaaaa.html"]
    assert page.xpath("//a[@href='../lms/QAA.html']")
    assert "perinatal alerts show a1b2c3d4" in said
    assert "perinatal alerts accept a1b2c3d4 --why '…' --until YYYY-MM-DD" in said


def test_an_accepted_alert_says_by_whom_until_when_and_why(made: Path) -> None:
    said = text_of(made / "portal/alert/b2c3d4e5.html")
    assert "Accepted by Ann Steward until 31 January 2027: The publisher knows" in said
    assert "Found in a file on its arrival: msds, monthly_measures, 2026-03" in said
    assert "sha256 " + "b" * 64 in said


def test_a_closed_alert_asks_for_nothing(made: Path) -> None:
    said = text_of(made / "portal/alert/c3d4e5f6.html")
    assert "closed 2 November 2026" in said
    assert "perinatal alerts" not in said


def test_the_page_on_data_quality_and_the_feed_lead_to_each_alert(made: Path) -> None:
    names = ["alert/a1b2c3d4.html", "alert/b2c3d4e5.html", "alert/c3d4e5f6.html"]
    assert tree(made / "portal/quality.html").xpath("//a[starts-with(@href, 'alert/')]/@href") == names
    feed = etree.fromstring((made / "portal/feed/alerts.xml").read_bytes())
    assert feed.xpath("//*[local-name()='entry']/*[local-name()='link']/@href") == [f"../{name}" for name in names]


def test_an_lms_page_leads_to_the_alerts_that_concern_it(made: Path) -> None:
    assert tree(made / "portal/lms/QAA.html").xpath("//a[@href='../alert/a1b2c3d4.html']")
    assert not tree(made / "portal/lms/QBB.html").xpath("//a[contains(@href, 'alert/')]")


@pytest.mark.parametrize(
    ("scope", "said"),
    [
        ("daily", "in the calendar: what time alone makes late"),
        ("inbox/mbrrace/deaths.csv", "in the inbox: mbrrace, deaths.csv"),
        ("task/land", "task: land"),
    ],
)
def test_a_scope_is_said_in_words(scope: str, said: str) -> None:
    assert place(scope) == said
