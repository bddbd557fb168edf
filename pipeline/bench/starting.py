"""How soon the command line answers."""

from __future__ import annotations

import sys
from statistics import median
from typing import Any, Final

from pipeline.bench import process
from pipeline.bench.figures import Figure

TIMES: Final = 9
LIMIT: Final = 0.4


def measure() -> tuple[list[Figure], dict[str, Any]]:
    """Ask for the help, and start Python alone, in turn."""
    ours, bare = [], []
    for _ in range(TIMES):
        ours.append(process.child("pipeline.commands.app", "--help"))
        bare.append(process.run(sys.executable, "-c", "pass"))
    seconds = median(ran.seconds for ran in ours)
    ratio = seconds / median(ran.seconds for ran in bare)
    figure = Figure(
        "cli_start", "`perinatal --help`", seconds, "s", "lower", LIMIT, None, f"{ratio:.1f} × Python's own start"
    )
    return [figure], {"cli_start": [ran.seconds for ran in ours], "python_start": [ran.seconds for ran in bare]}
