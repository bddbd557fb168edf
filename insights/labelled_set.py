"""The project's labelled set (labelled/); labelled/README.md says what it is and is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from insights.themes import FIRST_VERSION, load_themes, theme_ids
from perinatal.csv_rows import read_rows
from perinatal.errors import PerinatalError

FOLDER = Path(__file__).parent / "labelled"
COLUMNS = ("finding_id", "source", "text", "labels_pass1", "labels_pass2", "labels")
ONCE_COLUMNS = ("finding_id", "source", "text", "labels")
ONCE_VERSION = "1.1"  # of the taxonomy that documents.csv was labelled with
UNKNOWN = -1
# Source families that no lexicon entry, feature or threshold may be tuned on. `pfd` was chosen before any
# tuning; `ombudsman` was written after the lexicon and the model were frozen.
HELD_OUT_SOURCES = ("lmns", "pfd")


@dataclass(frozen=True)
class Labelled:
    """One labelled finding: its adjudicated themes, the version of the taxonomy they were chosen from, both passes.

    A finding that was labelled once has no passes.
    """

    finding_id: str
    source: str
    text: str
    labels: frozenset[str]
    version: str
    pass1: frozenset[str] | None = None
    pass2: frozenset[str] | None = None


def load_labelled(folder: Path = FOLDER) -> list[Labelled]:
    """Read the labelled findings in the order of the files: those labelled twice, then those labelled once."""
    return [*_labelled_twice(folder / "findings.csv"), *_labelled_once(folder / "documents.csv")]


def _labelled_twice(path: Path) -> Iterator[Labelled]:
    for line, row in read_rows(path, COLUMNS):
        first, second, labels = (themes_of_cell(row[column], path, line) for column in COLUMNS[3:])
        yield Labelled(row["finding_id"], row["source"], row["text"], labels, FIRST_VERSION, first, second)


def _labelled_once(path: Path) -> Iterator[Labelled]:
    for line, row in read_rows(path, ONCE_COLUMNS):
        labels = themes_of_cell(row["labels"], path, line)
        yield Labelled(row["finding_id"], row["source"], row["text"], labels, ONCE_VERSION)


def truth_of(row: Labelled) -> NDArray[np.int8]:
    """Tell for every theme: 1 given, 0 not given, UNKNOWN where the theme is newer than the labels."""
    return np.array(
        [UNKNOWN if theme.since > row.version else int(theme.theme_id in row.labels) for theme in load_themes()],
        dtype=np.int8,
    )


def themes_of_cell(cell: str, path: Path, line: int) -> frozenset[str]:
    """Read theme ids separated by `;`; an empty cell is an answer. Raises PerinatalError on an unknown id."""
    found = frozenset(filter(None, (part.strip() for part in cell.split(";"))))
    unknown = sorted(found - set(theme_ids()))
    if unknown:
        raise PerinatalError(
            f"{path}, line {line}: unknown theme {', '.join(unknown)}. Use the ids of insights/taxonomy/themes.csv."
        )
    return found
