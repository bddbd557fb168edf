import pytest

from insights.decisions import Decision
from insights.questions import Question
from insights.session import Session

QUESTIONS = [
    Question("a", "The CTG was \x1b[31mnot escalated.", "C01", 0.51, True, "CTG"),
    Question("b", "Nobody came.", "S02", 0.4, False, ""),
]


def sit(*answers, questions=QUESTIONS):
    kept, told, waiting = [], [], list(answers)

    def ask(_prompt):
        if not waiting:
            raise EOFError
        return waiting.pop(0)

    session = Session("A. Midwife", "2026-11-23", kept.append, ask, told.append)
    assert session.run(questions, {"a": "A report, page 3"}) == len(kept)
    return kept, "\n".join(told)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (("c", "c"), [("a", "C01", "confirm"), ("b", "S02", "add")]),
        (("R", " r "), [("a", "C01", "reject"), ("b", "S02", "reject")]),
        (("s", "c"), [("b", "S02", "add")]),
        (("q",), []),
        ((), []),
        (("what", "c", "q"), [("a", "C01", "confirm")]),
        (("a", "c05 S06", "c", "q"), [("a", "C05", "add"), ("a", "S06", "add"), ("a", "C01", "confirm")]),
        (("a", "C99", "s", "q"), []),
        (("a", "", "s", "q"), []),
    ],
)
def test_answers_become_decisions(answers, expected):
    kept, _ = sit(*answers)
    assert [(d.finding_id, d.theme_id, d.decision) for d in kept] == expected
    assert all((d.reviewer, d.decided_on) == ("A. Midwife", "2026-11-23") for d in kept)


def test_a_decision_is_kept_before_the_next_question():
    kept, _ = sit("c")  # the input ends there
    assert kept == [Decision("a", "C01", "confirm", "A. Midwife", "2026-11-23")]


def test_it_shows_place_evidence_and_definition_and_no_control_characters():
    _, told = sit("?", "q")
    assert "A report, page 3" in told
    assert "»CTG«" in told
    assert "C01 Fetal monitoring (CTG/IA): proposed, score 0.51" in told
    assert "Choosing the right way to listen" in told
    assert "\x1b" not in told
