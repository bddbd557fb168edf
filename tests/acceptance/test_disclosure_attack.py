"""An attacker with every table of an edition narrows no masked death further than with the publisher's own files.

Everything that ships is a linear statement about each organisation's stillbirths, neonatal deaths and births (see
`attacker`). Both sides hold the publisher's visible counts, the births of organisations without a masked total, the
group averages to two decimals and the stabilised & adjusted rates; our side has all that ships besides: denominators,
rates and limits, the excess of events over the group average (which times births is the adjusted rate less the
average), sums of LMSs, regions and England, the bounds of incomplete sums, what stands out. For every masked cell the
least and the greatest value that fits all of it must be no narrower than what fits the files alone. The same with two
editions in hand, before and after a revision: what has not changed is one unknown. Quality tables and their examples
of failing rows hold no births of a masked organisation, and no share from which they follow.
"""

from __future__ import annotations

import csv
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import attacker
import duckdb
import pytest
from attacker import COUNTS, Row, Statements, kind_of

from perinatal.home import Home
from pipeline import steps

pytestmark = pytest.mark.timeout(1500)  # a build or two, and some hundreds of linear programmes


def other_name(code: str) -> str:
    return f"{code} revised"


@dataclass(frozen=True)
class Shipped:
    """What ships of organisations, of areas and of what stands out, and who belongs where."""

    trusts: list[Row]
    areas: list[Row]
    entries: list[Row]
    members: dict[str, set[str]]


TRUSTS = """
select
    coalesce(organisation_code, published_code) as organisation_code, trust_name, indicator_id, numerator,
    denominator, value, is_suppressed, adjusted_value, comparator_name, comparator_value, excess, coverage
from core.fct_observation as observation
left join (
    select trust_code as organisation_code, trust_name, indicator_id, source_id, period_label, excess
    from marts.trust_indicator
) using (organisation_code, indicator_id, source_id, period_label)
where source_id = 'mbrrace' and period_label = '2023'
"""
AREAS = """
select lms_code as area, indicator_id, numerator, denominator, value_min, value_max, is_complete
from marts.lms_indicator where source_id = 'mbrrace' and period_label = '2023'
union all
select region_code, indicator_id, numerator, denominator, value_min, value_max, is_complete
from marts.region_indicator where source_id = 'mbrrace' and period_label = '2023'
union all
select 'England', indicator_id, numerator, denominator, value_min, value_max, is_complete
from marts.england_indicator where source_id = 'mbrrace' and period_label = '2023'
"""
ENTRIES = """
select indicator_id, excess, trusts from marts.attention
where level = 'lms' and source_id = 'mbrrace' and period_label = '2023'
"""
BELONGING = """
select distinct trust_code, lms_code, region_code from marts.trust_indicator
where source_id = 'mbrrace' and period_label = '2023'
"""


