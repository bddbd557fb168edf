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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from perinatal.console import say_detail
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

    Unit tests say nothing about data: they run in the project's own tests, not in builds.
    """
    without = () if unit_tests else ("--exclude-resource-type", "unit_test")
    _run(warehouse, target, variables, log, "build", *without, *select)


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
    """Run dbt in a process of its own. Raises with the first failures."""
    target.mkdir(parents=True, exist_ok=True)
    (target / RESULTS).unlink(missing_ok=True)
    arguments = ["--vars", json.dumps(variables, sort_keys=True), *more]
    with (
        log.open("w", encoding="utf-8") as out,
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
        raise PerinatalError(f"dbt {verb} failed: {_first_failures(target, log)}. The whole log: {log}")


def _first_failures(target: Path, log: Path) -> str:
    results = target / RESULTS
    if not results.exists():
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        last = next((line.strip()[:300] for line in reversed(lines) if "Error" in line), "no error is given")
        return f"it ended before any result was written ({last})"
    failed = [
        f"{item['unique_id'].split('.', 2)[-1]}: {' '.join(str(item['message']).split())[:300]}"
        for item in json.loads(results.read_text(encoding="utf-8"))["results"]
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
