"""Packs: what an LMS gets, described, formula-safe, readable by what people open it with."""

import csv
import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import made_up
import pytest
from frictionless import Package, system
from python_calamine import CalamineWorkbook

from perinatal.errors import PerinatalError
from perinatal.home import Home
from perinatal.made_files import MadeFiles, Since
from publish import edition, packs
from publish.packs.sheets import _of_trust
from publish.portal.model import Value

JUDGED = Value(
    **dict.fromkeys(Value.__slots__)
    | {"value": 1.87, "unit": "per 1,000", "adjusted_value": 3.72, "verdict": "worse", "is_suppressed": False}
)


@pytest.fixture(scope="module")
def pack(made: Path) -> Path:
    return made / "downloads" / "lms" / "QAA"


def made_pack(database: Path, downloads: Path, lms: str) -> Path:
    """Make all packs of an edition file; returns the folder of one."""
    since = Since(str(made_up.FACTS["edition_id"]), str(made_up.FACTS["published_at"]))
    packs.write_all(database, MadeFiles(downloads, since), is_synthetic=True)
    return downloads / "lms" / lms


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def test_every_lms_has_a_pack(made: Path) -> None:
    assert {path.name for path in (made / "downloads" / "lms").iterdir()} == {code for code, _ in made_up.LMSS}


def test_a_pack_has_what_the_contract_says(pack: Path) -> None:
    names = {path.name for path in pack.iterdir()}
    assert {"QAA.xlsx", "data_dictionary.csv", "datapackage.json", "changes.csv", "releases.csv"} < names
    for table in ("lms_indicator", "trust_indicator", "england_indicator", "inequality", "board_dashboard"):
        assert {f"{table}.csv", f"{table}.parquet"} < names


def test_a_pack_holds_its_own_lms_only(pack: Path) -> None:
    assert {row["lms_code"] for row in rows(pack / "trust_indicator.csv")} == {"QAA"}
    assert {row["lms_code"] for row in rows(pack / "lms_indicator.csv")} == {"QAA"}
    assert {row["region_code"] for row in rows(pack / "region_indicator.csv")} == {"Y01"}
    assert {row["breakdown"] for row in rows(pack / "england_indicator.csv")} == {"all"}
    assert {row["lms_code"] for row in rows(pack / "changes.csv")} == {"QAA"}


def test_a_pack_holds_the_rows_of_the_mart_in_csv_and_parquet(pack: Path, made: Path) -> None:
    with duckdb.connect(str(made / edition.DATABASE), read_only=True) as connection:
        mart = connection.execute("select count(*) from marts.trust_indicator where lms_code = 'QAA'").fetchall()[0][0]
        parquet = connection.execute(f"select count(*) from '{pack}/trust_indicator.parquet'").fetchall()[0][0]
    assert mart == parquet == len(rows(pack / "trust_indicator.csv")) > 0


def test_one_pack_is_that_of_the_edition_and_may_be_written_to(pack: Path, made: Path, tmp_path: Path) -> None:
    packs.write(made / edition.DATABASE, "qaa", tmp_path / "mine")
    names = sorted(path.name for path in pack.iterdir())
    assert sorted(path.name for path in (tmp_path / "mine").iterdir()) == names
    for name in names:
        mine = tmp_path / "mine" / name
        assert mine.read_bytes() == (pack / name).read_bytes(), name
        assert mine.stat().st_mode & 0o200
        assert mine.stat().st_ino != (pack / name).stat().st_ino


def test_frictionless_finds_no_fault(pack: Path) -> None:
    with system.use_context(trusted=False):
        report = Package(str(pack / "datapackage.json")).validate()
    assert report.valid, report.flatten(["type", "note"])
    described = json.loads((pack / "datapackage.json").read_text())
    assert {item["path"] for item in described["resources"]} == {
        path.name for path in pack.glob("*.csv") if path.name != "data_dictionary.csv"
    }
    assert "SYNTHETIC" in described["description"]


