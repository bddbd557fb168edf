"""`perinatal themes …` and `perinatal brief` on a made-up edition."""

import csv
import io
import json
import os
import pty
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from insights.decisions import DecisionFile
from perinatal.home import Home

CTG = "The CTG was pathological for an hour and the concerns were not escalated to the registrar."
Cli = Callable[..., object]


@pytest.fixture
def edition(home: Home) -> Home:
    """Give a state folder whose current edition has two findings and nothing else."""
    folder = home.editions / "e1"
    folder.mkdir(parents=True)
    with duckdb.connect(str(folder / "perinatal.duckdb")) as connection:
        connection.execute("create schema core")
        connection.execute(
            "create table core.fct_finding as select * from (values "
            f"('hsib-1', '{CTG}', 'A report', 3), ('hsib-2', 'The hospital has four floors.', 'A report', null)) "
            "as found(finding_id, text, document_title, page)"
        )
    home.current.symlink_to("editions/e1")
    return home


def test_code_writes_csv_in_order(cli: Cli, home: Home, tmp_path: Path) -> None:
    path = tmp_path / "findings.csv"
    path.write_text(
        f'finding_id,text\nb,"{CTG}"\na,"The placenta was not sent for histology, as it should have been."\n'
    )
    ran = cli("themes", "code", path, at=home)
    assert ran.code == 0
    rows = list(csv.DictReader(io.StringIO(ran.out)))
    assert list(rows[0]) == ["finding_id", "theme_id", "score", "evidence", "coded_by"]
    assert {("b", "C01"), ("b", "S02"), ("a", "C19")} <= {(row["finding_id"], row["theme_id"]) for row in rows}
    assert [row["finding_id"] for row in rows] == sorted((row["finding_id"] for row in rows), reverse=True)
    assert all(0.5 <= float(row["score"]) <= 1 and row["evidence"] for row in rows)
    assert cli("themes", "code", path, at=home).out == ran.out


