"""Evaluation on source families that were held out: `perinatal themes evaluate`.

Per theme precision, recall, F1 and support; macro and micro; percentile bootstrap intervals over findings
(seeded); beside the rules alone and the majority answer. The figures speak of synthetic texts written by this
project (labelled/README.md), not of publishers' texts.
"""

from __future__ import annotations

import json as jsonlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from insights.agreement import agreement
from insights.coding import Coder, train
from insights.labelled_set import HELD_OUT_SOURCES, Labelled, load_labelled
from insights.lexicon import default_lexicon
from insights.rules import read
from insights.themes import load_themes, taxonomy_version, theme_ids

SEED = 20261123
RESAMPLES = 1_000
LIMITS = (2.5, 97.5)  # percentiles
TARGET_MACRO, TARGET_MICRO = 0.60, 0.70
Answers = NDArray[np.bool_]


@dataclass(frozen=True)
class ThemeScore:
    """One theme on one held-out set."""

    theme_id: str
    label: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class Figure:
    """A figure with its 95% bootstrap interval."""

    value: float
    lower_95: float
    upper_95: float


@dataclass(frozen=True)
class Summary:
    """Macro F1 (over themes with support), micro F1, precision and recall of one way of coding."""

    macro_f1: Figure
    micro_f1: Figure
    micro_precision: Figure
    micro_recall: Figure


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
    """Measure a coder that was trained on `training_rows` on the rows of `sources`."""
    held_out = [row for row in rows if row.source in sources]
    truth = np.array([[theme in row.labels for theme in theme_ids()] for row in held_out])
    answers = {
        "rules and model": _coded(coder, held_out),
        "rules only": _rules_only(held_out),
        "majority": _majority(training_rows(rows), len(held_out)),
    }
    return Report(
        tuple(sources),
        len(held_out),
        int(truth.sum()),
        {name: summary(truth, answer) for name, answer in answers.items()},
        _by_theme(truth, answers["rules and model"]),
    )


def _coded(coder: Coder, rows: Sequence[Labelled]) -> Answers:
    given = {(a.finding_id, a.theme_id) for a in coder.code([(row.finding_id, row.text) for row in rows])}
    return np.array([[(row.finding_id, theme) in given for theme in theme_ids()] for row in rows])


def _rules_only(rows: Sequence[Labelled]) -> Answers:
    answers = np.zeros((len(rows), len(theme_ids())), dtype=bool)
    for place, row in enumerate(rows):
        hits = read(row.text, default_lexicon()).hits
        answers[place] = [bool(theme in hits and hits[theme].include) for theme in theme_ids()]
    return answers


def _majority(training: Sequence[Labelled], size: int) -> Answers:
    """Give the commonest theme of the training texts, for every finding."""
    counts = [sum(theme in row.labels for row in training) for theme in theme_ids()]
    answers = np.zeros((size, len(counts)), dtype=bool)
    answers[:, int(np.argmax(counts))] = True
    return answers


def _ratio(top: NDArray[np.float64], bottom: NDArray[np.float64]) -> NDArray[np.float64]:
    ratio: NDArray[np.float64] = np.divide(top, bottom, out=np.zeros_like(top, dtype=float), where=bottom > 0)
    return ratio


def _measures(truth: Answers, answer: Answers) -> NDArray[np.float64]:
    """Macro F1, micro F1, micro precision, micro recall."""
    hit = (truth & answer).sum(axis=0).astype(float)
    given, real = answer.sum(axis=0).astype(float), truth.sum(axis=0).astype(float)
    macro = _ratio(2 * hit, given + real)[real > 0].mean() if real.any() else 0.0
    total = np.array([hit.sum()])
    micro = [_ratio(k * total, np.array([b]))[0] for k, b in ((2, given.sum() + real.sum()), (1, given.sum()))]
    return np.array([macro, *micro, _ratio(total, np.array([real.sum()]))[0]])


def summary(truth: Answers, answer: Answers) -> Summary:
    """Measures with bootstrap intervals: findings are drawn with replacement, RESAMPLES times."""
    generator = np.random.default_rng(SEED)
    size = len(truth)
    drawn = []
    for _ in range(RESAMPLES):
        sample = generator.integers(0, size, size)
        drawn.append(_measures(truth[sample], answer[sample]))
    lower, upper = np.percentile(np.array(drawn), LIMITS, axis=0)
    values = _measures(truth, answer)
    return Summary(*(Figure(*map(float, three)) for three in zip(values, lower, upper, strict=True)))


def _by_theme(truth: Answers, answer: Answers) -> list[ThemeScore]:
    scores = []
    for column, theme in enumerate(load_themes()):
        real, given = truth[:, column], answer[:, column]
        hit, support, named = int((real & given).sum()), int(real.sum()), int(given.sum())
        precision = hit / named if named else 0.0
        recall = hit / support if support else 0.0
        f1 = 2 * hit / (support + named) if support + named else 0.0
        scores.append(ThemeScore(theme.theme_id, theme.label, precision, recall, f1, support))
    return scores


def main(out: TextIO, json: bool = False) -> None:
    """Print the evaluation: each held-out source, then the self-consistency of the labels."""
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
    out.write(f"{'':<17}{'macro F1':<21}{'micro F1':<21}{'precision':<21}{'recall':<21}\n")
    for name, way in report.ways.items():
        figures = (way.macro_f1, way.micro_f1, way.micro_precision, way.micro_recall)
        cells = "".join(f"{f'{f.value:.3f} ({f.lower_95:.3f}–{f.upper_95:.3f})':<21}" for f in figures)
        out.write(f"{name:<17}{cells}\n")
    if len(report.sources) < len(HELD_OUT_SOURCES):
        return
    out.write(f"\n{'theme':<52}{'precision':>10}{'recall':>8}{'F1':>7}{'support':>9}\n")
    for theme in report.themes:
        name = f"{theme.theme_id} {theme.label}"
        out.write(f"{name:<52}{theme.precision:>10.2f}{theme.recall:>8.2f}{theme.f1:>7.2f}{theme.support:>9}\n")
