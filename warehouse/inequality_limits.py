"""The simulated limits of the slope and relative index of inequality, written into `marts.inequality`.

SQL has no normal random numbers: the indices are made by the models, their limits here, as `perinatal stats sii` does.
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Any

from perinatal.opening import open_database
from perinatal.sql import attach
from warehouse.statistics.inequality import REPETITIONS

SET = ("source_id", "indicator_id", "level", "organisation_code", "period_start", "period_end", "breakdown")
LIMITS = ("sii_lower_95", "sii_upper_95", "rii_lower_95", "rii_upper_95")
QUANTILES = f"""
select {", ".join(SET)}, kind, multiplier, inequality_share, inequality_rank, value_on_scale, error
from staging.int_inequality_index
order by {", ".join(SET)}, quantile
"""
UPDATE = f"""
update candidate.marts.inequality set {", ".join(f"{name} = ?" for name in LIMITS)}
where sii is not null and {" and ".join(f"{name} = ?" for name in SET)}
"""


def write(work_db: Path, candidate_db: Path) -> None:
    """Give each set of quantiles in `marts.inequality` that has an index its 95% limits."""
    with open_database(work_db) as connection:
        attach(connection, candidate_db, "candidate", "read_write")
        rows = connection.execute(QUANTILES).fetchall()
        for key, quantiles in groupby(rows, key=lambda row: row[: len(SET)]):
            connection.execute(UPDATE, [*_limits([row[len(SET) :] for row in quantiles]), *key])


def _limits(rows: list[tuple[Any, ...]]) -> list[float]:
    """Return the four limits of one set: kind, multiplier, share, rank, value and error on its scale of each row."""
    from warehouse.statistics.simulation import Quantiles, slope_index_limits  # scipy takes a second to load

    kinds, multipliers, shares, ranks, values, errors = zip(*rows, strict=True)
    group = Quantiles(kinds[0], shares, ranks, values, errors)
    [limits] = slope_index_limits(group, [95], multipliers[0], REPETITIONS)
    return [*limits.sii, *limits.rii]
