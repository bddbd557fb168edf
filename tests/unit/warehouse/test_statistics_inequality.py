"""Slope and relative index of inequality: against numpy's regression, and by their properties."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm
from stats_command import Rows, command, written

from perinatal.errors import PerinatalError
from warehouse.statistics.simulation import Quantiles, slope_index_limits

POPULATION = [1200, 900, 1500, 1100, 1300]
VALUE = [12.0, 11.0, 9.5, 9.0, 7.0]
ERROR = [0.6, 0.5, 0.4, 0.5, 0.45]


def quintiles(area: str = "A", **changed: list[Any]) -> list[dict[str, Any]]:
    columns = {"population": POPULATION, "value": VALUE, "standard_error": ERROR} | changed
    return [{"area": area, "quantile": i + 1} | {name: column[i] for name, column in columns.items()} for i in range(5)]


def first(rows: Rows) -> dict[str, float]:
    return {name: float(text) for name, text in rows[0].items() if name.startswith(("sii", "rii"))}


def line(population: list[int], value: list[float]) -> tuple[float, float]:
    """Return slope and intercept by numpy's weighted regression on the relative ranks."""
    share = np.array(population) / sum(population)
    rank = np.cumsum(share) - share / 2
    slope, intercept = np.polyfit(rank, value, 1, w=np.sqrt(share))
    return float(slope), float(intercept)


def test_indices_are_those_of_a_weighted_regression(tmp_path: Path) -> None:
    results = first(command("sii", tmp_path, written(quintiles())))
    slope, intercept = line(POPULATION, VALUE)
    assert results["sii"] == pytest.approx(slope, rel=1e-9)
    assert results["rii"] == pytest.approx((intercept + slope) / intercept, rel=1e-9)


def test_simulated_limits_of_a_sum_of_normal_values_are_the_known_ones(tmp_path: Path) -> None:
    results = first(command("sii", tmp_path, written(quintiles())))
    share = np.array(POPULATION) / sum(POPULATION)
    centred = share * (np.cumsum(share) - share / 2 - 0.5)
    weights = centred / (centred @ (np.cumsum(share) - share / 2 - 0.5))
    spread = math.sqrt(((weights * ERROR) ** 2).sum())
    for number, tail in ((1, 0.025), (2, 0.001)):
        for side, sign in (("lower", -1), ("upper", 1)):
            wanted = results["sii"] + sign * norm.isf(tail) * spread
            assert results[f"sii_{side}cl_{number}"] == pytest.approx(wanted, abs=0.05 * spread)


def test_results_stand_on_the_first_line_of_each_group_whatever_the_order(tmp_path: Path) -> None:
    rows = quintiles("A") + quintiles("B", value=[5.0, 6.0, 7.0, 8.0, 9.5])
    sorted_rows = command("sii", tmp_path, written(rows))
    assert [row["sii"] != "" for row in sorted_rows] == [True, *[False] * 4] * 2
    backwards = command("sii", tmp_path, written(rows[::-1]))
    assert (first(backwards), first(backwards[5:])) == (first(sorted_rows[5:]), first(sorted_rows))


def test_a_negative_multiplier_turns_the_polarity(tmp_path: Path) -> None:
    plain = first(command("sii", tmp_path, written(quintiles())))
    turned = first(command("sii", tmp_path, written(quintiles()), -100))
    assert turned["sii"] == pytest.approx(-100 * plain["sii"])
    assert turned["rii"] == pytest.approx(1 / plain["rii"])
    assert turned["sii_lowercl_1"] < turned["sii"] < turned["sii_uppercl_1"]
    assert turned["rii_lowercl_1"] == pytest.approx(1 / plain["rii_uppercl_1"], rel=1e-3)


