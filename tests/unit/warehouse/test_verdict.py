"""Verdicts: whose they are, on what they rest, and where there is none."""

import math
from typing import Any

import pytest
from scipy.stats import norm
from stats_command import query

USUAL: dict[str, Any] = {
    "source_id": "'msds'", "indicator_id": "'i'", "level": "'trust'", "period_start": "date '2023-01-01'",
    "period_end": "date '2023-12-31'", "breakdown": "'all'", "breakdown_value": "'all'", "numerator": "30",
    "denominator": "1000", "value": "3.0", "lower_95": "2.1", "upper_95": "4.2", "method": "'Wilson'",
    "value_min": "null", "value_max": "null", "bound_denominator": "null",
    "adjusted_value": "null", "publisher_adjusted_band": "null",
    "publisher_band": "null", "publisher_comparator": "null", "effective_comparator": "3.0", "england_coverage": "null",
    "statistic": "'proportion'", "multiplier": "100", "polarity": "'low'", "is_mortality": "false",
    "is_suppressed": "false", "usage_warnings": "[]::varchar[]", "counts_added": "1", "rounding_nearest": "null",
    "rounding_least": "null", "rounding_greatest": "null",
}  # fmt: skip
TYPES = {"value": "double", "numerator": "double", "denominator": "double", "adjusted_value": "double",
         "publisher_comparator": "double", "effective_comparator": "double", "england_coverage": "double",
         "value_min": "double", "value_max": "double", "bound_denominator": "double",
         "publisher_adjusted_band": "integer", "publisher_band": "varchar", "lower_95": "double",
         "upper_95": "double", "multiplier": "double", "rounding_nearest": "integer", "rounding_least": "integer",
         "rounding_greatest": "integer"}  # fmt: skip
MASKED = {"numerator": "null", "denominator": "null", "value": "null", "lower_95": "null", "upper_95": "null",
          "method": "null", "is_suppressed": "true"}  # fmt: skip


def row(**given: str) -> str:
    """Return a row of the relation that is judged, as SQL."""
    cells = {name: f"({text})::{TYPES[name]}" if name in TYPES else text for name, text in (USUAL | given).items()}
    return "select " + ", ".join(f"{text} as {name}" for name, text in cells.items())


def counted(events: float, births: float, **given: str) -> str:
    """Return a row of a proportion in %."""
    return row(numerator=str(events), denominator=str(births), value=str(100 * events / births), **given)


def judged(*rows: str, columns: str = "verdict, verdict_basis, verdict_level") -> list[tuple[Any, ...]]:
    """Judge rows together; returns these columns of each, in order."""
    relation = " union all ".join(f"select {place} as place, * from ({text})" for place, text in enumerate(rows))
    return query(f"select {columns} from {{{{ with_verdict(relation) }}}} order by place", relation=f"({relation})")


def spread(count: int = 24) -> list[str]:
    """Return trusts that differ more than chance makes them: their own rates lie between 2% and 4%."""
    return [counted(20 + 20 * place / (count - 1), 1000) for place in range(count)]


@pytest.mark.parametrize(("band", "said"), [(2, "better"), (3, "better"), (4, "similar"), (5, "worse")])
def test_mbrrace_concludes_and_masked_rows_keep_it(band: int, said: str) -> None:
    shared = {"source_id": "'mbrrace'", "is_mortality": "true", "publisher_adjusted_band": str(band)}
    for more in ({}, MASKED):
        assert judged(row(**shared, **more), columns="verdict, verdict_basis, verdict_level, comparison") == [
            (said, "publisher", None, None)
        ]


def test_deaths_without_the_publishers_word_have_none() -> None:
    rows = [counted(300, 1000, is_mortality="true"), *spread()]
    assert judged(*rows, columns="verdict, comparison")[0] == (None, None)


def test_the_audits_adjusted_rate_is_judged_by_binomial_limits() -> None:
    mean, births = 3.4, 2500
    reach = {
        level: norm.isf(tail) * math.sqrt(0.034 * 0.966 / births) * 100 for level, tail in ((95, 0.025), (99.8, 0.001))
    }
    shared = {
        "source_id": "'nmpa'",
        "denominator": str(births),
        "publisher_comparator": "3.4",
        "effective_comparator": "3.4",
    }
    said = judged(
        row(**shared, adjusted_value=str(mean + 0.99 * reach[95])),
        row(**shared, adjusted_value=str(mean + 1.01 * reach[95])),
        row(**shared, adjusted_value=str(mean - 1.01 * reach[99.8])),
        row(**shared),
    )  # fmt: skip
    basis = "publisher_adjusted_rate"
    assert said == [("similar", basis, "95"), ("worse", basis, "95"), ("better", basis, "99.8"), (None, None, None)]


def test_ours_allows_for_over_dispersion() -> None:
    rows = [counted(43, 1000), counted(150, 1000), *spread()]
    assert judged(*rows)[:2] == [("similar", "own", "95"), ("worse", "own", "99.8")]
    calm = [counted(43, 1000), *[counted(30, 1000) for _ in range(24)]]
    assert judged(*calm)[0] == ("worse", "own", "95")


