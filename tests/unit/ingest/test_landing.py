"""A file becomes a landed revision, or a quarantined file with its reasons, and nothing between."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from expectations import alerts
from ingest.archive import manifest as manifests
from ingest.archive import quarantine
from ingest.archive import store as archive
from ingest.archive.manifest import LandedReleases
from ingest.land import landing, quarantine_decisions, typed_table, withdrawal
from ingest.land.arriving_file import Acceptance, Arrival, require_file
from ingest.land.landing import Outcome
from ingest.registry import Source
from ingest.stores import Stores
from perinatal.errors import PerinatalError, RefusedAtArrival
from perinatal.home import Home
from tests.conftest import REPO
from tests.unit.ingest.conftest import leftovers

GOOD = b"Code,Events\na,1\nb,2\n"
Land = Callable[..., Outcome]


def in_quarantine(home: Home) -> list[quarantine.Report]:
    return [report for _, report in quarantine.Quarantine(home.quarantine).reports()]


def test_a_release_is_landed_with_its_manifest(home: Home, land: Land) -> None:
    outcome = land(GOOD, published_on="2025-05-01", url="https://demo.example/file")
    assert (outcome.what, outcome.manifest.revision) == ("landed", 1)
    [item] = manifests.LandedReleases(home.landed).all()
    assert item == outcome.manifest
    assert (item.source_id, item.dataset, item.release, item.status) == ("demo", "counts", "2024", "final")
    assert (item.rows_in, item.rows_landed, item.rows_quarantined) == (2, 2, 0)
    assert (item.published_on, item.url, item.original_name) == (
        "2025-05-01",
        "https://demo.example/file",
        "counts-2024.csv",
    )
    assert archive.Archive(home.archive).path_of(item.sha256).read_bytes() == GOOD
    assert (LandedReleases(home.landed).folder_of(item) / manifests.ROWS).exists()
    assert {check["rule"] for check in item.checks} >= {
        "has_rows",
        "columns_are_known",
        "code__filled",
        "events__range",
    }
    assert leftovers(home) == []


def test_the_same_bytes_again_are_unchanged(home: Home, land: Land) -> None:
    first = land(GOOD)
    again = land(GOOD, "counts-2024 (1).csv")
    assert again.what == "unchanged"
    assert again.manifest == first.manifest
    assert "unchanged: the same bytes as demo counts 2024 (revision 1)" in again.message


def test_the_same_content_in_other_bytes_is_unchanged(home: Home, land: Land) -> None:
    land(GOOD)
    again = land(GOOD.replace(b"\n", b"\r\n"))
    assert again.what == "unchanged"
    assert "the same content in other bytes" in again.message
    assert len(list(manifests.LandedReleases(home.landed).all())) == 1


def test_changed_content_is_a_new_revision_and_both_stay(home: Home, land: Land) -> None:
    first, second = land(GOOD), land(b"Code,Events\na,1\nb,3\n")
    assert (second.what, second.manifest.revision) == ("revised", 2)
    assert [item.revision for item in manifests.LandedReleases(home.landed).all()] == [1, 2]
    kept = archive.Archive(home.archive)
    assert all(kept.path_of(item.sha256).exists() for item in (first.manifest, second.manifest))


OTHER = b"Code,Events\na,1\nb,3\n"


def in_a_build(home: Home) -> str:
    """Return the release key that a build takes for demo counts 2024, as `int_release.sql` chooses it."""
    landed = LandedReleases(home.landed)
    known = [vars(item) | {"release_key": item.release_key, "scope": "release"} for item in landed.in_use()]
    names = ("release_key", "source_id", "dataset", "release", "revision", "status", "scope", "published_on")
    with duckdb.connect() as connection:
        connection.execute(
            "create table release (release_key varchar, source_id varchar, dataset varchar, release varchar, "
            "revision integer, status varchar, scope varchar, published_on date, fetched_at timestamp)"
        )
        for item in known:
            row = [*(item[name] for name in names), item["fetched_at"].removesuffix("+00:00")]
            connection.execute("insert into release values (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        sql = (REPO / "dbt_project/models/intermediate/int_release.sql").read_text()
        model = sql.replace('{{ source("landed", "release") }}', "release")
        rows = connection.execute(f"select release_key from ({model}) where not is_superseded").fetchall()
    assert len({item["release_key"] for item in known}) == len(known)  # a key names one release of a build
    [[key]] = rows
    return str(key)


def test_what_a_build_takes_is_what_landing_calls_newest(home: Home, land: Land) -> None:
    land(GOOD, published_on="2025-06-01")
    later = land(OTHER, published_on="2025-05-01")  # an older publication that came later
    newest = LandedReleases(home.landed).newest("demo", "counts", "2024")
    assert newest
    assert (in_a_build(home), newest.revision) == (newest.release_key, 1)
    assert "demo counts 2024 (revision 1), published on 2025-06-01, is newer and stays in use" in later.message


@pytest.mark.parametrize("again", [GOOD, GOOD.replace(b"\n", b"\r\n")], ids=["same bytes", "same content"])
def test_a_replaced_file_that_comes_again_is_in_use_again(home: Home, land: Land, again: bytes) -> None:
    land(GOOD)
    second = land(OTHER).manifest
    assert in_a_build(home) == second.release_key
    third = land(again)
    assert (third.what, third.manifest.revision) == ("revised", 3)
    assert "the content of revision 1 again" in third.message
    assert in_a_build(home) == third.manifest.release_key
    assert land(again).what == "unchanged"
    assert land(OTHER).manifest.revision == 4
    assert in_a_build(home) == second.release_key


def test_a_file_that_came_again_is_withdrawn_and_put_back_as_one(home: Home, land: Land) -> None:
    stores, key = Stores.of(home), land(GOOD).manifest.release_key
    second = land(OTHER).manifest
    assert land(GOOD).manifest.is_again
    withdrawal.withdraw(stores, key, "Ann", "wrong")
    assert in_a_build(home) == second.release_key
    withdrawal.undo(stores, key, "Ann", "right")
    assert in_a_build(home) == key


@pytest.mark.parametrize("again", [GOOD, GOOD.replace(b"\n", b"\r\n")], ids=["same bytes", "same content"])
def test_a_withdrawn_file_is_refused_with_the_command_that_puts_it_back(home: Home, land: Land, again: bytes) -> None:
    stores, key = Stores.of(home), land(GOOD).manifest.release_key
    withdrawal.withdraw(stores, key, "Ann", "wrong")
    with pytest.raises(RefusedAtArrival, match=rf"withdrawn_release.*`perinatal withdraw {key} --undo --why TEXT`"):
        land(again)
    assert [alert.breach.rule for alert in stores.alerts.open()] == ["withdrawn_release"]
    assert LandedReleases(home.landed).in_use() == []
    withdrawal.undo(stores, key, "Ann", "right")
    assert land(again).what == "unchanged"
    assert (stores.alerts.open(), in_quarantine(home)) == ([], [])


def test_an_older_publication_that_comes_again_is_refused_and_says_what_is_in_use(home: Home, land: Land) -> None:
    land(GOOD, published_on="2025-05-01")
    newer = land(OTHER, published_on="2025-06-01").manifest
    with pytest.raises(
        RefusedAtArrival, match=rf"replaced_since.*revision 2.*`perinatal withdraw {newer.release_key} "
    ):
        land(GOOD, published_on="2025-05-01")
    assert in_a_build(home) == newer.release_key


def test_a_final_file_of_the_same_bytes_as_a_provisional_one_is_news(
    home: Home, make_source: Callable[..., Source], tmp_path: Path
) -> None:
    source = make_source(parse=BY_NAME)
    found = []
    for name in ("births-provisional.csv", "births-provisional.csv", "births.csv"):
        (tmp_path / name).write_text("Organisation,Year,Births\nA,2021,1\n")
        found.append(landing.land(Stores.of(home), tmp_path / name, Arrival(source, name)))
    assert [one.what for one in found] == ["landed", "unchanged", "revised"]
    assert found[-1].manifest.status == "final"


BY_NAME = """
from ingest.registry import Identity


