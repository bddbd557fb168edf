"""Synthetic Maternity Services Data Set releases in the publisher's layouts, with their quirks. No number is real.

All trusts of seven LMSs, one a region. Quirks: counts rounded (0, 5, nearest 5), zeros left out of monthly data and of
2019-20 but listed in 2022-23; day and month of start dates swapped in every other file; the lower-case header and
capitals of 2019-20; rates per thousand from counts before rounding, masked with "*" where the numerator is small;
data-quality results, "Low DQ" and "DNS" rows that are in no area's sum; data-quality checks above 100%; closed codes
that still report; site codes whose first letters are not their trust's; Welsh places; a provisional month that a
final one replaces, and one that is still provisional. Shares and rates are those published for England in 2025,
rounded.
"""

from __future__ import annotations

import calendar
import csv
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

from ingest.sample.reference import read_seed
from ingest.sources.msds.sample_figures import AVERAGE, DIMENSIONS, MEASURES, OLD_NAMES, Measure

SYSTEMS = ("QE1", "QHG", "QHM-NTWD", "QKK", "QNX", "QVV", "QWU")
MONTHS = [(2024, month) for month in range(4, 13)] + [(2025, month) for month in range(1, 5)]
DATA_MONTHS = [(2025, 1), (2025, 2)]
PROVISIONAL = [(2025, 3), (2025, 4)]
STILL_PROVISIONAL = (2025, 4)
CLOSED, SUCCESSOR = "RDZ", "R0D"
GROUPS = {3: ("Group 3. 4,000 or more", "4,000 or more births"), 5: ("Group 5. Under 2,000", "Under 2,000 births")}


class Trust(NamedTuple):
    """One trust of the sample: where it belongs and how many babies a month are born there."""

    code: str
    name: str
    board: str
    region: str
    group: int
    births: int


class Place(NamedTuple):
    """One organisation of a file: its published level, code and name."""

    level: str
    code: str
    name: str


class Tally(NamedTuple):
    """Counts of a trust and month for one measure, before rounding; `status` is Pass, Fail, Low DQ or DNS."""

    numerator: int
    denominator: int
    status: str = "Pass"


def generate(folder: Path, seed: int = 20250430) -> None:
    """Write all releases into `folder` under the publisher's file names. The same seed gives the same bytes."""
    dice = random.Random(seed)  # noqa: S311 - invented data, not a secret
    for year in (2019, 2022):
        _write_annual(folder, year, dice)
    for month in DATA_MONTHS:
        _write_data(folder, month, dice)
    for month in MONTHS:
        tallies = _tallies(month, dice)
        if month in PROVISIONAL:
            _write_measures(folder, month, _understated(tallies), "Provisional")
        if month != STILL_PROVISIONAL:
            _write_measures(folder, month, tallies, "")


def _trusts(on: date) -> list[Trust]:
    """Return the trusts of the sample's LMSs that belong to them on a day, by code."""
    names = {row["trust_code"]: row["trust_name"] for row in read_seed("trust")}
    systems = {row["lms_code"]: row for row in read_seed("lms")}
    day = on.isoformat()
    found = [
        (row["trust_code"], systems[row["lms_code"]])
        for row in read_seed("trust_lms_membership")
        if row["lms_code"] in SYSTEMS and row["valid_from"] <= day <= (row["valid_to"] or "9999")
    ]
    return [
        Trust(code, names[code], system["stp_code_ods"], system["region_code"], 3 if births > 330 else 5, births)
        for code, system in sorted(found, key=lambda pair: pair[0])
        for births in [random.Random(code).randrange(140, 620)]  # noqa: S311 - the same in every month
    ]


