"""The commands: exit codes, one line on standard error, JSON documents, a quick start."""

import json
import socket
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from pytest_httpserver import HTTPServer

from expectations import alerts
from expectations.alerts import AlertLog, Breach, Scope
from ingest.archive import store as archive
from perinatal.home import Home
from pipeline.commands import app as command_line
from publish import edition
from publish.edition import Editions

Cli = Callable[..., object]
COMMANDS = ("refresh", "land", "build", "status", "query", "alerts", "verify", "settings", "stats")


@pytest.fixture
def small(home: Home) -> Home:
    """Publish a small edition: three rows in one mart."""
    folder = home.build / "run"
    folder.mkdir(parents=True)
    with duckdb.connect(str(folder / "candidate")) as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.said as select i as n, 'w' || i as word, i / 3 as third, ['a', 'b'] as list, "
            "date '2024-01-31' as day, null as nothing from range(3) as t(i)"
        )
    facts = {"fingerprint": "f" * 64, "is_synthetic": True, "releases": [], "checks": 1, "warnings": []}
    Editions.of(home).publish(folder, {edition.DATABASE: folder / "candidate"}, facts)
    return home


def assert_one_clear_line(ran: object, code: int) -> None:
    assert ran.code == code, ran.err
    assert ran.err.startswith("perinatal: ")
    assert ran.err.count("\n") == 1
    assert "Traceback" not in ran.err


def test_help_lists_every_command_and_makes_no_state_folder(shell: Cli, home: Home) -> None:
    process = shell("--help", at=home)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert all(f"\n  {name} " in out for name in COMMANDS)
    assert not home.root.exists()


def test_help_imports_nothing_heavy(shell: Cli, home: Home) -> None:
    code = (
        "import sys; from pipeline.commands import app as cli\n"
        "heavy = {'duckdb', 'pandas', 'great_expectations', 'dbt', 'airflow', 'pydantic'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    process = shell(code=code, at=home)
    assert process.communicate(timeout=60)[1] == ""
    assert process.returncode == 0


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(cli: Cli, name: str) -> None:
    ran = cli(name, "--help")
    assert ran.code == 0
    assert "Usage:" in ran.out


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["land"],
        ["land", "x.csv"],
        ["query"],
        ["query", "select 1", "--format", "xml"],
        ["query", "select 1", "--frmat", "csv"],
        ["query", "select 1", "-f", "x.sql"],
        ["build", "--quickly"],
        ["refresh", "--sample", "--live"],
        ["land", "x.csv", "--source", "mbrrace", "--published-on", "yesterday"],
    ],
    ids=" ".join,
)
def test_wrong_use_is_2(cli: Cli, home: Home, arguments: list[str]) -> None:
    ran = cli(*arguments, at=home)
    assert ran.code == 2
    assert "Traceback" not in ran.err


def test_before_the_first_edition(cli: Cli, home: Home) -> None:
    assert_one_clear_line(cli("query", "select 1", at=home), 1)
    ran = cli("status", at=home)
    assert ran.code == 0
    assert "No edition is published yet" in ran.out
    assert json.loads(cli("status", "--json", at=home).out)["edition"] is None
    assert cli("alerts", at=home).out == "no open alerts\n"
    assert cli("verify", at=home).out.startswith("0 archived file(s), 0 manifest(s)")


@pytest.mark.parametrize("name", ["status", "alerts", "settings"])
def test_json_is_one_document_on_standard_output(cli: Cli, small: Home, name: str) -> None:
    alerts.AlertLog(small.alerts).reconcile(
        alerts.Scope.of("release"), [Breach("r", "warn", "Größer als ’erwartet‘", sample_rows=[{"n": 1}])]
    )
    ran = cli(name, "--json", at=small)
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out)


@pytest.mark.parametrize("name", ["status", "alerts", "settings"])
def test_people_get_a_table(cli: Cli, small: Home, name: str) -> None:
    alerts.AlertLog(small.alerts).reconcile(alerts.Scope.of("release"), [Breach("r", "warn", "A [bold]breach[/bold]")])
    ran = cli(name, at=small)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out


def test_status_tells_what_is_current(cli: Cli, small: Home) -> None:
    found = json.loads(cli("status", "--json", at=small).out)
    assert found["edition"]["edition_id"] == Editions.of(small).current().name
    assert found["edition"]["is_synthetic"] is True
    assert (found["sources"], found["open_alerts"]) == ([], [])
    assert "SYNTHETIC" in cli("status", at=small).out