def test_few_organisations_have_no_verdict_of_ours() -> None:
    assert set(judged(*spread(19))) == {(None, None, None)}


@pytest.mark.parametrize("word", ["implausible", "low_coverage", "partial_submission", "trusts_missing"])
def test_values_that_are_not_believable_have_none_and_take_no_part(word: str) -> None:
    rows = [counted(900, 1000, usage_warnings=f"['{word}']"), *spread()]
    first, *others = judged(*rows, columns="verdict, excess")
    assert first == (None, None)
    assert others == judged(*spread(), columns="verdict, excess")


def test_nobody_has_one_where_englands_own_coverage_is_low() -> None:
    rows = [counted(150, 1000, england_coverage="0.69"), counted(150, 1000, england_coverage="0.71"), *spread()]
    assert [said for said, _, _ in judged(*rows)[:2]] == [None, "worse"]


def test_an_incomplete_sum_has_that_of_its_nearer_bound() -> None:
    """Missing data make no verdict stronger: a complete sum as far out as the nearer bound has the same one."""
    beside = {**MASKED, "is_suppressed": "false", "bound_denominator": "1000"}
    bounds = [("3.1", "4.0"), ("2.9", "4.0"), ("0.1", "0.4"), ("5.0", "9.0"), ("15.0", "16.0")]
    rows = [row(**beside, value_min=low, value_max=high) for low, high in bounds]
    complete = [counted(10 * float(near), 1000) for near in ("3.1", "0.4", "5.0", "15.0")]
    found = judged(*rows, *spread())[: len(rows)]
    assert found == [
        ("similar", "own", "95"),
        (None, None, None),
        ("better", "own", "99.8"),
        ("worse", "own", "95"),
        ("worse", "own", "99.8"),
    ]
    assert [found[0], *found[2:]] == [judged(one, *spread())[0] for one in complete]
    assert judged(*rows)[0] == (None, None, None)  # fewer than twenty organisations: no funnel, for nobody


@pytest.mark.parametrize(
    ("events", "births", "comparator", "parts", "said"),
    [
        (5, 5, 40, 1, "similar"),  # 1 of 7 at least
        (10, 10, 40, 1, "worse"),  # 8 of 12 at least
        (40, 850, 3, 1, "worse"),  # 38 of 852 at least
        (40, 850, 3, 8, "similar"),  # eight counts added: 8 of 866 at least
        (5, 850, 0.1, 1, "worse"),  # 1 of 852 at least
        (5, 850, 0.15, 1, "similar"),
        (0, 850, 3, 1, "better"),  # none is none
        (10, 850, 3, 1, "better"),  # 12 of 848 at most
        (10, 850, 3, 9, "similar"),  # 28 of 814 at most
    ],
)
def test_what_rounding_can_explain_is_no_difference(
    events: int, births: int, comparator: float, parts: int, said: str
) -> None:
    """Counts of 1 to 7 are printed as 5, all others to the nearest 5: what they may stand for decides."""
    beside = [counted(30, 1000) for _ in range(24)]
    given = {"effective_comparator": str(comparator), "counts_added": str(parts)}
    rounding = {"rounding_nearest": "5", "rounding_least": "1", "rounding_greatest": "7"}
    found = judged(counted(events, births, **given, **rounding), *beside)[0]
    exact = judged(counted(events, births, **given), *beside)[0]
    assert exact[0] in ("better", "worse")
    assert found == (exact if said == exact[0] else ("similar", "own", "95"))
    assert found[0] == said


def test_neither_direction_is_good_neither_is_said() -> None:
    rows = [counted(150, 1000, polarity="'none'", lower_95="12", upper_95="17"), *spread()]
    assert judged(*rows, columns="verdict, comparison, excess")[0] == (None, "higher", None)


def test_high_is_good_turns_the_words() -> None:
    rows = [counted(150, 1000, polarity="'high'"), *spread()]
    assert judged(*rows)[0] == ("better", "own", "99.8")


def test_excess_is_events_a_year_positive_where_worse() -> None:
    month = {"period_start": "date '2023-02-01'", "period_end": "date '2023-02-28'"}
    rows = [
        counted(40, 1000),
        counted(20, 1000, polarity="'high'"),
        counted(40, 1000, **month),
        counted(40, 1000, **month, usage_warnings="['rolling_window']"),
        row(source_id="'mbrrace'", is_mortality="true", statistic="'rate'", multiplier="1000", denominator="5000",
            adjusted_value="4.5", publisher_comparator="3.5", effective_comparator="3.5"),
        row(source_id="'mbrrace'", is_mortality="true", statistic="'rate'", multiplier="1000", denominator="null",
            adjusted_value="4.5", publisher_comparator="3.5", effective_comparator="3.5"),
        row(numerator="null"),
    ]  # fmt: skip
    found = [one for (one,) in judged(*rows, columns="excess")]
    assert found == [pytest.approx(x) if x is not None else None for x in (10, 10, 120, 40, 5, None, None)]
