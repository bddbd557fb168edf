import io
import json

import pytest

from insights.decisions import Decision
from insights.review_agreement import agreements, reviewed
from insights.review_report import write


def said(finding, theme, decision, reviewer, day=1):
    return Decision(finding, theme, decision, reviewer, f"2026-11-{day:02}")


SEVERAL = [
    said("a", "C01", "confirm", "Ann", 1),
    said("a", "C01", "add", "Bob", 2),
    said("b", "C01", "reject", "Ann", 1),
    said("b", "C01", "confirm", "Bob", 3),
    said("c", "C01", "reject", "Ann", 1),
    said("c", "C01", "reject", "Bob", 2),
    said("d", "C01", "confirm", "Ann", 1),
    said("d", "C01", "confirm", "Bob", 2),
    said("e", "S02", "confirm", "Cy", 9),
]


def test_agreement_is_kappa_over_what_two_people_decided_with_who_and_when():
    c01, s02 = agreements(reviewed(SEVERAL))
    assert (c01.theme_id, c01.decided, c01.by_several, c01.disputed) == ("C01", 4, 4, 1)
    assert c01.kappa == pytest.approx(0.5)  # 3 of 4 agree, 2 of 4 by chance
    assert (c01.reviewers, c01.first_on, c01.last_on) == (("Ann", "Bob"), "2026-11-01", "2026-11-03")
    assert (s02.theme_id, s02.decided, s02.by_several, s02.kappa) == ("S02", 1, 0, None)


def test_what_a_person_said_last_counts_once():
    codes = reviewed([said("a", "C01", "reject", "Ann", 1), said("a", "C01", "confirm", "Ann", 2)])
    assert [item.decision for item in codes["a", "C01"].said] == ["confirm"]
    assert not codes["a", "C01"].is_disputed


@pytest.mark.parametrize(
    ("third", "disputed"),
    [
        (None, True),
        (said("a", "C01", "confirm", "Cy", 3), False),  # two of three back what is in force
        (said("a", "C01", "reject", "Ann", 3), False),  # Ann changed her mind
        (said("a", "C01", "confirm", "Cy", 1), True),  # what is in force is Bob's, alone
    ],
)
def test_a_code_is_disputed_until_a_majority_backs_what_is_in_force(third, disputed):
    first = [said("a", "C01", "confirm", "Ann", 1), said("a", "C01", "reject", "Bob", 2)]
    code = reviewed([*first, *([third] if third else [])])["a", "C01"]
    assert code.is_disputed is disputed


def test_the_report_lists_disagreements_first():
    out = io.StringIO()
    write(SEVERAL, out)
    lines = out.getvalue().splitlines()
    assert lines[0] == "Not agreed: 1 code(s)"
    assert lines[1].startswith("  b C01 Fetal monitoring (CTG/IA): Ann: reject 2026-11-01; Bob: confirm 2026-11-03")
    assert "  C01 Fetal monitoring (CTG/IA): 4  4  1  0.50  Ann, Bob  2026-11-01 to 2026-11-03" in lines


def test_the_report_as_json_has_the_same_content():
    out = io.StringIO()
    write(SEVERAL, out, json=True)
    shown = json.loads(out.getvalue())
    assert [(item["finding_id"], item["in_force"], len(item["said"])) for item in shown["disputed"]] == [
        ("b", "confirm", 2)
    ]
    assert [item["kappa"] for item in shown["themes"]] == [0.5, None]


def test_before_the_first_decision_the_report_says_what_to_do():
    out = io.StringIO()
    write([], out)
    assert "perinatal themes review" in out.getvalue()
