"""SYNTHETIC releases of any size, made by DuckDB in seconds: real codes and layouts, invented numbers.

Fingertips files have the publisher's present header (indicator × area × year × sex × age); monthly measures of the
Maternity Services Data Set have every trust of an LMS, the regions and England. Numbers follow from a hash of the row's
place, so that the same call writes the same bytes. Nothing made here is committed or may be taken for real.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import duckdb

from ingest.sample.reference import SEEDS
from ingest.sources.msds.sample import MONTHS as SAMPLE_MONTHS
from perinatal.sql import literal

SEEDS_IN_SQL: Final = str(SEEDS).replace("'", "''")  # for the inside of a quoted path
MEGABYTE: Final = 1_000_000
YEARS: Final = range(2005, 2025)
WHO: Final = (("Persons", "All ages"), ("Male", "All ages"), ("Female", "All ages"))
INVENTED: Final = 900_000  # indicator ids above the publisher's own
FINGERTIPS_FILE: Final = 400_000  # rows of one file, when many are made
MEASURES: Final = ("Induction", "Mode_Caesarean_emergency", "COC_by_28weeks")
FIRST_MONTH: Final = date(2015, 4, 1)
MONTHS: Final = 108  # up to where the sample's months begin
FEW_MONTHS: Final = 12
MOST_MEASURES: Final = 135  # of a month, as published

AREAS: Final = """
    select row_number() over (order by kind, code) - 1 as number, *
    from (
        select 'E92000001' as code, 'England' as name, 'England' as kind
        union all select utla21_code, any_value(utla21_name), 'Counties & UAs (from Apr 2023)'
        from read_csv('{seeds}/utla_stp.csv', all_varchar = true) group by utla21_code
        union all select trust_code, any_value(trust_name), 'Acute Trust'
        from read_csv('{seeds}/trust.csv', all_varchar = true) where status = 'active' group by trust_code)
