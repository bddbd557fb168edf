"""The bench's own logic: ratios, targets, the table, the guard; made releases pass the arrival gate."""

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import duckdb
import pytest

from ingest import registry
from ingest.land import landing
from ingest.land.arriving_file import Arrival
from ingest.stores import Stores
from perinatal.errors import PerinatalError
from perinatal.home import Home
from perinatal.settings import PROJECT_ROOT
from pipeline.bench import asking, building, decade, figures, process, scaled, ten_years
from pipeline.bench.figures import Figure
from pipeline.commands import bench as command

MACHINE = {
    "cpu": "A CPU",
    "cores": 2,
    "memory_gb": 24,
    "load_at_start": 0.1,
    "python": "3.11.7",
    "duckdb": "2.0.0",
    "measured_on": "2026-11-23",
}
SPEED = Figure("speed", "Speed", 0.5, "×", "higher", 0.6, 0.2, "0.4–0.7 in 3 pairs")
MEMORY = Figure("memory", "Memory", 540.4, "MB", "lower", 600)


def test_a_paired_ratio_is_the_median_of_the_pairs_not_of_the_times() -> None:
    ratio, spread = figures.paired([1.0, 10.0, 2.0], [2.0, 5.0, 2.0])
    assert ratio == 1.0
    assert spread == "0.50–2.00 in 3 pairs"


@pytest.mark.parametrize(
    ("value", "better", "target", "is_met"),
    [(0.6, "higher", 0.6, True), (0.59, "higher", 0.6, False), (1.2, "lower", 1.2, True), (1.21, "lower", 1.2, False)],
)
def test_a_target_is_met_at_its_limit(value: float, better: str, target: float, is_met: bool) -> None:
    assert Figure("id", "what", value, "×", better, target).is_met is is_met  # type: ignore[arg-type]


def test_the_table_names_the_machine_and_what_is_not_met() -> None:
    table = figures.markdown(figures.document(MACHINE, [SPEED, MEMORY], {}))
    assert "| Speed (0.4–0.7 in 3 pairs) | 0.50× | ≥ 0.60× | **not met** |" in table
    assert "| Memory | 540 MB | ≤ 600 MB | met |" in table
    assert "A CPU, 2 cores, 24 GB" in table


def test_a_run_replaces_what_it_measured_and_leaves_the_rest() -> None:
    older = figures.document(MACHINE, [SPEED, MEMORY], {"raw": 1})
    again = figures.document(MACHINE | {"cpu": "Another"}, [replace(SPEED, value=0.7)], {})
    first, second = figures.with_run([older], again)
    assert [(item["id"], item["value"]) for item in first["figures"]] == [("memory", 540.4)]
    assert (first["machine"]["cpu"], second["machine"]["cpu"]) == ("A CPU", "Another")
    assert second == again
    assert figures.with_run([first, second], older) == [older]


def test_a_part_that_fails_leaves_the_figures_of_those_before_it(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "COMMITTED", tmp_path / "bench.json")
    monkeypatch.setattr(figures, "GUIDE", tmp_path / "scale.md")
    (tmp_path / "scale.md").write_text(f"{figures.BEGIN}\n{figures.END}\n")
    monkeypatch.setattr(decade, "measure", Mock(side_effect=PerinatalError("ten years have no room")))
    with pytest.raises(PerinatalError, match="no room"):
        command.bench("0.1", "1", 1, [command.What.START, command.What.DECADE], write=True)
    [run] = figures.committed()
    assert [item["id"] for item in run["figures"]] == ["cli_start"]
    assert "perinatal --help" in (tmp_path / "scale.md").read_text()


def test_the_table_replaces_what_stood_between_the_marks() -> None:
    text = f"before\n{figures.BEGIN}\nold\n{figures.END}\nafter\n"
    assert figures.with_table(text, "new") == f"before\n{figures.BEGIN}\nnew\n{figures.END}\nafter\n"
    with pytest.raises(PerinatalError, match="marks"):
        figures.with_table("no marks", "new")


@pytest.mark.parametrize(
    ("before", "is_worse"),
    [(0.5, False), (0.62, False), (0.63, True), (0.1, False)],
)
def test_a_ratio_may_be_worse_by_its_margin_only(before: float, is_worse: bool) -> None:
    assert bool(figures.regressions([SPEED], {"speed": before})) is is_worse


