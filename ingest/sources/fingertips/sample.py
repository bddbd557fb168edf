"""Synthetic Fingertips files in the publisher's layouts, with their quirks. No number is about a real place.

Upper-tier authorities from April 2023 with regions and England, and integrated care boards under England. Quirks:
England's rows twice where the parent is England; -1 in limits and blank values with the reason in the note; a note on
values that are there; Hackney with the City of London and Cornwall with Scilly as one value; deprivation deciles of two
vintages and sexes beside the headline; pooled years that overlap; counts rounded to five; a standardised rate that its
counts do not give; the ragged file of 2019 (a name with a line break, a header with one column too many); a website
export (byte order mark, header without spaces, markup, thousands separators). Levels are near England's of 2023.
Every indicator that is asked for is in the metadata; most were never uploaded, and none has data for acute trusts: the
API answers with a header alone, which must be reported as "no data".
"""

from __future__ import annotations

import csv
import json
import random
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ingest.sample.reference import UPLOADED_AT, read_seed

ENGLAND = "E92000001"
HEADER = [
    *(
        "Indicator ID",
        "Indicator Name",
        "Parent Code",
        "Parent Name",
        "Area Code",
        "Area Name",
        "Area Type",
        "Sex",
        "Age",
    ),
    *("Category Type", "Category", "Time period", "Value", "Lower CI 95.0 limit", "Upper CI 95.0 limit"),
    *("Lower CI 99.8 limit", "Upper CI 99.8 limit", "Count", "Denominator", "Value note", "Recent Trend"),
    *("Compared to England value or percentiles", "{parent}", "Time period Sortable", "New data"),
    *("Compared to goal", "Time period range"),
]
REGIONAL = "Compared to Regions (statistical) value or percentiles"
NHS_REGIONAL = "Compared to NHS regions value or percentiles"
AUTHORITY, REGION, BOARD = "Counties & UAs (from Apr 2023)", "Regions (statistical)", "ICBs"
REGIONS = {
    "E12000001": "North East region (statistical)",
    "E12000004": "East Midlands region (statistical)",
    "E12000007": "London region (statistical)",
}
VINTAGES = (
    "County & UA deprivation deciles in England (IMD2019, 4/21 geography)",
    "District & UA deprivation deciles in England (IMD2019, 4/23 geography)",
)
DECILES = ("Most deprived decile (IMD2019)", "Fifth more deprived decile (IMD2019)", "Least deprived decile (IMD2019)")
COMBINED = {"E09000001": "E09000012", "E06000053": "E06000052"}
COMBINED_NOTE = {
    "E09000012": "Value for Hackney and City of London combined",
    "E06000052": "Value for Cornwall and Isles of Scilly combined",
}
SUPPRESSED = "Value suppressed for disclosure control due to small count"
NOT_PRESENTED = "Not presented due to a trust not submitting any HES data for June to September"
# counties that were divided in 2023, and what they became: the sample's file of 2019 has the old ones
NEW_UNITARIES = {
    "E10000006": {"E06000063": "Cumberland", "E06000064": "Westmorland and Furness"},
    "E10000023": {"E06000065": "North Yorkshire UA"},
    "E10000027": {"E06000066": "Somerset UA"},
}


class Indicator(NamedTuple):
    """What an invented indicator is like: `level` events per `per` births, over `years` pooled."""

    name: str
    level: float
    per: int
    unit: str
    value_type: str
    ci_method: str
    year_type: str
    births_share: float = 1.0
    years: int = 1
    low_is_good: bool = True
    rounded: bool = False
    by_sex: bool = False


SHARE, RATE = ("Proportion", "Wilson Score method"), ("Crude rate", "Byar's method")
INDICATORS = {
    93085: Indicator("Smoking status at time of delivery", 8.8, 100, "%", *SHARE, "Financial"),
    20101: Indicator("Low birth weight of term babies", 2.9, 100, "%", *SHARE, "Calendar", 0.9, by_sex=True),
    92530: Indicator("Stillbirth rate", 4.0, 1000, "per 1,000", *RATE, "Calendar", years=3),
    92705: Indicator("Neonatal mortality rate", 2.9, 1000, "per 1,000", *RATE, "Calendar", years=3),
    91743: Indicator("Premature births (under 37 weeks)", 77.9, 1000, "per 1,000", *RATE, "Calendar", years=3),
    92240: Indicator("Admissions of babies under 14 days", 80, 1000, "per 1,000", *RATE, "Financial", rounded=True),
    94089: Indicator(
        "Access rate to specialist perinatal mental health services", 60, 1000, "per 1,000",
        "Directly standardised rate", "Dobson & Byar's methods", "Financial", low_is_good=False,
    ),
}  # fmt: skip
OLD = {20201: Indicator("Breastfeeding initiation", 74.5, 100, "%", *SHARE, "Financial", low_is_good=False)}
WEBSITE = {92244: Indicator("Caesarean section %", 38, 100, "%", *SHARE, "Financial")}
FIRST, LAST = 2018, 2023


