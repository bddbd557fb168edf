"""What only the owner may read stays out of alerts and logs, and out of reach of other users.

Board returns are restricted; originals with prose may name persons. Alerts are published.
"""

import os
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import xlsxwriter

from expectations.alerts import Alert, AlertLog
from ingest.archive import quarantine
from ingest.archive.manifest import LandedReleases
from ingest.land import intake, landing
from ingest.land import quarantine_decisions as decisions
from ingest.land.arriving_file import Arrival
from ingest.land.intake import Taken
from ingest.registry import TEMPLATES_DIR, source
from ingest.stores import Stores
from perinatal.errors import RefusedAtArrival
from perinatal.home import Home
from pipeline import steps

CELLS = ("Jane", "Smith", "stillbirth", "38 weeks")
NO_HEADER = "RCF,Jane Smith,stillbirth at 38 weeks,12 Oct 2026\nRCF,Jane Smith,38 weeks,13 Oct 2026\n"
RETURN = (
    "source,dataset,release,indicator,organisation_name,organisation_code,level,period,breakdown,breakdown_value,"
    "numerator,denominator,value,unit,lower_95,upper_95,note{more}\n"
    "board_return,rcf,{release},midwife_fill_rate,,RCF,trust,2026-09,,,90,100,90,%,,,{cells}\n"
)
NAMED_RELEASE = RETURN.format(more="", release="Jane Smith died", cells="")
MORE_COLUMN = RETURN.format(more=",Jane Smith", release="2026-09", cells=",stillbirth at 38 weeks")
Take = Callable[..., list[Taken]]


