"""The inbox: what is dropped is landed and moved out, or left with a reason; nothing is lost."""

import os
import shutil
import socket
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from expectations import alerts
from ingest import registry
from ingest.archive import manifest as manifests
from ingest.archive import quarantine, synthetic
from ingest.archive import store as archive
from ingest.inbox import collect as inbox
from ingest.inbox.quiet_files import look
from ingest.land import quarantine_decisions as decisions
from ingest.land.landing import Acceptance
from ingest.registry import Source
from ingest.stores import FetchStores, Stores
from perinatal.home import Home

MakeSource = Callable[..., Source]
NOBODY = 65534
RELEASES = Path(__file__).resolve().parents[3].parent / "shared" / "releases"


def table(year: int, births: int = 100) -> str:
    return f"Organisation,Year,Births\nA,{year},{births}\nB,{year},200\n"


class Inbox:
    """The inbox of a made-up source, and what came of the last look at it."""

    def __init__(self, home: Home, source: Source) -> None:
        self.home, self.sources = home, {source.id: source}
        self.folder = home.inbox / source.id
        self.folder.mkdir(parents=True)

    def drop(self, name: str, content: str | bytes = "") -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def collect(self, quiet: float = 0.01) -> dict[str, str]:
        """Look at the inbox; returns file name → what became of it."""
        self.dropped = inbox.collect(FetchStores.of(self.home), self.sources, quiet)
        return {d.name: "left" if d.left else ", ".join(t.what for t in d.taken) for d in self.dropped}

    @property
    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.rglob("*"))


@pytest.fixture
def box(home: Home, make_source: MakeSource) -> Inbox:
    return Inbox(home, make_source())


def rules(home: Home) -> list[str]:
    return [
        reason["rule"] for _, report in quarantine.Quarantine(home.quarantine).reports() for reason in report.reasons
    ]


def open_scopes(home: Home) -> list[str]:
    return sorted(str(alert.scope) for alert in alerts.AlertLog(home.alerts).open())


def test_a_file_is_landed_and_moved_out(home: Home, box: Inbox) -> None:
    assert inbox.collect(Home(home.root / "none"), box.sources, 0) == []
    path = box.drop("births.csv", table(2021))
    digest = archive.hash_of(path)
    box.drop("below/a/folder.csv", table(2022))
    assert box.collect() == {"births.csv": "landed", "folder.csv": "landed"}
    assert "births.csv" not in box.names
    assert archive.Archive(home.archive).path_of(digest).exists()
    box.drop("again.csv", table(2021))
    assert box.collect() == {"again.csv": "unchanged"}
    assert box.collect() == {}


def test_what_cannot_be_recognised_is_in_quarantine(home: Home, box: Inbox) -> None:
    box.drop("what.csv", "a,b\n1,2\n")
    box.drop("page.csv", "<!DOCTYPE html><html><body>Sign in</body></html>")
    box.drop("empty.csv", "")
    box.drop("births.csv", table(2021))
    found = box.collect()
    assert found == {"what.csv": "refused", "page.csv": "refused", "empty.csv": "refused", "births.csv": "landed"}
    assert sorted(rules(home)) == ["empty", "html", "not_recognised"]
    assert box.names == []
    reasons = {
        report.original_name: report.reasons[0]["message"]
        for _, report in quarantine.Quarantine(home.quarantine).reports()
    }
    assert "neither name nor content tell what it is" in reasons["what.csv"]
    box.drop("what.csv", table(2022))
    box.collect()
    assert open_scopes(home) == ["arrival/madeup/empty.csv", "arrival/madeup/page.csv"]


@pytest.mark.parametrize("note", ["odd.csv.yml", "odd.yml", "odd.csv.yaml"])
def test_a_note_beside_a_file_says_what_it_is(home: Home, box: Inbox, note: str) -> None:
    box.drop("odd.csv", "Organisation,Year,Births\nA,2021,1\nA,2022,2\n")
    box.drop(note, "dataset: births\nrelease: 2021-22\npublished_on: 2023-04-05\n")
    assert box.collect() == {"odd.csv": "landed"}
    (manifest,) = manifests.LandedReleases(home.landed).all()
    assert (manifest.release, manifest.published_on) == ("2021-22", "2023-04-05")
    assert box.names == []


