"""Agreement of two labelling passes by one author: self-consistency, not agreement between people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from insights.labelled_set import Labelled
from insights.themes import theme_ids


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
    rows = [row for row in rows if row.pass1 is not None and row.pass2 is not None]
    tables = {theme: _table(rows, theme) for theme in theme_ids()}
    pooled = tuple(sum(table[cell] for table in tables.values()) for cell in range(4))
    return Agreement(
        len(rows),
        sum(row.pass1 == row.pass2 for row in rows),
        _kappa(*pooled),
        _alpha(*pooled),
        {theme: _kappa(*table) for theme, table in tables.items()},
    )


def _table(rows: Sequence[Labelled], theme: str) -> tuple[int, int, int, int]:
    both = sum(theme in row.pass1 and theme in row.pass2 for row in rows)
    first = sum(theme in row.pass1 and theme not in row.pass2 for row in rows)
    second = sum(theme not in row.pass1 and theme in row.pass2 for row in rows)
    return both, first, second, len(rows) - both - first - second


def _kappa(both: int, first: int, second: int, neither: int) -> float:
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