class Area(NamedTuple):
    """An area and how many births it has in a year."""

    code: str
    name: str
    kind: str
    parent: str
    births: float


class Row(NamedTuple):
    """One row before it is written: counts decide on everything else."""

    area: Area
    sex: str
    category_type: str
    category: str
    events: int | None
    births: int
    note: str


def generate(folder: Path, seed: int = 1938133222) -> None:
    """Write the files into `folder`. The same seed gives the same bytes."""
    dice = random.Random(seed)  # noqa: S311 - invented data, not a secret
    authorities = _authorities()
    boards = _boards()
    for number, indicator in INDICATORS.items():
        for year in range(FIRST, LAST + 2 - indicator.years):
            rows = list(_rows(dice, number, indicator, authorities))
            england = [row for row in rows if row.area.code == ENGLAND]
            regions = [row for row in rows if row.area.kind == REGION]
            files = {
                "child502_parent6": (REGIONAL, rows),
                "child6_parent15": ("Compared to percentiles", [*england, *regions, *map(_under_england, england)]),
                "child221_parent223": (NHS_REGIONAL, [*england, *_board_rows(dice, indicator, boards)]),
            }
            for name, (compared, wanted) in files.items():
                _append(folder / f"fingertips_{name}.csv", compared, number, indicator, year, wanted)
    _write_ragged(folder / "by_group_id_1938133222_2019.csv", dice)
    _write_website_export(folder / "caesarean-sections-website.csv", dice, authorities)
    with_rows = INDICATORS | OLD | WEBSITE
    entries = {row["indicator_id"]: _never_uploaded(row) for row in read_seed("fingertips_indicator")}
    entries |= {str(number): _metadata(number, each, UPLOADED_AT) for number, each in with_rows.items()}
    (folder / "indicator_metadata_all.json").write_text(json.dumps(entries, indent=1), encoding="utf-8")


# --- areas ------------------------------------------------------------------------------------------------


def _authorities(before_2023: bool = False) -> list[Area]:
    """Return upper-tier authorities; births by their number of lower-layer areas, regions handed out in turn."""
    areas: Counter[tuple[str, str]] = Counter()
    for row in read_seed("utla_stp"):
        parts = {} if before_2023 else NEW_UNITARIES.get(row["utla21_code"], {})
        for code, name in (parts or {row["utla21_code"]: row["utla21_name"]}).items():
            areas[code, name] += int(int(row["lsoas"]) / max(len(parts), 1))
    regions = sorted(REGIONS)
    return [
        Area(code, name, AUTHORITY, regions[place % len(regions)], lsoas * 17.0)
        for place, ((code, name), lsoas) in enumerate(sorted(areas.items()))
    ]


def _boards() -> list[Area]:
    areas: Counter[tuple[str, str]] = Counter()
    for row in read_seed("utla_stp"):
        areas[row["stp21_code"], row["stp21_name"]] += int(row["lsoas"])
    return [Area(code, name, BOARD, "", lsoas * 17.0) for (code, name), lsoas in sorted(areas.items())]


# --- numbers ----------------------------------------------------------------------------------------------


def _draw(dice: random.Random, indicator: Indicator, births: float, factor: float = 1.0) -> tuple[int, int]:
    """Return count and births of one area and period."""
    at_risk = max(1, round(births * indicator.births_share * indicator.years * dice.uniform(0.97, 1.03)))
    expected = at_risk * indicator.level * factor / indicator.per
    count = max(0, round(dice.gauss(expected, expected**0.5)))
    return min(5 * round(count / 5) if indicator.rounded else count, at_risk), at_risk


