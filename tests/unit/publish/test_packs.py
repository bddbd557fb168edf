"""Packs: what an LMS gets, described, formula-safe, readable by what people open it with."""

import csv
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import duckdb
import made_up
import pytest
from frictionless import Package, system
from python_calamine import CalamineWorkbook

from perinatal.errors import PerinatalError
from perinatal.home import Home
from publish import edition, packs


@pytest.fixture(scope="module")
def pack(made: Path) -> Path:
    return made / "downloads" / "lms" / "QAA"


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


def test_one_pack_is_the_same_as_that_of_the_edition(pack: Path, made: Path, tmp_path: Path) -> None:
    packs.write(made / edition.DATABASE, "qaa", tmp_path / "mine")
    names = sorted(path.name for path in pack.iterdir())
    assert sorted(path.name for path in (tmp_path / "mine").iterdir()) == names
    for name in names:
        if name.endswith((".csv", ".json", ".xlsx")):
            assert (tmp_path / "mine" / name).read_bytes() == (pack / name).read_bytes(), name


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


def sheets(path: Path) -> dict[str, list[list[object]]]:
    book = CalamineWorkbook.from_path(str(path))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def test_the_workbook_holds_cover_contents_tables_and_dictionary(pack: Path) -> None:
    found = sheets(pack / "QAA.xlsx")
    assert list(found)[:2] == ["cover", "contents"]
    assert list(found)[-1] == "dictionary"
    cover = {str(row[0]): row[1] for row in found["cover"] if row[0]}
    assert cover["Local maternity system"] == "North & South <b>Shire</b> (QAA)"
    assert cover["Edition"] == made_up.FACTS["edition_id"]
    assert str(cover["Synthetic"]).startswith("YES")
    assert [row[0] for row in found["contents"][1:]] == list(found)[2:]
    header, *table = found["trust_indicator"]
    assert header[:2] == ["trust_code", "trust_name"]
    numbers = [row[header.index("value")] for row in table]
    assert any(isinstance(value, float) for value in numbers)
    masked = next(row for row in table if row[0] == "R03" and row[header.index("period_label")] == "2024")
    assert masked[header.index("value")] == ""
    assert masked[header.index("denominator")] == ""


def test_the_summary_shows_the_lms_beside_its_trusts(pack: Path) -> None:
    header, *table = sheets(pack / "QAA.xlsx")["summary"]
    assert header[:5] == ["Indicator", "Unit", "Source", "Period", "LMS"]
    assert set(header[10:]) == {made_up.SCRIPT, "Middle Shire Hospitals NHS Foundation Trust", "Far Shire NHS Trust"}
    [mortality] = [row for row in table if row[0] == "Stillbirth rate"]
    assert mortality[:5] == ["Stillbirth rate", "per 1,000", "mbrrace", "2024", "Between 4.01 and 4.52"]
    assert mortality[header.index("Far Shire NHS Trust")] == "Masked"
    assert mortality[header.index(made_up.SCRIPT)] == pytest.approx(11.25)


def test_the_workbook_leaves_out_what_only_programs_read(pack: Path) -> None:
    theme = sheets(pack / "QAA.xlsx")["theme"]
    assert "label" in theme[0]
    assert "findings_by_source" not in theme[0]
    assert "findings_by_source" in rows(pack / "theme.csv")[0]


def test_a_synthetic_workbook_says_so_first(pack: Path) -> None:
    cover = sheets(pack / "QAA.xlsx")["cover"]
    assert cover[1][0] == "SYNTHETIC SAMPLE DATA"


def test_a_workbook_runs_nothing(pack: Path, tmp_path: Path) -> None:
    shutil.unpack_archive(pack / "QAA.xlsx", tmp_path / "parts", "zip")
    seen = False
    for part in (tmp_path / "parts" / "xl").rglob("*.xml"):
        text = part.read_text(encoding="utf-8")
        assert "<f>" not in text, part
        assert "http://publisher" not in text or "hyperlink" not in text
        seen = seen or "=cmd()" in text
    assert seen
    assert not list((tmp_path / "parts").rglob("vbaProject*"))
    assert not list((tmp_path / "parts").rglob("externalLink*"))


def test_the_workbook_opens_in_libreoffice(pack: Path, tmp_path: Path) -> None:
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
        str(pack / "QAA.xlsx"),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=240)
    opened = {path.name.removeprefix("QAA-").removesuffix(".csv"): path for path in (tmp_path / "out").iterdir()}
    assert set(opened) == set(sheets(pack / "QAA.xlsx"))
    table = rows(opened["trust_indicator"])
    mine = sheets(pack / "QAA.xlsx")["trust_indicator"]
    assert len(table) == len(mine) - 1
    assert made_up.SCRIPT in {row["trust_name"] for row in table}
    assert "=cmd()" in opened["usage_warnings"].read_text(encoding="utf-8")  # the text itself, not what it would run


def test_the_same_edition_gives_the_same_bytes(pack: Path, made: Path, tmp_path: Path) -> None:
    one = packs.write(made / edition.DATABASE, "QBB", tmp_path / "one") / "QBB.xlsx"
    two = packs.write(made / edition.DATABASE, "QBB", tmp_path / "two") / "QBB.xlsx"
    assert one.read_bytes() == two.read_bytes()


def test_an_lms_without_rows_has_its_headers(made: Path, tmp_path: Path) -> None:
    assert rows(made / "downloads" / "lms" / "QBB" / "inequality.csv") == []
    header = (made / "downloads" / "lms" / "QBB" / "inequality.csv").read_text().splitlines()[0]
    assert header.startswith("indicator_id")


def test_processes_share_the_workbooks(made: Path, tmp_path: Path) -> None:
    packs.write_all(made / edition.DATABASE, tmp_path / "shared", made_up.FACTS, workers=2)
    mine = made / "downloads" / "lms"
    for code, _ in made_up.LMSS:
        assert (tmp_path / "shared" / code / f"{code}.xlsx").read_bytes() == (mine / code / f"{code}.xlsx").read_bytes()


def test_an_edition_may_lack_tables(tmp_path: Path) -> None:
    database = made_up.make().write(tmp_path / "edition.duckdb", leave_out=("marts.signal", "marts.inequality"))
    folder = packs.write(database, "QAA", tmp_path / "pack", made_up.FACTS)
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
