"""Building under faults: killed in mid dbt, two at once, a full disk, too little memory, readers all the while."""

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import psutil
import pytest

from ingest.archive import build_inputs, manifest
from ingest.archive import store as archive
from ingest.archive.manifest import LandedReleases
from perinatal import settings
from perinatal.home import Home
from pipeline.bench import builder as bench_builder
from publish import edition
from publish.edition import Editions
from warehouse import builder

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]  # a build is long on a busy machine

COUNT = "select count(*) as n from marts.trust_indicator"
Shell = Callable[..., object]

FULL = """
import resource, sys
from pipeline.commands import app as cli
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
sys.argv = ["perinatal", "build", "--force"]
cli.main()
"""


def wait_until(happens: Callable[[], object], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.05)


def candidates(home: Home) -> Iterator[Path]:
    return home.build.glob("*/perinatal.duckdb")


def test_a_build_killed_in_mid_dbt_and_two_at_once_after_it(
    copied: Home, shell: Shell, cli: Callable[..., object]
) -> None:
    """One story, since each build costs seconds: the kill, its mess, and two builders that come upon it."""
    last, database = Editions.of(copied).current(), archive.hash_of(copied.database)

    killed = shell("build", "--force", at=copied)
    wait_until(lambda: any(path.stat().st_size > 100_000 for path in candidates(copied)))
    children = psutil.Process(killed.pid).children(recursive=True)
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=30)
    assert children, "the kill came before dbt was started"
    _, alive = psutil.wait_procs(children, timeout=20)
    assert not alive, "dbt went on writing after its builder had died"
    assert Editions.of(copied).current() == last
    assert archive.hash_of(copied.database) == database
    assert json.loads(cli("query", COUNT, "--format", "json", at=copied).out) == [{"n": 720}]

    # what a kill may leave besides: dbt's cache cut off, and an edition that was never swapped in
    parsed = next(copied.cache.glob("**/partial_parse.msgpack"))
    parsed.write_bytes(parsed.read_bytes()[:1000])
    orphan = copied.editions / "29990101T000000-orphaned"
    orphan.mkdir()
    (orphan / edition.UNPUBLISHED).touch()
    (last / edition.INFO).write_text(
        (last / edition.INFO).read_text().replace('"fingerprint": "', '"fingerprint": "old')
    )

    first = shell("build", at=copied)
    wait_until(lambda: any(candidates(copied)) or first.poll() is not None)
    second = shell("build", at=copied)
    asked = 0
    while first.poll() is None:
        asking = shell("query", COUNT, "--format", "json", at=copied)
        out, err = asking.communicate(timeout=60)
        assert json.loads(out) == [{"n": 720}], err
        asked += 1
    ends = [process.communicate(timeout=280) for process in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0), ends
    assert asked > 1
    # whichever of the two took the lock first has published, the other has waited and found nothing new
    printed = sorted(out for out, _ in ends)
    assert printed[0].startswith("nothing new; the edition stays ")
    assert printed[1].startswith("published ")
    assert Editions.of(copied).current() != last
    assert not orphan.exists()
    assert not list(copied.build.iterdir())


# step of a build → the line that its start follows, and what of the candidate is there once it is under way
STEPS = {
    "models": ("", "*/perinatal.duckdb"),
    "themes": ("Models: ", "*"),
    "gate": ("Themes:", "*"),
    "downloads": ("Gate:", "*/downloads/*"),
    "packs": ("Gate:", "*/downloads/lms/*/*"),
    "pages": ("Downloads and packs:", "*/portal/*"),
}
AT_THE_SWAP = """
import os, signal, sys
from pipeline.commands import app as cli
from publish.edition import Editions
Editions.point_current = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
sys.argv = ["perinatal", "build", "--force"]
cli.main()
"""


@pytest.mark.timeout(3600)  # eight builds, six of them cut short
def test_a_build_killed_at_each_step_leaves_no_process_and_no_folder(
    copied: Home, shell: Shell, tmp_path: Path
) -> None:
    """Each kill meets what the one before it has left; the build after the last one leaves nothing of any."""
    last, database, scratch = Editions.of(copied).current(), archive.hash_of(copied.database), tmp_path / "scratch"
    scratch.mkdir()

    def assert_only_a_mess(step: str) -> None:
        assert Editions.of(copied).current() == last, step
        assert archive.hash_of(copied.database) == database, step
        assert list(copied.build.iterdir()), f"{step}: the kill came too late"

    for step in STEPS:
        said = tmp_path / f"{step}.log"
        alive = killed_in(
            step, shell("build", "--force", at=copied, TMPDIR=str(scratch), into=said), said, copied.build
        )
        assert not alive, f"{step}: {alive} went on after their builder had died"
        assert_only_a_mess(step)
    swapping = shell(code=AT_THE_SWAP, at=copied, TMPDIR=str(scratch))
    _, err = swapping.communicate(timeout=600)
    assert swapping.returncode == -signal.SIGKILL, err
    assert_only_a_mess("publish")

    after = shell("build", "--force", at=copied, TMPDIR=str(scratch))
    out, err = after.communicate(timeout=600)
    assert after.returncode == 0, err
    assert out.startswith("published ")
    assert sorted(copied.editions.iterdir()) == sorted([last, Editions.of(copied).current()])
    assert not list(copied.build.iterdir())
    assert not list(scratch.iterdir())


def killed_in(step: str, builder: subprocess.Popen[str], said: Path, folder: Path) -> list[psutil.Process]:
    """Kill a build once a step is under way; returns which of its processes live on."""
    line, made = STEPS[step]

    def is_under_way() -> bool:
        assert builder.poll() is None, f"{step}: it was over before it was killed:\n{said.read_text()}"
        return line in said.read_text() and any(folder.glob(made))

    wait_until(is_under_way, 600)
    family = psutil.Process(builder.pid).children(recursive=True)
    builder.send_signal(signal.SIGKILL)
    builder.communicate(timeout=30)
    return psutil.wait_procs(family, timeout=30)[1]


def test_a_disk_that_fills_while_building_leaves_the_last_edition(copied: Home, shell: Shell) -> None:
    last, database = Editions.of(copied).current(), archive.hash_of(copied.database)
    process = shell(code=FULL, at=copied)
    _, err = process.communicate(timeout=200)
    assert process.returncode == 1
    lines = [line for line in err.splitlines() if line.startswith("perinatal: ")]
    assert len(lines) == 1
    assert "Traceback" not in err
    assert Editions.of(copied).current() == last
    assert archive.hash_of(copied.database) == database
    assert [path.name for path in copied.editions.iterdir()] == [last.name]


def test_a_build_larger_than_its_memory_spills_to_its_own_folder(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench_builder.land(100_000)
    monkeypatch.setenv("PERINATAL_MEMORY_LIMIT", "150MB")
    settings.get.cache_clear()
    folder = tmp_path / "build"
    folder.mkdir()
    with ThreadPoolExecutor(1) as pool:
        built = pool.submit(
            builder.build,
            folder,
            home.cache / "dbt",
            build_inputs.layouts(),
            build_inputs.releases(LandedReleases(home.landed), manifest.LandedReleases(home.landed).in_use()),
        )
        wait_until(lambda: built.done() or any((folder / "scratch").glob("duckdb_temp_*")), 600)
        spilled = not built.done()
        candidate = built.result()
    assert spilled, "nothing was spilled, so nothing was tried"
    with duckdb.connect(str(candidate), read_only=True) as connection:
        observations = connection.execute("select count(*) from core.fct_observation").fetchall()[0][0]
    assert observations > 50_000
    assert not list((folder / "scratch").iterdir())