def _rows(dice: random.Random, number: int, indicator: Indicator, authorities: list[Area]) -> Iterator[Row]:
    """Yield England, its breakdowns, regions and authorities of one indicator and period."""
    drawn = {area.code: _draw(dice, indicator, area.births, dice.uniform(0.75, 1.3)) for area in authorities}
    for part, whole in COMBINED.items():
        drawn[whole] = tuple(map(sum, zip(drawn[whole], drawn.pop(part), strict=True)))  # type: ignore[assignment]
    found = {area.code: area for area in authorities if area.code in drawn}
    yield from _england(dice, indicator, drawn)
    for region, name in REGIONS.items():
        count, births = _sum(drawn[code] for code, area in found.items() if area.parent == region)
        yield Row(Area(region, name, REGION, ENGLAND, births), "Persons", "", "", count, births, "")
    for area in authorities:
        if area.code in COMBINED:
            yield Row(area, "Persons", "", "", None, 0, COMBINED_NOTE[COMBINED[area.code]])
            continue
        count, births = drawn[area.code]
        yield Row(area, "Persons", "", "", *_shown(dice, number, indicator, area, count, births))
        if indicator.by_sex:
            girls = round(count * 0.55)
            yield Row(area, "Female", "", "", girls, births // 2, COMBINED_NOTE.get(area.code, ""))
            yield Row(area, "Male", "", "", count - girls, births - births // 2, COMBINED_NOTE.get(area.code, ""))


def _shown(
    dice: random.Random, number: int, indicator: Indicator, area: Area, count: int, births: int
) -> tuple[int | None, int, str]:
    """Return what is published of an authority's headline: small counts are masked, some are not presented."""
    if indicator.per == 1000 and 0 < count < 3:
        return None, 0, SUPPRESSED
    if number == 92240 and area.code not in COMBINED_NOTE and dice.random() < 0.01:
        return None, 0, NOT_PRESENTED
    return count, births, COMBINED_NOTE.get(area.code, "")


def _sum(pairs: Iterator[tuple[int, int]]) -> tuple[int, int]:
    count = births = 0
    for one, other in pairs:
        count, births = count + one, births + other
    return count, births


def _england(dice: random.Random, indicator: Indicator, drawn: dict[str, tuple[int, int]]) -> Iterator[Row]:
    count, births = _sum(iter(drawn.values()))
    england = Area(ENGLAND, "England", "England", "", births)
    yield Row(england, "Persons", "", "", count, births, "")
    if indicator.by_sex:
        yield Row(england, "Female", "", "", round(count * 0.55), births // 2, "")
        yield Row(england, "Male", "", "", count - round(count * 0.55), births - births // 2, "")
    for vintage in VINTAGES:
        for decile, factor in zip(DECILES, (1.3, 1.0, 0.7), strict=True):
            note = "Aggregated from all known lower geography values"
            group = _draw(dice, indicator, births / indicator.births_share / indicator.years / 10, factor)
            yield Row(england, "Persons", vintage, decile, *group, note)


def _board_rows(dice: random.Random, indicator: Indicator, boards: list[Area]) -> Iterator[Row]:
    for area in boards:
        yield Row(area, "Persons", "", "", *_draw(dice, indicator, area.births), "")


def _under_england(row: Row) -> Row:
    """Return England's row a second time, under itself."""
    return row._replace(area=row.area._replace(parent=ENGLAND))


# --- layouts ----------------------------------------------------------------------------------------------


def _period(indicator: Indicator, year: int) -> str:
    if indicator.years > 1:
        return f"{year} - {(year + indicator.years - 1) % 100:02}"
    return str(year) if indicator.year_type == "Calendar" else f"{year}/{(year + 1) % 100:02}"


def _limits(indicator: Indicator, count: int, births: int, z: float) -> tuple[float, float]:
    """Return the publisher's interval: Wilson's for shares, Byar's for rates."""
    if indicator.value_type == "Proportion":
        root = z * (z * z + 4 * count * (1 - count / births)) ** 0.5
        ends = [(2 * count + z * z + side * root) / 2 / (births + z * z) for side in (-1, 1)]
    else:
        ends = [
            base * (1 - 1 / (9 * base) + side * z / 3 / base**0.5) ** 3 / births if base else 0.0
            for base, side in ((count, -1), (count + 1, 1))
        ]
    return max(ends[0], 0.0) * indicator.per, ends[1] * indicator.per


def _numbers(indicator: Indicator, row: Row) -> list[object]:
    """Return value, four limits, count and denominator; blanks, with -1 in the limits, where there is no value."""
    if row.events is None:
        leaked = -1 if row.note == NOT_PRESENTED else ""
        return ["", leaked, leaked, leaked, leaked, "", ""]
    # a standardised rate is not the crude one
    factor = 0.93 if indicator.value_type.startswith("Directly") else 1.0
    value = row.events / row.births * indicator.per * factor
    ends = (
        *_limits(indicator, row.events, row.births, 1.959964),
        *_limits(indicator, row.events, row.births, 3.090232),
    )
    return [round(value, 6), *(round(end * factor, 6) for end in ends), row.events, row.births]


def _band(indicator: Indicator, row: Row, numbers: list[object], england: float) -> str:
    if row.events is None or row.area.code == ENGLAND:
        return "Not compared"
    lower, upper = float(str(numbers[1])), float(str(numbers[2]))
    if lower <= england <= upper:
        return "Similar"
    return "Better" if (upper < england) == indicator.low_is_good else "Worse"


def _cells(number: int, indicator: Indicator, year: int, row: Row, england: float) -> list[object]:
    numbers = _numbers(indicator, row)
    band = _band(indicator, row, numbers, england)
    parent = {ENGLAND: "England", **REGIONS}.get(row.area.parent, "")
    area = [row.area.parent, parent, row.area.code, row.area.name, row.area.kind]
    who = [row.sex, "All ages", row.category_type, row.category, _period(indicator, year)]
    trend = "Cannot be calculated" if year == LAST and row.events is not None else ""
    when = [f"{year}0000", "New data" if year == LAST else "", "", f"{indicator.years}y"]
    return [number, indicator.name, *area, *who, *numbers, row.note, trend, band, "Not compared", *when]


def _append(path: Path, compared: str, number: int, indicator: Indicator, year: int, rows: list[Row]) -> None:
    england = next(row for row in rows if row.area.code == ENGLAND)
    level = float(str(_numbers(indicator, england)[0]))
    with path.open("a", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        if not out.tell():
            writer.writerow([compared if name == "{parent}" else name for name in HEADER])
        writer.writerows(_cells(number, indicator, year, row, level) for row in rows)


def _write_ragged(path: Path, dice: random.Random) -> None:
    """Write the layout of 2019: rows one field shorter than the header, a line break in the indicator's name."""
    (number, indicator), authorities = next(iter(OLD.items())), _authorities(before_2023=True)
    header = ["Compared to Region value or percentiles" if n == "{parent}" else n for n in HEADER[:-1]]
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerow(header)
        for year in (2015, 2016):
            rows = list(_rows(dice, number, indicator, authorities))
            for row in rows:
                cells = _cells(number, indicator, year, row, indicator.level)
                cells[1] = f"{indicator.name}\n"
                cells[6] = {AUTHORITY: "County & UA", REGION: "Region", "England": "Country"}[str(cells[6])]
                writer.writerow(cells[:25])


def _write_website_export(path: Path, dice: random.Random, authorities: list[Area]) -> None:
    """Write what the website's own button gives: markup in cells, thousands separators, header without spaces."""
    number, indicator = next(iter(WEBSITE.items()))
    header = [("" if n == "{parent}" else n).replace(" ", "") or "ComparedtoRegionvalueorpercentiles" for n in HEADER]
    with path.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(header[:-1])
        for row in _rows(dice, number, indicator, authorities):
            if row.category:
                continue
            cells = _cells(number, indicator, LAST, row, indicator.level)
            if row.events is None:
                cells[12:19] = ['<div class="no-data">-</div>'] * 7
            else:
                cells[17:19] = [f"{row.events:,}", f"{row.births:,}"]
                cells[12] = f'{cells[12]}<span class="tooltipValueNote">*' if row.note else cells[12]
            cells[19] = ""  # the note itself is on the page only
            writer.writerow(cells[:-1])


def _never_uploaded(row: dict[str, str]) -> dict[str, Any]:
    """Return the entry of an indicator that the publisher knows and has no rows of."""
    per = int(re.sub(r"\D", "", row["unit"]) or 100)
    known = Indicator(row["name"], 0, per, row["unit"], row["value_type"], row["ci_method"], row["year_type"])
    return _metadata(int(row["indicator_id"]), known, None)


def _metadata(number: int, indicator: Indicator, uploaded_at: str | None) -> dict[str, Any]:
    """Return one entry of the API's metadata document."""
    return {
        "IID": number,
        "Descriptive": {
            "Name": indicator.name,
            "Definition": f"Invented for trying out: <b>{indicator.name}</b>",
            "DataSource": "SYNTHETIC sample",
        },
        "Unit": {"Id": 0, "Value": float(indicator.per), "Label": indicator.unit},
        "YearType": {"Id": 0, "Name": indicator.year_type},
        "ValueType": {"Id": 0, "Name": indicator.value_type},
        "ConfidenceIntervalMethod": {"Id": 0, "Name": indicator.ci_method, "Description": None},
        "DataQualityNote": {"Id": 0, "Text": "None", "Comment": None},
        "DataChange": {"LastUploadedAt": uploaded_at, "LastDeletedAt": None},
    }
