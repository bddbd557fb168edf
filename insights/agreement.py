"""Agreement of two labelling passes by one author: self-consistency, not agreement between people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from insights.labelled_set import Labelled
from insights.themes import first_themes


@dataclass(frozen=True)
class Agreement:
    """How far two passes agree: identical label sets, and kappa and alpha over all (finding, theme) pairs."""

    findings: int
    identical: int
    cohen_kappa: float
    krippendorff_alpha: float
    kappa_by_theme: dict[str, float]


def agreement(rows: Sequence[Labelled]) -> Agreement:
    """Compare pass 1 with pass 2 of the findings that have both."""
    passes = [(row.pass1, row.pass2) for row in rows if row.pass1 is not None and row.pass2 is not None]
    tables = {theme.theme_id: _table(passes, theme.theme_id) for theme in first_themes()}
    pooled = tuple(sum(table[cell] for table in tables.values()) for cell in range(4))
    return Agreement(
        len(passes),
        sum(first == second for first, second in passes),
        kappa(*pooled),
        _alpha(*pooled),
        {theme: kappa(*table) for theme, table in tables.items()},
    )


def _table(passes: Sequence[tuple[frozenset[str], frozenset[str]]], theme: str) -> tuple[int, int, int, int]:
    both = sum(theme in one and theme in other for one, other in passes)
    first = sum(theme in one and theme not in other for one, other in passes)
    second = sum(theme not in one and theme in other for one, other in passes)
    return both, first, second, len(passes) - both - first - second


def kappa(both: int, first: int, second: int, neither: int) -> float:
    """Cohen's kappa of a two by two table; 1 where there is nothing to disagree about."""
    n = both + first + second + neither
    yes1, yes2 = both + first, both + second
    expected = (yes1 * yes2 + (n - yes1) * (n - yes2)) / n**2
    return 1.0 if expected == 1 else ((both + neither) / n - expected) / (1 - expected)


def _alpha(both: int, first: int, second: int, neither: int) -> float:
    """Krippendorff's alpha, nominal, two passes, nothing missing."""
    values = 2 * (both + first + second + neither)
    yes = 2 * both + first + second
    expected = 2 * yes * (values - yes) / (values * (values - 1))
    observed = 2 * (first + second) / values
    return 1.0 if expected == 0 else 1 - observed / expected
