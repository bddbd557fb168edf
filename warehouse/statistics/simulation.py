"""Simulated confidence limits of the slope and relative index of inequality, the same in every run.

SQL has no normal random numbers, so these limits alone are computed outside it. Instead of random draws from a seed the
points of a Sobol sequence are taken, which fill the space evenly: no seed, and a smaller error of simulation.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, log2
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit, ndtri
from scipy.stats import qmc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True)
class Quantiles:
    """One group of quantiles, in order: share of the population, relative rank, value and standard error.

    Value and error are on the scale on which the error is symmetric: logarithm for a 'rate', logit for a 'proportion'.
    """

    kind: str
    shares: Sequence[float]
    ranks: Sequence[float]
    values: Sequence[float]
    errors: Sequence[float]


@dataclass(frozen=True)
class Limits:
    """Lower and upper limits of both indices at one level of confidence."""

    sii: tuple[float, float]
    rii: tuple[float, float]


def slope_index_limits(
    group: Quantiles, levels: Sequence[float], multiplier: float = 1.0, repetitions: int = 100_000
) -> list[Limits]:
    """Return the limits at each level (95, 99.8 …) as phe_sii takes them from sorted repetitions.

    A negative multiplier turns the polarity: the relative index is inverted.
    """
    slopes, intercepts = _simulated_lines(group, repetitions)
    ratios = (intercepts + slopes) / intercepts
    sii, rii = np.sort(multiplier * slopes), np.sort(1 / ratios if multiplier < 0 else ratios)
    return [Limits(_ends(sii, level), _ends(rii, level)) for level in levels]


def _simulated_lines(group: Quantiles, repetitions: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return slope and intercept of the population-weighted line through each repetition's values."""
    shares, ranks = np.asarray(group.shares), np.asarray(group.ranks)
    draws = _normal(len(shares), repetitions)
    values = np.asarray(group.values)[:, None] + np.asarray(group.errors)[:, None] * draws
    values = {"rate": np.exp, "proportion": expit}.get(group.kind, np.asarray)(values)
    centred = shares * (ranks - 0.5)
    slopes = centred @ values / (centred @ (ranks - 0.5))
    return slopes, shares @ values - slopes / 2


@lru_cache(maxsize=4)
def _normal(rows: int, repetitions: int) -> NDArray[np.float64]:
    """Return evenly spread standard normal numbers, at least so many for each row: a power of 2."""
    power = ceil(log2(repetitions))
    points = qmc.Sobol(rows, scramble=False).random_base2(power) + 0.5 / 2**power
    return np.asarray(ndtri(points.T))


def _ends(ordered: NDArray[np.float64], level: float) -> tuple[float, float]:
    tail = (100 - level) / 200
    lower, upper = round(len(ordered) * tail), round(len(ordered) * (1 - tail))
    return float(ordered[max(lower, 1) - 1]), float(ordered[upper - 1])
