"""A store that others write to: what is damaged or not to be believed keeps nothing else out, and leads nowhere."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from expectations.alerts import AlertLog
from ingest.archive import verification
from ingest.archive.manifest import LandedReleases
from ingest.archive.store import Archive
from perinatal import settings
from perinatal.errors import Damaged
from perinatal.home import Home
from pipeline import arrivals, assembly
from pipeline import shared_store as storage
from publish import edition
from publish.edition import Editions

NAME = "perinatal-mortality-rates-{}-trusthealth-board.csv"
Land = Callable[..., Any]
Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder that stands for the bucket, which the settings name."""
    monkeypatch.setenv("PERINATAL_STORAGE_URL", f"file://{tmp_path}/store")
    settings.get.cache_clear()
    return tmp_path / "store"


@pytest.fixture
def other(tmp_path: Path) -> Home:
    """Give a second machine's state folder."""
    return Home(tmp_path / "machines" / "other")


@pytest.fixture
def shared(home: Home, store: Path, mbrrace_sample: Path, landed: Land) -> dict[str, Path]:
    """Share two releases; returns the path of each one's record."""
    landed(home, mbrrace_sample / NAME.format(2022), mbrrace_sample / NAME.format(2023))
    assert storage.exchange(home) == storage.Exchanged(2, 0)
    return {path.parent.name: path for path in sorted(store.glob("landed/**/*.json"))}


def releases(home: Home) -> list[str]:
    return sorted(item.release for item in LandedReleases(home.landed).all())


def open_alerts(home: Home) -> list[tuple[str, str, int]]:
    return [
        (str(alert.scope), alert.breach.rule, alert.breach.count)
        for alert in AlertLog(home.alerts).all()
        if alert.state != "closed"
    ]


ALERT = ("storage", "shared_releases_are_sound")


def flip(path: Path) -> None:
    """Change one bit of the last byte of a file."""
    path.chmod(0o644)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))


def objects(store: Path, record: Path) -> dict[str, Path]:
    """Return where the bytes and the rows of a shared release lie."""
    said = json.loads(record.read_text())
    hashes = {"archive": said["manifest"]["sha256"], "rows": said["rows_sha256"]}
    return {kind: store / kind / sha256[:2] / sha256 for kind, sha256 in hashes.items()}


def rewrite(record: Path, change: Change) -> None:
    said = json.loads(record.read_text())
    change(said)
    record.write_text(json.dumps(said))


@pytest.mark.parametrize("kind", ["archive", "rows"])
def test_a_damaged_object_keeps_out_its_own_release_only(
    store: Path, shared: dict[str, Path], other: Home, kind: str
) -> None:
    damaged = objects(store, shared["2022"])[kind]
    flip(damaged)
    exchanged = storage.exchange(other)
    assert (exchanged.up, exchanged.down) == (0, 1)
    [line] = exchanged.problems
    assert f"{kind}/{damaged.name[:2]}/{damaged.name}: its bytes have the sha256" in line
    assert releases(other) == ["2023"]
    assert open_alerts(other) == [(*ALERT, 1)]
    flip(damaged)
    assert storage.exchange(other) == storage.Exchanged(0, 1)
    assert releases(other) == ["2022", "2023"]
    assert open_alerts(other) == []
    assert list(verification.damage(Archive(other.archive), LandedReleases(other.landed))) == []


def test_a_missing_object_is_damage_of_one_release_too(store: Path, shared: dict[str, Path], other: Home) -> None:
    objects(store, shared["2022"])["archive"].unlink()
    assert "FileNotFoundError" in storage.exchange(other).problems[0]
    assert releases(other) == ["2023"]


RECORDS = {
    "half": b'{"manifest": {"source_id": "mb',
    "a list": b"[]",
    "no text": b"\xff\xfe\x00",
    "deep": b"[" * 100_000,
    "empty": b"",
}


@pytest.mark.parametrize("kind", RECORDS)
def test_a_record_that_is_none_keeps_out_its_own_release_only(shared: dict[str, Path], other: Home, kind: str) -> None:
    shared["2022"].write_bytes(RECORDS[kind])
    assert len(storage.exchange(other).problems) == 1
    assert releases(other) == ["2023"]
    assert open_alerts(other) == [(*ALERT, 1)]