"""

# a share of births with Wilson-like limits; one value in two hundred is withheld, with the reason in the note
FINGERTIPS: Final = """
    with places as (
        select i::bigint as i, {areas_total} as areas, {who_total} as groups, {years_total} as years,
            i % areas as area, (i // areas) % groups as who, (i // (areas * groups)) % years as year,
            i // (areas * groups * years) as place, hash(i) as dice, hash(i, 'count') as other
        from range({first}, {last}) as t(i)),
    drawn as (
        select *, (300 + dice % 9000)::bigint as births, 0.02 + (hash(place) % 300) / 1000 as level,
            floor(births * level * (0.8 + (other % 400) / 1000))::bigint as events,
            dice % 200 = 7 as is_withheld, events / births as share,
            sqrt(share * (1 - share) / births + 1.0 / (births * births)) as error
        from places)
    select
        coalesce(known.id, {invented} + place) as "Indicator ID",
        coalesce(known.name, 'SYNTHETIC share number ' || place) as "Indicator Name",
        case when kind <> 'England' then 'E92000001' end as "Parent Code",
        case when kind <> 'England' then 'England' end as "Parent Name",
        code as "Area Code", areas.name as "Area Name", kind as "Area Type",
        who_names[who + 1]['sex'] as "Sex", who_names[who + 1]['age'] as "Age",
        null as "Category Type", null as "Category", ({first_year} + year)::varchar as "Time period",
        case when not is_withheld then round(100 * share, 6) end as "Value",
        case when not is_withheld then round(100 * greatest(share - 1.96 * error, 0), 6) end as "Lower CI 95.0 limit",
        case when not is_withheld then round(100 * (share + 1.96 * error), 6) end as "Upper CI 95.0 limit",
        case when not is_withheld then round(100 * greatest(share - 3.09 * error, 0), 6) end as "Lower CI 99.8 limit",
        case when not is_withheld then round(100 * (share + 3.09 * error), 6) end as "Upper CI 99.8 limit",
        case when not is_withheld then events end as "Count",
        case when not is_withheld then births end as "Denominator",
        case when is_withheld then 'Value suppressed for disclosure control due to small count' end as "Value note",
        case when year = years - 1 and not is_withheld then 'No significant change' end as "Recent Trend",
        if(kind = 'England', 'Not compared', ['Better', 'Similar', 'Similar', 'Worse'][(1 + other % 4)::bigint])
            as "Compared to England value or percentiles",
        'Not compared' as "Compared to Regions (statistical) value or percentiles",
        ({first_year} + year) || '0000' as "Time period Sortable",
        case when year = years - 1 then 'New data' end as "New data", null as "Compared to goal",
        '1y' as "Time period range"
    from drawn
    cross join (select {who_list} as who_names)
    inner join areas on areas.number = drawn.area
    left join known on known.number = drawn.place
"""

METADATA: Final = """
    select {invented} + i as "Indicator ID", 'SYNTHETIC share number ' || i as "Indicator", '%' as "Unit",
        100 as "Unit value", 'Proportion' as "Value type", 'Calendar' as "Year type",
        'Wilson Score method' as "Confidence interval method"
    from range({indicators}) as t(i)
"""

# counts are multiples of five, as published; regions and the country are the sums of their trusts
MONTHLY: Final = """
    with drawn as (
        select code, name, region_code, region_name, measure, 5 * (20 + hash(code, '{day}') % 60)::bigint as births,
            5 * floor(births / 5 * (0.1 + (hash(code, measure, '{day}') % 300) / 1000))::bigint as events
        from trusts cross join (select unnest({measures}) as measure)),
    summed as (
        select code, name, 'Provider' as kind, measure, births, events from drawn
        union all
        select region_code, region_name, 'NHS England (Region)', measure, sum(births), sum(events) from drawn
        group by all
        union all
        select 'National', 'All Submitters', 'National', measure, sum(births), sum(events) from drawn group by all)
    select code as "Org_Code", name as "Org_Name", kind as "Org_Level",
        '{first}' as "RPStartDate", '{day}' as "RPEndDate",
        'SYNTHETIC' as "IndicatorFamily", measure as "Indicator", part as "Currency",
        case part when 'Denominator' then births when 'Numerator' then events else round(100 * events / births, 1) end
            as "Value"
    from summed cross join (select unnest(['Denominator', 'Numerator', 'Rate']) as part)
    order by code, measure, part
"""
TRUSTS: Final = """
    select trust_code as code, any_value(trust_name) as name, any_value(region_code) as region_code,
        any_value(nhs_region) as region_name
    from read_csv('{seeds}/trust.csv', all_varchar = true)
    where status = 'active' and region_code is not null
        and trust_code in (select trust_code from read_csv('{seeds}/trust_lms_membership.csv', all_varchar = true))
    group by trust_code
"""


@dataclass(frozen=True)
class Made:
    """A file that was made: where it lies, whose layout it has, how many rows are in it."""

    path: Path
    source_id: str
    rows: int


def _connect() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(f"create table areas as {AREAS.format(seeds=SEEDS_IN_SQL)}")
    connection.execute(f"create table trusts as {TRUSTS.format(seeds=SEEDS_IN_SQL)}")
    connection.execute(
        "create table known as "
        "select row_number() over (order by indicator_id) - 1 as number, indicator_id as id, name "
        f"from read_csv('{SEEDS_IN_SQL}/fingertips_indicator.csv') "
        "where value_type = 'Proportion' and year_type = 'Calendar'"
    )
    return connection


def fingertips(path: Path, first: int, last: int) -> Made:
    """Write the rows `first` … `last` - 1 of the endless invented Fingertips table."""
    with _connect() as connection:
        _write_fingertips(connection, path, first, last)
    return Made(path, "fingertips", last - first)


def _write_fingertips(connection: duckdb.DuckDBPyConnection, path: Path, first: int, last: int) -> None:
    who = ", ".join(f"{{'sex': '{sex}', 'age': '{age}'}}" for sex, age in WHO)
    sql = FINGERTIPS.format(
        first=first,
        last=last,
        areas_total=_areas(connection),
        who_total=len(WHO),
        years_total=len(YEARS),
        first_year=YEARS[0],
        who_list=f"[{who}]",
        invented=INVENTED,
    )
    write(connection, sql, path)


def _areas(connection: duckdb.DuckDBPyConnection) -> int:
    return int(connection.execute("select count(*) from areas").fetchall()[0][0])


def write(connection: duckdb.DuckDBPyConnection, sql: str, path: Path) -> int:
    """Write the rows of a query as CSV with a header; returns how many they are."""
    [(rows,)] = connection.execute(f"copy ({sql}) to {literal(path)} (format csv, header)").fetchall()
    return int(rows)


def fingertips_of_size(path: Path, megabytes: float) -> Made:
    """Write a Fingertips file of about so many megabytes (10⁶ bytes)."""
    probe = path.with_suffix(".probe")
    rows = 20_000
    fingertips(probe, 0, rows)
    wanted = int(rows * megabytes * MEGABYTE / probe.stat().st_size)
    probe.unlink()
    return fingertips(path, 0, wanted)


def releases(folder: Path, rows: int) -> Iterator[Made]:
    """Write about `rows` rows of releases: half monthly measures of trusts, half values of areas."""
    folder.mkdir(parents=True, exist_ok=True)
    yield from _monthly(folder, rows // 2)
    with _connect() as connection:
        for first in range(0, rows - rows // 2, FINGERTIPS_FILE):
            last = min(first + FINGERTIPS_FILE, rows - rows // 2)
            path = folder / f"synthetic-{first // FINGERTIPS_FILE}_child502_parent6.csv"
            _write_fingertips(connection, path, first, last)
            yield Made(path, "fingertips", last - first)
        indicators = 1 + (rows - rows // 2) // (_areas(connection) * len(WHO) * len(YEARS))
        path = folder / "synthetic-metadata.csv"
        write(connection, METADATA.format(invented=INVENTED, indicators=indicators), path)
        yield Made(path, "fingertips", indicators)


def _monthly(folder: Path, rows: int) -> Iterator[Made]:
    """Write months from the newest back: first more measures in a year's months, then more months."""
    with _connect() as connection:
        a_measure = _rows_of_a_measure(connection)
        each = min(MOST_MEASURES, max(len(MEASURES), rows // (a_measure * FEW_MONTHS)))
        months = min(MONTHS, max(1, round(rows / (a_measure * each))))
        each = max(each, rows // (a_measure * months))
        for back in range(months):
            yield _write_month(connection, folder, MONTHS - 1 - back, each)


def later_month(folder: Path, rows: int, number: int) -> Made:
    """Write the month that comes so many months after the sample's last one, of about so many rows."""
    with _connect() as connection:
        measures = max(len(MEASURES), rows // _rows_of_a_measure(connection))
        return _write_month(connection, folder, MONTHS + len(SAMPLE_MONTHS) - 1 + number, measures)


def _rows_of_a_measure(connection: duckdb.DuckDBPyConnection) -> int:
    """Return the rows that a measure has in a month: its three parts for each trust, region and England."""
    counted = "select count(*) + count(distinct region_code) + 1 from trusts"
    return 3 * int(connection.execute(counted).fetchall()[0][0])


def _write_month(connection: duckdb.DuckDBPyConnection, folder: Path, number: int, measures: int) -> Made:
    """Write the month of a number, counted from the first one, with so many measures."""
    names = [*MEASURES, *(f"SYNTHETIC_{number:03}" for number in range(measures - len(MEASURES)))]
    month, last = month_of(number)
    path = folder / f"synthetic-{month:%b%Y}-exp-measures.csv".lower()
    write(connection, MONTHLY.format(measures=names, first=f"{month:%d/%m/%Y}", day=f"{last:%d/%m/%Y}"), path)
    return Made(path, "msds", _rows_of_a_measure(connection) * measures)


def month_of(number: int) -> tuple[date, date]:
    """Return the first and the last day of a month, counted from the first one."""
    months = FIRST_MONTH.month - 1 + number
    first = date(FIRST_MONTH.year + months // 12, months % 12 + 1, 1)
    return first, first.replace(day=monthrange(first.year, first.month)[1])
