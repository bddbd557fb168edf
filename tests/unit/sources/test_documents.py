"""Reports as findings: web pages and PDFs with page and heading; what is no report is refused."""

from collections.abc import Callable

import pytest

from ingest.documents.passage_kinds import kind_of
from ingest.documents.passages import Passage
from ingest.documents.pdf_report import PrintedLine, pdf_passages
from ingest.registry import source
from ingest.sample import documents as invented

PAGE = """<!DOCTYPE html><html><head><title>Site: report</title>
<link rel="canonical" href="https://www.hssib.org.uk/patient-safety-investigations/x/investigation-report/"></head>
<body><nav><ul><li>Findings of other investigations that you may like to read</li></ul></nav>
<main><h1>Investigation report: Detection of jaundice</h1><p>Published: 26 January 2023</p>
<h2>Executive summary</h2><h3>Background</h3><p>This report explored how jaundice in newborn babies is detected.</p>
<h3>Findings</h3><p>Baby Elliana was not seen for two days. Visual signs of jaundice may be missed.</p>
<ol><li>Delays in telephone advice<br>Several women did not get through to the unit.
  <ul><li>One woman called five times before anybody answered her.</li></ul></li></ol>
<h3>Safety recommendations</h3><p>HSIB makes the following safety recommendations:</p>
<p>HSIB recommends that NHS England reviews the guidance on visual assessment of jaundice.</p>
<p>Response: accepted</p>
<h2>References</h2><p>Smith and others found that jaundice is common in premature babies.</p></main>
<footer><p>Findings are protected by copyright of the publisher of this page.</p></footer></body></html>"""


def test_a_web_page_gives_findings_with_their_headings(arrives: Callable) -> None:
    arrived = arrives("hsib", "report.html", PAGE)
    assert arrived.refused == frozenset(), arrived.messages
    assert (arrived.identity.dataset, arrived.identity.release) == (
        "investigation-report-detection-of-jaundice",
        "2023-01-26",
    )
    assert [(row["kind"], row["heading"], row["text"]) for row in arrived.rows] == [
        ("finding", "Findings", "Baby [name] was not seen for two days."),
        ("finding", "Findings", "Visual signs of jaundice may be missed."),
        ("finding", "Findings", "Delays in telephone advice Several women did not get through to the unit."),
        ("finding", "Findings", "One woman called five times before anybody answered her."),
        (
            "recommendation",
            "Safety recommendations",
            "HSIB recommends that NHS England reviews the guidance on visual assessment of jaundice.",
        ),
    ]
    last = arrived.rows[-1]
    assert (last["recipient"], last["status"]) == ("NHS England", "accepted")
    assert last["document_url"].endswith("/x/investigation-report/")
    assert {row["extracted_by"] for row in arrived.rows} == {"passages 2"}


@pytest.mark.parametrize("odd", ["\x01", "\x1a", "\ufffe"])
def test_characters_that_no_page_may_have_are_spaces(arrives: Callable, odd: str) -> None:
    page = PAGE.replace("<br>Several", f"<br>{odd}Several").replace("</nav>", f"</nav>{odd}")
    arrived = arrives("hsib", "report.html", page)
    assert arrived.refused == frozenset(), arrived.messages
    assert "Delays in telephone advice Several women" in arrived.rows[2]["text"]


def test_a_page_without_a_day_needs_a_person(arrives: Callable) -> None:
    undated = PAGE.replace("Published: 26 January 2023", "")
    assert arrives("hsib", "report.html", undated).refused == {"not_recognised"}
    said = arrives("hsib", "report.html", undated, release="2023-01-26")
    assert said.refused == frozenset(), said.messages
    assert said.identity.published_on == "2023-01-26"
    assert arrives("hsib", "report-2023-01-26.html", undated).identity.release == "2023-01-26"


def test_a_pdf_gives_findings_with_page_and_heading(tmp_path, arrives: Callable) -> None:
    texts = [f"The plan of case {number} was not reviewed after the third hour of labour." for number in range(40)]
    sections = {
        "Introduction": ["We thank everybody who has helped us with this report."],
        "Findings": texts,
        "Recommendations": ["Trusts should review every plan after the third hour of labour."],
    }
    invented.write_pdf(tmp_path / "r.pdf", "A report", sections)
    arrived = arrives("ens", "report-2022-09-20.pdf", (tmp_path / "r.pdf").read_bytes())
    assert arrived.refused == frozenset(), arrived.messages
    assert [row["text"] for row in arrived.rows] == [*texts, sections["Recommendations"][0]]
    assert [row["kind"] for row in arrived.rows] == ["finding"] * 40 + ["recommendation"]
    assert {row["heading"] for row in arrived.rows} == {"Findings", "Recommendations"}
    pages = [row["page"] for row in arrived.rows]
    assert pages == sorted(pages)
    assert pages[0] == 1 < pages[-1]


@pytest.mark.parametrize(
    ("source_id", "name", "content", "reason"),
    [
        ("ens", "report-2022-09-20.pdf", b"%PDF-1.4 and nothing behind it", "damaged"),
        ("hsib", "report.html", "<html><head><title>Sign in</title></head><body></body></html>", "no_rows"),
        ("hsib", "report.json", '{"a": [1, 2]}', "not_a_document"),
        ("hsib", "report.xml", "<?xml version='1.0'?><feed><entry/></feed>", "not_a_document"),
        ("hsib", "report.csv", b"", "empty"),
        # a source without reports still refuses a web page served in place of its table
        ("mis", "results.csv", "<!DOCTYPE html><html><head><title>Sign in</title></head><body/></html>", "html"),
    ],
)
def test_what_is_no_report_is_refused(
    source_id: str, name: str, content: str | bytes, reason: str, arrives: Callable
) -> None:
    assert arrives(source_id, name, content).refused == {reason}


@pytest.mark.parametrize(
    ("text", "headings", "kind"),
    [
        ("The trace was not reviewed.", ("Findings",), "finding"),
        ("The trace was not reviewed.", ("Findings", "Telephone triage"), "finding"),
        ("The trace was not reviewed.", ("Findings", "Background"), None),
        ("The trace was not reviewed.", ("Introduction",), None),
        ("Escalation came late.", ("Themes of the year",), "theme"),
        ("HSIB recommends that trusts act.", ("Chapter 4",), "recommendation"),
        ("Seven findings emerged:", ("Findings",), None),
        ("A passage under no heading.", (), None),
    ],
)
def test_which_passages_are_findings(text: str, headings: tuple[str, ...], kind: str | None) -> None:
    assert kind_of(Passage(text, headings)) == kind


def test_printed_lines_become_passages() -> None:
    def line(text: str, top: float, size: float = 10, page: int = 1) -> PrintedLine:
        return PrintedLine(text, page, size, top, top + size)

    lines = [
        line("Findings", 0, 16),
        line("The plan was not re-", 30),
        line("viewed in time.", 42),
        line("• A second finding", 54),
        line("goes on here.", 66),
        line("After a gap.", 100),
        line("It goes over the", 112),
        line("page.", 20, page=2),
    ]
    found = [(passage.text, passage.headings, passage.page) for passage in pdf_passages(lines)]
    assert found == [
        ("The plan was not reviewed in time.", ("Findings",), 1),
        ("A second finding goes on here.", ("Findings",), 1),
        ("After a gap. It goes over the page.", ("Findings",), 1),
    ]


def test_the_sources_that_read_documents() -> None:
    assert hasattr(source("hsib").parser, "to_csv")
    assert hasattr(source("ens").parser, "to_csv")
    assert not hasattr(source("mis").parser, "to_csv")
