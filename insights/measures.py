"""Precision, recall and F1 of coded themes, with percentile bootstrap intervals over findings (seeded)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from insights.themes import Theme

SEED = 20261123
RESAMPLES = 1_000
LIMITS = (2.5, 97.5)  # percentiles
Answers = NDArray[np.bool_]  # findings x themes


@dataclass(frozen=True)
class ThemeScore:
    """One theme on one set of findings; `support` is how often it is right to give it."""

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
    """Macro F1 (over themes with enough support), micro F1, precision and recall of one way of coding."""

    macro_f1: Figure
    micro_f1: Figure
    micro_precision: Figure
    micro_recall: Figure


def answer_table(coded: Sequence[frozenset[str]], themes: Sequence[Theme]) -> Answers:
    """Tabulate sets of theme ids: findings x themes; ids of other themes are left out."""
    return np.array([[theme.theme_id in given for theme in themes] for given in coded])


def summary(truth: Answers, answer: Answers, min_support: int = 1) -> Summary:
    """Measures with intervals; macro over the themes with at least `min_support` findings in the whole set."""
    generator = np.random.default_rng(SEED)
    size, in_macro = len(truth), truth.sum(axis=0) >= min_support
    drawn = []
    for _ in range(RESAMPLES):
        sample = generator.integers(0, size, size)
        drawn.append(_measures(truth[sample], answer[sample], in_macro))
    lower, upper = np.percentile(np.array(drawn), LIMITS, axis=0)
    values = _measures(truth, answer, in_macro)
    return Summary(*(Figure(*map(float, three)) for three in zip(values, lower, upper, strict=True)))


def _measures(truth: Answers, answer: Answers, in_macro: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Macro F1, micro F1, micro precision, micro recall."""
    hit = (truth & answer).sum(axis=0).astype(float)
    given, real = answer.sum(axis=0).astype(float), truth.sum(axis=0).astype(float)
    counted = in_macro & (real > 0)
    macro = _ratio(2 * hit, given + real)[counted].mean() if counted.any() else 0.0
    total = np.array([hit.sum()])
    micro = [_ratio(k * total, np.array([b]))[0] for k, b in ((2, given.sum() + real.sum()), (1, given.sum()))]
    return np.array([macro, *micro, _ratio(total, np.array([real.sum()]))[0]])


def _ratio(top: NDArray[np.float64], bottom: NDArray[np.float64]) -> NDArray[np.float64]:
    ratio: NDArray[np.float64] = np.divide(top, bottom, out=np.zeros_like(top, dtype=float), where=bottom > 0)
    return ratio


def theme_scores(themes: Sequence[Theme], truth: Answers, answer: Answers) -> list[ThemeScore]:
    """Score each theme by itself; the columns of `truth` and `answer` are `themes`."""
    scores = []
    for column, theme in enumerate(themes):
        real, given = truth[:, column], answer[:, column]
        hit, support, named = int((real & given).sum()), int(real.sum()), int(given.sum())
        precision = hit / named if named else 0.0
        recall = hit / support if support else 0.0
        f1 = 2 * hit / (support + named) if support + named else 0.0
        scores.append(ThemeScore(theme.theme_id, theme.label, precision, recall, f1, support))
    return scores


def print_ways(ways: dict[str, Summary], out: TextIO) -> None:
    """Print one line a way of coding: macro and micro F1, precision, recall, each with its interval."""
    out.write(f"{'':<17}{'macro F1':<21}{'micro F1':<21}{'precision':<21}{'recall':<21}\n")
    for name, way in ways.items():
        figures = (way.macro_f1, way.micro_f1, way.micro_precision, way.micro_recall)
        cells = "".join(f"{f'{f.value:.3f} ({f.lower_95:.3f}–{f.upper_95:.3f})':<21}" for f in figures)
        out.write(f"{name:<17}{cells}\n")


def print_themes(scores: Sequence[ThemeScore], out: TextIO) -> None:
    """Print one line a theme."""
    out.write(f"\n{'theme':<52}{'precision':>10}{'recall':>8}{'F1':>7}{'support':>9}\n")
    for theme in scores:
        name = f"{theme.theme_id} {theme.label}"
        out.write(f"{name:<52}{theme.precision:>10.2f}{theme.recall:>8.2f}{theme.f1:>7.2f}{theme.support:>9}\n")
