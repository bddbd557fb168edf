import csv
import re
from datetime import date

import pytest

from expectations import alerts
from insights import review_sheets as sheets
from insights.decisions import Decision, DecisionFile
from insights.questions import Question
from perinatal.errors import PerinatalError
from perinatal.home import Home

TODAY = date(2026, 11, 23)
HEADER = "finding_id,theme_id,decision,reviewer,decided_on,note\n"
QUESTIONS = [
    Question("a", "=cmd() and more text", "C01", 0.51, True, "=cmd()"),
    Question("b", " =cmd() after a blank", "S02", 0.4, False, ""),
]


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home")


def kept(home):
    return DecisionFile(home.theme_decisions)


def take_inbox(home):
    return sheets.take_inbox(home.theme_inbox, kept(home), alerts.AlertLog(home.alerts), TODAY, 0)


def sheet(tmp_path, text, name="sheet.csv", encoding="utf-8"):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((HEADER + text).encode(encoding))
    return path


def test_a_sheet_goes_out_and_comes_back(home, tmp_path):
    path = tmp_path / "out.csv"
    assert sheets.write_sheet(QUESTIONS, {"a": "A report, page 3"}, path) == 2
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    with path.open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert rows[0]["finding_id"] == "id:a"
    assert rows[0]["text"] == "'=cmd() and more text"  # a spreadsheet must not run it
    assert rows[1]["text"] == "' =cmd() after a blank"  # nor where its import strips the blank
    assert rows[0]["document"] == "A report, page 3"
    rows[0] |= {"decision": "Confirm", "reviewer": "A. Midwife"}
    with path.open("w", encoding="utf-8-sig", newline="") as handle:
        writer = csv.DictWriter(handle, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    assert sheets.take_sheet(kept(home), path, TODAY) == sheets.Taken(1, 0, 1)
    assert kept(home).read() == [Decision("a", "C01", "confirm", "A. Midwife", "2026-11-23")]


def test_the_same_sheet_twice_changes_nothing(home, tmp_path):
    path = sheet(tmp_path, "a,C01,reject,A. Midwife,2026-11-01,\n")
    sheets.take_sheet(kept(home), path, TODAY)
    bytes_before = home.theme_decisions.read_bytes()
    assert sheets.take_sheet(kept(home), path, TODAY) == sheets.Taken(0, 1, 0)
    assert home.theme_decisions.read_bytes() == bytes_before


def test_what_a_person_says_again_is_kept_again(home):
    for decision in ("confirm", "reject", "confirm"):
        kept(home).keep_one(Decision("a", "C01", decision, "A. Midwife", "2026-11-23"))
    assert [item.decision for item in kept(home).read()] == ["confirm", "reject", "confirm"]


def test_dates_of_a_spreadsheet_are_read_day_first(home, tmp_path):
    sheets.take_sheet(kept(home), sheet(tmp_path, "a,c01,reject,A,3/11/2026,\n"), TODAY)
    assert kept(home).read()[0].decided_on == "2026-11-03"


def test_the_reviewer_of_the_command_fills_blanks(home, tmp_path):
    sheets.take_sheet(kept(home), sheet(tmp_path, "a,C01,reject,,,\nb,C02,add,B,,\n"), TODAY, "A")
    assert [item.reviewer for item in kept(home).read()] == ["A", "B"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("b,C01,perhaps,A,,\n", "line 3: decision 'perhaps'"),
        ("b,C99,reject,A,,\n", "line 3: unknown theme 'C99'"),
        ("b,C01,reject,,,\n", "line 3: finding_id and reviewer"),
        ("b,C01,reject,A,32/13/2026,\n", "line 3: decided_on '2026-13-32'"),
    ],
)
def test_a_faulty_row_keeps_the_whole_sheet_out(home, tmp_path, row, message):
    path = sheet(tmp_path, "a,C01,reject,A,,\n" + row)
    with pytest.raises(PerinatalError) as error:
        sheets.take_sheet(kept(home), path, TODAY)
    assert message in str(error.value)
    assert kept(home).read() == []


