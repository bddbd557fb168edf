"""The linear model: one logistic regression a theme on TF-IDF, weighed against the rules.

Two small logistic regressions turn phrases and text scores into one score between 0 and 1.

Everything is deterministic: fixed folds, a fixed solver order, no clock, no hash order. Training takes about
a second, so no fitted model is stored; what people decide today is learned tomorrow.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from insights.labelled_set import UNKNOWN
from insights.patterns import WORD
from insights.rules import Reading
from insights.themes import load_themes, theme_ids

STEM_LENGTH = 6  # letters: "monitoring", "monitored" and "monitors" become one feature
FOLDS = 5
THRESHOLD = 0.5  # chosen on sources that the evaluation trains on; never on a held-out source
TEXT_C = 8.0  # inverse strength of the text model's regularisation
WEIGH_C = 0.3  # the same for the weighing model
# without a phrase of the lexicon a theme must be this sure (log-odds above 0) to be given: on coded passages of real
# documents a model that learned from synthetic text adds more wrong themes than right ones (docs/themes.md)
HANDICAP = 4.0
# where a strong phrase stands, the model may only reject it clearly: its words are those of synthetic texts
CREDIT = 0.4
MIN_POSITIVE = 3  # a theme with fewer positive texts is left to the rules
DIGITS = re.compile(r"\d+")
# words that carry no theme: alone they would speak for one in a text that is about something else
EMPTY_STEMS = {word[:STEM_LENGTH] for word in ENGLISH_STOP_WORDS} - {"no", "not", "never", "withou"}
Matrix = NDArray[np.float64]
Truth = NDArray[np.int8]


@dataclass
class TextModel:
    """TF-IDF and one weight vector a theme."""

    vectorizer: Any
    weights: Matrix  # themes x features
    offsets: Matrix  # themes

    def scores(self, texts: Sequence[str]) -> Matrix:
        """Log-odds, texts x themes."""
        return np.asarray(self.vectorizer.transform(texts) @ self.weights.T + self.offsets)

    def strongest_word(self, text: str, theme: int) -> tuple[int, int] | None:
        """Offsets of the word (or pair of words) that speaks most for a theme; None where none does."""
        spots = feature_spots(text)
        names = self.vectorizer.vocabulary_
        row = self.vectorizer.transform([text])
        values = dict(zip(row.indices.tolist(), row.data.tolist(), strict=True))
        best: tuple[float, int, int] | None = None
        for name, start, end in spots:
            column = names.get(name)
            if column is None:
                continue
            weight = values[column] * float(self.weights[theme, column])
            if weight > 0 and (best is None or weight > best[0]):
                best = (weight, start, end)
        return best[1:] if best else None


def feature_spots(text: str) -> list[tuple[str, int, int]]:
    """List the features of a (lower-case) text with offsets: stems, then pairs; none made of empty stems alone."""
    words = [(DIGITS.sub("0", m.group())[:STEM_LENGTH], m.start(), m.end()) for m in WORD.finditer(text)]
    pairs = [(f"{a[0]} {b[0]}", a[1], b[2]) for a, b in pairwise(words)]
    return [spot for spot in words + pairs if not EMPTY_STEMS.issuperset(spot[0].split())]


def features(text: str) -> list[str]:
    """List the names of a text's features."""
    return [name for name, _, _ in feature_spots(text)]


def fit_text_model(texts: Sequence[str], truth: Truth) -> TextModel:
    """Fit on texts and truth (texts x themes: 1 yes, 0 no, -1 unknown); definitions help as extra texts."""
    extra = [f"{theme.label} {theme.definition}".lower() for theme in load_themes()]
    both = np.vstack([truth, np.eye(len(extra), dtype=np.int8)])
    vectorizer = TfidfVectorizer(analyzer=features, sublinear_tf=True, min_df=2)
    table = vectorizer.fit_transform([*texts, *extra])
    weights = np.zeros((truth.shape[1], table.shape[1]))
    offsets = np.full(truth.shape[1], -6.0)
    for theme in range(truth.shape[1]):
        known = both[:, theme] != UNKNOWN
        if int((both[:, theme] == 1).sum()) < MIN_POSITIVE:
            continue
        fitted = LogisticRegression(solver="liblinear", C=TEXT_C, class_weight={0: 1.0, 1: 8.0}, random_state=0)
        fitted.fit(table[known], both[known, theme])
        weights[theme], offsets[theme] = fitted.coef_[0], float(fitted.intercept_[0])
    return TextModel(vectorizer, weights, offsets)