def test_a_record_of_a_newer_version_is_named_and_the_rest_is_landed(shared: dict[str, Path], other: Home) -> None:
    rewrite(shared["2022"], lambda said: said["manifest"].update(mood="good"))
    [line] = storage.exchange(other).problems
    assert "field manifest.mood: " in line
    assert "a newer version of this program may have written it" in line
    assert releases(other) == ["2023"]


FOREIGN: dict[str, dict[str, Any]] = {
    "source outside": {"source_id": "../../../outside"},
    "absolute source": {"source_id": "/outside"},
    "unknown source": {"source_id": "horoscope"},
    "dataset outside": {"dataset": "../../outside"},
    "unknown dataset": {"dataset": "horoscope"},
    "unknown layout": {"layout": "horoscope"},
    "release outside": {"release": "../../../outside"},
    "hidden release": {"release": ".hidden"},
    "release with a backslash": {"release": "..\\outside"},
    "release with a line": {"release": "2022\n"},
    "another release": {"release": "2021"},
    "hash outside": {"sha256": "../../../outside"},
    "no date": {"published_on": "soon"},
    "no time": {"fetched_at": "just now"},
    "surrogate": {"checks": [{"rule": "\ud800"}]},
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_what_a_foreign_manifest_says_leads_nowhere(
    shared: dict[str, Path], other: Home, tmp_path: Path, kind: str
) -> None:
    rewrite(shared["2022"], lambda said: said["manifest"].update(FOREIGN[kind], is_synthetic=True))
    before = {path for path in tmp_path.rglob("*") if not path.is_relative_to(other.root)}
    [line] = storage.exchange(other).problems
    assert line.startswith("landed/mbrrace/perinatal_mortality/2022/")
    assert {path for path in tmp_path.rglob("*") if not path.is_relative_to(other.root)} == before | {other.root.parent}
    assert [path.name for path in other.landed.glob("*/*/*") if path.is_dir()] == ["2023"]
    assert not other.synthetic.exists()
    assert open_alerts(other) == [(*ALERT, 1)]


def test_a_restricted_source_stays_restricted(shared: dict[str, Path], other: Home) -> None:
    said = json.loads(shared["2022"].read_text())
    said["manifest"].update(source_id="board_return", dataset="observations", layout="observations", audience="public")
    record = shared["2022"].parents[3] / "board_return" / "observations" / "2022" / shared["2022"].name
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps(said))
    shared["2022"].unlink()
    [line] = storage.exchange(other).problems
    assert "source board_return is restricted, but this says 'public'" in line


def test_what_is_damaged_here_is_not_shared(
    home: Home, other: Home, store: Path, mbrrace_sample: Path, landed: Land
) -> None:
    outcomes = landed(home, *(mbrrace_sample / NAME.format(year) for year in (2021, 2022, 2023)))
    flip(Archive(home.archive).path_of(outcomes[0].manifest.sha256))
    LandedReleases(home.landed).rows_of(outcomes[1].manifest).unlink()
    exchanged = storage.exchange(home)
    assert (exchanged.up, len(exchanged.problems)) == (1, 2)
    assert open_alerts(home) == [(*ALERT, 2)]
    assert storage.exchange(other) == storage.Exchanged(0, 1)
    assert releases(other) == ["2023"]


def test_the_newest_readers_reading_is_in_use_wherever_both_are_shared(
    store: Path, shared: dict[str, Path], other: Home
) -> None:
    record = shared["2022"]
    said = json.loads(record.read_text())
    assert said["manifest"]["parser_version"] == 2
    said["manifest"]["parser_version"] = 1
    record.with_name(record.name.replace("-p2", "")).write_text(json.dumps(said))
    assert storage.exchange(other).problems == ()
    landed = LandedReleases(other.landed)
    found = [item for item in landed.history("mbrrace") if item.release == "2022"]
    assert sorted(item.parser_version for item in found) == [1, 2]
    newest = landed.newest("mbrrace", "perinatal_mortality", "2022")
    assert newest is not None
    assert newest.parser_version == 2