def test_a_note_that_comes_later_still_counts(home: Home, box: Inbox) -> None:
    box.drop("odd.csv", "Organisation,Year,Births\nA,2021,1\nA,2022,2\n")
    assert box.collect() == {"odd.csv": "refused"}
    box.drop("odd.csv.yml", "dataset: births\nrelease: 2021-22\n")
    assert box.collect() == {"odd.csv.yml": "landed"}
    assert list(quarantine.Quarantine(home.quarantine).reports()) == []
    assert open_scopes(home) == []
    assert box.names == []


TWO_YEARS = "Organisation,Year,Births\nA,2021,{}\nA,2022,2\n"
SAYS = "dataset: births\nrelease: 2021-22\n"


def test_a_note_is_about_one_of_several_refused_files_of_its_name(home: Home, box: Inbox) -> None:
    for births in (1, 3):
        box.drop("odd.csv", TWO_YEARS.format(births))
        assert box.collect() == {"odd.csv": "refused"}
    waiting = quarantine.Quarantine(home.quarantine)
    wanted, other = (report.sha256 for _, report in waiting.reports())
    box.drop("odd.csv.yml", SAYS)
    assert box.collect() == {"odd.csv.yml": "left"}
    [left] = box.dropped
    assert left.needs_person
    assert all(sha256[:12] in left.left for sha256 in (wanted, other))
    assert f'sha256: "{wanted[:12]}"' in left.left
    box.drop("odd.csv.yml", f'{SAYS}sha256: "{wanted[:12]}"\n')
    assert box.collect() == {"odd.csv.yml": "landed"}
    assert [item.sha256 for item in manifests.LandedReleases(home.landed).all()] == [wanted]
    assert [report.sha256 for _, report in waiting.reports()] == [other]


@pytest.mark.parametrize("coming", ["odd.csv", "odd.csv.part", "odd.csv.crdownload", ".odd.csv.Xy12"])
@pytest.mark.parametrize("note", ["odd.csv.yml", "odd.yml"])
def test_a_note_waits_while_a_file_of_its_name_is_on_its_way(home: Home, box: Inbox, coming: str, note: str) -> None:
    box.drop("odd.csv", TWO_YEARS.format(1))
    assert box.collect() == {"odd.csv": "refused"}
    path = box.drop(coming, TWO_YEARS.format(3))
    box.drop(note, SAYS)
    stop = threading.Event()

    def grow() -> None:
        while not stop.wait(0.02):
            with path.open("a") as out:
                out.write("A,2022,2\n")

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        found = box.collect(quiet=0.3)
    finally:
        stop.set()
        writer.join()
    assert found[note] == "left"
    assert list(manifests.LandedReleases(home.landed).all()) == []
    if path.name != "odd.csv":
        path.rename(path.with_name("odd.csv"))
    digest = archive.hash_of(box.folder / "odd.csv")
    assert box.collect(quiet=0.1) == {"odd.csv": "landed"}
    assert [item.sha256 for item in manifests.LandedReleases(home.landed).all()] == [digest]


def test_a_note_with_the_hash_of_other_bytes_is_not_about_the_file_beside_it(home: Home, box: Inbox) -> None:
    path = box.drop("odd.csv", TWO_YEARS.format(1))
    digest = archive.hash_of(path)
    box.drop("odd.csv.yml", f'{SAYS}sha256: "{"0" * 12}"\n')
    assert box.collect() == {"odd.csv": "left"}
    assert box.names == ["odd.csv", "odd.csv.yml"]
    box.drop("odd.csv.yml", f'{SAYS}sha256: "{digest}"\n')
    assert box.collect() == {"odd.csv": "landed"}
    assert box.names == []


def test_a_note_that_may_be_about_two_files_is_about_neither(home: Home, box: Inbox) -> None:
    box.drop("odd.csv", TWO_YEARS.format(1))
    box.drop("odd.txt", TWO_YEARS.format(3))
    path = box.drop("odd.yml", SAYS)
    assert box.collect() == {"odd.csv": "left", "odd.txt": "left"}
    assert "odd.txt" in box.dropped[0].left
    path.rename(path.with_name("odd.csv.yml"))
    assert box.collect() == {"odd.csv": "landed", "odd.txt": "refused"}