def test_what_depends_on_the_machine_or_is_new_is_not_guarded() -> None:
    assert figures.regressions([MEMORY, SPEED], {"memory": 1.0}) == []


def test_a_regression_says_by_how_much() -> None:
    [line] = figures.regressions([SPEED], {"speed": 1.0})
    assert line == "Speed: 0.50×, was 1.00× (may be as low as 0.80×)"


@pytest.mark.parametrize(("share", "value"), [(0.5, 2), (0.95, 4), (0.25, 1), (1.0, 4)])
def test_percentiles_are_values_that_were_measured(share: float, value: float) -> None:
    assert asking.percentile([4, 1, 3, 2], share) == value


def test_a_child_says_its_figures_and_its_time_and_memory_are_measured() -> None:
    ran = process.run(sys.executable, "-c", "import time; time.sleep(0.3); print('{\"a\": 1}')")
    assert ran.said == {"a": 1}
    assert ran.seconds >= 0.3
    assert 1 < ran.peak_mb < 150


@pytest.mark.timeout(60)
def test_memory_is_measured_with_that_of_children() -> None:
    own = "import subprocess, sys; x = bytearray(60_000_000); "
    grandchild = "import sys; y = bytearray(90_000_000); sys.stdin.read()"
    code = f"{own} subprocess.run([sys.executable, '-c', {grandchild!r}])"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE) as family:
        peak = process.Peak(family.pid)
        while peak.megabytes < 150:  # both stay until the pipe closes
            time.sleep(0.01)
        family.communicate()
    peak.stop()
    assert peak.megabytes < 400


@pytest.mark.timeout(60)
def test_time_on_processors_is_that_of_children_too() -> None:
    busy = "import time\nwhile time.process_time() < 0.6: pass"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {busy!r}])"
    assert 0.5 < process.run(sys.executable, "-c", parent).processor_seconds < 5


@pytest.mark.timeout(60)
def test_time_on_processors_is_that_of_processes_beside(tmp_path: Path) -> None:
    go = tmp_path / "go"
    busy = (
        f"import pathlib, sys, time\nwhile not pathlib.Path({str(go)!r}).exists(): time.sleep(0.01)\n"
        "while time.process_time() < 2: pass\nsys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", busy], stdin=subprocess.PIPE) as beside:
        until = (
            f"import pathlib, psutil, time; pathlib.Path({str(go)!r}).touch()\n"
            f"while sum(psutil.Process({beside.pid}).cpu_times()[:2]) < 1.5: time.sleep(0.05)"
        )
        ran = process.run(sys.executable, "-c", until, beside=[beside.pid])
        beside.communicate()
    assert 1 < ran.processor_seconds < 5


def test_a_child_that_fails_is_named_with_its_error() -> None:
    with pytest.raises(PerinatalError, match="no such thing"):
        process.run(sys.executable, "-c", "raise SystemExit('no such thing')")


def test_seconds_of_steps_are_read_from_the_log_of_a_build() -> None:
    log = "Building 75 release(s): 68.0 s\n  msds: 3 landed\nGate: 4.5 s\nDownloads and packs: 24.7 s\n"
    ran = process.Ran(100, 500, {"seconds": 98.0}, "", log)
    scale = building.Scale(1, 30_000, 5.0, ran, ran, {}, None, [])
    assert (scale.step("Gate"), scale.step("Downloads"), scale.step("Pages")) == (4.5, 24.7, 0)


def test_made_releases_have_the_rows_asked_for_and_the_same_bytes_each_time(tmp_path: Path) -> None:
    made = list(scaled.releases(tmp_path / "a", 60_000))
    again = list(scaled.releases(tmp_path / "b", 60_000))
    assert [one.path.read_bytes() for one in made] == [one.path.read_bytes() for one in again]
    assert 55_000 < sum(one.rows for one in made) < 65_000
    counts = [duckdb.read_csv(str(one.path), all_varchar=True).aggregate("count(*)").fetchall()[0][0] for one in made]
    assert counts == [one.rows for one in made]


