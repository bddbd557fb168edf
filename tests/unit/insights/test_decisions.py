import subprocess
import sys

import pytest

from insights.coding import train
from insights.decisions import COLUMNS, Decision, append, latest_decisions, read_decisions
from insights.model import THRESHOLD
from insights.questions import queue
from perinatal.errors import PerinatalError

TEXTS = [
    ("a", "The CTG was pathological for an hour and the registrar was not informed."),
    ("b", "Observations were sometimes late and the plan was discussed."),
]


def test_decisions_are_appended_and_read_back(tmp_path):
    path = tmp_path / "review" / "decisions.csv"
    first = Decision("a", "C01", "confirm", "A. Reviewer", "2026-11-01", 'said "yes", twice')
    second = Decision("a", "C01", "reject", "B. Reviewer", "2026-11-03")
    assert read_decisions(path) == []
    append([first], path)
    before = path.read_bytes()
    append([second], path)
    assert path.read_bytes().startswith(before)
    assert path.read_text().splitlines()[0] == ",".join(COLUMNS)
    assert read_decisions(path) == [first, second]


def test_the_later_decision_is_in_force():
    early = Decision("a", "C01", "confirm", "A", "2026-11-01")
    late = Decision("a", "C01", "reject", "B", "2026-11-03")
    same_day = Decision("a", "C01", "add", "C", "2026-11-03")
    assert latest_decisions([late, early])["a", "C01"] is late
    assert latest_decisions([late, same_day])["a", "C01"] is same_day


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a,C01,maybe,R,2026-11-01,", "decision 'maybe'"),
        ("a,C77,confirm,R,2026-11-01,", "unknown theme 'C77'"),
        ("a,C01,confirm,,2026-11-01,", "needs a name"),
        ("a,C01,confirm,R,01/11/2026,", "is not a date"),
    ],
)
def test_faulty_decisions_name_their_line(tmp_path, row, message):
    path = tmp_path / "decisions.csv"
    path.write_text(f"{','.join(COLUMNS)}\n{row}\n")
    with pytest.raises(PerinatalError) as error:
        read_decisions(path)
    assert "line 2" in str(error.value)
    assert message in str(error.value)


def test_a_faulty_decision_is_not_recorded(tmp_path):
    path = tmp_path / "decisions.csv"
    with pytest.raises(PerinatalError):
        append([Decision("a", "C01", "confirm", "", "2026-11-01")], path)
    assert not path.exists()


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from insights.decisions import Decision, append
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path = Path(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 2, resource.RLIM_INFINITY))
append([Decision("b", "C02", "confirm", "B", "2026-11-02")], path)
"""


def test_a_full_disk_leaves_no_half_line(tmp_path):
    path = tmp_path / "decisions.csv"
    first, last = Decision("a", "C01", "confirm", "A", "2026-11-01"), Decision("c", "C03", "reject", "C", "2026-11-03")
    append([first], path)
    ran = subprocess.run([sys.executable, "-c", FULL_DISK, str(path)], capture_output=True, text=True, check=False)
    assert "OSError" in ran.stderr
    append([last], path)
    assert read_decisions(path) == [first, last]


def test_a_line_that_somebody_left_without_an_end_is_closed(tmp_path):
    path = tmp_path / "decisions.csv"
    first, last = Decision("a", "C01", "confirm", "A", "2026-11-01"), Decision("c", "C03", "reject", "C", "2026-11-03")
    append([first], path)
    path.write_bytes(path.read_bytes().rstrip())
    append([last], path)
    assert read_decisions(path) == [first, last]


def test_queue_is_uncertain_first_and_forgets_what_is_decided():
    questions = queue(train(), TEXTS)
    doubts = [abs(q.score - THRESHOLD) for q in questions]
    assert questions
    assert doubts == sorted(doubts)
    assert ("a", "C01") in {(q.finding_id, q.theme_id) for q in questions if q.proposed}
    decided = train(decisions=[Decision("a", "C01", "confirm", "R", "2026-11-01")])
    assert ("a", "C01") not in {(q.finding_id, q.theme_id) for q in queue(decided, TEXTS)}
    assert len(queue(train(), TEXTS, limit=1)) == 1
    disputed = {("b", "C12"): "Ann: confirm; Bob: reject"}
    first, *others = queue(decided, TEXTS, disputed=disputed)
    assert (first.finding_id, first.theme_id, first.said) == ("b", "C12", "Ann: confirm; Bob: reject")
    assert not any(question.said for question in others)
    assert {q.theme_id for q in queue(train(), TEXTS, theme_id="C01")} <= {"C01"}