def test_a_note_alone_waits(home: Home, box: Inbox) -> None:
    box.drop("odd.csv.yml", "dataset: births\nrelease: 2021-22\n")
    assert box.collect() == {"odd.csv.yml": "left"}
    assert not box.dropped[0].needs_person
    assert open_scopes(home) == []


@pytest.mark.parametrize(
    "note",
    [
        "release: ../../elsewhere",
        "release: 2022/23",
        "dataset: [a]",
        "published_on: yesterday",
        "colour: red",
        "- a list",
        "release: 'unclosed",
        "",
        b"\xff\xfe",
        "a" * 100_000,
        "release: 2021.10",
        "dataset: &a births\nrelease: *a\n",
        "sha256: '0123456789ab'",
        "release: 2022\nsha256: 12",
        "release: 2022\nsha256: 123456789012",
    ],
)
def test_a_wrong_note_keeps_its_file_waiting(home: Home, box: Inbox, note: str | bytes) -> None:
    box.drop("odd.csv", table(2021))
    path = box.drop("odd.csv.yml", note)
    assert box.collect() == {"odd.csv": "left"}
    assert box.names == ["odd.csv", "odd.csv.yml"]
    assert open_scopes(home) == ["inbox/madeup/odd.csv"]
    path.unlink()
    assert box.collect() == {"odd.csv": "landed"}
    assert open_scopes(home) == []


def test_half_written_files_are_left_until_they_are_whole(home: Home, box: Inbox) -> None:
    path = box.drop("births.csv", "Organisation,Year,Births\n")
    stop = threading.Event()

    def write() -> None:
        with path.open("a") as out:
            while not stop.wait(0.02):
                out.write("A,2021,1\n")
                out.flush()

    writer = threading.Thread(target=write)
    writer.start()
    box.drop("more.csv.part", table(2022))
    box.drop(".hidden", "x")
    box.drop("sound.csv", table(2020))
    found = box.collect(quiet=0.3)
    stop.set()
    writer.join()
    assert found == {"births.csv": "left", "more.csv.part": "left", "sound.csv": "landed"}
    assert open_scopes(home) == []
    assert box.collect(quiet=0.1)["births.csv"] == "landed"


def test_a_name_that_begins_with_two_dots_is_taken_and_a_hidden_one_is_not(home: Home, box: Inbox) -> None:
    box.drop("..births.csv", table(2021))
    box.drop(".births.csv.Xy12", table(2022))  # as programs name copies under way
    assert box.collect() == {"..births.csv": "landed"}
    assert box.names == [".births.csv.Xy12"]
    assert list(look(home.inbox)) == []
    box.drop("..births.csv", table(2023))
    assert [Path(path).name for path in look(home.inbox)] == ["..births.csv"]


def test_links_devices_and_strangers_are_left_under_an_alert(home: Home, box: Inbox, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text(table(2021))
    (box.folder / "link.csv").symlink_to(secret)
    (box.folder / "broken.csv").symlink_to(tmp_path / "nowhere")
    (box.folder / "folder").symlink_to(tmp_path)
    os.mkfifo(box.folder / "pipe.csv")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(box.folder / "socket"))
        (home.inbox / "loose.csv").write_text(table(2021))
        (home.inbox / "nobody").mkdir()
        (home.inbox / "nobody" / "theirs.csv").write_text(table(2021))
        box.drop("births.csv", table(2022))
        found = box.collect()
    assert found.pop("births.csv") == "landed"
    assert set(found.values()) == {"left"}
    assert len(found) == 7
    assert all(item.needs_person for item in box.dropped if item.left)
    assert len(open_scopes(home)) == 7
    assert [item.release for item in manifests.LandedReleases(home.landed).all()] == ["2022"]
    assert len(list(home.archive.glob("??/*"))) == 1
    shutil.rmtree(home.inbox)
    box.folder.mkdir(parents=True)
    box.collect()
    assert open_scopes(home) == []