def test_a_later_month_follows_the_months_of_the_sample(tmp_path: Path) -> None:
    made = scaled.later_month(tmp_path, 5_000, 1)
    assert (made.path.name, made.source_id) == ("synthetic-may2025-exp-measures.csv", "msds")
    rows = duckdb.read_csv(str(made.path), all_varchar=True)
    assert rows.aggregate("count(*), min(RPEndDate)").fetchall() == [(made.rows, "31/05/2025")]
    assert 4_000 < made.rows <= 5_000


def test_a_made_file_has_about_the_size_asked_for(tmp_path: Path) -> None:
    made = scaled.fingertips_of_size(tmp_path / "made.csv", 5)
    assert 4_800_000 < made.path.stat().st_size < 5_200_000


def test_made_releases_are_landed_as_synthetic_without_a_breach(home: Home, tmp_path: Path) -> None:
    for made in scaled.releases(tmp_path / "made", 20_000):
        arrival = Arrival(registry.source(made.source_id), made.path.name, is_synthetic=True)
        manifest = landing.land(Stores.of(home), made.path, arrival).manifest
        assert (manifest.rows_landed, manifest.is_synthetic) == (made.rows, True)
        broken = [check["rule"] for check in manifest.checks if not check["success"] and check["severity"] != "info"]
        assert broken == []


def test_a_month_as_large_as_the_publishers_is_landed_without_a_breach(home: Home, tmp_path: Path) -> None:
    counts, measures = ten_years.months(tmp_path / "once", 0, 1)
    again = list(ten_years.months(tmp_path / "again", 0, 1))
    assert [made.path.read_bytes() for made in (counts, measures)] == [made.path.read_bytes() for made in again]
    assert (counts.path.name, measures.path.name) == ("msds-apr2015-exp-data.csv", "msds-apr2015-exp-measures.csv")
    assert 80_000 < counts.rows < 90_000
    assert 65_000 < measures.rows < 75_000
    [(levels, codes)] = duckdb.sql(
        f"select count(distinct Org_Level), count(distinct Org_Code) from read_csv('{counts.path}', all_varchar = true)"
    ).fetchall()
    assert (levels, codes > 700) == (9, True)
    for made in (counts, measures):
        arrival = Arrival(registry.source(made.source_id), made.path.name, is_synthetic=True)
        landed = landing.land(Stores.of(home), made.path, arrival).manifest
        assert landed.rows_in == made.rows
        assert [check["rule"] for check in landed.checks if not check["success"]] == []


def test_the_most_disk_is_what_was_held_meanwhile(tmp_path: Path) -> None:
    with process.most_disk(tmp_path) as most:
        (tmp_path / "large").write_bytes(bytes(200_000_000))
        time.sleep(2 * process.SELDOM)
        (tmp_path / "large").unlink()
    assert most[0] > 100


def test_the_command_lists_its_options_without_importing_what_it_measures(cli: Callable[..., object]) -> None:
    heavy = ("duckdb", "pandas", "dlt", "psutil")
    code = f"import sys, pipeline.commands.app; print([n for n in {heavy} if n in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
    ran_help = cli("bench", "--help")
    for option in ("--sizes", "--scale", "--quick", "--json", "--check", "--write", "--only"):
        assert option in ran_help.out  # type: ignore[attr-defined]


def test_sizes_that_are_no_numbers_are_a_usage_error(home: Home, cli: Callable[..., object]) -> None:
    ran = cli("bench", "--sizes", "big")
    assert ran.code == 2  # type: ignore[attr-defined]


@pytest.mark.parametrize("id_", ["landing_1gb_beside_pandas", "refresh_nothing_new", "queries_10x"])
def test_the_three_figures_of_the_readme_are_the_committed_ones(id_: str) -> None:
    [figure] = [item for run in figures.committed() for item in run["figures"] if item["id"] == id_]
    readme = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")
    assert f"**{figures.shown(figure['value'], figure['unit'])}**" in readme


def test_the_tables_of_the_guide_are_those_of_the_committed_figures() -> None:
    guide = figures.GUIDE.read_text(encoding="utf-8")
    assert figures.with_table(guide, "\n\n".join(map(figures.markdown, figures.committed()))) == guide


def test_the_committed_figures_can_be_compared_with() -> None:
    assert all(run["machine"]["cpu"] for run in figures.committed())
    assert sum(len(run["figures"]) for run in figures.committed()) == len(figures.known())
    assert all(value > 0 for value in figures.known().values())