@dataclass
class ThemeModel:
    """The text model, and what its scores are worth beside a phrase of the lexicon and without one."""

    text: TextModel
    beside: Any
    alone: Any

    def probabilities(self, readings: Sequence[Reading]) -> Matrix:
        """Scores between 0 and 1, texts x themes; 0 where nothing of the text is left to read."""
        scores = self.text.scores([reading.effective for reading in readings])
        result = np.asarray(expit(self.alone.decision_function(_bounded(scores)) - HANDICAP))
        evidence, has_phrase = _evidence(readings, scores)
        if has_phrase.any():
            weighed = self.beside.decision_function(evidence[has_phrase]) + CREDIT * evidence[has_phrase, 0]
            result[has_phrase] = expit(weighed)
        result = result.reshape(scores.shape)
        result[[not reading.effective.strip() for reading in readings]] = 0.0
        return result


def fit_theme_model(readings: Sequence[Reading], truth: Truth) -> ThemeModel:
    """Fit the text model, and weigh its scores on folds that it did not see.

    Where the lexicon found a phrase, phrases and text score are weighed together. Where it found none, the text
    score is calibrated as though there were no lexicon: the lexicon was written by people who knew the training
    texts, so that finding nothing there says more than it would of a text that is new.
    """
    texts = [reading.effective for reading in readings]
    held_out = np.zeros(truth.shape)
    fold_of = np.arange(len(texts)) * 7 % FOLDS
    for fold in range(FOLDS):
        inside = fold_of != fold
        model = fit_text_model([t for t, keep in zip(texts, inside, strict=True) if keep], truth[inside])
        held_out[~inside] = model.scores([t for t, keep in zip(texts, inside, strict=True) if not keep])
    known, answer = (truth != UNKNOWN).ravel(), truth.ravel()
    evidence, has_phrase = _evidence(readings, held_out)
    beside, alone = (LogisticRegression(solver="liblinear", C=WEIGH_C, random_state=0) for _ in range(2))
    beside.fit(evidence[known & has_phrase], answer[known & has_phrase])
    alone.fit(_bounded(held_out)[known], answer[known])
    return ThemeModel(fit_text_model(texts, truth), beside, alone)


def _bounded(scores: Matrix) -> Matrix:
    return np.clip(scores, -6, 4).reshape(-1, 1)


def _evidence(readings: Sequence[Reading], scores: Matrix) -> tuple[Matrix, NDArray[np.bool_]]:
    """Tabulate what the weighing sees (rows: texts x themes, theme fastest), and where a phrase is.

    A strong phrase, two or more, a weak phrase, two or more of these alone, the text model's log-odds, and for
    each theme how far its own strong phrases are to be trusted.
    """
    ids = theme_ids()
    count = np.zeros((2, len(readings), len(ids)))
    for row, reading in enumerate(readings):
        for column, theme_id in enumerate(ids):
            hits = reading.hits.get(theme_id)
            if hits:
                count[:, row, column] = len(hits.include), len(hits.context)
    include, context = count
    some = include > 0
    columns = [some, include > 1, context > 0, (context > 1) & ~some]
    flat = [np.asarray(column, dtype=float).ravel() for column in columns]
    theme_trust = np.tile(np.eye(len(ids)), (len(readings), 1)) * flat[0][:, None]
    return np.column_stack([*flat, _bounded(scores), theme_trust]), (include + context).ravel() > 0