@pytest.mark.parametrize("name", ["ti\u202etle.csv", "line\nbreak.csv", "x" * 242 + ".csv", "bad\udcff.csv", "C:x.csv"])
def test_unsafe_names_go_to_quarantine_under_a_safe_one(home: Home, box: Inbox, name: str) -> None:
    box.drop(name, table(2021))
    (what,) = box.collect().values()
    assert what == "refused"
    assert rules(home) == ["unsafe_name"]
    assert box.names == []
    folder, report = quarantine.Quarantine(home.quarantine).find("")
    assert report.original_name.isprintable()
    assert len(list(folder.iterdir())) == 2


def zipped(path: Path, **members: str | bytes) -> Path:
    with zipfile.ZipFile(path, "w") as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return path


def test_a_zip_is_taken_table_by_table(home: Home, box: Inbox) -> None:
    members = {"a/2021.csv": table(2021), "2022.csv": table(2022), "bad.csv": "x,y\n1,2\n", "notes.pdf": b"%PDF-1.4"}
    path = zipped(box.folder / "all.zip", **members)  # type: ignore[arg-type]
    digest = archive.hash_of(path)
    assert box.collect() == {"all.zip": "landed, landed, refused"}
    assert {item.container for item in manifests.LandedReleases(home.landed).all()} == {digest}
    assert "notes.pdf" in box.dropped[0].taken[-1].message
    assert archive.Archive(home.archive).path_of(digest).exists()
    _, report = quarantine.Quarantine(home.quarantine).find("")
    assert (report.original_name, report.container) == ("bad.csv", digest)
    assert list(home.archive.glob(".*")) == []


def test_two_tables_of_one_release_in_a_zip_are_told(home: Home, box: Inbox) -> None:
    zipped(box.folder / "all.zip", **{"one.csv": table(2021), "two.csv": table(2021, births=7)})  # type: ignore[arg-type]
    assert box.collect() == {"all.zip": "landed, revised"}
    (alert,) = alerts.AlertLog(home.alerts).open()
    assert alert.breach.rule == "one_table_a_release"