def test_alerts_show_open_ones_unless_asked(cli: Cli, home: Home) -> None:
    alerts.AlertLog(home.alerts).reconcile(alerts.Scope.of("release"), [Breach("gone", "warn", "Gone")])
    alerts.AlertLog(home.alerts).reconcile(alerts.Scope.of("release"), [Breach("here", "block", "Here [x] [/x]")])
    assert "gone" not in cli("alerts", at=home).out
    assert "Here [x] [/x]" in cli("alerts", at=home).out
    assert "gone" in cli("alerts", "--all", at=home).out
    found = json.loads(cli("alerts", "--json", at=home).out)
    assert {(row["rule"], row["state"]) for row in found} == {("gone", "closed"), ("here", "open")}


def test_query_as_csv_json_and_table(cli: Cli, small: Home) -> None:
    sql = "select n, word, day, nothing, third from marts.said order by n"
    assert cli("query", sql, "--format", "csv", at=small).out.splitlines()[:2] == [
        "n,word,day,nothing,third",
        "0,w0,2024-01-31,,0.0",
    ]
    rows = json.loads(cli("query", sql, "--format", "json", at=small).out)
    assert rows[1] == {"n": 1, "word": "w1", "day": "2024-01-31", "nothing": None, "third": 1 / 3}
    assert "w2" in cli("query", sql, at=small).out
    assert "(no rows)" in cli("query", "select 1 where false", at=small).out


def test_records_too_wide_for_a_table_are_printed_a_line_a_field(cli: Cli, small: Home) -> None:
    columns = ", ".join(f"'word_{number}' as column_{number}" for number in range(40))
    lines = cli("query", f"select {columns} from range(2)", at=small).out.splitlines()
    assert [line.split() for line in lines if line.strip()] == 2 * [[f"column_{n}", f"word_{n}"] for n in range(40)]


def test_query_json_is_json_even_without_numbers(cli: Cli, small: Home) -> None:
    ran = cli("query", "select 'nan'::double as x, 'inf'::double as y", "--format", "json", at=small)
    assert json.loads(ran.out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON")) == [
        {"x": None, "y": None}
    ]


@pytest.mark.parametrize(
    "sql",
    [
        "selec 1",
        "select * from marts.absent",
        "delete from marts.said",
        "create table marts.mine as select 1",
        "drop table marts.said",
        "copy marts.said to 'x.csv'",
        "select * from read_csv('/etc/passwd')",
        "attach ':memory:' as other",
        "install httpfs",
        "set enable_external_access = true",
    ],
)
@pytest.mark.parametrize("form", ["csv", "table"])
def test_query_reads_only_the_edition(cli: Cli, small: Home, sql: str, form: str) -> None:
    before = archive.hash_of(small.database)
    assert_one_clear_line(cli("query", sql, "--format", form, at=small), 1)
    assert archive.hash_of(small.database) == before


def test_a_missing_file_is_one_line_and_nothing_is_landed(cli: Cli, home: Home, tmp_path: Path) -> None:
    (tmp_path / "there.csv").write_text("a,b\n1,2\n")
    ran = cli("land", tmp_path / "there.csv", tmp_path / "absent.csv", "--source", "mbrrace", at=home)
    assert_one_clear_line(ran, 1)
    assert "absent.csv: no such file" in ran.err
    assert not home.landed.exists()


def test_an_unknown_source_is_one_line_with_the_list(cli: Cli, home: Home, tmp_path: Path) -> None:
    (tmp_path / "there.csv").write_text("a,b\n1,2\n")
    ran = cli("land", tmp_path / "there.csv", "--source", "nhs", at=home)
    assert_one_clear_line(ran, 1)
    assert "mbrrace" in ran.err


REFUSED = {
    "not recognised.csv": "ReportYear,A\n2023,1\n",
    "perinatal-mortality-rates-2023-a.csv": "ReportYear,OrganisationCode\n2023,1\n",
    "perinatal-mortality-rates-2023-b.csv": "<html><body>Not found</body></html>",
    "perinatal-mortality-rates-2023-c.csv": "",
}


