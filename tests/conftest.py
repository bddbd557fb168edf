"""What tests share: a state folder of their own, the commands, the real releases, and editions that are built once.

A whole build costs ten seconds and the first import of Great Expectations six more, so the editions of the session are
read-only: a test that writes works on its own copy (`copied`).
"""

import csv
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import pytest

from ingest import registry
from ingest.land import landing
from ingest.land.arriving_file import Arrival
from ingest.stores import Stores
from perinatal import settings
from perinatal.home import Home
from pipeline import steps
from pipeline.commands import app as command_line

REPO = Path(__file__).resolve().parents[1]
RELEASES = REPO.parent / "shared" / "releases"
AWKWARD = "Ann's état"  # paths of real people have spaces, apostrophes and accents

# the same examples in every run, so that a change is judged by what it changes; more and other ones are asked for
hypothesis.settings.register_profile("steady", derandomize=True)
if "PERINATAL_TEST_EXAMPLES" not in os.environ:
    hypothesis.settings.load_profile("steady")

CSV_LIMIT = csv.field_size_limit()

Row = dict[str, str]
Edit = Callable[[list[Row]], list[Row] | None]


@dataclass(frozen=True)
class Ran:
    """What a command came to."""

    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep the settings of whoever runs the tests, and of other tests, out of them."""
    for name in [name for name in os.environ if name.startswith("PERINATAL_")]:
        monkeypatch.delenv(name)
    csv.field_size_limit(CSV_LIMIT)  # one for the whole process: frictionless raises it as it is imported
    settings.get.cache_clear()
    yield
    settings.get.cache_clear()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Give a fresh state folder, which the settings name too."""
    root = tmp_path / AWKWARD
    monkeypatch.setenv("PERINATAL_HOME", str(root))
    settings.get.cache_clear()
    return Home(root)


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run a command in this process, on the state folder given or the one that the settings name."""

    def run(*arguments: object, at: Home | None = None) -> Ran:
        if at:
            monkeypatch.setenv("PERINATAL_HOME", str(at.root))
        settings.get.cache_clear()
        monkeypatch.setattr(sys, "argv", ["perinatal", *map(str, arguments)])
        command_line.state["debug"] = False
        capfd.readouterr()
        try:
            command_line.main()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        out, err = capfd.readouterr()
        return Ran(code, out, err)

    return run


@pytest.fixture(scope="session")
def shell() -> Callable[..., subprocess.Popen[str]]:
    """Start a command, or with `code` a program, in a process of its own; `into` takes what it says on the way."""

    def start(
        *arguments: object, at: Home, code: str | None = None, into: Path | None = None, **environment: str
    ) -> subprocess.Popen[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PERINATAL_")}
        program = ["-c", code] if code else ["-m", "pipeline.commands.app"]
        return subprocess.Popen(
            [sys.executable, *program, *map(str, arguments)],
            cwd=REPO,
            env={**kept, "PERINATAL_HOME": str(at.root), "PYTHONPATH": str(REPO), **environment},
            stdout=subprocess.PIPE,
            stderr=into.open("w") if into else subprocess.PIPE,
            text=True,
        )

    return start


@pytest.fixture(scope="session")
def real_releases() -> Path:
    """Give the folder of real releases, or skip."""
    if not RELEASES.is_dir():
        pytest.skip(f"no real releases at {RELEASES}")
    return RELEASES


@pytest.fixture(scope="session")
def mbrrace_files(real_releases: Path) -> tuple[Path, Path]:
    """Give MBRRACE-UK's files of 2023: all deaths, and without those due to congenital anomalies."""
    name = "perinatal-mortality-rates{}-2023-trusthealth-board.csv"
    folder = real_releases / "mbrrace"
    return folder / name.format(""), folder / name.format("-excluding-congenital-anomalies")


@pytest.fixture(scope="session")
def mbrrace_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with the synthetic MBRRACE-UK releases."""
    folder = tmp_path_factory.mktemp("sample")
    registry.source("mbrrace").sample.generate(folder)
    return folder


@pytest.fixture(scope="session")
def edited() -> Callable[[Path, Path, Edit], Path]:
    """Write a changed copy of a CSV: `change` gets its rows as text, and returns others or changes them in place."""

    def write(original: Path, target: Path, change: Edit) -> Path:
        with original.open(encoding="utf-8-sig", newline="") as handle:
            reader = csv.DictReader(handle)
            rows = list(reader)
            header = list(reader.fieldnames or [])
        changed = change(rows)
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("w", encoding="utf-8", newline="") as handle:
            writer = csv.DictWriter(handle, header, extrasaction="ignore", lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows if changed is None else changed)
        return target

    return write


def land(home: Home, *files: Path, source: str = "mbrrace") -> list[landing.Outcome]:
    """Land files as a person would."""
    return [landing.land(Stores.of(home), file, Arrival(registry.source(source), file.name)) for file in files]


@pytest.fixture(scope="session")
def landed() -> Callable[..., list[landing.Outcome]]:
    """Give `land`: files in, outcomes out."""
    return land


@pytest.fixture(scope="session")
def published(mbrrace_files: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Give a state folder with both real files of 2023 landed, built and published. Read-only: see `copied`."""
    home = Home(tmp_path_factory.mktemp("published") / AWKWARD)
    land(home, *mbrrace_files)
    assert steps.build(home).what == "published"
    return home


@pytest.fixture
def copied(published: Home, home: Home) -> Home:
    """Give a copy of the published state folder to change at will; the settings name it."""
    shutil.copytree(published.root, home.root, symlinks=True)
    return home


@pytest.fixture
def demo(tmp_path: Path) -> registry.Source:
    """Give a made-up source: `code` (text), `events` (integer, required), and three optional columns."""
    folder = tmp_path / "sources" / "demo"
    folder.mkdir(parents=True)
    (folder / "source.yml").write_text(
        "id: demo\ntitle: Demo\npublisher: Nobody\nlicence: none\npage: https://demo.example\naudience: public\n"
        "cadence_days: 30\ndatasets: {counts: {title: Counts}}\n"
    )
    (folder / "columns.csv").write_text(
        "dataset,column,published_names,type,required,nullable,minimum,maximum,allowed,pattern,severity,unit,description\n"
        "*,code,Code|Org Code,text,yes,no,,,,,block,,Code\n"
        "*,events,Events,integer,yes,yes,0,100,,,block,,Events\n"
        "*,rate,Rate,number,no,yes,,,,,warn,,Rate\n"
        "*,share,Share,percent,no,yes,,,,,warn,,Share\n"
        "*,day,Day,date,no,yes,,,,,warn,,Day\n"
    )
    (folder / "parse.py").write_text(
        "import re\n"
        "from ingest.registry import Identity\n"
        "def recognise(sample):\n"
        "    found = re.search(r'counts-(\\d{4})', sample.name)\n"
        "    return Identity('counts', found[1]) if found else None\n"
    )
    return registry.load(folder)
