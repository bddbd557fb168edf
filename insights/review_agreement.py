"""How far several reviewers agree: of each theme κ, who and when; and the codes on which they do not agree.

What each person said last of a code counts. The decision in force is the latest of all; it is disputed while it is not
backed by more than half of the people who decided.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from insights.agreement import kappa
from insights.decisions import Decision, latest_decisions

Key = tuple[str, str]  # finding, theme


@dataclass(frozen=True)
class Reviewed:
    """One code that people decided on: what each said last, in the order of the days, and what holds."""

    said: tuple[Decision, ...]
    in_force: Decision

    @property
    def is_disputed(self) -> bool:
        """Tell whether the decision in force lacks a majority."""
        return 2 * sum(item.says_yes == self.in_force.says_yes for item in self.said) <= len(self.said)

    @property
    def in_words(self) -> str:
        """Say who said what, and when."""
        return "; ".join(f"{item.reviewer}: {item.decision} {item.decided_on}" for item in self.said)


@dataclass(frozen=True)
class ThemeAgreement:
    """Agreement on one theme; `kappa` is Cohen's over all pairs of reviewers, None where no two decided on one code."""

    theme_id: str
    decided: int
    by_several: int
    disputed: int
    kappa: float | None
    reviewers: tuple[str, ...]
    first_on: str
    last_on: str


def reviewed(decisions: Iterable[Decision]) -> dict[Key, Reviewed]:
    """Return what people decided of each code, by finding and theme."""
    every = sorted(decisions, key=lambda item: item.decided_on)
    force = latest_decisions(every)
    said: dict[Key, dict[str, Decision]] = defaultdict(dict)
    for item in every:
        of_key = said[item.finding_id, item.theme_id]
        of_key.pop(item.reviewer, None)  # so that who speaks again speaks last
        of_key[item.reviewer] = item
    return {key: Reviewed(tuple(people.values()), force[key]) for key, people in sorted(said.items())}


def agreements(codes: Mapping[Key, Reviewed]) -> list[ThemeAgreement]:
    """Return the agreement on each theme that anybody decided on, in the order of the ids."""
    by_theme: dict[str, list[Reviewed]] = defaultdict(list)
    for (_, theme_id), code in codes.items():
        by_theme[theme_id].append(code)
    return [_agreement(theme_id, found) for theme_id, found in sorted(by_theme.items())]


def _agreement(theme_id: str, codes: Sequence[Reviewed]) -> ThemeAgreement:
    days = [item.decided_on for code in codes for item in code.said]
    people = sorted({item.reviewer for code in codes for item in code.said})
    several = [code for code in codes if len(code.said) > 1]
    disputed = sum(code.is_disputed for code in several)
    agreed = kappa(*_pairs(several)) if several else None
    return ThemeAgreement(theme_id, len(codes), len(several), disputed, agreed, tuple(people), min(days), max(days))


def _pairs(codes: Sequence[Reviewed]) -> tuple[int, int, int, int]:
    """Count over pairs of reviewers, by name: both say yes, the first alone, the second alone, neither."""
    table = [0, 0, 0, 0]
    for code in codes:
        for one, other in combinations(sorted(code.said, key=lambda item: item.reviewer), 2):
            table[2 * (not one.says_yes) + (not other.says_yes)] += 1
    return table[0], table[1], table[2], table[3]
