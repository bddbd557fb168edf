"""Run dbt: one process a run, with everything it writes inside the run's folder or the cache, telemetry off.

`python -m warehouse.dbt parse` checks the project without a warehouse (used by `make check`).
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from perinatal.console import say, say_detail
from perinatal.durable import write_atomically
from perinatal.errors import PerinatalError
from perinatal.settings import PROJECT_ROOT, Settings

PROJECT = PROJECT_ROOT / "dbt_project"
RUN = "from dbt.cli.main import cli; cli()"
# A builder that is killed takes its dbt with it: standard input is a pipe that ends when the builder does.
WATCH = "import os, threading; threading.Thread(target=lambda: (os.read(0, 1), os._exit(1)), daemon=True).start()"
RESULTS = "run_results.json"
# of dbt's lines those that say how a model or seed went, and the sums at the end
MODEL_LINE = re.compile(r" (OK|ERROR) (created|creating|loaded|loading) |Finished running |Done\. PASS=")
MANIFEST = "manifest.json"
MEMORY = "Out of Memory Error"  # how DuckDB says it


class OutOfMemory(PerinatalError):
    """Models needed more memory than a build may have."""


@dataclass(frozen=True)
class Warehouse:
    """Where one run works: the working file (staging), the candidate (what ships), scratch space and limits."""

    work_db: Path
    candidate_db: Path
    scratch: Path
    memory_limit: str = Settings.model_fields["memory_limit"].default
    threads: int = 2


def _environment(warehouse: Warehouse | None) -> dict[str, str]:
    environment = {
        **os.environ,
        "DO_NOT_TRACK": "1",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DBT_PROFILES_DIR": str(PROJECT),
        "PYTHONHASHSEED": "0",
    }
    if warehouse:
        environment |= {
            "PERINATAL_WORK_DB": str(warehouse.work_db),
            "PERINATAL_CANDIDATE_DB": str(warehouse.candidate_db),
            "PERINATAL_DUCKDB_TEMP": str(warehouse.scratch),
            "PERINATAL_DUCKDB_MEMORY": warehouse.memory_limit,
            "PERINATAL_DBT_THREADS": str(warehouse.threads),
        }
    return environment


def command(verb: str, target: Path, *more: str, program: str = RUN) -> list[str]:
    """Return the command line of one dbt call."""
    return [
        sys.executable,
        "-c",
        program,
        verb,
        "--project-dir",
        str(PROJECT),
        "--target-path",
        str(target),
        "--log-path",
        str(target / "logs"),
        "--no-use-colors",
        *more,
    ]


def build(
    warehouse: Warehouse, target: Path, variables: dict[str, Any], log: Path, *select: str, unit_tests: bool = False
) -> None:
    """Build every seed, model and data test once. Raises with the first failures and where the log lies.

    Models that run side by side share DuckDB's memory, and some of what they hold cannot be spilled. Where it runs out,
    the models that are left are made one at a time, in a process that holds nothing yet.

    Unit tests say nothing about data: they run in the project's own tests, not in builds.
    """
    without = () if unit_tests else ("--exclude-resource-type", "unit_test")
    try:
        _run(warehouse, target, variables, log, "build", *without, *select)
    except OutOfMemory:
        if warehouse.threads == 1:
            raise
        say("  out of memory with models side by side: what is left of them is made one by one")
        before = _results(target)
        _run(replace(warehouse, threads=1), target, variables, log, "retry")
        made = _results(target)
        again = {item["unique_id"] for item in made["results"]}
        made["results"] += [item for item in before["results"] if item["unique_id"] not in again]
        write_atomically(target / RESULTS, json.dumps(made))


def lay_out(warehouse: Warehouse, target: Path, variables: dict[str, Any], log: Path) -> dict[str, Any]:
    """Make every seed, and every model as an empty table of its columns and types; returns the compiled project.

    It is dbt's manifest, with the SQL of each model and test as DuckDB would run it over the rows. The results of the
    tables stay in `target`.
    """
    _run(warehouse, target, variables, log, "compile")
    manifest: dict[str, Any] = json.loads((target / MANIFEST).read_text(encoding="utf-8"))
    without = ("--exclude-resource-type", "unit_test", "--exclude-resource-type", "test")
    _run(warehouse, target, variables, log, "build", "--empty", *without)
    return manifest


def _run(warehouse: Warehouse, target: Path, variables: dict[str, Any], log: Path, verb: str, *more: str) -> None:
    """Run dbt in a process of its own. Raises with the first failures: OutOfMemory where that is why."""
    target.mkdir(parents=True, exist_ok=True)
    if verb != "retry":  # which goes on from them
        (target / RESULTS).unlink(missing_ok=True)
    arguments = ["--vars", json.dumps(variables, sort_keys=True), *more]
    with (
        log.open("a" if verb == "retry" else "w", encoding="utf-8") as out,
        subprocess.Popen(
            command(verb, target, *arguments, program=f"{WATCH}\n{RUN}"),
            env=_environment(warehouse),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        ) as running,
    ):
        for line in running.stdout or ():
            out.write(line)
            if MODEL_LINE.search(line):
                say_detail(f"dbt {line.strip()}")
        returncode = running.wait()
    if returncode:
        failed = f"dbt {verb} failed: {_first_failures(target, log)}. The whole log: {log}"
        if MEMORY not in failed or not (target / RESULTS).exists():
            raise PerinatalError(failed)
        raise OutOfMemory(f"{failed}. Give a build more memory: PERINATAL_MEMORY_LIMIT is {warehouse.memory_limit} now")


def _results(target: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((target / RESULTS).read_text(encoding="utf-8"))
    return found


def _first_failures(target: Path, log: Path) -> str:
    if not (target / RESULTS).exists():
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        last = next((line.strip()[:300] for line in reversed(lines) if "Error" in line), "no error is given")
        return f"it ended before any result was written ({last})"
    failed = [
        f"{item['unique_id'].split('.', 2)[-1]}: {' '.join(str(item['message']).split())[:300]}"
        for item in _results(target)["results"]
        if item["status"] in ("error", "fail", "runtime error")
    ]
    more = f" (and {len(failed) - 2} more)" if len(failed) > 2 else ""
    return "; ".join(failed[:2]) + more


def main() -> int:
    """Check that the project parses."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            command("parse", Path(folder), "--quiet", "--warn-error"),
            env=_environment(None),
            check=False,
        )
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