@pytest.mark.parametrize(
    ("members", "rule"),
    [
        ({"../../escape.csv": table(2021), "b.csv": table(2022)}, "unsafe_name"),
        ({"/etc/passwd": table(2021), "b.csv": table(2022)}, "unsafe_name"),
        ({"a.csv": "0" * (300 << 20), "b.csv": table(2022)}, "zip_bomb"),
        ({"readme.txt": "x", "other.txt": "y"}, "which_member"),
    ],
)
def test_a_zip_that_is_not_safe_is_refused_whole(home: Home, box: Inbox, members: dict[str, str], rule: str) -> None:
    with zipfile.ZipFile(box.folder / "all.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    box.drop("births.csv", table(2020))
    assert box.collect() == {"all.zip": "refused", "births.csv": "landed"}
    assert rules(home) == [rule]
    assert len(list(manifests.LandedReleases(home.landed).all())) == 1


def test_an_archive_in_a_zip_is_refused_aloud(home: Home, box: Inbox, tmp_path: Path) -> None:
    inner = zipped(tmp_path / "inner.zip", **{"2021.csv": table(2021)})  # type: ignore[arg-type]
    zipped(box.folder / "all.zip", **{"inner.zip": inner.read_bytes(), "2022.csv": table(2022)})  # type: ignore[arg-type]
    assert sorted(box.collect()["all.zip"].split(", ")) == ["landed", "refused"]
    assert rules(home) == ["nested_archive"]


def test_a_note_cannot_name_one_dataset_for_several_tables(home: Home, box: Inbox) -> None:
    zipped(box.folder / "all.zip", **{"1.csv": table(2021), "2.csv": table(2022)})  # type: ignore[arg-type]
    box.drop("all.zip.yml", "dataset: births")
    assert box.collect() == {"all.zip": "refused"}
    assert rules(home) == ["several_tables"]


def test_a_bug_in_one_parser_does_not_stop_the_others(home: Home, box: Inbox, make_source: MakeSource) -> None:
    wrong = make_source("wrong", parse="def recognise(sample):\n    raise ZeroDivisionError('a bug')\n")
    box.sources["wrong"] = wrong
    (home.inbox / "wrong").mkdir()
    (home.inbox / "wrong" / "a.csv").write_text(table(2021))
    box.drop("zz.csv", table(2021))
    found = inbox.collect(FetchStores.of(home), dict(sorted(box.sources.items(), reverse=True)), 0.01)
    assert {item.name: item.left for item in found} == {"a.csv": "unexpected ZeroDivisionError: a bug", "zz.csv": ""}
    assert (home.inbox / "wrong" / "a.csv").exists()
    assert open_scopes(home) == ["inbox/wrong/a.csv"]


REPLACING = """
from pathlib import Path
from ingest.registry import Identity


def recognise(sample):
    dropped = Path(__file__).parent.parent.parent / "home" / "inbox" / "madeup" / "births.csv"
    if dropped.exists():
        dropped.write_text("Organisation,Year,Births\\\\nA,2022,1\\\\n")
    return Identity("births", sample.rows[0]["Year"])
"""


def test_a_file_put_in_the_place_of_another_is_not_lost(home: Home, make_source: MakeSource) -> None:
    box = Inbox(home, make_source(parse=REPLACING.replace("\\\\n", "\\n")))
    box.drop("births.csv", table(2021))
    assert box.collect() == {"births.csv": "landed"}
    assert box.names == ["births.csv"]
    assert box.collect() == {"births.csv": "landed"}
    assert sorted(item.release for item in manifests.LandedReleases(home.landed).all()) == ["2021", "2022"]


def test_only_the_sources_that_are_asked_for(home: Home, box: Inbox, make_source: MakeSource) -> None:
    box.sources["other"] = make_source("other")
    (home.inbox / "other").mkdir()
    (home.inbox / "other" / "b.csv").write_text(table(2021))
    box.drop("a.csv", table(2021))
    assert [item.name for item in inbox.collect(FetchStores.of(home), box.sources, 0.01, ["other"])] == ["b.csv"]
    assert box.names == ["a.csv"]


def test_sample_bytes_stay_synthetic_under_any_name(home: Home, box: Inbox) -> None:
    path = box.drop("real-looking.csv", table(2021))
    synthetic.SyntheticHashes(home.synthetic).mark([archive.hash_of(path)])
    zipped(box.folder / "all.zip", **{"1.csv": table(2022), "2.csv": table(2023)})  # type: ignore[arg-type]
    synthetic.SyntheticHashes(home.synthetic).mark([archive.hash_of(box.folder / "all.zip")])
    box.drop("real.csv", table(2020))
    box.collect()
    found = {item.release: item.is_synthetic for item in manifests.LandedReleases(home.landed).all()}
    assert found == {"2020": False, "2021": True, "2022": True, "2023": True}


def test_real_files_are_never_held_against_sample_ones(home: Home, box: Inbox) -> None:
    box.drop("births.csv", table(2021))
    synthetic.SyntheticHashes(home.synthetic).mark([archive.hash_of(box.folder / "births.csv")])
    box.collect()
    box.drop("births.csv", table(2021, births=1))
    assert box.collect() == {"births.csv": "landed"}
    assert sorted(item.is_synthetic for item in manifests.LandedReleases(home.landed).all()) == [False, True]


def test_who_looks_while_another_looks_waits(home: Home, box: Inbox) -> None:
    for year in range(2001, 2009):
        box.drop(f"{year}.csv", table(year))
    found: list[Any] = []
    threads = [
        threading.Thread(target=lambda: found.append(inbox.collect(FetchStores.of(home), box.sources, 0.01)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(len(dropped) for dropped in found) == 8
    assert all(not item.left for dropped in found for item in dropped)


def test_a_release_from_quarantine_can_say_what_the_file_is(home: Home, box: Inbox) -> None:
    box.drop("odd.csv", "Organisation,Year,Births\nA,2021,1\nA,2022,2\n")
    box.collect()
    _, report = quarantine.Quarantine(home.quarantine).find("")
    ann = Acceptance("Ann", "I know it")
    (still,) = decisions.release(Stores.of(home), box.sources["madeup"], report, ann)
    assert still.what == "refused"
    (taken,) = decisions.release(Stores.of(home), box.sources["madeup"], report, ann, "births", "2021-22")
    assert taken.what == "landed"
    assert open_scopes(home) == []


def test_a_file_that_may_not_be_read_says_what_to_do_and_is_taken_once_it_may(home: Home, box: Inbox) -> None:
    box.drop("first.csv", table(2020))
    assert box.collect() == {"first.csv": "landed"}  # with this all is imported that somebody else may not read
    path = box.drop("closed.csv", table(2021))
    path.chmod(0)
    box.drop("births.csv", table(2022))
    with as_somebody_else(home.root):
        assert box.collect() == {"closed.csv": "left", "births.csv": "landed"}
    [left] = [dropped.left for dropped in box.dropped if dropped.left]
    assert "chmod a+r" in left
    assert open_scopes(home) == ["inbox/madeup/closed.csv"]
    path.chmod(0o644)
    assert box.collect() == {"closed.csv": "landed"}


@contextmanager
def as_somebody_else(root: Path) -> Iterator[None]:
    """Work as a user without root's rights, who owns everything below `root`."""
    if os.geteuid() != 0:
        yield
        return
    for path in (root, *root.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
    above = [(path, path.stat().st_mode) for path in root.parents if path.owner() == "root" and path != Path("/")]
    for path, mode in above:
        path.chmod(mode | 0o111)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        for path, mode in above:
            path.chmod(mode)


# what each real file is, told by its own name and content alone
MEASURE, EXCLUDING = "perinatal_mortality", "perinatal_mortality_excluding_congenital_anomalies"
REAL = {
    "fingertips/by_group_2019_ragged.csv": ("93356_county_ua_region", "2017", "final"),
    "fingertips/by_indicator_id_90284_child502_parent6.csv": ("90284_502_6", "2023-24", "final"),
    "fingertips/la_hospital_admissions_2223.csv": (
        "90284_upper_tier_local_authorities_post_4_23_england", "2022-23", "final",
    ),
    "fingertips/indicator_metadata_all.json": ("indicator_metadata", "2025-01-29", "final"),
    "mbrrace/perinatal-mortality-rates-2023-trusthealth-board.csv": (MEASURE, "2023", "final"),
    "mbrrace/perinatal-mortality-rates-excluding-congenital-anomalies-2023-trusthealth-board.csv": (
        EXCLUDING, "2023", "final",
    ),
    "msds/hosp-epis-stat-mat-msdscsv-2019-20.csv": ("annual", "2019-20", "final"),
    "msds/hosp-epis-stat-mat-msdscsv-2020-21.csv": ("annual", "2020-21", "final"),
    "msds/hosp-epis-stat-mat-msdscsv-2022-23.csv": ("annual", "2022-23", "final"),
    "msds/hosp-epis-stat-mat-msdscsv-2023-24.csv": ("annual", "2023-24", "final"),
    "msds/msds-apr2025Provisional-exp-measures.csv": ("monthly_measures", "2025-04", "provisional"),
    "msds/msds-feb2025-exp-data.csv": ("monthly_data", "2025-02", "final"),
    "nmpa/nmpa_pph_1500ml_2023.csv": ("pph_1500ml", "2023", "final"),
}  # fmt: skip


@pytest.mark.skipif(not RELEASES.is_dir(), reason=f"no real releases at {RELEASES}")
def test_real_files_are_recognised_under_their_own_names(home: Home) -> None:
    sources = registry.all_sources()
    found = (path for path in RELEASES.glob("*/*") if path.is_file() and path.parent.name in sources)
    real = {path.relative_to(RELEASES).as_posix(): path for path in found}
    for name, path in real.items():
        target = home.inbox / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    dropped = inbox.collect(FetchStores.of(home), sources, 0.05)
    assert sorted(f"{item.source_id}/{item.name}" for item in dropped) == sorted(real)
    assert {table.what for item in dropped for table in item.taken} == {"landed"}
    landed = {
        f"{item.source_id}/{item.original_name}": (item.dataset, item.release, item.status)
        for item in manifests.LandedReleases(home.landed).all()
    }
    assert landed == REAL
    assert [path for path in home.inbox.rglob("*") if path.is_file()] == []
    assert list(quarantine.Quarantine(home.quarantine).reports()) == []