def as_excel_saves(path):
    """Write a sheet again as Excel's "CSV (Comma delimited)": old encoding, numbers and dates as it shows them."""
    with path.open(encoding="utf-8-sig", newline="") as handle:
        rows = [[_as_excel_shows(cell) for cell in row] for row in csv.reader(handle)]
    with path.open("w", encoding="cp1252", newline="") as handle:
        csv.writer(handle, lineterminator="\r\n").writerows(rows)


def _as_excel_shows(cell):
    try:
        number = float(cell)
    except ValueError:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", cell):
            return "/".join(reversed(cell.split("-")))
        return cell
    return f"{number:g}" if abs(number) < 1e11 else f"{number:.2E}"


def test_a_sheet_survives_excel_with_ids_that_look_like_numbers(home, tmp_path):
    ids = ["1234567890123456", "12e4567890123456", "0012345678901234", "ab34567890123456"]
    asked = [Question(name, "Naïve – the CTG was “late”", "C01", 0.5, True, "CTG") for name in ids]
    path = tmp_path / "out.csv"
    sheets.write_sheet(asked, {}, path)
    with path.open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    for row in rows:
        row |= {"decision": "Reject", "reviewer": "Zoë", "decided_on": "2026-11-03"}
    with path.open("w", encoding="utf-8-sig", newline="") as handle:
        writer = csv.DictWriter(handle, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    as_excel_saves(path)
    assert sheets.take_sheet(kept(home), path, TODAY) == sheets.Taken(4, 0, 0)
    assert kept(home).read() == [Decision(name, "C01", "reject", "Zoë", "2026-11-03") for name in ids]


def test_an_id_that_a_spreadsheet_made_a_number_of_is_refused(home, tmp_path):
    with pytest.raises(PerinatalError, match=r"line 2: finding_id '1\.23E\+15' is a number that a spreadsheet made"):
        sheets.take_sheet(kept(home), sheet(tmp_path, "1.23E+15,C01,reject,A,,\n"), TODAY)
    assert kept(home).read() == []


def test_the_inbox_is_taken_and_emptied(home):
    sheet(home.theme_inbox, "a,C01,reject,A,2026-11-01,\n")
    assert take_inbox(home) == ["sheet.csv: 1 decision(s) on themes, 0 known already"]
    assert list(home.theme_inbox.iterdir()) == []
    assert [path.name[13:] for path in (home.theme_decisions.parent / "taken").iterdir()] == ["sheet.csv"]
    assert take_inbox(home) == []


def test_a_sheet_that_is_saved_again_meanwhile_is_taken_by_the_next_build(home):
    lines = "a,C01,reject,A,2026-11-01,\n"
    path = sheet(home.theme_inbox, lines)

    class Slow(DecisionFile):
        def keep(self, decisions):
            sheet(home.theme_inbox, lines + "b,S02,confirm,A,2026-11-01,\n")
            return super().keep(decisions)

    log = alerts.AlertLog(home.alerts)
    sheets.take_inbox(home.theme_inbox, Slow(home.theme_decisions), log, TODAY, 0)
    assert path.exists()
    assert take_inbox(home) == ["sheet.csv: 1 decision(s) on themes, 1 known already"]
    assert [decision.finding_id for decision in kept(home).read()] == ["a", "b"]


def test_a_faulty_sheet_waits_under_an_alert_that_closes_itself(home):
    bad = sheet(home.theme_inbox, "a,C01,perhaps,A,2026-11-01,\n", "bad.csv")
    sheet(home.theme_inbox, "b,C01,reject,A,2026-11-01,\n", "good.csv")
    assert len(take_inbox(home)) == 1
    assert [item.finding_id for item in kept(home).read()] == ["b"]
    assert bad.exists()
    (alert,) = alerts.AlertLog(home.alerts).open()
    assert "bad.csv, line 2: decision 'perhaps'" in alert.breach.message
    bad.unlink()
    take_inbox(home)
    assert alerts.AlertLog(home.alerts).open() == []


def test_a_link_in_the_inbox_is_not_followed(home, tmp_path):
    target = sheet(tmp_path, "a,C01,reject,A,2026-11-01,\n", "elsewhere.csv")
    home.theme_inbox.mkdir(parents=True)
    (home.theme_inbox / "link.csv").symlink_to(target)
    assert take_inbox(home) == []
    assert kept(home).read() == []


def test_no_inbox_is_no_matter(home):
    assert take_inbox(home) == []
    assert not home.root.exists()