@pytest.mark.parametrize(("name", "text"), REFUSED.items(), ids=REFUSED)
def test_a_refused_file_is_3_and_one_line(cli: Cli, home: Home, tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    ran = cli("land", tmp_path / name, "--source", "mbrrace", at=home)
    assert_one_clear_line(ran, 3)
    assert name in ran.err
    assert "quarantine" in ran.err
    assert ran.out == ""


def test_all_files_are_tried_even_if_the_first_is_refused(cli: Cli, home: Home, tmp_path: Path) -> None:
    for name, text in REFUSED.items():
        (tmp_path / name).write_text(text)
    ran = cli("land", *(tmp_path / name for name in REFUSED), "--source", "mbrrace", at=home)
    assert ran.code == 3
    assert len(ran.err.splitlines()) == len(REFUSED)


def test_verify_names_every_damage(cli: Cli, home: Home, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    kept = archive.Archive(home.archive).put(tmp_path / "a")
    assert cli("verify", at=home).code == 0
    kept.path.chmod(0o644)
    kept.path.write_bytes(b"b")
    broken = home.landed / "demo" / "counts" / "2024" / "r1"
    broken.mkdir(parents=True)
    (broken / "manifest.json").write_text("{")
    ran = cli("verify", at=home)
    assert ran.code == 1
    assert ran.out == ""
    lines = ran.err.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("perinatal: ") for line in lines)
    assert str(kept.path) in lines[0]
    assert str(broken / "manifest.json") in lines[1]


def test_notify_is_1_where_a_channel_did_not_take_its_alerts(
    cli: Cli, home: Home, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    httpserver.expect_request("/hook", method="POST").respond_with_data("ok")
    AlertLog(home.alerts).reconcile(Scope.of("release"), [Breach("a_rule", "block", "what is wrong")])
    with socket.socket() as silent:  # its port is taken and refuses every connection
        silent.bind(("127.0.0.1", 0))
        urls = [f"json://127.0.0.1:{silent.getsockname()[1]}/", f"json://127.0.0.1:{httpserver.port}/hook"]
        monkeypatch.setenv("PERINATAL_ALERT_URLS", json.dumps(urls))
        first, again = cli("notify"), cli("notify")
    for ran in (first, again):
        assert_one_clear_line(ran, 1)
        assert "did not take its alerts; check the channel and its address" in ran.err
        assert "0 alert(s) in 1 message(s), 1 waiting, FAILED (will be tried again)" in ran.out
    assert "1 alert(s) in 1 message(s), 0 waiting\n" in first.out
    monkeypatch.setenv("PERINATAL_ALERT_URLS", json.dumps(urls[1:]))
    mended = cli("notify")
    assert (mended.code, mended.err) == (0, "")


def test_an_unexpected_error_is_one_line_and_debug_shows_more(
    cli: Cli, small: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    (Editions.of(small).current() / edition.INFO).write_text("{")
    ran = cli("status", at=small)
    assert_one_clear_line(ran, 1)
    assert "--debug" in ran.err
    with pytest.raises(ValueError, match="Expecting"):
        cli("--debug", "status", at=small)
    command_line.state["debug"] = False


def test_a_reader_that_goes_away_is_no_error(shell: Cli, small: Home) -> None:
    process = shell("query", "select repeat('x', 100) from range(200000)", "--format", "csv", at=small)
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(timeout=60) in (0, 1)
    assert "Traceback" not in process.stderr.read()


def test_settings_lists_all_with_their_values(cli: Cli, home: Home) -> None:
    found = {row["setting"]: row for row in json.loads(cli("settings", "--json", at=home).out)}
    assert found["PERINATAL_HOME"]["value"] == str(home.root)
    assert found["PERINATAL_KEEP_EDITIONS"]["default"] == "5"
    assert all(row["description"] for row in found.values())


def test_stats_is_csv_on_standard_output(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("x,n\n5,1000\n")
    ran = cli("stats", "rate", tmp_path / "in.csv", "--multiplier", "1000")
    assert (ran.code, ran.err) == (0, "")
    assert "5.0" in ran.out
    assert_one_clear_line(cli("stats", "rate", tmp_path / "absent.csv"), 1)


WRITES = (
    ("build",),
    ("verify",),
    ("notify",),
    ("land", "README.md", "--source", "mbrrace"),
    ("sources", "seen", "mbrrace", "--why", "seen"),
    ("up",),
)
READS = (("status",), ("alerts",), ("sources",), ("quarantine", "list"), ("settings",))
NO_PLACE = Home(Path("/sys/perinatal"))  # nobody, root included, makes a folder there


@pytest.mark.skipif(not Path("/sys/kernel").exists(), reason="no /sys here")
@pytest.mark.parametrize("command", WRITES, ids=" ".join)
def test_a_state_folder_that_cannot_be_written_is_one_clear_error(cli: Cli, command: tuple[str, ...]) -> None:
    ran = cli(*command, at=NO_PLACE)
    assert_one_clear_line(ran, 1)
    assert "/sys/perinatal" in ran.err
    assert "name another folder with PERINATAL_HOME" in ran.err
    assert "unexpected" not in ran.err


@pytest.mark.skipif(not Path("/sys/kernel").exists(), reason="no /sys here")
@pytest.mark.parametrize("command", READS, ids=" ".join)
def test_what_only_reads_needs_no_rights_to_write(cli: Cli, command: tuple[str, ...]) -> None:
    assert cli(*command, at=NO_PLACE).code == 0
