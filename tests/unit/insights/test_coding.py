import csv
import io
import time

import pytest

from insights.coding import OUTPUT_COLUMNS, code_file, train
from insights.decisions import Decision, read_decisions
from insights.labelled_set import load_labelled
from insights.themes import first_themes, theme_ids
from perinatal.errors import PerinatalError

TEXTS = [
    ("a", "The CTG was pathological for an hour and the registrar was not informed."),
    ("b", "The woman was 32 years old and this was her second pregnancy."),
    ("c", "No interpreter was booked, so her husband had to translate."),
    ("d", "  "),
]


@pytest.fixture(scope="module")
def coder():
    return train()


def coded(path, **more):
    out = io.StringIO()
    code_file(path, out, **more)
    return list(csv.DictReader(io.StringIO(out.getvalue())))


def write(path, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("finding_id", "text"), *rows])
    return path


def test_multi_label_with_evidence_at_its_offsets(coder):
    assignments = coder.code(TEXTS)
    texts = dict(TEXTS)
    by_finding = {}
    for a in assignments:
        by_finding.setdefault(a.finding_id, set()).add(a.theme_id)
        assert texts[a.finding_id][a.start : a.end] == a.evidence
        assert a.evidence.strip()
        assert 0 < a.score <= 1
        assert a.coded_by in {"rule", "model"}
    assert by_finding["a"] == {"C01", "S02"}
    assert by_finding["c"] == {"S10"}
    assert "b" not in by_finding
    assert "d" not in by_finding


def test_file_in_file_out(tmp_path):
    rows = coded(write(tmp_path / "f.csv", TEXTS))
    assert tuple(rows[0]) == OUTPUT_COLUMNS
    assert {r["theme_id"] for r in rows} <= set(theme_ids())
    assert [r["finding_id"] for r in rows] == sorted(r["finding_id"] for r in rows)


def test_same_input_same_output(coder):
    again = train().code(TEXTS)
    assert coder.code(TEXTS) == again
    assert [a for t in TEXTS for a in coder.code([t])] == again


def test_people_win(tmp_path):
    path = write(tmp_path / "f.csv", TEXTS)
    decisions = tmp_path / "decisions.csv"
    decisions.write_text(
        "finding_id,theme_id,decision,reviewer,decided_on,note\n"
        "a,S02,reject,R. Viewer,2026-11-02,\n"
        "b,C16,add,R. Viewer,2026-11-02,\n"
        "c,S10,confirm,R. Viewer,2026-11-02,\n"
    )
    rows = {(r["finding_id"], r["theme_id"]): r for r in coded(path, decisions=decisions)}
    assert ("a", "S02") not in rows
    assert rows["b", "C16"]["coded_by"] == "person"
    assert rows["c", "S10"]["coded_by"] == "person"
    assert float(rows["c", "S10"]["score"]) == 1


def test_decisions_made_on_taxonomy_1_0_still_hold(tmp_path):
    """Ids are never changed, so a file kept since 1.0 reads as it is; of newer themes it says nothing."""
    path = write(tmp_path / "f.csv", [("a", "Domestic abuse was not asked about."), ("b", "The ward was closed.")])
    decisions = tmp_path / "decisions.csv"
    first = [theme.theme_id for theme in first_themes()]
    lines = [f"b,{theme_id},reject,R. Viewer,2025-03-01,made on 1.0" for theme_id in first]
    lines += ["a,C18,confirm,R. Viewer,2025-03-01,made on 1.0"]
    decisions.write_text("finding_id,theme_id,decision,reviewer,decided_on,note\n" + "\n".join(lines) + "\n")
    assert len(read_decisions(decisions)) == 35
    given = {(r["finding_id"], r["theme_id"]): r["coded_by"] for r in coded(path, decisions=decisions)}
    assert given["a", "C18"] == "person"
    assert given["a", "S16"] != "person"
    assert not {theme for finding, theme in given if finding == "b"} & set(first)


def test_decisions_become_training_data():
    text = "The quorndon was left unplugged beside the wibbleton."
    before = train().scores([text])[0][theme_ids().index("S13")]
    texts = {f"x{n}": f"The quorndon was left unplugged near the wibbleton {n}." for n in range(4)}
    decisions = [Decision(f, "S13", "add", "R. Viewer", "2026-11-02") for f in texts]
    after = train(decisions=decisions, decided_texts=texts).scores([text])[0][theme_ids().index("S13")]
    assert after > before + 0.3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("id,text\n1,x\n", "row 1: column finding_id is missing"),
        ("finding_id,text\n1,x,y\n", "line 2: 3 cells where the header has 2"),
        ("finding_id,text\n1,x\n1,y\n", "line 3: finding_id '1' comes twice"),
        ("finding_id,text\n,x\n", "line 2: finding_id is empty"),
        ('finding_id,text\n1,"x\n', "not readable as CSV"),
        ("", "found: nothing"),
    ],
)
def test_bad_csv_is_refused_with_its_line(tmp_path, content, message):
    path = tmp_path / "f.csv"
    path.write_text(content)
    with pytest.raises(PerinatalError) as error:
        coded(path)
    assert str(path) in str(error.value)
    assert message in str(error.value)


def test_not_utf8_and_not_there(tmp_path):
    path = tmp_path / "f.csv"
    path.write_bytes(b"finding_id,text\n1,\xa0\xff\n")
    with pytest.raises(PerinatalError, match="line 2: not UTF-8"):
        coded(path)
    with pytest.raises(PerinatalError, match="cannot be read"):
        coded(tmp_path / "none.csv")


@pytest.mark.bench
def test_ten_thousand_findings_in_time(tmp_path):
    texts = [row.text for row in load_labelled()]
    rows = [(str(n), f"{texts[n % len(texts)]} Case {n}.") for n in range(10_000)]
    path = write(tmp_path / "f.csv", rows)
    start = time.perf_counter()
    assert len(coded(path)) > 10_000
    assert time.perf_counter() - start < 20


@pytest.mark.parametrize(
    "text", ["The weather was fine.", "The trust was visited on Monday.", "He had the car repaired."]
)
def test_a_text_about_something_else_gets_no_theme(text):
    assert train().code([("1", text)]) == []