def _rounded(count: int) -> int:
    """Round as the publisher does: 0 stays, 1 to 7 become 5, all else the nearest 5."""
    return 0 if count == 0 else 5 if count < 8 else 5 * ((count + 2) // 5)


def _number(count: float) -> str:
    return f"{float(count)}"


def _around(dice: random.Random, expected: float) -> int:
    return max(0, round(dice.gauss(expected, expected**0.5)))


def _draw(dice: random.Random, births: int) -> Counter[tuple[str, str | None]]:
    """Return true counts by dimension and category."""
    return Counter(
        {
            (dimension, category): _around(dice, births * share / 1000)
            for dimension, (_, shares) in DIMENSIONS.items()
            for category, share in shares.items()
        }
    )


def _areas(trusts: Sequence[Trust], style: str) -> Iterator[tuple[Place, list[str]]]:
    """Yield the areas of a file with the codes of their trusts; `style` says how the file writes them."""
    regions = {row["region_code"]: row["region_name"] for row in read_seed("nhs_region")}
    boards = {row["stp_code_ods"]: row["icb_2024_name"] for row in read_seed("lms")}
    everybody = [trust.code for trust in trusts]
    if style == "old":
        yield Place("ALL SUBMITTERS", "ALL", "ALL SUBMITTERS"), everybody
    else:
        yield Place("National", "ALL" if style == "data" else "National", "ALL SUBMITTERS"), everybody
    for region in sorted({trust.region for trust in trusts}):
        level = "REGION" if style == "old" else "NHS England (Region)"
        name = regions[region] if style == "old" else f"{regions[region].upper()} COMMISSIONING REGION"
        yield Place(level, region, name), [trust.code for trust in trusts if trust.region == region]
    if style in ("old", "annual"):
        return
    for board in sorted({trust.board for trust in trusts}):
        members = [trust.code for trust in trusts if trust.board == board]
        yield Place("Local Maternity System", board, boards[board].upper()), members
    for group, (code, name) in GROUPS.items():
        yield Place("MBRRACE Grouping", code, name), [trust.code for trust in trusts if trust.group == group]


def _provider(trust: Trust) -> Place:
    return Place("Provider", trust.code, trust.name)


Counts = Counter[tuple[str, str | None]]


def _places(trusts: Sequence[Trust], counts: dict[str, Counts], style: str) -> Iterator[tuple[Place, Counts]]:
    """Yield every trust and area with its true counts."""
    for place, members in _areas(trusts, style):
        yield place, _together(counts[code] for code in members)
    for trust in trusts:
        yield _provider(trust), counts[trust.code]


def _together(parts: Iterable[Counts]) -> Counts:
    whole: Counts = Counter()
    for part in parts:
        whole.update(part)
    return whole


def _write_annual(folder: Path, year: int, dice: random.Random) -> None:
    """Write a financial year: 2019-20 in its own spelling, without zeros; later years list zeros."""
    old = year == 2019
    trusts = _trusts(date(year + 1, 3, 31))
    counts = {trust.code: _draw(dice, 12 * trust.births) for trust in trusts}
    header = ["Period", "Dimension", "Org_Level", "Org_Code", "Org_Name", "Measure", "Count_Of", "Value"]
    if old:
        header = ["measure1" if name == "Measure" else name.lower() for name in header]
    period = f"{year}-{(year + 1) % 100:02d}"
    rows = []
    for place, tally in _places(trusts, counts, "old" if old else "annual"):
        level = place.level.upper() if old else place.level
        for (dimension, category), count in tally.items():
            if (old and (dimension not in OLD_NAMES or not count)) or dimension == "TotalBookings":
                continue
            name = OLD_NAMES[dimension] if old else dimension
            counted = DIMENSIONS[dimension][0].replace("Women", "Deliveries")
            # what a spreadsheet made of 7-10
            shown = "07-Oct" if old and place.code == trusts[0].code and category == "7 to 10" else category
            rows.append([period, name, level, place.code, place.name, shown or "",
                         counted.lower() if old else counted, _number(_rounded(count))])  # fmt: skip
    _write(folder / f"hosp-epis-stat-mat-msdscsv-{period}.csv", header, rows)


def _dates(month: tuple[int, int]) -> tuple[str, str]:
    """Return start and end as the file writes them: in every other month a spreadsheet has swapped the start."""
    last = calendar.monthrange(*month)[1]
    year, number = month
    start = f"{year}-01-{number:02d} 00:00:00" if number % 2 == 0 else f"01/{number:02d}/{year}"
    return start, f"{last:02d}/{number:02d}/{year}"


def _write_data(folder: Path, month: tuple[int, int], dice: random.Random) -> None:
    """Write a month of distributions at all levels of organisation; zeros are left out."""
    trusts = _trusts(date(*month, 28))
    counts = {trust.code: _draw(dice, trust.births) for trust in trusts}
    closed = next(row["trust_name"] for row in read_seed("trust") if row["trust_code"] == CLOSED)
    places: list[tuple[Place, Counts]] = [
        *_places(trusts, counts, "data"),
        *_small_places(trusts, counts),
        (Place("Provider", CLOSED, closed), Counter({("TotalBookings", None): 3})),
    ]
    header = ["ReportingPeriodStartDate", "ReportingPeriodEndDate", "Dimension", "Org_Level", "Org_Code", "Org_Name",
              "Measure", "Count_Of", "Final_value"]  # fmt: skip
    rows: list[list[str]] = []
    for place, tally in places:
        head = [place.level, place.code, place.name]
        rows += [
            [*_dates(month), dimension, *head, category or "", DIMENSIONS[dimension][0], _number(_rounded(count))]
            for (dimension, category), count in tally.items()
            if count
        ]
        rows.append([*_dates(month), AVERAGE, *head, "", "Average over women", _number(dice.choice((30, 31, 32)))])
    _write(folder / f"msds-{_month_name(month)}-exp-data.csv", header, rows)


def _small_places(trusts: Sequence[Trust], counts: dict[str, Counts]) -> Iterator[tuple[Place, Counts]]:
    """Yield delivery sites, local authorities and sub-ICBs with a part of a trust's counts."""
    codes = {trust.code: trust for trust in trusts}
    sites = [row for row in read_seed("msds_delivery_site") if row["trust_code"] in codes]
    plain = [row for row in sites if row["site_code"].startswith(row["trust_code"])]
    odd = [row for row in sites if row not in plain]
    for row in [*plain[:8], *odd]:
        births = _births_only(counts[row["trust_code"]])
        yield Place("Delivery Site", row["site_code"], row["site_name"]), _part(births, 2)
    some = _births_only(counts[trusts[0].code])
    yield Place("Delivery Site", "ZZ201", "HOME"), _part(some, 40)
    yield Place("Delivery Site", "7A6G9", "THE GRANGE UNIVERSITY HOSPITAL"), _part(some, 60)
    for row, trust in zip(read_seed("ltla_stp")[::60], trusts, strict=False):
        place = Place("Local Authority of Residence", row["ltla21_code"], row["ltla21_name"].upper())
        yield place, _part(counts[trust.code], 3)
    yield Place("Local Authority of Residence", "W06000021", "LOCAL AUTHORITY UNKNOWN"), _part(some, 50)
    subs = [row for row in read_seed("ccg_stp") if row["year"] == "2021" and row["stp_code_ods"] in SYSTEMS][:4]
    for row, trust in zip(subs, trusts, strict=False):
        place = Place("SubICB of Responsibility", row["ccg_code_ods"], row["ccg_name"].upper())
        yield place, _part(counts[trust.code], 4)


def _part(counts: Counts, share: int) -> Counts:
    return Counter({key: count // share for key, count in counts.items()})


def _births_only(counts: Counts) -> Counts:
    """Leave out what is counted at booking: it is published by booking site, not by delivery site."""
    return Counter({key: count for key, count in counts.items() if "Booking" not in key[0] and "Ethnic" not in key[0]})


Tallies = dict[tuple[str, str], Tally]


def _tallies(month: tuple[int, int], dice: random.Random) -> Tallies:
    """Return the true counts of a month by trust and measure; a trust that fails badly is withheld, one is silent."""
    trusts = _trusts(date(*month, 28))
    silent = dice.choice(trusts).code if month[1] % 4 == 0 else None
    found: Tallies = {}
    for trust in trusts:
        for name, measure in MEASURES.items():
            denominator = _around(dice, trust.births * measure.base / 1000)
            numerator = _around(dice, denominator * _share(measure, trust, month) / 1000)
            status = "Fail" if dice.random() < 0.02 and measure.has_result else "Pass"
            if status == "Fail" and measure.for_areas:
                numerator, denominator, status = 0, 0, "Low DQ"
            if measure.for_areas:
                numerator = min(numerator, denominator)
            if trust.code == silent and measure.family.startswith("CQIM"):
                numerator, denominator, status = 0, 0, "DNS"
            found[trust.code, name] = Tally(numerator, denominator, status)
    return found


def _share(measure: Measure, trust: Trust, month: tuple[int, int]) -> float:
    """Return a trust's own rate: one trust gets worse from 2025 on, so that charts have something to show."""
    own = 0.8 + 0.4 * random.Random(trust.code + measure.family).random()  # noqa: S311
    worse = 1.8 if trust.code == "RKB" and month[0] == 2025 and measure.currency != "Rate" else 1
    return measure.share * own * worse


def _understated(tallies: Tallies) -> Tallies:
    """Return what was known when the month was provisional: a few records are missing."""
    return {
        key: Tally(tally.numerator * 19 // 20, tally.denominator * 19 // 20, tally.status)
        for key, tally in tallies.items()
    }


def _write_measures(folder: Path, month: tuple[int, int], tallies: Tallies, status: str) -> None:
    """Write a month of measures: numerator, denominator, rate and for trusts the result."""
    trusts = _trusts(date(*month, 28))
    header = ["Org_Code", "Org_Name", "Org_Level", "RPStartDate", "RPEndDate", "IndicatorFamily", "Indicator",
              "Currency", "Value"]  # fmt: skip
    rows: list[list[str]] = []
    for name, measure in MEASURES.items():
        places = [(_provider(trust), tallies[trust.code, name], measure.has_result) for trust in trusts]
        if measure.for_areas:
            places += [(place, _sum(tallies, name, codes), False) for place, codes in _areas(trusts, "measures")]
        for place, tally, has_result in places:
            head = [place.code, place.name, place.level, *_dates(month), measure.family, name]
            rows += [[*head, *cell] for cell in _cells(measure, tally, has_result)]
    _write(folder / f"msds-{_month_name(month)}{status}-exp-measures.csv", header, rows)


def _sum(tallies: Tallies, measure: str, codes: Iterable[str]) -> Tally:
    """Return an area's counts: trusts whose rate is withheld are left out."""
    counted = [tallies[code, measure] for code in codes if tallies[code, measure].status in ("Pass", "Fail")]
    return Tally(sum(tally.numerator for tally in counted), sum(tally.denominator for tally in counted))


def _cells(measure: Measure, tally: Tally, has_result: bool) -> list[tuple[str, str]]:
    numerator, denominator = _rounded(tally.numerator), _rounded(tally.denominator)
    counts = [("Denominator", _number(denominator)), ("Numerator", _number(numerator))]
    if tally.status == "DNS":
        counts = [("Denominator", "DNS"), ("Numerator", "DNS")]
    result = "Pass" if tally.status == "Pass" else "Fail"
    cells = [*counts, (measure.currency, _printed_rate(measure, tally))]
    return [*cells, ("Result", result)] if has_result else cells


def _printed_rate(measure: Measure, tally: Tally) -> str:
    if tally.status in ("DNS", "Low DQ"):
        return tally.status
    if measure.currency == "Rate per Thousand":
        # from counts before rounding, so masked where the numerator is small
        if 0 < tally.numerator < 8:
            return "*"
        return _number(round(1000 * tally.numerator / tally.denominator)) if tally.denominator else "0.0"
    numerator, denominator = _rounded(tally.numerator), _rounded(tally.denominator)
    return _number(round(100 * numerator / denominator, 1)) if denominator else "0.0"


def _month_name(month: tuple[int, int]) -> str:
    return f"{calendar.month_abbr[month[1]].lower()}{month[0]}"


def _write(path: Path, header: list[str], rows: Iterable[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerow(header)
        writer.writerows(rows)