def test_the_dictionary_explains_every_column(pack: Path) -> None:
    described = {(row["table"], row["column"]): row["description"] for row in rows(pack / "data_dictionary.csv")}
    for path in pack.glob("*.csv"):
        if path.name == "data_dictionary.csv":
            continue
        with path.open(encoding="utf-8", newline="") as handle:
            header = next(csv.reader(handle))
        assert header == [column for table, column in described if table == path.stem]
    declared = {table for _, table in made_up.declared()}
    missing = [name for name, says in described.items() if not says and name[0] in declared]
    assert not missing


def test_no_text_of_a_csv_starts_like_a_formula(pack: Path) -> None:
    seen = False
    for path in pack.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as handle:
            for row in csv.reader(handle):
                for cell in row:
                    seen = seen or made_up.FORMULA in cell
                    assert not cell.startswith(("=", "+", "@", "\t", "\r")), (path, cell)
                    assert not cell.startswith("-") or float(cell) < 0
    assert seen


SHEETS = [
    "Cover", "What stands out", "Outcomes", "Process", "Inequality", "Changes", "Definitions", "Provenance",
]  # fmt: skip


def sheets(path: Path) -> dict[str, list[list[object]]]:
    book = CalamineWorkbook.from_path(str(path))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def table(sheet: list[list[object]], first: str = "Indicator") -> list[dict[str, object]]:
    """Return the rows below the head that holds a column."""
    head = next(place for place, row in enumerate(sheet) if first in row)
    names = sheet[head]
    rows = []
    for row in sheet[head + 1 :]:
        if not any(cell != "" for cell in row):
            break
        rows.append({str(name): cell for name, cell in zip(names, row, strict=True) if name})
    return rows