def records(connection: duckdb.DuckDBPyConnection, sql: str) -> list[Row]:
    cursor = connection.execute(sql)
    names = [name for name, *_ in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def read(edition: Path, changed: frozenset[str] = frozenset()) -> Shipped:
    """Return what ships of MBRRACE-UK's year.

    Organisations whose file of all deaths was `changed` are others in it, by another name; their cells of the file
    without anomalies stay the same unknowns.
    """
    with duckdb.connect(str(edition / "perinatal.duckdb"), read_only=True) as connection:
        trusts, areas, entries = (records(connection, sql) for sql in (TRUSTS, AREAS, ENTRIES))
        members: dict[str, set[str]] = defaultdict(set)
        for row in records(connection, BELONGING):
            for area in (row["lms_code"], row["region_code"], "England"):
                members[area] |= {row["trust_code"], other_name(row["trust_code"])}
    for row in trusts:
        if row["organisation_code"] in changed and kind_of(row["indicator_id"])[1] == "all":
            row["organisation_code"] = other_name(row["organisation_code"])
    return Shipped(trusts, areas, entries, members)


def files_of(said: Statements, shipped: Shipped) -> None:
    """Say what the publisher's own files tell."""
    attacker.say_counts(said, shipped.trusts)
    attacker.say_total_births(said, shipped.trusts)
    attacker.say_two_files(said, shipped.trusts)


def edition_of(said: Statements, shipped: Shipped) -> None:
    """Say what our edition tells besides."""
    by_code = {(row["organisation_code"], row["indicator_id"]): row for row in shipped.trusts}
    by_name = {(row["trust_name"], row["indicator_id"]): row for row in shipped.trusts}
    attacker.say_denominators(said, shipped.trusts)
    attacker.say_excess(said, shipped.trusts)
    attacker.say_sums(said, shipped.areas, shipped.members, by_code)
    attacker.say_attention(said, shipped.entries, by_name)


def masked_cells(shipped: Shipped) -> set[tuple[str, str, str]]:
    """Return organisation, file and kind of each masked count of stillbirths or neonatal deaths."""
    found = set()
    for row in shipped.trusts:
        base, file = kind_of(row["indicator_id"])
        if row["is_suppressed"] and not base.startswith("extended"):
            found.add((row["organisation_code"], file, COUNTS[base][0]))
    return found


def narrowed_cells(*editions: Shipped) -> tuple[list[tuple[Any, ...]], int]:
    """Return the masked cells that our tables narrow more than the files do, and how many are masked."""
    files, everything = Statements(), Statements()
    for side in (files, everything):
        # the revision here changes counts and not averages, so those of a second edition would deny its own counts
        attacker.say_group_averages(side, editions[0].trusts)
    for shipped in editions:
        files_of(files, shipped)
        files_of(everything, shipped)
        edition_of(everything, shipped)
    masked = set().union(*map(masked_cells, editions))
    found = []
    for key in sorted(masked):
        wide, seen = files.range_of(files.index[key]), everything.range_of(everything.index[key])
        if seen[0] > wide[0] + 0.5 or seen[1] < wide[1] - 0.5:
            found.append((key, wide, seen))
    return found, len(masked)


def test_no_excess_or_coverage_stands_beside_a_withheld_count(published: Home) -> None:
    trusts = read(published.current.resolve()).trusts
    assert sum(row["excess"] is not None for row in trusts) > 400
    hidden = [row for row in trusts if row["numerator"] is None or row["denominator"] is None]
    assert {row["excess"] for row in hidden} == {None}
    assert {row["coverage"] for row in trusts} == {None}


def births_behind_masks(files: tuple[Path, Path]) -> set[int]:
    """Return the births that are withheld: live births beside a mask, and total births beside a masked total."""
    found: set[int] = set()
    shown: set[int] = set()
    for path in files:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            for row in csv.DictReader(handle):
                is_masked = "-1" in (row["TotalStillbirths"], row["TotalNeonatalDeaths"])
                (found if is_masked else shown).add(int(row["TotalLiveBirths"]))
                (found if row["TotalPerinatalDeaths"] == "-1" else shown).add(int(row["TotalBirths"]))
    return {number for number in found - shown if number >= LEAST_BIRTHS}


LEAST_BIRTHS = 300  # smaller numbers are also counts of other things
DEATHS = range(1, 60)
COUNTS_OF_ROWS = {"element_count", "unexpected_count", "count", "times_seen", "rows_in", "rows_mart", "rows_excluded"}


def numbers_in(cell: object) -> Iterator[float]:
    """Yield the numbers of a cell: of its text, where it is text, and of the JSON in it."""
    if isinstance(cell, bool) or cell is None:
        return
    if isinstance(cell, int | float):
        yield float(cell)
    elif isinstance(cell, list):
        for part in cell:
            yield from numbers_in(part)
    elif isinstance(cell, dict):
        for part in cell.values():
            yield from numbers_in(part)
    elif isinstance(cell, str):
        yield from _numbers_in_text(cell)


def _numbers_in_text(text: str) -> Iterator[float]:
    if text.startswith(("[", "{")):
        yield from numbers_in(json.loads(text))
        return
    # keys of releases, addresses, hashes and days are no numbers
    for word in re.findall(r"(?<![\w./-])\d[\d,]*(?:\.\d+)?(?![\w/-])", text):
        yield float(word.replace(",", ""))


def is_telling(number: float, births: set[int]) -> bool:
    """Whether a number is one of these births, or a share or rate of few events in them to more than six digits."""
    if number in births:
        return True
    if number == round(number, 6):
        return False
    return any(abs(number * of - round(number * of)) < 1e-7 and round(number * of) in DEATHS for of in births)


def test_a_number_that_gives_births_away_is_seen() -> None:
    assert [*numbers_in('[{"births": 1816, "of": "2,750"}]')] == [1816.0, 2750.0]
    assert is_telling(1816.0, {1816})
    assert is_telling(5 / 1816, {1816})
    assert not is_telling(0.002753, {1816})


def test_quality_tables_hold_no_births_behind_masks(published: Home, mbrrace_files: tuple[Path, Path]) -> None:
    births = births_behind_masks(mbrrace_files)
    assert len(births) > 30
    with duckdb.connect(str(published.current.resolve() / "perinatal.duckdb"), read_only=True) as connection:
        names = [name for (name,) in connection.execute(TABLES).fetchall()]
        assert {"check_result", "alert", "area_reconciliation"} <= set(names)
        telling = [
            (name, column, number)
            for name in names
            for row in records(connection, f"select * from quality.{name}")
            for column, cell in row.items()
            if column not in COUNTS_OF_ROWS
            for number in numbers_in(cell)
            if is_telling(number, births)
        ]
    assert not telling, telling[:5]


TABLES = "select table_name from information_schema.tables where table_schema = 'quality' order by table_name"


@pytest.mark.slow
def test_no_masked_cell_is_narrower_than_its_counts(published: Home) -> None:
    narrowed, masked = narrowed_cells(read(published.current.resolve()))
    assert masked > 150
    assert not narrowed, f"{len(narrowed)} of {masked} masked cells can be narrowed, first {narrowed[:3]}"


REVISED = 40  # organisations whose births and stillbirths the revision changes


@pytest.mark.slow
def test_two_editions_together_narrow_no_masked_cell(
    copied: Home,
    mbrrace_files: tuple[Path, Path],
    edited: Callable[..., Path],
    landed: Callable[..., object],
    tmp_path: Path,
) -> None:
    first = copied.current.resolve()
    with duckdb.connect(str(first / "perinatal.duckdb"), read_only=True) as connection:
        known = dict(
            connection.execute(
                "select mbrrace_organisation_code, ods_code from reference.mbrrace_organisation"
            ).fetchall()
        )
    changed: set[str] = set()

    def revise(rows: list[dict[str, str]]) -> None:
        visible = [
            row
            for row in rows
            if known.get(int(row["OrganisationCode"]))
            and int(row["TotalStillbirths"]) > 5
            and int(row["TotalNeonatalDeaths"]) > 5
        ]
        for row in visible[:REVISED]:
            stillbirths, births = int(row["TotalStillbirths"]) + 1, int(row["TotalBirths"]) + 7
            deaths = stillbirths + int(row["TotalNeonatalDeaths"])
            row.update(TotalStillbirths=str(stillbirths), TotalPerinatalDeaths=str(deaths), TotalBirths=str(births))
            row.update(TotalLiveBirths=str(births - stillbirths))
            row.update(CrudeStillbirthRate=f"{1000 * stillbirths / births:.2f}")
            row.update(CrudeNeonatalDeathRate=f"{1000 * int(row['TotalNeonatalDeaths']) / (births - stillbirths):.2f}")
            row.update(CrudePerinatalDeathRate=f"{1000 * deaths / births:.2f}")
            changed.add(known[int(row["OrganisationCode"])])

    landed(copied, edited(mbrrace_files[0], tmp_path / mbrrace_files[0].name, revise))
    assert steps.build(copied).what == "published"
    second = copied.current.resolve()
    assert second != first
    narrowed, masked = narrowed_cells(read(first), read(second, frozenset(changed)))
    assert masked > 150
    assert not narrowed, f"{len(narrowed)} of {masked} masked cells can be narrowed, first {narrowed[:3]}"
