"""Landing under faults: kills, two at once, full disks, damage. Nothing is half-landed, and the next try works."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from expectations import alerts
from ingest.archive import manifest as manifests
from ingest.archive import quarantine
from ingest.archive import store as archive
from ingest.archive.manifest import LandedReleases
from perinatal.home import Home

NAME = "perinatal-mortality-rates-2022-trusthealth-board.csv"
Shell = Callable[..., object]

KILLED = """
import os, signal, sys
from pathlib import Path
from ingest import registry
from ingest.archive import manifest
from ingest.archive import store as archive
from ingest.land import landing
from ingest.land.arriving_file import Arrival
from ingest.stores import Stores
from perinatal import home as homes

home, file = homes.get(), Path(sys.argv[1])
archive.Archive(home.archive).put(file)
die = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
if sys.argv[2] == "before the manifest":
    manifest.LandedReleases.commit = die
else:  # the manifest is written, the folder has not got its name
    Path.chmod = die
landing.land(Stores.of(home), file, Arrival(registry.source("mbrrace"), file.name))
"""

FULL = """
import resource, sys
from pathlib import Path
from perinatal import home as homes
from pipeline.commands import app as cli
from ingest import registry
from ingest.archive import store as archive
from ingest.land import landing
from ingest.land.arriving_file import Arrival
from ingest.stores import Stores

file, limit = Path(sys.argv[1]), int(sys.argv[2])
archived = archive.Archive(homes.get().archive).put(file) if sys.argv[3] == "archived" else None
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
if archived:
    landing.land_archived(Stores.of(homes.get()), archived, Arrival(registry.source("mbrrace"), file.name))
else:
    sys.argv = ["perinatal", "land", str(file), "--source", "mbrrace"]
    cli.main()
"""


@pytest.fixture
def file(mbrrace_sample: Path) -> Path:
    return mbrrace_sample / NAME


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["before the manifest", "after the manifest"])
def test_a_killed_landing_leaves_no_half_release(
    home: Home, shell: Shell, landed: Callable[..., object], file: Path, moment: str
) -> None:
    killed = shell(str(file), moment, code=KILLED, at=home)
    killed.communicate(timeout=120)
    assert killed.returncode == -signal.SIGKILL
    assert list(manifests.LandedReleases(home.landed).all()) == []
    assert list(quarantine.Quarantine(home.quarantine).reports()) == []
    assert list(archive.Archive(home.archive).damaged()) == []
    [outcome] = landed(home, file)
    assert (outcome.what, outcome.manifest.revision) == ("landed", 1)


@pytest.mark.slow
def test_two_landings_of_one_file_at_once_land_it_once(home: Home, shell: Shell, file: Path) -> None:
    both = [shell("land", file, "--source", "mbrrace", at=home) for _ in range(2)]
    ends = [(process.communicate(timeout=200), process.returncode) for process in both]
    assert [code for _, code in ends] == [0, 0], ends
    assert sorted(out.split(":")[0] for (out, _), _ in ends) == ["landed", "unchanged"]
    assert [item.revision for item in manifests.LandedReleases(home.landed).all()] == [1]
    assert len(list(home.archive.glob("??/*"))) == 1


# each process lands all files, in an order of its own
LANDS_ALL = """
import sys
from pathlib import Path
from ingest import registry
from ingest.land import landing
from ingest.land.arriving_file import Arrival
from ingest.stores import Stores
from perinatal import home as homes

turn, files = int(sys.argv[1]), [Path(name) for name in sys.argv[2:]]
for file in files[turn:] + files[:turn]:
    print(landing.land(Stores.of(homes.get()), file, Arrival(registry.source("mbrrace"), file.name)).what)
