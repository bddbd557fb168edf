"""Evaluation on passages that two people coded apart: `perinatal themes evaluate --labels FILE.csv`.

The coder is measured against each of the two and against "either": a theme that only one of them gave counts as
right where the coder gives it, and is no miss where it does not. Measured are the themes that the passages were
coded to, those of taxonomy 1.0; themes that came later are only counted.
"""

from __future__ import annotations

import json as jsonlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

from insights.coding import Coder, train
from insights.labelled_set import themes_of_cell
from insights.measures import (
    Answers,
    Summary,
    ThemeScore,
    answer_table,
    print_themes,
    print_ways,
    summary,
    theme_scores,
)
from insights.themes import FIRST_VERSION, first_themes, load_themes, taxonomy_version
from perinatal.csv_rows import read_rows
from perinatal.errors import PerinatalError

COLUMNS = ("finding_id", "source", "text", "themes_a", "themes_b")
MIN_SUPPORT = 4  # passages that a theme needs to count in the macro figure
TARGET_MICRO, TARGET_EMPTY = 0.78, 0.10


@dataclass(frozen=True)
class Passage:
    """One passage with the themes that two people gave it, apart from one another."""

    finding_id: str
    source: str
    text: str
    themes_a: frozenset[str]
    themes_b: frozenset[str]


@dataclass(frozen=True)
class PassageReport:
    """Everything measured on a file of passages; shares are from 0 to 1."""

    passages: int
    ways: dict[str, Summary]
    themes: list[ThemeScore]
    macro_themes: int
    empty: int
    empty_with_theme: int
    new_themes: dict[str, int]


def load_passages(path: Path) -> list[Passage]:
    """Read the passages. Raises PerinatalError with the line of an unknown theme or of an id that comes twice."""
    passages: dict[str, Passage] = {}
    for line, row in read_rows(path, COLUMNS):
        if row["finding_id"] in passages:
            raise PerinatalError(f"{path}, line {line}: finding_id {row['finding_id']!r} comes twice. Remove one.")
        coded_a, coded_b = (themes_of_cell(row[column], path, line) for column in COLUMNS[3:])
        passages[row["finding_id"]] = Passage(row["finding_id"], row["source"], row["text"], coded_a, coded_b)
    if not passages:
        raise PerinatalError(f"{path}: no passage. Expected one row a passage with {', '.join(COLUMNS)}.")
    return list(passages.values())


def evaluate_passages(passages: Sequence[Passage], coder: Coder) -> PassageReport:
    """Measure a coder on passages, beside the phrases of the lexicon alone."""
    themes = first_themes()
    first = answer_table([p.themes_a for p in passages], themes)
    second = answer_table([p.themes_b for p in passages], themes)
    texts = [(p.finding_id, p.text) for p in passages]
    coded = coder.themes(texts)
    given, phrases = answer_table(coded, themes), answer_table(coder.themes_by_rules(texts), themes)
    either = _either(first, second, given)
    truths = {"either coder": either, "coder a": first, "coder b": second}
    ways = {name: summary(truth, given, MIN_SUPPORT) for name, truth in truths.items()}
    ways["rules only"] = summary(_either(first, second, phrases), phrases, MIN_SUPPORT)
    empty = ~(first | second).any(axis=1)
    return PassageReport(
        len(passages),
        ways,
        theme_scores(themes, either, given),
        int((either.sum(axis=0) >= MIN_SUPPORT).sum()),
        int(empty.sum()),
        int(given[empty].any(axis=1).sum()),
        _new_themes(coded),
    )


def _new_themes(coded: Sequence[frozenset[str]]) -> dict[str, int]:
    new = [theme.theme_id for theme in load_themes() if theme.since != FIRST_VERSION]
    return {theme_id: sum(theme_id in themes for themes in coded) for theme_id in new}


def _either(first: Answers, second: Answers, given: Answers) -> Answers:
    """Truth by either coder: what both gave, and what one gave wherever the answer has it too."""
    both: Answers = (first & second) | ((first | second) & given)
    return both


def main(labels: Path, out: TextIO, json: bool = False) -> None:
    """Print the evaluation of the coder, as it codes new findings, on the passages of `labels`."""
    report = evaluate_passages(load_passages(labels), train())
    if json:
        targets = {"micro_f1": TARGET_MICRO, "empty_with_theme_share": TARGET_EMPTY}
        document = {"taxonomy_version": taxonomy_version(), "targets": targets, **asdict(report)}
        out.write(jsonlib.dumps(document, indent=2) + "\n")
        return
    out.write(f"Taxonomy {taxonomy_version()}; {report.passages} passages; themes of {FIRST_VERSION}.\n")
    out.write(f"Macro over the {report.macro_themes} themes with at least {MIN_SUPPORT} passages.\n\n")
    print_ways(report.ways, out)
    print_themes([theme for theme in report.themes if theme.support], out)
    share = report.empty_with_theme / report.empty if report.empty else 0.0
    out.write(f"\nPassages without a theme that got one: {report.empty_with_theme} of {report.empty} ({share:.0%}).\n")
    new = ", ".join(f"{theme_id} {count}" for theme_id, count in report.new_themes.items())
    out.write(f"Passages that got a theme newer than {FIRST_VERSION} (not measured): {new or 'none'}.\n")
