"""Reference rows that sample generators build on: the same seeds as the warehouse's."""

from __future__ import annotations

import csv
from functools import cache

from perinatal.settings import PROJECT_ROOT

UPLOADED_AT = "2026-10-01T09:00:00"  # when the sample of an API says that its data were uploaded
SEEDS = PROJECT_ROOT / "dbt_project" / "seeds" / "reference"


@cache
def read_seed(name: str) -> tuple[dict[str, str], ...]:
    """Return the rows of a seed, as text."""
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as handle:
        return tuple(csv.DictReader(handle))
