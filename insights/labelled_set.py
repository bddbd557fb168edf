"""The project's labelled set (labelled/findings.csv); labelled/README.md says what it is and is not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from insights.tables import read_rows
from insights.themes import theme_ids
from perinatal.errors import PerinatalError

LABELLED = Path(__file__).parent / "labelled" / "findings.csv"
COLUMNS = ("finding_id", "source", "text", "labels_pass1", "labels_pass2", "labels")
# Source families that no lexicon entry, feature or threshold may be tuned on. `pfd` was chosen before any
# tuning; `ombudsman` was written after the lexicon and the model were frozen.
HELD_OUT_SOURCES = ("lmns", "pfd")


@dataclass(frozen=True)
class Labelled:
    """One labelled finding: two separate passes and the adjudicated labels, as sets of theme ids."""

    finding_id: str
    source: str
    text: str
    pass1: frozenset[str]
    pass2: frozenset[str]
    labels: frozenset[str]


def load_labelled(path: Path = LABELLED) -> list[Labelled]:
    """Read the labelled findings in the order of the file."""
    return [
        Labelled(
            row["finding_id"],
            row["source"],
            row["text"],
            *(themes_of_cell(row[column], path, line) for column in COLUMNS[3:]),
        )
        for line, row in read_rows(path, COLUMNS)
    ]


def themes_of_cell(cell: str, path: Path, line: int) -> frozenset[str]:
    """Read theme ids separated by `;`; an empty cell is an answer. Raises PerinatalError on an unknown id."""
    found = frozenset(filter(None, (part.strip() for part in cell.split(";"))))
    unknown = sorted(found - set(theme_ids()))
    if unknown:
        raise PerinatalError(
            f"{path}, line {line}: unknown theme {', '.join(unknown)}. Use the ids of insights/taxonomy/themes.csv."
        )
    return found