@pytest.fixture(autouse=True)
def widest_umask() -> Iterator[None]:
    """Let new files be as open as their makers make them."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def take(home: Home, tmp_path: Path) -> Take:
    def run(source_id: str, content: str | bytes, name: str = "return.csv") -> list[Taken]:
        path = tmp_path / "files" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return intake.take_file(Stores.of(home), path, Arrival(source(source_id), name))

    return run


def quoted(text: str) -> list[str]:
    return [cell for cell in CELLS if cell.lower() in text.lower()]


def only_alert(home: Home) -> Alert:
    [alert] = AlertLog(home.alerts).all()
    return alert


def modes_below(root: Path) -> set[str]:
    return {f"{'folder' if path.is_dir() else 'file'} {path.stat().st_mode & 0o777:o}" for path in root.rglob("*")}


def mode_of(home: Home, taken: Taken) -> int:
    return Stores.of(home).archive.path_of(taken.sha256).stat().st_mode & 0o777


# --- alerts and logs -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source_id", ["board_return", "pmrt", "annotations"])
def test_a_lost_header_is_told_without_its_cells(home: Home, take: Take, source_id: str) -> None:
    [taken] = take(source_id, NO_HEADER)
    assert taken.what == "refused"
    assert not quoted(AlertLog(home.alerts).path.read_text() + taken.message)
    message = only_alert(home).breach.message
    assert message.startswith("line 1 (4 columns): refused by the rule not_recognised")
    assert "perinatal quarantine" in message
    assert message in taken.message


def test_a_cell_that_can_be_no_name_is_not_repeated(home: Home, take: Take) -> None:
    [taken] = take("board_return", NAMED_RELEASE)
    assert not quoted(AlertLog(home.alerts).path.read_text() + taken.message)
    assert "not_recognised" in only_alert(home).breach.message


def test_who_landed_the_file_and_its_report_are_told_all(home: Home, take: Take) -> None:
    [taken] = take("board_return", NO_HEADER)
    [(_, report)] = quarantine.Quarantine(home.quarantine).reports()
    assert quoted(taken.in_full) == quoted(report.reasons[0]["message"]) == list(CELLS)
    path = home.root.parent / "again.csv"
    path.write_text(NO_HEADER)
    landed = steps.land_files(home, [(path, Arrival(source("board_return"), path.name, path=str(path)))])
    assert quoted("".join(landed.problems)) == list(CELLS)


def test_the_inbox_logs_no_cells(
    home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERINATAL_INBOX_QUIET_SECONDS", "0")
    folder = home.inbox / "board_return"
    folder.mkdir(parents=True)
    (folder / "return.csv").write_text(NO_HEADER)
    arrived = steps.land_inbox(home)
    logged = capsys.readouterr()
    assert "refused" in logged.err
    assert not quoted(f"{logged}{arrived.message}{arrived.problems}{arrived.warnings}{arrived.taken[0].message}")


def test_a_file_of_a_public_table_is_told_with_its_header(take: Take, home: Home) -> None:
    [taken] = take("nmpa", NO_HEADER)
    assert "was taken for the header (RCF, Jane Smith" in only_alert(home).breach.message
    assert taken.in_full == taken.message


def test_taking_one_file_out_tells_of_the_other_without_its_cells(home: Home, take: Take) -> None:
    [first], _ = take("board_return", NO_HEADER), take("board_return", NO_HEADER + NO_HEADER)
    stores = Stores.of(home)
    decisions.reject(stores, stores.quarantine.find(first.sha256)[1], "anna", "a draft")
    assert only_alert(home).state == "open"
    assert not quoted(AlertLog(home.alerts).path.read_text())


def test_the_gate_names_no_column_that_only_a_return_has(home: Home, take: Take) -> None:
    [taken] = take("board_return", MORE_COLUMN)
    assert taken.what == "landed", taken.in_full
    [item] = LandedReleases(home.landed).all()
    [check] = [check for check in item.checks if check["rule"] == "columns_are_known"]
    assert not check["success"]
    assert not quoted(str(item.checks) + AlertLog(home.alerts).path.read_text())


def test_a_landed_workbook_is_told_without_the_name_of_its_sheet(home: Home, tmp_path: Path, take: Take) -> None:
    path = tmp_path / "return.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("Jane Smith")
        for number, line in enumerate(RETURN.format(more="", release="rcf-9", cells="").splitlines()):
            sheet.write_row(number, 0, line.split(","))
    [taken] = take("board_return", path.read_bytes(), path.name)
    assert taken.what == "landed", taken.in_full
    assert "of a sheet, header in row 1" in taken.message
    assert not quoted(taken.message)


def test_an_unexpected_error_repeats_no_cells(home: Home, take: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ValueError("could not convert 'Jane Smith'")

    monkeypatch.setattr(landing, "typed_rows", broken)
    monkeypatch.setenv("PERINATAL_INBOX_QUIET_SECONDS", "0")
    folder = home.inbox / "board_return"
    folder.mkdir(parents=True)
    (folder / "return.csv").write_text(NO_HEADER)
    arrived = steps.land_inbox(home)
    assert "ValueError" in arrived.dropped[0].left
    assert "test_owner_only.py" in arrived.dropped[0].left  # where it happened is no secret
    assert not quoted(f"{arrived}{AlertLog(home.alerts).path.read_text()}")


# --- who may read the files ----------------------------------------------------------------------------------------


def test_refused_files_are_for_their_owner_alone(home: Home, take: Take) -> None:
    [refused] = take("board_return", NO_HEADER)
    assert mode_of(home, refused) == 0o400
    assert home.quarantine.stat().st_mode & 0o777 == 0o700
    assert modes_below(home.quarantine) == {"folder 700", "file 600"}


def test_a_zip_of_returns_is_for_its_owner_alone(home: Home, take: Take, tmp_path: Path) -> None:
    path = tmp_path / "returns.zip"
    with zipfile.ZipFile(path, "w") as out:
        out.writestr("a.csv", RETURN.format(more="", release="2026-09", cells=""))
        out.writestr("b.csv", NO_HEADER)
    assert {taken.what for taken in take("board_return", path.read_bytes(), path.name)} == {"landed", "refused"}
    assert {path.stat().st_mode & 0o777 for path in Stores.of(home).archive.files()} == {0o400}


def test_only_an_original_that_is_landed_for_all_is_opened_to_all(home: Home, take: Take) -> None:
    [refused] = take("nmpa", NO_HEADER)
    assert mode_of(home, refused) == 0o400
    [table], [prose] = (
        take(source_id, (TEMPLATES_DIR / template / "example.csv").read_bytes(), f"{template}.csv")
        for source_id, template in (("mis", "observations"), ("ens", "findings"))
    )
    assert (table.what, prose.what) == ("landed", "landed"), (table.in_full, prose.in_full)
    assert (mode_of(home, table), mode_of(home, prose)) == (0o444, 0o400)
    [restricted] = take("board_return", RETURN.format(more="", release="2026-09", cells=""))
    assert (restricted.what, mode_of(home, restricted)) == ("landed", 0o400)


def test_a_refusal_says_in_public_what_it_may_and_in_full_what_it_knows(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "return.csv"
    path.write_text(NO_HEADER)
    with pytest.raises(RefusedAtArrival) as refused:
        landing.land(Stores.of(home), path, Arrival(source("board_return"), path.name))
    assert not quoted(str(refused.value))
    assert quoted(refused.value.in_full) == list(CELLS)
