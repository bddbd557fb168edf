"""What an attacker knows of masked deaths, as linear statements, and the range that a linear programme leaves to each.

Unknowns for each organisation and file: stillbirths (s), neonatal deaths (d), total births (t), live births (l).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

EXCLUDING = "_excluding_congenital_anomalies"
COUNTS = {"stillbirth_rate": ("s",), "neonatal_mortality_rate": ("d",), "extended_perinatal_mortality_rate": ("s", "d")}
BIRTHS = {"stillbirth_rate": "t", "neonatal_mortality_rate": "l", "extended_perinatal_mortality_rate": "t"}
MOST_BIRTHS = 40_000

Row = dict[str, Any]


class Statements:
    """Linear statements low <= sum(coefficient x unknown) <= high."""

    def __init__(self) -> None:
        self.index: dict[tuple[str, str, str], int] = {}
        self.rows: list[dict[int, float]] = []
        self.low: list[float] = []
        self.high: list[float] = []

    def unknown(self, organisation: str, file: str, kind: str) -> int:
        return self.index.setdefault((organisation, file, kind), len(self.index))

    def say(self, terms: dict[int, float], low: float, high: float) -> None:
        self.rows.append(terms)
        self.low.append(low)
        self.high.append(high)

    @cached_property
    def system(self) -> tuple[Any, Any]:
        """Return everything said as one system A x <= b. Nothing more may be said afterwards."""
        numbers = [number for number, terms in enumerate(self.rows) for _ in terms]
        columns = [column for terms in self.rows for column in terms]
        values = [value for terms in self.rows for value in terms.values()]
        matrix = sparse.coo_matrix((values, (numbers, columns)), shape=(len(self.rows), len(self.index)))
        limits = np.concatenate([np.array(self.high) + 1e-6, -np.array(self.low) + 1e-6])
        return sparse.vstack([matrix, -matrix]).tocsr(), limits

    def range_of(self, unknown: int) -> tuple[float, float]:
        """Return the least and greatest value of one unknown that fits everything said."""
        matrix, limits = self.system
        goal = np.zeros(len(self.index))
        goal[unknown] = 1
        found = []
        for sign in (1, -1):
            solved = linprog(sign * goal, A_ub=matrix, b_ub=limits, bounds=(0, MOST_BIRTHS), method="highs")
            assert solved.status == 0, solved.message
            found.append(sign * solved.fun)
        return found[0], found[1]

    def is_possible(self) -> bool:
        """Whether any counts fit everything said."""
        matrix, limits = self.system
        nothing = np.zeros(len(self.index))
        return bool(linprog(nothing, A_ub=matrix, b_ub=limits, bounds=(0, MOST_BIRTHS), method="highs").status == 0)


def kind_of(indicator: str) -> tuple[str, str]:
    """Return an indicator without its suffix, and the file that it is of."""
    return indicator.removesuffix(EXCLUDING), "excluding" if indicator.endswith(EXCLUDING) else "all"


def deaths(said: Statements, row: Row) -> dict[int, float]:
    """Return the terms of a row's deaths."""
    base, file = kind_of(row["indicator_id"])
    return {said.unknown(row["organisation_code"], file, part): 1.0 for part in COUNTS[base]}


def births(said: Statements, row: Row) -> int:
    """Return the unknown that is a row's denominator."""
    base, file = kind_of(row["indicator_id"])
    return said.unknown(row["organisation_code"], file, BIRTHS[base])


# --- what the publisher's own files say: counts, births and group averages


def say_counts(said: Statements, rows: list[Row]) -> None:
    """Say what the visible counts tell, and how counts and births hang together."""
    for organisation in {row["organisation_code"] for row in rows}:
        for part in ("s", "d"):
            whole, less = (said.unknown(organisation, file, part) for file in ("all", "excluding"))
            said.say({whole: 1, less: -1}, 0, MOST_BIRTHS)
        for file in ("all", "excluding"):
            total, live, still = (said.unknown(organisation, file, kind) for kind in "tls")
            said.say({total: 1, live: -1, still: -1}, 0, 0)
    for row in rows:
        if row["numerator"] is not None:
            said.say(deaths(said, row), row["numerator"], row["numerator"])
        elif row["indicator_id"].startswith("extended"):
            # the publisher masks below 3
            said.say(deaths(said, row), 0, 2)


def say_total_births(said: Statements, rows: list[Row]) -> None:
    """Say the births of organisations whose deaths of all kinds the file shows.

    The files print births of every organisation, live births too, which give all masks away. The attacker's files are
    without those: the test is harder to pass than the promise.
    """
    for row in rows:
        if row["indicator_id"].startswith("extended") and row["numerator"] is not None:
            said.say({births(said, row): 1}, row["denominator"], row["denominator"])


def say_group_averages(said: Statements, rows: list[Row]) -> None:
    """Say that a group's deaths over its births are its average, to two decimals.

    Not of groups whose visible counts deny it: in 2023 the average of units with intensive care rests on fewer neonatal
    deaths than its members' rows have.
    """
    groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        groups[row["comparator_name"], row["indicator_id"]].append(row)
    for (group, _), members in groups.items():
        alone = Statements()
        everyone = [row for row in rows if row["comparator_name"] == group]
        say_counts(alone, everyone)
        say_total_births(alone, everyone)
        _say_average(alone, members)
        if alone.is_possible():
            _say_average(said, members)