def test_a_store_that_is_no_longer_used_has_no_alert(
    store: Path, shared: dict[str, Path], other: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    flip(objects(store, shared["2022"])["rows"])
    storage.exchange(other)
    monkeypatch.delenv("PERINATAL_STORAGE_URL")
    settings.get.cache_clear()
    assert storage.exchange(other) == storage.Exchanged(0, 0)
    assert open_alerts(other) == []


# --- steps and commands ------------------------------------------------------------------------------------


def test_a_landing_says_the_damage_and_lands_the_rest(store: Path, shared: dict[str, Path], other: Home) -> None:
    flip(objects(store, shared["2022"])["archive"])
    landed = arrivals.land_inbox(other, [])
    assert landed.changed
    assert [release for entry in landed.waiting for release in entry.releases] == [
        "perinatal_mortality 2023 (revision 1)"
    ]
    assert (len(landed.problems), landed.problems, landed.failure) == (1, landed.damage, Damaged)
    assert landed.alerted == ("storage",)


def test_commands_do_their_work_say_the_damage_and_fail(
    store: Path, shared: dict[str, Path], other: Home, mbrrace_sample: Path, cli: Callable[..., Any]
) -> None:
    flip(damaged := objects(store, shared["2022"])["archive"])
    named = f"perinatal: landed/mbrrace/perinatal_mortality/2022/{shared['2022'].name}: "
    ran = cli("land", mbrrace_sample / NAME.format(2021), "--source", "mbrrace", at=other)
    assert (ran.code, "landed: mbrrace perinatal_mortality 2021" in ran.out) == (1, True)
    assert ran.err.count(named) == 1
    ran = cli("storage", "sync", at=other)
    assert (ran.code, ran.out) == (1, "0 release(s) shared, 0 landed from the store; edition shared: none\n")
    assert damaged.name in ran.err
    ran = cli("fetch", "--json", at=other)
    assert (ran.code, json.loads(ran.out)["inbox"]) == (1, [])
    assert ran.err.count(named) == 1
    assert releases(other) == ["2021", "2023"]


def test_nothing_to_build_says_the_damage(
    store: Path, shared: dict[str, Path], other: Home, cli: Callable[..., Any]
) -> None:
    for record in shared.values():
        flip(objects(store, record)["rows"])
    built = assembly.advance(other, "models")
    assert (built.what, built.changed, len(built.damage), built.alerted) == ("nothing_landed", False, 2, ("storage",))
    assert str(built.error()).startswith("nothing to build: nothing is landed yet")
    assert str(built.error()).endswith(built.damage[1])
    ran = cli("build", at=other)
    assert (ran.code, "nothing is landed yet" in ran.out) == (1, True)
    assert all(line in ran.err for line in built.damage)


@pytest.mark.slow
def test_what_is_sound_is_built_and_the_damage_stands_in_the_edition(
    store: Path, shared: dict[str, Path], other: Home, cli: Callable[..., Any]
) -> None:
    flip(objects(store, shared["2022"])["archive"])
    ran = cli("build", at=other)
    assert (ran.code, "published " in ran.out) == (1, True)
    published = Editions.of(other).current()
    assert published
    keys = edition.info(published)["releases"]
    assert [key.split("/")[2] for key in keys if key.startswith("mbrrace/")] == ["2023"]
    ran = cli(
        "query", "select scope, rule from quality.alert where state = 'open' and scope = 'storage'", "--format=csv"
    )
    assert ran.out.splitlines()[1:] == [",".join(ALERT)]
    names = [path.relative_to(published).as_posix() for path in published.rglob("*") if path.is_file()]
    assert [name for name in names if not edition.is_part(name)] == []


# --- editions ----------------------------------------------------------------------------------------------


def put_edition(store: Path, name: str, files: dict[str, str], **hashes: str) -> None:
    """Write an edition into the store as another machine would, with true hashes."""
    for file, text in files.items():
        path = store / "editions" / name / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    said = {file: hashlib.sha256(text.encode()).hexdigest() for file, text in files.items()}
    (store / "editions" / f"{name}.json").write_text(json.dumps(said | hashes))


def whole(name: str) -> dict[str, str]:
    return {edition.DATABASE: name, edition.INFO: json.dumps({"edition_id": name}), "downloads/a.csv": name}


def identity(**ago: float) -> str:
    return f"{datetime.now(UTC) - timedelta(**ago):{edition.STAMP}}-0badc0de"


OLD, NEW = "20260101T000001-00000001", "20260101T000002-00000002"
SHA = hashlib.sha256(b"evil").hexdigest()


@pytest.mark.parametrize(
    "name",
    [
        "../../../evil",
        "downloads/../../../evil",
        "..\\evil",
        "downloads\\evil",
        "downloads//evil",
        "downloads/./evil",
        "downloads/",
        "downloads",
        "/ROOT/evil",
        "evil",
        ".unpublished",
        "other/evil",
        "perinatal.duckdb/evil",
        "downloads/ev\nil",
        "",
    ],
)
def test_an_edition_that_leads_out_of_its_folder_is_refused_and_an_older_one_taken(
    store: Path, home: Home, tmp_path: Path, name: str
) -> None:
    name = name.replace("/ROOT", f"{tmp_path}/elsewhere")
    put_edition(store, OLD, whole(OLD))
    put_edition(store, NEW, whole(NEW), **{name: SHA})
    planted = Path(f"{store}/editions/{NEW}/{name}")
    with suppress(OSError):  # some cannot be names of files
        planted.parent.mkdir(parents=True, exist_ok=True)
        planted.write_text("evil")
    before = set(tmp_path.rglob("*"))
    with pytest.raises(Damaged, match=rf"{NEW}: .* is not the name of a file of an edition.*current edition: {OLD}"):
        storage.take_edition(home)
    assert home.database.read_text() == OLD
    assert [path.name for path in home.editions.iterdir()] == [OLD]
    assert {path for path in tmp_path.rglob("*") if not path.is_relative_to(home.root)} <= before
    assert not [path for path in home.root.rglob("*") if "evil" in path.name]
    assert not list(home.build.iterdir())


@pytest.mark.parametrize("lacking", [edition.DATABASE, edition.INFO])
def test_an_edition_without_what_readers_open_is_refused(store: Path, home: Home, lacking: str) -> None:
    put_edition(store, NEW, {name: text for name, text in whole(NEW).items() if name != lacking})
    with pytest.raises(Damaged, match=f"{lacking} is not in its list of files"):
        storage.take_edition(home)
    assert Editions.of(home).current() is None


@pytest.mark.parametrize(
    ("name", "why"),
    [
        pytest.param(identity(hours=-1.2), "is of a time that is still to come", id="in more than an hour"),
        ("20990101T000000-00000000", "is of a time that is still to come"),
        ("20269999T999999-00000000", "is not the id of an edition"),
        ("99999999", "is not the id of an edition"),
        (f"{NEW}-and-more", "is not the id of an edition"),
        ("zz", "is not the id of an edition"),
    ],
)
def test_an_id_that_cannot_be_freezes_no_reader(store: Path, home: Home, name: str, why: str) -> None:
    put_edition(store, name, whole(name))
    for sound in (OLD, NEW):
        put_edition(store, sound, whole(sound))
        with pytest.raises(Damaged, match=f"{name}.json: {why}.*current edition: {sound}"):
            storage.take_edition(home)
        assert home.database.read_text() == sound
    with pytest.raises(Damaged, match="the current edition stays"):
        storage.take_edition(home)


def test_clocks_may_differ_a_little(store: Path, home: Home) -> None:
    put_edition(store, name := identity(hours=-0.8), whole(name))
    assert storage.take_edition(home) == name


def test_a_reader_that_took_an_edition_of_the_future_is_free_again(store: Path, home: Home) -> None:
    future = "20990101T000000-00000000"
    made = home.build / future
    made.mkdir(parents=True)
    for name, text in whole(future).items():
        (made / name).parent.mkdir(exist_ok=True)
        (made / name).write_text(text)
    Editions.of(home).swap_in(made)
    put_edition(store, NEW, whole(NEW))
    assert storage.take_edition(home) == NEW


def test_what_a_kill_has_left_in_an_edition_is_not_shared(store: Path, home: Home, other: Home) -> None:
    put_edition(store, NEW, whole(NEW))
    storage.take_edition(home)
    (store / "editions" / f"{NEW}.json").unlink()
    (home.current / edition.UNPUBLISHED).touch()
    assert storage.share_edition(home) == NEW
    assert storage.take_edition(other) == NEW
