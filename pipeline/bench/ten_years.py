"""SYNTHETIC months of the Maternity Services Data Set as large as those published: both monthly files, all levels.

The layouts, the levels and about as many rows a month as the real files of 2025: 83,000 counts by dimension and
category, 69,000 measures. Places have real codes; numbers follow from a hash of place, name and month. Regions, boards,
MBRRACE-UK groups and England are the sums of their trusts; sites, local authorities and sub-ICBs stand by themselves.
Nothing made here is committed or may be taken for real.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import duckdb

from ingest.sources.msds.sample_figures import DIMENSIONS, MEASURES
from pipeline.bench.scaled import SEEDS_IN_SQL, Made, month_of, write

MONTHS: Final = 132
MORE_DIMENSIONS: Final = 12  # invented ones beside the sample's, each with so many categories
CATEGORIES: Final = 6
MORE_MEASURES: Final = 126  # invented ones beside the sample's

# a place is made of trusts, or stands by itself
PLACES: Final = """
    with trusts as (
        select trust_code as code, any_value(upper(trust_name)) as name, any_value(trust.region_code) as region,
            any_value(upper(nhs_region)) as region_name,
            any_value(lms.stp_code_ods) as board, any_value(upper(icb_2024_name)) as board_name
        from read_csv('{seeds}/trust.csv', all_varchar = true) as trust
        inner join read_csv('{seeds}/trust_lms_membership.csv', all_varchar = true) as member using (trust_code)
        inner join
            (select lms_code, stp_code_ods, icb_2024_name from read_csv('{seeds}/lms.csv', all_varchar = true)) as lms
            using (lms_code)
        where trust.status = 'active' and trust.region_code is not null and member.valid_to is null
        group by trust_code)
    select 'National' as level, 'ALL' as code, 'ALL SUBMITTERS' as name, list(code) as trusts from trusts
    union all
    select 'NHS England (Region)', region, any_value(region_name) || ' COMMISSIONING REGION', list(code)
    from trusts group by region
    union all
    select 'Local Maternity System', board, any_value(board_name), list(code) from trusts group by board
    union all
    select 'MBRRACE Grouping', 'Group ' || (1 + hash(code) % 6), 'GROUP ' || (1 + hash(code) % 6), list(code)
    from trusts group by all
    union all
    select 'Provider', code, name, [code] from trusts
    union all
    select if(row_number() over (order by site_code) % 2 = 0, 'Booking Site', 'Delivery Site'), site_code, site_name, []
    from read_csv('{seeds}/msds_delivery_site.csv', all_varchar = true)
    union all
    select 'Local Authority of Residence', ltla21_code, any_value(upper(ltla21_name)), []
    from read_csv('{seeds}/ltla_stp.csv', all_varchar = true) group by ltla21_code
    union all
    select 'SubICB of Responsibility', ccg_code_ods, any_value(upper(ccg_name)), []
    from read_csv('{seeds}/ccg_stp.csv', all_varchar = true) where year = '2021' group by ccg_code_ods
"""

# what one place made of one trust, or of none, counts before rounding: a share of its births
DRAWN: Final = """
    drawn as (
        select level, place.code, place.name, coalesce(trust, place.code) as unit,
            100 + hash(unit, '{day}') % 300 as births
        from places as place left join (select code, unnest(trusts) as trust from places) as part using (code)
        {where})
"""

COUNTS: Final = """
    with {drawn},
    summed as (
        select level, code, name, dimension, category, counted,
            sum(floor(births * share * (0.8 + (hash(unit, dimension, category) % 400) / 1000)))::bigint as number
        from drawn cross join dimensions group by all)
    select '{first}' as "ReportingPeriodStartDate", '{day}' as "ReportingPeriodEndDate", dimension as "Dimension",
        level as "Org_Level", code as "Org_Code", name as "Org_Name", category as "Measure", counted as "Count_Of",
        if(number < 8, 5, 5 * ((number + 2) // 5))::varchar || '.0' as "Final_value"
    from summed where number > 0 order by dimension, level, code, category
"""

RATES: Final = """
    with {drawn},
    summed as (
        select level, code, name, measure, family,
            5 * ((sum(births * base)::bigint + 2) // 5) as denominator,
            least(denominator, 5 * (sum(floor(births * base * share
                * (0.8 + (hash(unit, measure, '{day}') % 400) / 1000)))::bigint // 5)) as numerator
        from drawn cross join measures group by all)
    select if(level = 'National', 'National', code) as "Org_Code", name as "Org_Name", level as "Org_Level",
        '{first}' as "RPStartDate", '{day}' as "RPEndDate", family as "IndicatorFamily", measure as "Indicator",
        part as "Currency",
        case part
            when 'Denominator' then denominator
            when 'Numerator' then numerator
            else round(100 * numerator / denominator, 1)
        end::varchar as "Value"
    from summed cross join (select unnest(['Denominator', 'Numerator', 'Rate']) as part)
    order by measure, level, code, part
"""


def months(folder: Path, first: int = 0, last: int = MONTHS) -> Iterator[Made]:
    """Write the months of these numbers, counted from the first one, each as the two files of the publisher."""
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        _prepare(connection)
        for number in range(first, last):
            yield from _month(connection, folder, number)


def _prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the tables of places, dimensions with categories, and measures."""
    connection.execute(f"create table places as {PLACES.format(seeds=SEEDS_IN_SQL)}")
    connection.execute("create table dimensions (dimension varchar, category varchar, counted varchar, share double)")
    rows = [
        (name, category, counted, share / 1000)
        for name, (counted, shares) in DIMENSIONS.items()
        for category, share in shares.items()
    ]
    rows += [
        (f"Synthetic{number:02}Group", f"Category {part}", "Women", 1 / CATEGORIES)
        for number in range(MORE_DIMENSIONS)
        for part in range(CATEGORIES)
    ]
    connection.executemany("insert into dimensions values (?, ?, ?, ?)", rows)
    connection.execute("create table measures (measure varchar, family varchar, base double, share double)")
    known = [
        (name, item.family, item.base / 1000, item.share / 1000)
        for name, item in MEASURES.items()
        if item.for_areas and item.currency == "Rate"
    ]
    more = [
        (f"SYNTHETIC_{number:03}", "SYNTHETIC", 1.0, 0.05 + number / (2 * MORE_MEASURES))
        for number in range(MORE_MEASURES)
    ]
    connection.executemany("insert into measures values (?, ?, ?, ?)", known + more)


def _month(connection: duckdb.DuckDBPyConnection, folder: Path, number: int) -> Iterator[Made]:
    """Write one month's files of counts and of measures."""
    first, last = month_of(number)
    for kind, sql, where in (("data", COUNTS, ""), ("measures", RATES, "where len(place.trusts) > 0")):
        path = folder / f"msds-{first:%b%Y}-exp-{kind}.csv".lower()
        drawn = DRAWN.format(day=last, where=where)
        rows = write(connection, sql.format(drawn=drawn, first=f"{first:%d/%m/%Y}", day=f"{last:%d/%m/%Y}"), path)
        yield Made(path, "msds", rows)