@pytest.mark.parametrize(("kind", "counts"), [("rate", [60, 40, 50, 30, 20]), ("2", [400, 280, 420, 260, 250])])
def test_counts_give_values_and_errors(tmp_path: Path, kind: str, counts: list[int]) -> None:
    rows = [
        {"decile": row["quantile"], "population": row["population"], "count": count, "value_type": kind}
        for row, count in zip(quintiles(), counts, strict=True)
    ]
    results = first(command("sii", tmp_path, written(rows), 1000))
    slope, _ = line(POPULATION, [count / people for count, people in zip(counts, POPULATION, strict=True)])
    assert results["sii"] == pytest.approx(1000 * slope, rel=1e-9)
    assert results["sii_lowercl_2"] < results["sii_lowercl_1"] < results["sii"] < results["sii_uppercl_1"]
    assert results["rii_lowercl_1"] < results["rii"] < results["rii_uppercl_1"]


def test_confidence_and_repetitions_are_those_of_the_group(tmp_path: Path) -> None:
    rows = [row | {"confidence": "99", "repetitions": 1000} for row in quintiles()]
    [wide, *_] = command("sii", tmp_path, written(rows))
    [both, *_] = command("sii", tmp_path, written(quintiles()))
    assert (wide["sii_lowercl_2"], wide["rii_uppercl_2"]) == ("", "")
    assert float(wide["sii_lowercl_1"]) < float(both["sii_lowercl_1"])


def test_a_missing_value_or_population_leaves_a_group_without_an_index(tmp_path: Path) -> None:
    for name in ("value", "population"):
        column: list[Any] = [*(VALUE if name == "value" else POPULATION)]
        column[2] = ""
        rows = command("sii", tmp_path, written(quintiles(**{name: column}) + quintiles("B")))
        assert [row["sii"] != "" for row in rows] == [False] * 5 + [True] + [False] * 4
        assert rows[0]["rii_lowercl_1"] == ""


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"population": [1200, 0, 1500, 1100, 1300]}, "line 3: population is not above 0"),
        ({"standard_error": [0.6, 0.5, -1, 0.5, 0.4]}, "line 4: standard_error is below 0"),
        ({"standard_error": [0.6, "", 0.4, 0.5, 0.4]}, "line 3: the error of this value is unknown"),
        ({"value": [""] * 5}, "line 2: no value in this group"),
        ({"quantile": [1, 2, 3, 3, 5]}, r"line 5: this quantile stands twice in its group \(.*area\).*line 4"),
        ({"quantile": [1, 2, 3, 4, 6]}, "line 2: this group has 5 rows up to quantile 6"),
        ({"quantile": [0, 1, 2, 3, 4]}, "line 2: quantile is not a whole number from 1"),
        ({"value_type": ["mean"] * 5}, "line 2: value_type is unknown"),
        ({"value_type": [0, 0, 1, 0, 0]}, "line 4: value_type differs within its group"),
        ({"value_type": [2] * 5}, "line 2: a rate must be 0 or more, a proportion between 0 and 1"),
        ({"value_type": [1] * 5, "value": [5, 0, 4, 3, 2]}, "line 3: a rate of 0 .* no logarithm"),
        ({"upper_cl": [13, 12, 9, 10, 8], "lower_cl": [10, 9, 8, 8, 6]}, "line 4: the value is outside its own limits"),
        ({"confidence": ["50"] * 5}, "line 2: confidence is unknown"),
        ({"confidence": [95, 95, 99, 95, 95]}, "line 4: confidence or repetitions differ from line 2"),
        ({"repetitions": ["10"] * 5}, "line 2: repetitions must be a whole number from 1000"),
    ],
)
def test_what_has_no_index_is_refused_with_its_line(tmp_path: Path, changed: Any, message: str) -> None:
    with pytest.raises(PerinatalError, match=message):
        command("sii", tmp_path, written(quintiles(**changed)))


def test_limits_depend_on_nothing_but_the_group() -> None:
    share = [people / sum(POPULATION) for people in POPULATION]
    ranks = [sum(share[:i]) + one / 2 for i, one in enumerate(share)]
    group = Quantiles("other", share, ranks, VALUE, ERROR)
    before = slope_index_limits(group, [95, 99.8])
    slope_index_limits(Quantiles("rate", share, ranks, [0.0] * 5, ERROR), [95], repetitions=2000)
    assert slope_index_limits(group, [95, 99.8]) == before