"""


@pytest.mark.slow
def test_several_processes_land_many_files_at_once_each_once(home: Home, shell: Shell, mbrrace_sample: Path) -> None:
    files = sorted(mbrrace_sample.glob("*.csv"))
    together = [shell(turn, *files, code=LANDS_ALL, at=home) for turn in range(4)]
    ends = [(process.communicate(timeout=280), process.returncode) for process in together]
    assert [code for _, code in ends] == [0] * 4, ends
    printed = [what for (out, _), _ in ends for what in out.split()]
    assert sorted(printed) == ["landed"] * len(files) + ["unchanged"] * 3 * len(files)
    assert [item.revision for item in manifests.LandedReleases(home.landed).all()] == [1] * len(files)
    assert list(archive.Archive(home.archive).damaged()) == []
    assert not list(home.landed.glob(".landing-*"))


def assert_nothing_landed(home: Home) -> None:
    assert list(manifests.LandedReleases(home.landed).all()) == []
    assert list(quarantine.Quarantine(home.quarantine).reports()) == []
    assert alerts.AlertLog(home.alerts).all() == []
    assert not list(home.archive.glob(".incoming-*"))
    assert not list(home.landed.glob(".landing-*"))


def test_a_disk_that_fills_while_archiving_is_one_clear_error(home: Home, shell: Shell, file: Path) -> None:
    process = shell(str(file), "10000", "new", code=FULL, at=home)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 1
    assert err.startswith("perinatal: ")
    assert err.count("\n") == 1
    assert "no space left" in err
    assert_nothing_landed(home)


def test_a_disk_that_fills_while_typing_does_not_blame_the_file(home: Home, shell: Shell, file: Path) -> None:
    process = shell(str(file), "3000", "archived", code=FULL, at=home)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "not the file's fault" in err
    assert_nothing_landed(home)


@pytest.fixture
def damaged(home: Home, landed: Callable[..., object], file: Path) -> manifests.Manifest:
    """Give a landed release that a test damages."""
    [outcome] = landed(home, file)
    return outcome.manifest


@pytest.mark.slow
def test_a_corrupt_manifest_is_named_and_what_it_advises_works(
    home: Home, cli: Callable[..., object], damaged: manifests.Manifest, file: Path
) -> None:
    path = LandedReleases(home.landed).folder_of(damaged) / manifests.MANIFEST
    path.write_text(path.read_text()[:200])
    for command in (["build"], ["land", file, "--source", "mbrrace"], ["verify"], ["status"]):
        ran = cli(*command, at=home)
        assert ran.code == 1, command
        assert str(path) in ran.err
        assert "remove the folder" in ran.err
        assert "Traceback" not in ran.err
    for entry in path.parent.iterdir():
        entry.unlink()
    path.parent.rmdir()
    assert cli("land", file, "--source", "mbrrace", at=home).out.startswith("landed: ")
    assert cli("verify", at=home).code == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "what", ["archived bytes", "archived file gone", "rows", "rows gone", "another release's rows"]
)
def test_verify_finds_damage_and_landing_again_heals_it(
    home: Home, cli: Callable[..., object], damaged: manifests.Manifest, file: Path, what: str
) -> None:
    place, rows = (
        archive.Archive(home.archive).path_of(damaged.sha256),
        LandedReleases(home.landed).folder_of(damaged) / manifests.ROWS,
    )
    assert cli("verify", at=home).code == 0
    place.chmod(0o644)
    content = bytearray(place.read_bytes())
    content[len(content) // 2] ^= 1
    if what == "archived bytes":
        place.write_bytes(content)
    elif what == "archived file gone":
        place.unlink()
    elif what == "rows":
        rows.write_bytes(rows.read_bytes()[:-100])
    elif what == "rows gone":
        rows.unlink()
    else:
        import duckdb

        target = str(rows).replace("'", "''")
        duckdb.sql(f"copy (select * replace (total_births + 1 as total_births) from '{target}') to '{target}.new'")
        Path(f"{rows}.new").replace(rows)
    ran = cli("verify", at=home)
    assert ran.code == 1
    assert ran.err.count("\n") == 1
    if what.startswith("rows") or what.startswith("another"):
        for entry in LandedReleases(home.landed).folder_of(damaged).iterdir():
            entry.unlink()
        LandedReleases(home.landed).folder_of(damaged).rmdir()
    assert cli("land", file, "--source", "mbrrace", at=home).code == 0
    assert cli("verify", at=home).code == 0