@pytest.fixture(scope="module")
def book(pack: Path) -> dict[str, list[list[object]]]:
    return sheets(pack / "QAA.xlsx")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a workbook with every sheet: the made-up edition, and an induction rate."""
    folder = tmp_path_factory.mktemp("whole")
    rows = made_up.make()
    about = {"indicator_id": "induction", "indicator_name": "Induction of labour", "source_id": "msds", "unit": "%"}
    rows.add("core", "dim_indicator", **about, statistic="proportion", polarity="none", definition=made_up.FORMULA)
    for month in range(1, 4):
        rows.add("marts", "lms_indicator", **made_up.value_row(
            verdict=None, verdict_basis=None, **about, lms_code="QAA", lms_name="Shire", period_label=f"2026-0{month}",
            period_start=date(2026, month, 1), period_end=date(2026, month, 28), value=30.0 + month,
            release_key=made_up.MONTHLY, months_covered=3))  # fmt: skip
    database = rows.write(folder / "edition.duckdb")
    return made_pack(database, folder / "downloads", "QAA") / "QAA.xlsx"


def test_a_workbook_has_the_eight_sheets_and_none_is_empty(whole: Path) -> None:
    found = sheets(whole)
    assert list(found) == SHEETS
    for name in SHEETS[1:]:
        first = {"What stands out": "Organisation", "Provenance": "Publisher"}.get(name, "Indicator")
        assert table(found[name], first), name
    [induction] = table(found["Process"])
    said = (33.0, "three months to March 2026", "MSDS")
    assert (induction["This LMS"], induction["Period"], induction["Publisher"]) == said
    assert induction["Topic"] == "How babies are born"


def test_a_sheet_without_rows_is_left_out_and_the_cover_says_why(made: Path) -> None:
    found = sheets(made / "downloads" / "lms" / "QBB" / "QBB.xlsx")
    assert list(found) == [
        name for name in SHEETS if name not in ("What stands out", "Process", "Inequality", "Changes")
    ]
    cover = {str(row[0]): row[1] for row in found["Cover"] if row[0]}
    assert str(cover["What stands out (no sheet)"]).startswith("Nothing: no outcome of the LMS or of its trusts")
    assert "Outcomes" in cover


def test_the_cover_says_what_it_is(book: dict[str, list[list[object]]]) -> None:
    cover = {str(row[0]): row[1] for row in book["Cover"] if row[0]}
    assert cover["Local maternity system"] == "North & South <b>Shire</b> (QAA)"
    assert cover["Unchanged since edition"] == made_up.FACTS["edition_id"]
    assert str(cover["Synthetic"]).startswith("YES")


def test_every_sheet_of_a_synthetic_workbook_says_so(book: dict[str, list[list[object]]]) -> None:
    assert all(str(sheet[1][0]).startswith("SYNTHETIC SAMPLE DATA") for sheet in book.values())


def test_what_stands_out_has_the_gravest_first_with_verdict_and_whose(book: dict[str, list[list[object]]]) -> None:
    found = table(book["What stands out"], "Organisation")
    assert [(row["Kind"], row["Organisation"]) for row in found] == [
        ("Deaths", "North & South <b>Shire</b>"),
        ("Harm", "North & South <b>Shire</b>"),
        ("Deaths", made_up.SCRIPT),
        ("Harm", "Middle Shire Hospitals NHS Foundation Trust"),
    ]
    lms, harm, trust, _ = found
    assert (lms["Value"], lms["Trusts that are worse"]) == ("", made_up.SCRIPT)
    assert (trust["Value"], trust["Adjusted value"], trust["Verdict"]) == (11.25, 3.4, "Worse")
    assert (trust["Whose verdict"], harm["Whose verdict"]) == ("MBRRACE-UK’s verdict", "Our verdict, 99.8% limits")
    assert (harm["New"], trust["Worse since"], trust["Events a year"]) == ("New", "January 2022", 31.0)
    assert harm["Worse since"] == ""  # one period alone


def test_outcomes_show_the_lms_beside_its_trusts(book: dict[str, list[list[object]]]) -> None:
    mortality, apgar = table(book["Outcomes"])
    assert (mortality["Indicator"], mortality["Publisher"], mortality["Period"]) == (
        "Stillbirth rate",
        "MBRRACE",
        "2024",
    )
    assert (mortality["This LMS"], mortality["Reporting"]) == ("Between 4.01 and 4.52", "2 of 3")
    assert mortality["Mind"] == "At least one trust is missing or masked"
    assert (mortality["Far Shire"], mortality["Middle Shire"]) == ("Masked", pytest.approx(3.33, abs=0.01))
    assert mortality["<script>alert('name')</script> & Sons"] == 11.25
    assert mortality["<script>alert('name')</script> & Sons, adjusted"] == 3.4
    assert apgar["<script>alert('name')</script> & Sons, adjusted"] == ""
    assert (mortality["Trajectory"], mortality["Position"]) == (2.82, "Above")
    assert (apgar["This LMS"], apgar["Middle Shire"]) == ("", 10.0)


def test_answers_stand_beside_their_figure_with_who_and_when(made: Path, book: dict[str, list[list[object]]]) -> None:
    mortality, apgar = table(book["Outcomes"])
    assert str(mortality["Answers"]).endswith(
        "</script> & Sons NHS Trust: A <b>resubmission</b> is due. (Director of <Midwifery>, 1 June 2025)"
    )
    assert apgar["Answers"] == "", "an answer to another year is not beside today's figure"
    cover = {str(row[0]): row[1] for row in book["Cover"] if row[0]}
    assert made_up.FORMULA in str(cover["Answer to every figure"])
    assert "Answers" not in sheets(made / "downloads" / "lms" / "QCC" / "QCC.xlsx")["Outcomes"][3]


def test_a_masked_point_is_a_gap_over_time(pack: Path, tmp_path: Path) -> None:
    """The points stand beyond the table: two of the LMS's five are masked, and no cell holds their numbers."""
    sheet = sheets(pack / "QAA.xlsx")["Outcomes"]
    head, mortality = (row for row in sheet if row[0] in ("Indicator", "Stillbirth rate"))
    width = max(place for place, name in enumerate(head) if name) + 1
    points = mortality[width + 1 :]
    assert [point == "" for point in points] == [False, True, False, False, True][: len(points)]
    shutil.unpack_archive(pack / "QAA.xlsx", tmp_path / "parts", "zip")
    drawn = (tmp_path / "parts/xl/worksheets/sheet3.xml").read_text(encoding="utf-8")
    assert drawn.count("<x14:sparkline>") == 1


