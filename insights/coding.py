"""Coding findings to themes: rules and a linear model propose, people decide.

Each assignment says which theme, how surely (0 to 1), on which words (offsets into the text), and by whom:
`rule` when a strong phrase of the lexicon is the evidence, `model` when the learned weights (and weak phrases at
most) are, `person` when a reviewer confirmed or added it. A finding may get no theme.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TextIO

import numpy as np

from insights.decisions import Decision, latest_decisions, read_decisions
from insights.labelled_set import UNKNOWN, Labelled, load_labelled, truth_of
from insights.lexicon import Lexicon, Span, default_lexicon, normalise
from insights.model import THRESHOLD, Matrix, ThemeModel, Truth, fit_theme_model
from insights.roles import clause_spans
from insights.rules import Reading, read
from insights.themes import theme_ids
from perinatal.csv_rows import read_rows
from perinatal.errors import PerinatalError

INPUT_COLUMNS = ("finding_id", "text")
OUTPUT_COLUMNS = ("finding_id", "theme_id", "score", "evidence", "coded_by")
BATCH = 2_000  # findings in memory at once


@dataclass(frozen=True)
class Assignment:
    """One theme of one finding; `evidence` is text[start:end]."""

    finding_id: str
    theme_id: str
    score: float
    evidence: str
    start: int
    end: int
    coded_by: str


@dataclass(frozen=True)
class Coder:
    """A fitted coder: the lexicon, the model, and the decisions that override both."""

    lexicon: Lexicon
    model: ThemeModel
    decisions: Mapping[tuple[str, str], Decision]

    def code(self, findings: Sequence[tuple[str, str]]) -> list[Assignment]:
        """Code (finding_id, text) pairs; assignments come in the order of findings, then of themes."""
        coded: list[Assignment] = []
        decided = self._decided()
        for start in range(0, len(findings), BATCH):
            batch = findings[start : start + BATCH]
            readings = [read(text, self.lexicon) for _, text in batch]
            scores = self.model.probabilities(readings)
            for (finding_id, text), reading, row in zip(batch, readings, scores, strict=True):
                coded.extend(self._finding(finding_id, text, reading, row, decided.get(finding_id, {})))
        return coded

    def scores(self, texts: Sequence[str]) -> Matrix:
        """Scores of every theme for every text, before threshold and decisions (texts x themes)."""
        return self.model.probabilities([read(text, self.lexicon) for text in texts])

    def themes(self, findings: Sequence[tuple[str, str]]) -> list[frozenset[str]]:
        """Themes of each (finding_id, text), in the order of the findings."""
        given: dict[str, set[str]] = {finding_id: set() for finding_id, _ in findings}
        for assignment in self.code(findings):
            given[assignment.finding_id].add(assignment.theme_id)
        return [frozenset(themes) for themes in given.values()]

    def themes_by_rules(self, findings: Sequence[tuple[str, str]]) -> list[frozenset[str]]:
        """Themes of each (finding_id, text) by strong phrases of the lexicon alone: what the model is measured on."""
        readings = [read(text, self.lexicon) for _, text in findings]
        return [frozenset(theme for theme, hits in reading.hits.items() if hits.include) for reading in readings]

    def _decided(self) -> dict[str, dict[str, Decision]]:
        by_finding: dict[str, dict[str, Decision]] = {}
        for (finding_id, theme_id), decision in self.decisions.items():
            by_finding.setdefault(finding_id, {})[theme_id] = decision
        return by_finding

    def _finding(
        self, finding_id: str, text: str, reading: Reading, row: Matrix, decided: Mapping[str, Decision]
    ) -> Iterable[Assignment]:
        for column, theme_id in enumerate(theme_ids()):
            decision = decided.get(theme_id)
            if decision is None and row[column] < THRESHOLD:
                continue
            if decision is not None and not decision.says_yes:
                continue
            span, coded_by = self._evidence(text, reading, column)
            score = round(float(row[column]), 4)
            if decision is not None:
                score, coded_by = 1.0, "person"
            yield Assignment(finding_id, theme_id, score, text[span.start : span.end], span.start, span.end, coded_by)

    def _evidence(self, text: str, reading: Reading, column: int) -> tuple[Span, str]:
        hits = reading.hits.get(theme_ids()[column])
        if hits:
            return (hits.include or hits.context)[0], "rule" if hits.include else "model"
        spot = self.model.text.strongest_word(reading.effective, column)
        if spot is None:
            return _trimmed(text, Span(0, len(text))), "model"
        clauses = clause_spans(normalise(text), [])
        inside = next(clause for clause in clauses if clause.overlaps(Span(*spot)))
        return _trimmed(text, inside), "model"


def _trimmed(text: str, span: Span) -> Span:
    piece = text[span.start : span.end]
    start = span.start + len(piece) - len(piece.lstrip())
    return Span(start, max(start, span.start + len(piece.rstrip())))


def train(
    labelled: Sequence[Labelled] | None = None,
    decisions: Sequence[Decision] = (),
    decided_texts: Mapping[str, str] | None = None,
) -> Coder:
    """Fit a coder on the labelled set and on people's decisions.

    `decided_texts` gives the text of findings that decisions speak of; for these only the themes that somebody
    decided on are learned. Decisions on findings without a text still override, but teach nothing.
    """
    rows = list(load_labelled() if labelled is None else labelled)
    latest = latest_decisions(decisions)
    truth = np.array([truth_of(row) for row in rows], dtype=np.int8)
    decided = {finding: text for finding, text in sorted((decided_texts or {}).items())}
    extra = _decided_truth(latest, list(decided))
    known = (extra != UNKNOWN).any(axis=1)
    texts = [row.text for row in rows] + [text for text, keep in zip(decided.values(), known, strict=True) if keep]
    model = _fitted(tuple(texts), np.vstack([truth, extra[known]]).tobytes())
    return Coder(default_lexicon(), model, latest)


@lru_cache(maxsize=2)
def _fitted(texts: tuple[str, ...], truth: bytes) -> ThemeModel:
    """Fit a model on texts and the bytes of their truth, a row a text; the same texts and truth are fitted once."""
    lexicon = default_lexicon()
    rows = np.frombuffer(truth, dtype=np.int8).reshape(len(texts), -1)
    return fit_theme_model([read(text, lexicon) for text in texts], rows)


def _decided_truth(latest: Mapping[tuple[str, str], Decision], findings: list[str]) -> Truth:
    truth = np.full((len(findings), len(theme_ids())), UNKNOWN, dtype=np.int8)
    rows = {finding_id: row for row, finding_id in enumerate(findings)}
    columns = {theme_id: column for column, theme_id in enumerate(theme_ids())}
    for (finding_id, theme_id), decision in latest.items():
        if finding_id in rows:
            truth[rows[finding_id], columns[theme_id]] = decision.says_yes
    return truth


def read_findings(path: Path) -> list[tuple[str, str]]:
    """Read finding_id and text of a CSV; ids must be there and unique. Raises PerinatalError with the line."""
    findings: dict[str, str] = {}
    for line, row in read_rows(path, INPUT_COLUMNS):
        finding_id = row["finding_id"].strip()
        if not finding_id or finding_id in findings:
            problem = f"finding_id {finding_id!r} comes twice" if finding_id else "finding_id is empty"
            raise PerinatalError(f"{path}, line {line}: {problem}. Give each finding an id of its own.")
        findings[finding_id] = row["text"]
    return list(findings.items())


def code_file(path: Path, out: TextIO, decisions: Path | None = None) -> None:
    """Code a CSV of findings and write finding_id, theme_id, score, evidence, coded_by as CSV to `out`."""
    findings = read_findings(path)
    made = read_decisions(decisions) if decisions else []
    coder = train(decisions=made, decided_texts=dict(findings))
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(OUTPUT_COLUMNS)
    for a in coder.code(findings):
        writer.writerow([a.finding_id, a.theme_id, f"{a.score:.4f}", a.evidence, a.coded_by])
