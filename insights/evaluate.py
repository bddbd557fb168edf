"""Evaluation on source families that were held out: `perinatal themes evaluate`.

Per theme precision, recall, F1 and support; macro and micro with intervals; beside the rules alone and the majority
answer. The figures speak of synthetic texts written by this project (labelled/README.md) and flatter; with a file of
coded passages (`--labels`) insights.passages measures on those instead.
"""

from __future__ import annotations

import json as jsonlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

import numpy as np

from insights import passages
from insights.agreement import agreement
from insights.coding import Coder, train
from insights.labelled_set import HELD_OUT_SOURCES, Labelled, load_labelled
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
from insights.themes import Theme, first_themes, taxonomy_version

TARGET_MACRO, TARGET_MICRO = 0.60, 0.70


@dataclass(frozen=True)
class Report:
    """Everything measured on one held-out set."""

    sources: tuple[str, ...]
    findings: int
    labels: int
    ways: dict[str, Summary]
    themes: list[ThemeScore]


def training_rows(rows: Sequence[Labelled]) -> list[Labelled]:
    """Leave out every source that is held out."""
    return [row for row in rows if row.source not in HELD_OUT_SOURCES]


def evaluate(rows: Sequence[Labelled], sources: Sequence[str], coder: Coder) -> Report:
    """Measure a coder that was trained on `training_rows` on the rows of `sources`, over the themes of 1.0."""
    held_out = [row for row in rows if row.source in sources]
    themes = first_themes()
    truth = answer_table([row.labels for row in held_out], themes)
    texts = [(row.finding_id, row.text) for row in held_out]
    answers = {
        "rules and model": answer_table(coder.themes(texts), themes),
        "rules only": answer_table(coder.themes_by_rules(texts), themes),
        "majority": _majority(training_rows(rows), len(held_out), themes),
    }
    return Report(
        tuple(sources),
        len(held_out),
        int(truth.sum()),
        {name: summary(truth, answer) for name, answer in answers.items()},
        theme_scores(themes, truth, answers["rules and model"]),
    )


def _majority(training: Sequence[Labelled], size: int, themes: Sequence[Theme]) -> Answers:
    """Give the commonest theme of the training texts, for every finding."""
    counts = [sum(theme.theme_id in row.labels for row in training) for theme in themes]
    answers = np.zeros((size, len(counts)), dtype=bool)
    answers[:, int(np.argmax(counts))] = True
    return answers


def main(out: TextIO, json: bool = False, labels: Path | None = None) -> None:
    """Print the evaluation: on the passages of `labels`, or on each held-out source with the labels' consistency."""
    if labels is not None:
        passages.main(labels, out, json)
        return
    rows = load_labelled()
    coder = train(training_rows(rows))
    reports = [evaluate(rows, sources, coder) for sources in (*((s,) for s in HELD_OUT_SOURCES), HELD_OUT_SOURCES)]
    consistency = agreement(rows)
    if json:
        document = {
            "taxonomy_version": taxonomy_version(),
            "targets": {"macro_f1": TARGET_MACRO, "micro_f1": TARGET_MICRO},
            "held_out": [asdict(report) for report in reports],
            "self_consistency": asdict(consistency),
        }
        out.write(jsonlib.dumps(document, indent=2) + "\n")
        return
    trained = len(training_rows(rows))
    out.write(f"Taxonomy {taxonomy_version()}; {trained} training findings; synthetic texts of this project.\n")
    for report in reports:
        _print_report(report, out)
    out.write(
        f"\nSelf-consistency of two labelling passes by one author ({consistency.findings} findings): "
        f"identical {consistency.identical / consistency.findings:.1%}, "
        f"Cohen's kappa {consistency.cohen_kappa:.3f}, "
        f"Krippendorff's alpha {consistency.krippendorff_alpha:.3f}.\n"
    )


def _print_report(report: Report, out: TextIO) -> None:
    out.write(f"\nHeld out: {', '.join(report.sources)} ({report.findings} findings, {report.labels} labels)\n")
    print_ways(report.ways, out)
    if len(report.sources) < len(HELD_OUT_SOURCES):
        return
    print_themes(report.themes, out)
