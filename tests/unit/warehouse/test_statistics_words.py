"""What the column `statistic` may say."""

import pytest

from warehouse.statistics.statistic_words import Statistic, statistic


@pytest.mark.parametrize(
    ("text", "kind", "multiplier"),
    [
        ("rate", "rate", None),
        ("Rate per 1000", "rate", 1000),
        ("RATE PER 100,000", "rate", 100_000),
        ("per 100 000", "rate", 100_000),
        ("per 100\u00a0000", "rate", 100_000),
        ("per 100k", "rate", 100_000),
        ("per 100 K", "rate", 100_000),
        ("rate per 1e5", "rate", 100_000),
        ("rate per 1e+05", "rate", 100_000),
        ("crude rate per 1,000 live births", "rate", 1000),
        ("rate (crude per 100,000)", "rate", 100_000),
        ("per million", "rate", 1_000_000),
        ("  rate   per  thousand ", "rate", 1000),
        ("Percentage", "proportion", 100),
        ("%", "proportion", 100),
        ("proportion", "proportion", None),
        ("Proportion of 1", "proportion", 1),
        ("ratio", "ratio", None),
        ("SMR x 100", "ratio", 100),
        ("indirectly standardised ratio x 100", "ratio", 100),
        ("indirectly standardised rate per 100000", "indirectly standardised rate", 100_000),
        ("Ratio of counts", "ratio of counts", None),
        ("rc", "ratio of counts", None),
    ],
)
def test_words_are_read_whatever_their_case_and_spacing(text: str, kind: str, multiplier: float | None) -> None:
    assert statistic(text) == Statistic(kind, multiplier)


@pytest.mark.parametrize(
    "text",
    [
        *("rat", "rate per", "rate per 1,00", "rate per 10,0000", "per 1000,000", "rate per 0", "rate per -1"),
        *("per 1000 2000", "percentage of 100", "proportion per 1000", "x 100", "rate of 1000", "1000", "ratio 100"),
        *("per 100 kg5", "rate per 1.000.000", "mean", "rate per 1000; proportion"),
    ],
)
def test_other_words_are_refused(text: str) -> None:
    assert statistic(text) is None