def test_code_obeys_decisions(cli: Cli, home: Home, tmp_path: Path) -> None:
    path = tmp_path / "findings.csv"
    path.write_text(f'finding_id,text\nb,"{CTG}"\n')
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("finding_id,theme_id,decision,reviewer\nb,C01,reject,A. Midwife\nb,S13,add,A. Midwife\n")
    assert cli("themes", "review", "--import", sheet, at=home).code == 0
    coded = {row["theme_id"]: row for row in csv.DictReader(io.StringIO(cli("themes", "code", path, at=home).out))}
    assert "C01" not in coded
    assert (coded["S13"]["coded_by"], float(coded["S13"]["score"])) == ("person", 1.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("finding_id\na\n", "column text is missing"),
        ("finding_id,text\na,x y\na,z\n", "line 3: finding_id 'a' comes twice"),
    ],
)
def test_code_names_what_is_wrong(cli: Cli, home: Home, tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "findings.csv"
    path.write_text(text)
    ran = cli("themes", "code", path, at=home)
    assert (ran.code, ran.out) == (1, "")
    assert message in ran.err
    assert len(ran.err.splitlines()) == 1


def test_evaluate_meets_the_targets(cli: Cli, home: Home) -> None:
    told = json.loads(cli("themes", "evaluate", "--json", at=home).out)
    together = told["held_out"][-1]
    way = together["ways"]["rules and model"]
    assert way["macro_f1"]["value"] >= told["targets"]["macro_f1"]
    assert way["micro_f1"]["value"] >= told["targets"]["micro_f1"]
    assert way["micro_f1"]["lower_95"] < way["micro_f1"]["value"] < way["micro_f1"]["upper_95"]
    assert set(together["ways"]) == {"rules and model", "rules only", "majority"}
    assert len(together["themes"]) == 34


def test_review_goes_out_as_a_sheet_and_comes_back(cli: Cli, edition: Home, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.csv"
    assert cli("themes", "review", "--export", sheet, at=edition).code == 0
    with sheet.open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert {"id:hsib-1"} <= {row["finding_id"] for row in rows}
    doubts = [abs(float(row["score"]) - 0.5) for row in rows]
    assert doubts == sorted(doubts)
    rows[0]["decision"] = "reject"
    with sheet.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    ran = cli("themes", "review", "--import", sheet, at=edition)
    assert (ran.code, "reviewer must be filled in" in ran.err) == (1, True)
    ran = cli("themes", "review", "--import", sheet, "--reviewer", "A. Midwife", at=edition)
    assert ran.out.startswith("1 decision(s) kept, 0 known already")
    (kept,) = DecisionFile(edition.theme_decisions).read()
    assert (kept.theme_id, kept.decision, kept.reviewer) == (rows[0]["theme_id"], "reject", "A. Midwife")


def test_review_without_a_terminal_says_how(cli: Cli, edition: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    ran = cli("themes", "review", at=edition)
    assert ran.code == 2
    assert "--export" in ran.err


def test_review_at_a_terminal(shell: Cli, edition: Home) -> None:
    """The real thing: a pseudo-terminal, one confirmation, then q."""
    import subprocess

    terminal, inside = pty.openpty()
    os.write(terminal, b"Ann Smith\nc\nq\n")
    program = "from pipeline.commands.app import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "themes", "review", "--theme", "c01"],
        stdin=inside,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PERINATAL_HOME": str(edition.root)},
    )
    assert done.returncode == 0, done.stderr
    assert "C01 Fetal monitoring" in done.stdout
    assert [(d.theme_id, d.decision, d.reviewer) for d in DecisionFile(edition.theme_decisions).read()] == [
        ("C01", "confirm", "Ann Smith")
    ]


def test_agreement_of_reviewers_is_reported(cli: Cli, edition: Home, tmp_path: Path) -> None:
    assert "nobody has decided" in cli("themes", "agreement", at=edition).out
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("finding_id,theme_id,decision,reviewer\nhsib-1,C01,confirm,Ann\nhsib-1,C01,reject,Bob\n")
    assert cli("themes", "review", "--import", sheet, at=edition).code == 0
    assert cli("themes", "agreement", at=edition).out.startswith("Not agreed: 1 code(s)\n  hsib-1 C01")
    (theme,) = json.loads(cli("themes", "agreement", "--json", at=edition).out)["themes"]
    assert (theme["theme_id"], theme["reviewers"], theme["kappa"]) == ("C01", ["Ann", "Bob"], 0.0)
    assert cli("themes", "review", "--export", sheet, at=edition).code == 0
    (first, *_) = csv.DictReader(io.StringIO(sheet.read_text(encoding="utf-8-sig")))
    assert (first["finding_id"], first["theme_id"]) == ("id:hsib-1", "C01")
    assert "Ann: confirm" in first["said"]
    assert "Bob: reject" in first["said"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("themes", "review", "--theme", "C99", "--export", "x.csv"), 1, "unknown theme 'C99'"),
        (("themes", "review", "--export", "x.csv", "--import", "y.csv"), 2, "cannot be used together"),
        (("themes", "review", "--import", "nowhere.csv"), 1, "cannot be read"),
        (("themes", "code", "nowhere.csv"), 1, "cannot be read"),
        (("brief", "--theme", "C01", "--lms", "QE1"), 2, "cannot be used together"),
        (("brief", "--theme", "C01", "--national"), 2, "cannot be used together"),
    ],
)
def test_errors_are_one_line(
    cli: Cli, edition: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple, code: int, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = cli(*arguments, at=edition)
    assert ran.code == code
    assert message in ran.err
    assert list(tmp_path.glob("*.csv")) == []


def test_brief_before_the_first_edition(cli: Cli, home: Home, tmp_path: Path) -> None:
    ran = cli("brief", "--out", tmp_path / "brief.html", at=home)
    assert ran.code == 1
    assert "no edition is published" in ran.err
