"""Reports in the layouts of HSSIB, MNSI and printed reviews, made here: every text is invented."""

from collections.abc import Callable

import pytest

from ingest.documents.pdf_columns import Word, _gutters
from ingest.documents.responses import status_of
from ingest.sample import documents as invented

SUMMARY = """<!DOCTYPE html><html><head><title>Summary</title>
<link rel="canonical" href="https://www.hssib.org.uk/patient-safety-investigations/x/summary-report/"></head>
<body><main><h1>Summary report: Monitoring after birth</h1><p>Published: 14 March 2024</p>
<h2>Summary</h2><p>This page is about how babies are watched after birth.</p>
<h2>Findings</h2><ul><li>Observations of newborn babies were often late on busy wards.</li></ul>
<h2>HSSIB makes the following safety recommendations</h2>
<h3>Safety recommendation R/2024/031:</h3>
<p>HSSIB recommends that NHS England reviews the national guidance on observations of newborn babies.</p>
<p>Response:</p>
<p>NHS England partially accepts this recommendation. It will consult before the guidance is changed.</p>
<p>Response received on 16 April 2024.</p>
<h3>Safety recommendation R/2024/032:</h3>
<p>HSSIB recommends that the British Association of Perinatal Medicine develops a chart for observations.</p>
<p>Response: accepted. Work has begun.</p>
<h2>Recommendations for integrated care boards</h2>
<p>Funding of ward equipment should be reviewed every year.</p>
</main></body></html>"""


def recommendations(rows: list) -> list[tuple]:
    return [(row["text"], row["recipient"], row["status"]) for row in rows if row["kind"] == "recommendation"]


def test_a_summary_report_gives_recommendations_with_addressees_and_responses(arrives: Callable) -> None:
    arrived = arrives("hsib", "summary.html", SUMMARY)
    assert arrived.refused == frozenset(), arrived.messages
    assert recommendations(arrived.rows) == [
        (
            "HSSIB recommends that NHS England reviews the national guidance on observations of newborn babies.",
            "NHS England",
            "partially accepted",
        ),
        (
            "HSSIB recommends that the British Association of Perinatal Medicine develops a chart for observations.",
            "British Association of Perinatal Medicine",
            "accepted",
        ),
        ("Funding of ward equipment should be reviewed every year.", "integrated care boards", None),
    ]
    others = [row["text"] for row in arrived.rows if row["kind"] != "recommendation"]
    assert others == ["Observations of newborn babies were often late on busy wards."]
    assert arrived.rows[1]["heading"] == "Safety recommendation R/2024/031:"


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ("NHS England accepts this recommendation.", "accepted"),
        ("Accepted in part: the chart will be reviewed.", "partially accepted"),
        ("The Department does not accept the recommendation.", "not accepted"),
        ("We accept this in principle.", "accepted in principle"),
        ("We thank the investigation for its work.", "responded"),
        ("A response is awaited.", "no response"),
    ],
)
def test_what_an_answer_says(answer: str, status: str) -> None:
    assert status_of(answer) == status


def printed(lines: list[tuple[float, float, float, str]]) -> bytes:
    """Return the stream of a page: (x, y from the bottom, size, text) a line."""
    return b"\n".join(b"BT /F1 %.1f Tf %.1f %.1f Td (%s) Tj ET" % (z, x, y, t.encode()) for x, y, z, t in lines)


def column(x: float, start: float, texts: list[str]) -> list[tuple[float, float, float, str]]:
    return [(x, start - 14 * place, 10, text) for place, text in enumerate(texts) if text]


LEFT = [
    "The plan was not reviewed after the third", "hour of labour, and nobody was told.", "",
    "Handover between the teams was short and", "left out what had been found at night.", "",
    "The trace was not seen by a second person", "until the morning round had begun and", "the doctor had gone",
]  # fmt: skip
RIGHT = [
    "home.", "", "Recommendation 1: Trusts should review every", "plan after the third hour of labour.",
    "Addressed to: NHS trusts", "Status: accepted", "", "Recommendation 2 A second person should see each",
    "trace of the labour.", "To: Royal College of Midwives", "Response: partially accepted",
]  # fmt: skip


def test_a_pdf_of_two_columns_is_read_down_each_column(tmp_path, arrives: Callable) -> None:
    top = [(50, 790, 18, "Findings of the review of care in labour at three hospitals in the year")]
    page = printed([*top, *column(50, 750, LEFT), *column(310, 750, RIGHT)])
    content = invented.pdf_bytes("A review", [page])
    arrived = arrives("ens", "report-2022-09-20.pdf", content)
    assert arrived.refused == frozenset(), arrived.messages
    assert [row["text"] for row in arrived.rows] == [
        "The plan was not reviewed after the third hour of labour, and nobody was told.",
        "Handover between the teams was short and left out what had been found at night.",
        "The trace was not seen by a second person until the morning round had begun and the doctor had gone home.",
        "Trusts should review every plan after the third hour of labour.",
        "A second person should see each trace of the labour.",
    ]
    assert [(row["recipient"], row["status"]) for row in arrived.rows[3:]] == [
        ("Trusts", "accepted"),
        ("Royal College of Midwives", "partially accepted"),
    ]
    assert {row["page"] for row in arrived.rows} == {1}
    assert {row["heading"] for row in arrived.rows} == {top[0][3]}


def test_text_of_one_column_has_no_gutter() -> None:
    words = [Word(50 + 40 * place, 85 + 40 * place + row, 100 + 14 * row, 110 + 14 * row)
             for row in range(20) for place in range(12)]  # fmt: skip
    assert _gutters(words) == []
    short = [word for word in words if word.x0 < 200 or word.x0 > 400]
    assert len(_gutters(short)) == 1
    assert _gutters(short[:40]) == []  # too few lines to tell