def recognise(sample):
    status = "provisional" if "provisional" in sample.name else "final"
    return Identity("births", sample.rows[0]["Year"], status)
"""


def test_a_refused_file_that_is_released_keeps_the_day_on_which_it_came(home: Home, demo: Source, land: Land) -> None:
    stores = Stores.of(home)
    with pytest.raises(RefusedAtArrival):
        land(b"Code,Events\na,101\n")
    [report] = in_quarantine(home)
    folder = home.quarantine / "demo" / report.sha256
    stores.quarantine.put(stores.archive.path_of(report.sha256), replace(report, arrived_at=MONDAY))
    good = land(GOOD).manifest
    [report] = in_quarantine(home)
    assert (folder.exists(), report.arrived_at) == (True, MONDAY)
    [taken] = quarantine_decisions.release(stores, demo, report, Acceptance("Ann", "it was right"))
    assert taken.what == "revised"
    assert "demo counts 2024 (revision 1), arrived on" in taken.message
    assert f"`perinatal withdraw {good.release_key} --why TEXT` takes that one out of use" in taken.message
    assert in_a_build(home) == good.release_key
    assert stores.landed.revisions("demo", "counts", "2024")[-1].fetched_at == MONDAY


MONDAY = "2026-01-05T09:00:00+00:00"
MANY = b"Code,Events\n" + b"".join(b"%d,%d\n" % (row, row) for row in range(12))


@pytest.mark.parametrize(
    ("content", "known"),
    [
        (MANY, {"name": "download.csv", "dataset": "counts", "release": "2025"}),
        (MANY.replace(b"\n", b"\r\n"), {"name": "counts-2025.csv"}),
        (MANY.replace(b"\n", b"\r\n"), {"name": "counts-2025.csv", "accepted": Acceptance("Ann", "sure")}),
    ],
    ids=["said by hand", "in other bytes", "accepted"],
)
def test_the_content_of_one_release_never_lands_as_another(
    home: Home, land: Land, content: bytes, known: dict[str, object]
) -> None:
    key = land(MANY).manifest.release_key
    with pytest.raises(
        RefusedAtArrival,
        match=rf"content_of_another_release.*would be counts 2025.*demo counts 2024.*`perinatal withdraw {key} --why",
    ):
        land(content, **known)
    withdrawal.withdraw(Stores.of(home), key, "Ann", "the year was wrong")
    assert land(content, **known).manifest.release == "2025"


def test_the_content_of_a_replaced_revision_may_be_another_release(home: Home, land: Land) -> None:
    land(MANY)
    land(OTHER)
    assert land(MANY, "counts-2025.csv").what == "landed"


def test_a_few_rows_may_be_the_same_in_two_years(land: Land) -> None:
    land(GOOD)
    assert land(GOOD.replace(b"\n", b"\r\n"), "counts-2025.csv").what == "landed"


def test_two_releases_stand_side_by_side(home: Home, land: Land) -> None:
    land(GOOD)
    land(b"Code,Events\na,2\nb,2\n", "counts-2025.csv")
    assert [item.release for item in manifests.LandedReleases(home.landed).all()] == ["2024", "2025"]


def test_sample_and_real_releases_of_one_name_are_separate_histories(home: Home, land: Land) -> None:
    land(GOOD, is_synthetic=True)
    outcome = land(b"Code,Events\na,1\nb,3\n")
    assert (outcome.what, outcome.manifest.is_synthetic) == ("landed", False)
    assert [item.is_synthetic for item in manifests.LandedReleases(home.landed).in_use()] == [False]


def test_a_synthetic_release_has_no_publication_date(land: Land) -> None:
    assert land(GOOD, is_synthetic=True, published_on="2025-05-01").manifest.published_on is None


REFUSED = {
    "empty": (b"", "empty"),
    "blank": (b"\n\n", "empty"),
    "html": (b"<!DOCTYPE html><html><head><title>Not found</title></head><body>404</body></html>", "html"),
    "html with commas": (b'\xef\xbb\xbf<html lang="en,gb"><title>Sign in, please</title></html>\n' * 20, "html"),
    "json": (b'{"error": "gone, sorry",\n"code": 1}', "not_a_table"),
    "header only": (b"Code,Events\n", "no_rows"),
    "missing column": (b"Code\na\n", "missing_column"),
    "doubled column": (b"Code,Events,Events\na,1,1\n", "doubled_column"),
    "a line too short": (b"Code,Events\na,1\nb\nc,1\n", "lines_have_all_fields"),
    "cut off": (b"Code,Events\na,1\nb", "truncated"),
    "cut off in a quote": (b'Code,Events\na,1\n"b', "truncated"),
    "cut off in a number": (b"Code,Events\na,1\nb,17", "truncated"),
    "cut off before a number": (b"Code,Events\na,1\nb,", "truncated"),
    "cut off in a number below a title": (b"A title\nCode;Events\na;1\nb;17", "truncated"),
    "two tables": (b"Code,Events\na,1\n\nCode,Events,Rate\nb,2,1.5\n", "several_tables"),
    "two tables, one below the other": (b"Code,Events\n" + b"a,1\n" * 50 + b"Code,Events\nb,2\n", "several_tables"),
    "two tables below a title": (b"A title\nCode,Events\na,1\nEvents,Code\n2,b\n", "several_tables"),
    "utf-16": (GOOD.decode().encode("utf-16"), "wrong_encoding"),
    "latin-1": ("Code,Events\nOrléans,1\n".encode("latin-1"), "wrong_encoding"),
    "latin-1 far down": (GOOD * 1 + b"a,1\n" * 50_000 + "é,1\n".encode("latin-1"), "wrong_encoding"),
    "out of range": (b"Code,Events\na,101\n", "events__range"),
    "negative": (b"Code,Events\na,-1\n", "events__range"),
    "not filled": (b"Code,Events\n,1\n", "code__filled"),
    "blank where filled": (b"Code,Events\n  ,1\n", "code__filled"),
}


def test_text_for_a_number_is_refused_by_its_column_first(home: Home, land: Land) -> None:
    with pytest.raises(RefusedAtArrival, match=r"\(events__type\): events is no integer"):
        land(b"Code,Events\na,many\n")
    rules = {alert.breach.rule for alert in alerts.AlertLog(home.alerts).open()}
    assert rules == {"cells_have_their_type", "events__type"}


@pytest.mark.parametrize(("content", "rule"), REFUSED.values(), ids=REFUSED.keys())
def test_what_fails_is_refused_in_one_line_and_quarantined(home: Home, land: Land, content: bytes, rule: str) -> None:
    with pytest.raises(RefusedAtArrival) as error:
        land(content)
    message = str(error.value)
    assert message.startswith(f"counts-2024.csv: refused at arrival ({rule}): ")
    assert "\n" not in message
    assert len(message) < 1500
    [report] = in_quarantine(home)
    assert report.reasons[0]["rule"] == rule
    assert archive.Archive(home.archive).path_of(report.sha256).read_bytes() == content
    assert list(manifests.LandedReleases(home.landed).all()) == []
    assert leftovers(home) == []
    assert [alert.breach.rule for alert in alerts.AlertLog(home.alerts).open()] == [rule]
    assert alerts.AlertLog(home.alerts).open()[0].breach.remedy


def test_a_file_that_may_be_cut_off_is_refused_with_its_line(land: Land) -> None:
    with pytest.raises(RefusedAtArrival, match="line 4: the file ends without a line end in column Events"):
        land(b"A title\nCode,Events\na,1\nb,17")


@pytest.mark.parametrize("content", [b"Events,Code\n1,a\n17,b", b'Code,Events\na,1\nb,"17"'], ids=["text", "quotes"])
def test_a_last_cell_that_no_cut_can_change_needs_no_line_end(land: Land, content: bytes) -> None:
    assert land(content).manifest.rows_in == 2


def test_two_tables_are_refused_with_the_line_of_the_second(land: Land) -> None:
    with pytest.raises(RefusedAtArrival, match="line 4: a second header: the file holds several tables"):
        land(b"Code,Events\na,1\n\nCode,Events,Rate\nb,2,1.5\n")


def test_a_refusal_names_the_rows(home: Home, land: Land) -> None:
    with pytest.raises(
        RefusedAtArrival, match=r"events is out of its range \(at least 0 and at most 100\): 1 of 2 rows \(row 2\)"
    ):
        land(b"Code,Events\na,1\nb,101\n")
    [report] = in_quarantine(home)
    assert (
        report.reasons[0]["sample_rows"] == [{"source_row": 2, "code": "b", "events": 101}]
        or report.reasons[0]["sample_rows"]
    )


@pytest.mark.parametrize("bad", [b"Code\na\n", b"", b"Code,Events\na,many\n"])
@pytest.mark.parametrize("name", ["counts-2024.csv", "counts-2024 corrected.csv"])
def test_a_good_file_closes_the_alerts_of_a_bad_one(home: Home, land: Land, bad: bytes, name: str) -> None:
    with pytest.raises(RefusedAtArrival):
        land(bad)
    assert alerts.AlertLog(home.alerts).open()
    land(GOOD, name)
    if bad or name == "counts-2024.csv":  # an empty file has nothing but its name to say what it should have been
        assert alerts.AlertLog(home.alerts).open() == []


def test_a_file_refused_by_mistake_leaves_quarantine_when_it_is_landed(home: Home, demo: Source, land: Land) -> None:
    strict = replace(demo, encodings=("utf-16",))
    path = home.root.parent / "counts-2024.csv"
    path.write_bytes("Code,Events\na,1\nb,2\n".encode("utf-16"))
    with pytest.raises(RefusedAtArrival):
        landing.land(Stores.of(home), path, Arrival(demo, path.name))
    landing.land(Stores.of(home), path, Arrival(strict, path.name))
    assert in_quarantine(home) == []


def test_a_new_column_is_kept_with_a_warning(home: Home, land: Land) -> None:
    outcome = land(b"Code,Events,Brand New\na,1,x\n")
    assert outcome.what == "landed"
    assert "1 warning(s)" in outcome.message
    assert outcome.manifest.header == ["source_row", "code", "events", "x_brandnew", "cast_errors", "cell_words"]
    [alert] = alerts.AlertLog(home.alerts).open()
    assert (alert.breach.rule, alert.breach.severity) == ("columns_are_known", "warn")
    assert "Brand New" in alert.breach.message


def test_a_workbook_is_a_table_too(home: Home, demo: Source, tmp_path: Path) -> None:
    import xlsxwriter

    path = tmp_path / "counts-2024.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate((["Code", "Events"], ["a", 1], ["b", 2])):
            sheet.write_row(number, 0, row)
    outcome = landing.land(Stores.of(home), path, Arrival(demo, path.name))
    assert (outcome.what, outcome.manifest.rows_in) == ("landed", 2)


def test_malformed_lines_are_set_aside_where_the_source_says_so(home: Home, demo: Source, tmp_path: Path) -> None:
    path = tmp_path / "counts-2024.csv"
    path.write_bytes(b"Code,Events\na,1\nb\nc,3\n")
    outcome = landing.land(Stores.of(home), path, Arrival(replace(demo, malformed_rows="quarantine"), path.name))
    item = outcome.manifest
    assert (item.rows_in, item.rows_landed, item.rows_quarantined) == (3, 2, 1)
    assert [alert.breach.rule for alert in alerts.AlertLog(home.alerts).open()] == ["lines_have_all_fields"]


def test_what_is_not_recognised_may_be_said(home: Home, land: Land) -> None:
    with pytest.raises(RefusedAtArrival, match=r"say --dataset and --release \(datasets: counts\)"):
        land(GOOD, "unnamed.csv")
    assert land(GOOD, "unnamed.csv", dataset="counts", release="2019").manifest.release == "2019"


def test_a_release_that_the_content_contradicts_is_refused(land: Land) -> None:
    with pytest.raises(RefusedAtArrival, match="--release 2023 was given, but the content is of 2024"):
        land(GOOD, release="2023")


def test_a_dataset_that_the_source_does_not_have_is_refused_with_the_list(land: Land) -> None:
    with pytest.raises(PerinatalError, match="has no dataset 'births'; there are: counts"):
        land(GOOD, dataset="births")
    with pytest.raises(PerinatalError, match="has no dataset 'births'; there are: counts"):
        land(GOOD, "unnamed.csv", dataset="births", release="2024")


@pytest.mark.parametrize("release", ["../../elsewhere", "/tmp/x", "", ".", "..", "a b", "x" * 300, "2024\n"])
def test_a_release_cannot_lead_out_of_its_folder(home: Home, land: Land, release: str) -> None:
    with pytest.raises(PerinatalError):
        land(GOOD, "unnamed.csv", dataset="counts", release=release)
    assert not list(home.root.parent.rglob(manifests.MANIFEST))


def test_links_and_folders_are_not_files(home: Home, demo: Source, tmp_path: Path) -> None:
    real = tmp_path / "counts-2024.csv"
    real.write_bytes(GOOD)
    link = tmp_path / "link.csv"
    link.symlink_to(real)
    for path in (link, tmp_path):
        with pytest.raises(PerinatalError):
            landing.land(Stores.of(home), path, Arrival(demo, path.name))
    assert not home.archive.exists() or not list(home.archive.rglob("??/*"))


@pytest.mark.parametrize(("path", "says"), [("absent.csv", "no such file"), ("", "a folder, not a file")])
def test_what_is_no_file_is_said_so(tmp_path: Path, path: str, says: str) -> None:
    with pytest.raises(PerinatalError, match=says):
        require_file(tmp_path / path)


def test_landing_after_damage_brings_the_archived_bytes_back(home: Home, land: Land) -> None:
    place = archive.Archive(home.archive).path_of(land(GOOD).manifest.sha256)
    place.unlink()
    assert land(GOOD).what == "unchanged"
    assert place.read_bytes() == GOOD


def test_the_manifest_is_json_that_people_can_read(home: Home, land: Land) -> None:
    path = LandedReleases(home.landed).folder_of(land(GOOD).manifest) / manifests.MANIFEST
    text = path.read_text()
    assert text.count("\n") > 20
    assert json.loads(text)["original_name"] == "counts-2024.csv"


def test_what_goes_wrong_unforeseen_comes_after_the_bytes_are_kept(
    home: Home, demo: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(*_: object) -> None:
        raise ZeroDivisionError

    file = tmp_path / "counts-2024.csv"
    file.write_bytes(b"Code,Events\nRAA,1\n")
    monkeypatch.setattr(typed_table, "identify", wrong)
    with pytest.raises(ZeroDivisionError):
        landing.land(Stores.of(home), file, Arrival(demo, file.name))
    assert [path.read_bytes() for path in home.archive.glob("??/*")] == [file.read_bytes()]
    assert leftovers(home) == []