def test_the_word_of_a_verdict_stands_with_the_rate_that_it_rests_on() -> None:
    crude, adjusted = _of_trust(replace(JUDGED, verdict_basis="publisher"), has_adjusted=True)
    assert (crude.value, crude.look, crude.word) == (1.87, "text", "")
    assert (adjusted.value, adjusted.look, adjusted.word) == (3.72, "worse", "worse")
    own, nothing = _of_trust(replace(JUDGED, verdict_basis="own"), has_adjusted=True)
    assert (own.value, own.word, nothing) == (1.87, "worse", None)
    assert _of_trust(None, has_adjusted=False) == [None]


def test_verdicts_are_highlighted(pack: Path, tmp_path: Path) -> None:
    shutil.unpack_archive(pack / "QAA.xlsx", tmp_path / "parts", "zip")
    drawn = (tmp_path / "parts/xl/worksheets/sheet2.xml").read_text(encoding="utf-8")
    assert 'operator="beginsWith" text="Worse"' in drawn
    assert 'type="dataBar"' in drawn


def test_no_code_of_a_source_stands_in_a_sheet(whole: Path) -> None:
    codes = {"mbrrace", "msds", "nnap", "stillbirth_rate", "apgar_below_7", "induction", made_up.RELEASE}
    codes |= {"small_numbers", "publisher_note", "no significant change", "publisher_adjusted_rate"}
    cells = {cell for sheet in sheets(whole).values() for row in sheet for cell in row}
    assert not codes & cells


def test_changes_say_before_now_and_why(book: dict[str, list[list[object]]]) -> None:
    changed, masked, added = table(book["Changes"])
    assert (changed["Change"], changed["Before"], changed["Now"]) == ("Changed", 4.0, 4.4)
    assert str(changed["Why"]).startswith("The publisher has changed figures")
    assert (masked["Change"], masked["Before"], masked["Now"]) == ("Masked", "", "")
    assert added["Change"] == "1 new figure"


def test_provenance_leads_to_the_bytes(book: dict[str, list[list[object]]]) -> None:
    found = table(book["Provenance"], "Publisher")
    assert {row["SHA-256 of the file"] for row in found} == {"a" * 64, "b" * 64}
    assert {row["Licence"] for row in found} == {"Open Government Licence v3.0"}


def test_provenance_names_the_trusts_that_are_missing(made: Path) -> None:
    sheet = sheets(made / "downloads" / "lms" / "QCC" / "QCC.xlsx")["Provenance"]
    [missing] = table(sheet, "Trust")
    assert (missing["Trust"], missing["Periods missing"]) == ("West Shire NHS Trust", "1 of 5")


def test_definitions_explain_the_indicators_and_columns_shown(whole: Path) -> None:
    sheet = sheets(whole)["Definitions"]
    indicators = {row["Indicator"]: row for row in table(sheet)}
    assert set(indicators) == {"Apgar score below 7", "Induction of labour", "Stillbirth rate"}
    assert indicators["Stillbirth rate"]["Mind"] == "Counted by <residence>"
    assert {"Verdict", "Over time", "Ratio"} <= {row["Column"] for row in table(sheet, "Column")}


