import pytest

from insights.lexicon import default_lexicon
from insights.rules import read


def themes(text: str) -> set[str]:
    return {theme for theme, hits in read(text, default_lexicon()).hits.items() if hits.include}


@pytest.mark.parametrize(
    "text",
    [
        "Fetal monitoring was appropriate throughout.",
        "There was no delay in the birth.",
        "The CTG was normal and escalation was timely.",
        "Staffing did not contribute to the outcome.",
        "Neonatal resuscitation was carried out in line with guidance.",
        "She had no history of diabetes.",
        "The mother was a non-smoker.",
    ],
)
def test_praise_and_denial_are_no_findings(text):
    assert themes(text) == set()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Fetal monitoring was not appropriate.", "C01"),
        ("The Trust should ensure that fetal monitoring is in line with guidance.", "C01"),
        ("Fetal monitoring was appropriate until 03:00, after which auscultation ceased.", "C01"),
        ("There was no evidence of carbon monoxide testing.", "C04"),
        ("No interpreter was used.", "S10"),
        ("Escalation was prompt, but the CTG had been misread.", "C01"),
    ],
)
def test_a_problem_said_beside_praise_or_absence_stays(text, expected):
    assert expected in themes(text)


def test_only_the_assured_clause_is_silenced():
    found = themes("Although escalation to the consultant was timely, transfer to theatre was delayed.")
    assert "C07" in found
    assert "S02" not in found


@pytest.mark.parametrize(
    ("text", "not_expected"),
    [
        ("A locum doctor had no local induction.", "C07"),
        ("The mother lacked capacity to decide.", "S06"),
        ("Errors in interpreting the CTG.", "S10"),
        ("An intraventricular haemorrhage was seen.", "C15"),
        ("Blood cultures were not taken.", "S08"),
    ],
)
def test_words_of_two_meanings(text, not_expected):
    assert not_expected not in themes(text)


def test_effective_text_keeps_offsets():
    text = "The CTG was normal. Nobody called for help."
    reading = read(text, default_lexicon())
    assert len(reading.effective) == len(text)
    assert "ctg" not in reading.effective
    assert reading.effective.endswith("nobody called for help.")
