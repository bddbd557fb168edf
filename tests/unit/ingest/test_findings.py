import pytest

from ingest.documents.findings import BULLET, Document, Line, recipient, sentences, split_findings

DOCUMENT = Document("hsib", "A report", "https://example.org/report", "2024-01-31")
LINES = [
    Line("The Trust had no policy. Dr. A. Patel saw the mother at 10.30 and left.", 1, "Findings"),
    Line("12", 1, "Findings"),
    Line("The woman should have been seen.", 2, "Findings"),
    Line("Recommendation 1: NHS England should work with the Royal College of Obstetricians and", 2, "Safety"),
    Line("Gynaecologists to develop guid-", 2, "Safety"),
    Line("ance. This is urgent work.", 3, "Safety"),
    Line("Response: Accepted in part", 3, "Safety"),
    Line("• The Trust to ensure that mothers are told. Status: open", 3, "Recommendations"),
    Line("", 3, "Recommendations"),
    Line("The Trust had no policy.", 4, "Findings"),
]


def test_sentences_and_recommendations_in_order():
    found = split_findings(DOCUMENT, LINES)
    assert [(f.kind, f.page) for f in found] == [
        ("finding", 1),
        ("finding", 1),
        ("finding", 2),
        ("recommendation", 2),
        ("recommendation", 3),
        ("finding", 4),
    ]
    whole = found[3]
    assert whole.text.endswith("Gynaecologists to develop guidance. This is urgent work.")
    assert (whole.recipient, whole.status, whole.heading) == ("NHS England", "accepted in part", "Safety")
    assert (found[4].recipient, found[4].status) == ("Trust", "open")
    assert found[0].published_on == "2024-01-31"


def test_ids_are_unique_and_survive_changes_elsewhere():
    first = split_findings(DOCUMENT, LINES)
    assert len({f.finding_id for f in first}) == len(first)
    changed = split_findings(DOCUMENT, [Line("A sentence was added here.", 1, "Preface"), *LINES])
    assert {f.finding_id for f in first} <= {f.finding_id for f in changed}
    assert split_findings(DOCUMENT, LINES) == first


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Trust should ensure that staff are trained.", "Trust"),
        (
            "HSIB recommends that the Department of Health and Social Care reviews funding.",
            "Department of Health and Social Care",
        ),
        ("It is recommended that the Trust ensures staff are trained.", "Trust"),
        ("Integrated care boards must commission interpreters.", "Integrated care boards"),
        ("Women should be offered a choice.", ""),
        ("The woman should have been seen.", ""),
    ],
)
def test_recipient(text, expected):
    assert recipient(text) == expected


def test_sentences_keep_abbreviations_together():
    assert sentences(
        "Dr. A. Patel came at 3 p.m. on Monday. He left, e.g. for No. 4 ward, in 2017. Then he slept."
    ) == [
        "Dr. A. Patel came at 3 p.m. on Monday.",
        "He left, e.g. for No. 4 ward, in 2017.",
        "Then he slept.",
    ]
    assert sentences("1. The plan was late.") == ["1. The plan was late."]


@pytest.mark.parametrize("mark", ["•", "·", "–", "*", "3.", "(12)", "b)", "A.", "iv)", "1.2", "4.10.1"])
def test_an_item_of_a_list_is_known_by_its_mark(mark: str) -> None:
    assert BULLET.sub("", f"{mark} Trusts should review their staffing.") == "Trusts should review their staffing."


@pytest.mark.parametrize("text", ["1.5 per cent of births were reviewed.", "20 reviews were late.", "I reviewed it."])
def test_a_number_at_the_start_is_no_mark(text: str) -> None:
    assert BULLET.sub("", text) == text
