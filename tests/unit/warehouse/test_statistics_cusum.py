"""The CUSUM of rare events: it climbs, signals and starts again."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stats_command import query

CUSUM = """
select cusum_expected, cusum, cusum_signal, excess_events
from {{ cusum(
    "(select unnest(" ~ events ~ ") as x, generate_subscripts(" ~ events ~ ", 1) as t, 1000 as n, 'A' as s)",
    ['s'], 't', 'x', 'n', '0.002'
) }} order by t
"""


@settings(max_examples=25, deadline=None)
@given(events=st.lists(st.one_of(st.none(), st.integers(0, 8)), min_size=1, max_size=25))
def test_cusum_climbs_signals_and_resets(events: list[int | None]) -> None:
    text = "[" + ", ".join("null" if x is None else str(x) for x in events) + "]::double[]"
    level, excess = 0.0, 0.0
    for x, (expected, cusum, signal, ours) in zip(events, query(CUSUM, events=text), strict=True):
        assert expected == pytest.approx(2)
        if x is not None:
            level, excess = max(0.0, level + x * math.log(2) - 2), excess + x - 2
            assert ours == pytest.approx(excess)
        red, amber = level >= math.log(100), level >= math.log(20)
        assert (cusum, signal) == (pytest.approx(level), "red" if red else "amber" if amber else None)
        level = 0.0 if red else level