def test_a_workbook_runs_nothing(whole: Path, tmp_path: Path) -> None:
    shutil.unpack_archive(whole, tmp_path / "parts", "zip")
    seen = False
    for part in (tmp_path / "parts" / "xl").rglob("*.xml"):
        text = part.read_text(encoding="utf-8")
        assert "<f>" not in text, part
        assert "http://publisher" not in text or "hyperlink" not in text
        seen = seen or "=cmd()" in text
    assert seen
    assert not list((tmp_path / "parts").rglob("vbaProject*"))
    assert not list((tmp_path / "parts").rglob("externalLink*"))


def test_the_workbook_opens_in_libreoffice(whole: Path, tmp_path: Path) -> None:
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if not office:
        pytest.skip("LibreOffice is not installed (apt-get install libreoffice-calc-nogui)")
    command = [
        office,
        f"-env:UserInstallation=file://{tmp_path}/profile",
        "--headless",
        "--convert-to",
        "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1",
        "--outdir",
        str(tmp_path / "out"),
        str(whole),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=240)
    opened = {path.name.removeprefix("QAA-").removesuffix(".csv"): path for path in (tmp_path / "out").iterdir()}
    assert list(SHEETS) == [name for name in SHEETS if name in opened]
    outcomes = opened["Outcomes"].read_text(encoding="utf-8")
    assert "Between 4.01 and 4.52" in outcomes
    assert "Masked" in outcomes
    with opened["Definitions"].open(encoding="utf-8", newline="") as file:
        cells = {cell for row in csv.reader(file) for cell in row}
    assert made_up.FORMULA in cells  # the text itself, not what it would run


def test_the_same_edition_gives_the_same_bytes(made: Path, tmp_path: Path) -> None:
    again = made_pack(made / edition.DATABASE, tmp_path, "QBB")
    for path in (made / "downloads" / "lms" / "QBB").iterdir():
        assert path.read_bytes() == (again / path.name).read_bytes(), path.name


def test_an_lms_without_rows_has_its_headers(made: Path, tmp_path: Path) -> None:
    assert rows(made / "downloads" / "lms" / "QBB" / "inequality.csv") == []
    header = (made / "downloads" / "lms" / "QBB" / "inequality.csv").read_text().splitlines()[0]
    assert header.startswith("indicator_id")


def test_an_edition_may_lack_tables(tmp_path: Path) -> None:
    database = made_up.make().write(tmp_path / "edition.duckdb", leave_out=("marts.signal", "marts.inequality"))
    folder = made_pack(database, tmp_path / "downloads", "QAA")
    assert not (folder / "signal.csv").exists()
    assert Package(str(folder / "datapackage.json")).validate().valid


def test_an_unknown_lms_is_one_clear_line(made: Path, tmp_path: Path) -> None:
    with pytest.raises(PerinatalError, match=r"no LMS 'QZZ' in this edition.*Codes: QAA, QBB, QCC"):
        packs.write(made / edition.DATABASE, "QZZ", tmp_path / "pack")
    assert not (tmp_path / "pack").exists()


def test_the_command_writes_a_pack(cli: Callable[..., object], made_home: Path, tmp_path: Path) -> None:
    ran = cli("pack", "east shire", "--out", tmp_path / "out", at=Home(made_home))
    assert ran.code == 0  # type: ignore[attr-defined]
    assert (tmp_path / "out" / "QBB.xlsx").is_file()


@pytest.mark.slow
def test_no_masked_number_is_in_a_real_pack(published: Home) -> None:
    folder = published.current / "downloads" / "lms"
    masked = 0
    for path in folder.glob("*/trust_indicator.csv"):
        for row in rows(path):
            if row["is_suppressed"] == "true":
                masked += 1
                hidden = ("numerator", "denominator", "value", "publisher_value", "lower_95", "upper_95", "lower_998")
                assert not any(row[name] for name in hidden), row
    assert masked > 0
    assert len(list(folder.iterdir())) == 44
