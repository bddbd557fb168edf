"""What a measurement comes to: ratios with their targets, as a table for people and as JSON; the regression guard."""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, Literal

import psutil

from perinatal.errors import PerinatalError
from perinatal.settings import PROJECT_ROOT

COMMITTED = PROJECT_ROOT / "docs" / "bench.json"
GUIDE = PROJECT_ROOT / "docs" / "scale.md"
BEGIN, END = "<!-- perinatal bench: begin -->", "<!-- perinatal bench: end -->"


@dataclass(frozen=True)
class Figure:
    """One figure: a ratio (unit "×" or "%"), or what a target sets an absolute limit to (MB, ms, s).

    `margin` says by what share it may be worse than the committed one before `--check` fails; without one it is not
    guarded, because it depends on the machine.
    """

    id: str
    what: str
    value: float
    unit: Literal["×", "%", "MB", "ms", "s"]
    better: Literal["higher", "lower"]
    target: float | None = None
    margin: float | None = None
    note: str = ""

    @property
    def is_met(self) -> bool | None:
        """Tell whether the target is met; None where there is none."""
        if self.target is None:
            return None
        return self.value >= self.target if self.better == "higher" else self.value <= self.target

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self) | {"is_met": self.is_met}


def paired(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, str]:
    """Return the median of theirs ÷ ours (above 1: we are faster), each pair measured in turn, and its range."""
    ratios = sorted(other / own for own, other in zip(ours, theirs, strict=True))
    spread = f"{ratios[0]:.2f}–{ratios[-1]:.2f} in {len(ratios)} pairs" if len(ratios) > 1 else "one pair"
    return median(ratios), spread


def machine() -> dict[str, Any]:
    """Return what it was measured on, and how busy that was at the start."""
    import duckdb

    try:
        cpu = re.findall(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))[0].strip()
    except (OSError, IndexError):
        cpu = platform.processor() or platform.machine()
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9),
        "load_at_start": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "duckdb": duckdb.__version__,
        "measured_on": f"{datetime.now(UTC):%Y-%m-%d}",
    }


def document(about: dict[str, Any], figures: Sequence[Figure], runs: dict[str, Any]) -> dict[str, Any]:
    """Return one run of the bench as a JSON document: the machine, the figures, the runs that they come from."""
    return {"machine": about, "figures": [figure.to_dict() for figure in figures], "runs": runs}


def with_run(committed: Sequence[dict[str, Any]], new: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the committed runs with a new one: what it measured is no longer in older ones, the rest stays there."""
    measured = {item["id"] for item in new["figures"]}
    older = [run | {"figures": [item for item in run["figures"] if item["id"] not in measured]} for run in committed]
    return [*(run for run in older if run["figures"]), new]


def markdown(run: dict[str, Any]) -> str:
    """Return a run as the table of docs/scale.md, with the machine named."""
    lines = ["| Measured | Figure | Target | |", "|---|---|---|---|"]
    for item in run["figures"]:
        figure = Figure(**{name: value for name, value in item.items() if name != "is_met"})
        met = {True: "met", False: "**not met**", None: ""}[figure.is_met]
        note = f" ({figure.note})" if figure.note else ""
        lines.append(f"| {figure.what}{note} | {shown(figure.value, figure.unit)} | {_target(figure)} | {met} |")
    about = run["machine"]
    lines += [
        "",
        f"Measured on {about['measured_on']}: {about['cpu']}, {about['cores']} cores, {about['memory_gb']} GB, "
        f"load {about['load_at_start']} at the start; Python {about['python']}, DuckDB {about['duckdb']}.",
    ]
    return "\n".join(lines)


def _target(figure: Figure) -> str:
    if figure.target is None:
        return ""
    return f"{'≥' if figure.better == 'higher' else '≤'} {shown(figure.target, figure.unit)}"


def shown(value: float, unit: str) -> str:
    """Return a figure as people read it: `0.64×`, `462 MB`, `28 ms`."""
    digits = 0 if unit in ("MB", "ms", "%") and value >= 10 else 2
    return f"{value:,.{digits}f}{'' if unit in '×%' else ' '}{unit}"


def with_table(text: str, table: str) -> str:
    """Return the text with the table between its two marks. Raises PerinatalError where a mark is missing."""
    before, mark, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not mark or not end:
        raise PerinatalError(f"{GUIDE.name}: the marks {BEGIN} and {END} are missing; put them where the table belongs")
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


def write(new: dict[str, Any]) -> None:
    """Add a run to the committed ones, and write them and their tables in docs/scale.md."""
    found = with_run(committed(), new)
    COMMITTED.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    tables = "\n\n".join(map(markdown, found))
    GUIDE.write_text(with_table(GUIDE.read_text(encoding="utf-8"), tables), "utf-8")


def committed() -> list[dict[str, Any]]:
    """Return the committed runs, oldest first; each figure stands in one of them."""
    if not COMMITTED.exists():
        return []
    found: list[dict[str, Any]] = json.loads(COMMITTED.read_text(encoding="utf-8"))
    return found


def known() -> dict[str, float]:
    """Return the committed figures by their id. Raises PerinatalError where there are none."""
    found = {item["id"]: item["value"] for run in committed() for item in run["figures"]}
    if not found:
        raise PerinatalError(f"{COMMITTED}: no committed figures; run `perinatal bench --write` once")
    return found


def regressions(figures: Sequence[Figure], known: dict[str, float]) -> list[str]:
    """Return a line for each guarded figure that is worse than the committed one by more than its margin."""
    found = []
    for figure in figures:
        if figure.margin is None or figure.id not in known:
            continue
        before = known[figure.id]
        limit = before * (1 - figure.margin) if figure.better == "higher" else before * (1 + figure.margin)
        if figure.value < limit if figure.better == "higher" else figure.value > limit:
            found.append(
                f"{figure.what}: {shown(figure.value, figure.unit)}, was {shown(before, figure.unit)} "
                f"(may be {'as low' if figure.better == 'higher' else 'as high'} as {shown(limit, figure.unit)})"
            )
    return found