def _say_average(said: Statements, members: list[Row]) -> None:
    average = members[0]["comparator_value"] / 1000
    for limit, low, high in ((average - 5.1e-6, 0.0, MOST_BIRTHS), (average + 5.1e-6, -MOST_BIRTHS, 0.0)):
        terms: dict[int, float] = {births(said, row): -limit for row in members}
        for row in members:
            terms |= deaths(said, row)
        said.say(terms, low, high)


def say_two_files(said: Statements, rows: list[Row]) -> None:
    """Say that the births that one file has more are the deaths that it has more, where the counts do not deny it."""
    shown = {(row["organisation_code"], row["indicator_id"]): row for row in rows}
    for organisation in {row["organisation_code"] for row in rows}:
        pair = [shown.get((organisation, "extended_perinatal_mortality_rate" + end)) for end in ("", EXCLUDING)]
        if any(row is None for row in pair) or not _births_follow_deaths(pair):
            continue
        terms: dict[int, float] = {}
        for file, sign in (("all", 1.0), ("excluding", -1.0)):
            terms |= {
                said.unknown(organisation, file, kind): sign * way for kind, way in (("t", 1), ("s", -1), ("d", -1))
            }
        said.say(terms, 0, 0)


def _births_follow_deaths(pair: list[Any]) -> bool:
    whole, less = pair
    if whole["numerator"] is None or less["numerator"] is None:
        return True
    return bool(whole["denominator"] - less["denominator"] == whole["numerator"] - less["numerator"])


# --- what our edition says besides


def say_denominators(said: Statements, rows: list[Row]) -> None:
    """Say what denominators and rates of single organisations tell of births."""
    for row in rows:
        if row["denominator"] is not None:
            said.say({births(said, row): 1}, row["denominator"], row["denominator"])
        elif row["numerator"] and row["value"]:
            # printed to two decimals: 1000 x / (rate + 0.005) <= births <= 1000 x / (rate - 0.005)
            events = 1000 * row["numerator"]
            said.say({births(said, row): 1}, events / (row["value"] + 0.005), events / (row["value"] - 0.005))


def say_excess(said: Statements, rows: list[Row]) -> None:
    """Say what the events above the group average tell: births are excess over (adjusted rate less average)."""
    for row in rows:
        above = (row["adjusted_value"] or 0) - (row["comparator_value"] or 0)
        if row["excess"] is not None and abs(above) > 1e-9:
            number = 1000 * row["excess"] / above
            said.say({births(said, row): 1}, number - 1e-3, number + 1e-3)


def say_attention(said: Statements, entries: list[Row], trusts: dict[tuple[str, str], Row]) -> None:
    """Say what an LMS's entry tells: its excess is that of the trusts which it names."""
    for entry in entries:
        if entry["excess"] is None:
            continue
        terms = {}
        for name in entry["trusts"]:
            row = trusts[name, entry["indicator_id"]]
            terms[births(said, row)] = (row["adjusted_value"] - row["comparator_value"]) / 1000
        said.say(terms, entry["excess"] - 1e-6, entry["excess"] + 1e-6)


def say_sums(said: Statements, areas: list[Row], members: dict[str, set[str]], trusts: dict) -> None:
    """Say what complete sums and the bounds of incomplete ones tell."""
    for area in areas:
        rows = [
            trusts[code, area["indicator_id"]]
            for code in members[area["area"]]
            if (code, area["indicator_id"]) in trusts
        ]
        if area["numerator"] is not None:
            said.say(_together(deaths(said, row) for row in rows), area["numerator"], area["numerator"])
        if area["denominator"] is not None:
            said.say({births(said, row): 1.0 for row in rows}, area["denominator"], area["denominator"])
        elif not area["is_complete"] and area["value_max"]:
            say_bounds(said, area, rows, trusts)


def _together(parts: Iterable[dict[int, float]]) -> dict[int, float]:
    return {unknown: value for part in parts for unknown, value in part.items()}


def say_bounds(said: Statements, area: Row, rows: list[Row], trusts: dict) -> None:
    """Say of an incomplete sum that its bounds are (visible + floors or ceilings) over births, to two decimals."""
    base, file = kind_of(area["indicator_id"])
    suffix = "" if file == "all" else EXCLUDING
    events, visible, taken, vague, terms = 0.0, 0.0, 0.0, 0.0, {}
    for row in rows:
        if row["numerator"] is not None:
            events += row["numerator"]
            visible += row["numerator"]
            terms[births(said, row)] = 1.0
        else:
            code = row["organisation_code"]
            extended = trusts[code, "extended_perinatal_mortality_rate" + suffix]["numerator"]
            events += 2 if extended is None else extended
            # with no neonatal death, all visible deaths are stillbirths and take that many from the live births
            taken += (extended or 0) if base == "neonatal_mortality_rate" else 0
            # births behind a masked extended perinatal count go into bounds to the hundred, and away from the rate
            vague += 200 if extended is None else 0
            terms[said.unknown(code, file, "t")] = 1.0
    low, high = 1000 * events / area["value_max"], 1000 * events / (area["value_max"] - 0.01)
    said.say(terms, low - vague, high + vague)
    if area["value_min"]:
        low, high = 1000 * visible / (area["value_min"] + 0.01), 1000 * visible / area["value_min"]
        said.say(terms, low + taken - vague, high + taken + vague)
