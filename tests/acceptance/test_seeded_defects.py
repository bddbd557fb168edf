"""Seeded defects over all sources: each is caught, with the right severity, by the check that is named here.

Files are the synthetic samples with one thing done to them. What the arrival gate must find is landed, each in a state
folder of its own. What only the release gate can find is landed together, as revisions of what a first build was made
of: two builds for all of it. What only the pipeline itself could do wrong is done to a copy of the second candidate.
"""

import csv
import io
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from expectations import release
from expectations.results import Result
from ingest.archive import build_inputs, quarantine
from ingest.archive import manifest as manifests
from ingest.archive.manifest import LandedReleases
from ingest.land import landing
from ingest.land.arriving_file import Arrival
from ingest.registry import all_sources, source
from ingest.stores import Stores
from insights import theme_tables as themes
from insights.decisions import DecisionFile
from perinatal.errors import RefusedAtArrival
from perinatal.home import Home
from pipeline import bundled
from warehouse import builder

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

Row = dict[str, str]
Change = Callable[[bytes], bytes]
Where = Callable[[Row], bool]
Value = str | Callable[[Row], str]


@dataclass(frozen=True)
class Defect:
    """What was done to a sample file, and the check that must find it. `after` is landed before it, unchanged."""

    source: str
    file: str
    what: str
    change: Change
    rule: str
    severity: str
    name: str | None = None
    after: str | None = None

    def __str__(self) -> str:
        return f"{self.source}: {self.what}"


# --- what is done to files -----------------------------------------------------------------------------------------


def always(_: Row) -> bool:
    return True


def table(change: Callable[[list[Row]], list[Row]]) -> Change:
    """Change the rows of a CSV; bytes that are no UTF-8 stay as they are."""

    def run(content: bytes) -> bytes:
        reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig", "surrogateescape"), newline=""))
        rows = list(reader)
        out = io.StringIO(newline="")
        writer = csv.DictWriter(out, reader.fieldnames or [], lineterminator="\n")
        writer.writeheader()
        writer.writerows(change(rows))
        return out.getvalue().encode("utf-8", "surrogateescape")

    return run


def put(values: Mapping[str, Value], where: Where = always) -> Change:
    """Put values into the rows chosen; all are worked out before any is put."""

    def changed(row: Row) -> Row:
        return row | {name: value(row) if callable(value) else value for name, value in values.items()}

    return table(lambda rows: [changed(row) if where(row) else row for row in rows])


def put_once(values: Mapping[str, Value], where: Where = always) -> Change:
    """Put values into the first row chosen."""

    def run(content: bytes) -> bytes:
        seen: list[Row] = []

        def first(row: Row) -> bool:
            return where(row) and not seen and not seen.append(row)  # type: ignore[func-returns-value]

        return put(values, first)(content)

    return run


def drop(where: Where) -> Change:
    return table(lambda rows: [row for row in rows if not where(row)])


def repeat(where: Where = always, **values: str) -> Change:
    """Give the first row chosen once more, at the end."""
    return table(lambda rows: [*rows, next(row for row in rows if where(row)) | values])


def keep(number: int) -> Change:
    return table(lambda rows: rows[:number])


def shift(column: str) -> Change:
    """Move the cells from a column on by one to the right, as a lost cell further left does."""

    def shifted(row: Row) -> Row:
        names = list(row)
        tail = names[names.index(column) :]
        return row | dict(zip(tail, ["", *(row[name] for name in tail[:-1])], strict=True))

    return table(lambda rows: [shifted(row) for row in rows])


def swap(one: str, other: str, where: Where = always) -> Change:
    return put({one: lambda row: row[other], other: lambda row: row[one]}, where)


def header(old: str, new: str) -> Change:
    return lambda content: content.replace(old.encode(), new.encode(), 1)


def cut(share: float) -> Change:
    return lambda content: content[: int(len(content) * share)]


def encode(encoding: str) -> Change:
    return lambda content: content.decode("utf-8", "replace").encode(encoding)


def page(_: bytes) -> bytes:
    return b"<!DOCTYPE html>\n<html><head><title>Error</title></head><body><p>Please sign in</p></body></html>\n"


def number(column: str, change: Callable[[float], float | str]) -> Callable[[Row], str]:
    """Return what changes the number of a column; cells that hold none stay."""

    def changed(row: Row) -> str:
        text = row[column].removesuffix("%")
        try:
            return f"{change(float(text))}" + ("%" if row[column].endswith("%") else "")
        except ValueError:
            return row[column]

    return changed


def to_five(value: float) -> int:
    return 5 * round(value / 5)


def is_(column: str, *values: str) -> Where:
    return lambda row: row[column] in values


# --- MBRRACE-UK ----------------------------------------------------------------------------------------------------

DEATHS = {
    "Stillbirth": ("TotalStillbirths", "TotalBirths"),
    "NeonatalDeath": ("TotalNeonatalDeaths", "TotalLiveBirths"),
    "PerinatalDeath": ("TotalPerinatalDeaths", "TotalBirths"),
}


def is_masked(row: Row) -> bool:
    return row["TotalStillbirths"] == "-1"


def recounted(row: Row, births: float = 1, stillbirths: float = 1, neonatal: float = 1) -> Row:
    """Return the row with counts multiplied, and everything that follows from them anew."""
    if is_masked(row):
        total, all_deaths = round(births * int(row["TotalBirths"])), int(row["TotalPerinatalDeaths"])
        row = row | {"TotalBirths": str(total), "TotalLiveBirths": str(round(births * int(row["TotalLiveBirths"])))}
        return row if all_deaths < 0 else row | {"CrudePerinatalDeathRate": f"{1000 * all_deaths / total:.2f}"}
    deaths = {
        "TotalStillbirths": max(3, round(stillbirths * int(row["TotalStillbirths"]))),
        "TotalNeonatalDeaths": max(3, round(neonatal * int(row["TotalNeonatalDeaths"]))),
    }
    total = round(births * int(row["TotalBirths"]))
    counts = deaths | {"TotalPerinatalDeaths": sum(deaths.values()), "TotalBirths": total}
    counts["TotalLiveBirths"] = total - deaths["TotalStillbirths"]
    rates = {f"Crude{name}Rate": 1000 * counts[count] / counts[of] for name, (count, of) in DEATHS.items()}
    return row | {name: str(count) for name, count in counts.items()} | {n: f"{r:.2f}" for n, r in rates.items()}


def moved_down(rows: list[Row], *columns: str) -> list[Row]:
    """Move the cells of these columns down one row, the last to the first."""
    cells = [{name: row[name] for name in columns} for row in rows]
    return [row | moved for row, moved in zip(rows, [cells[-1], *cells[:-1]], strict=True)]


def unmasked(row: Row) -> Row:
    """Return a masked row as if one stillbirth and two neonatal deaths had been printed."""
    births, live = int(row["TotalBirths"]), int(row["TotalLiveBirths"])
    found = {"Stillbirth": (1, births), "NeonatalDeath": (2, live), "PerinatalDeath": (3, births)}
    printed = {DEATHS[name][0]: str(count) for name, (count, _) in found.items()}
    rates = {f"Crude{name}Rate": f"{1000 * count / of:.2f}" for name, (count, of) in found.items()}
    return row | printed | rates | {f"Crude{name}CategoryID": "2" for name in found}


def mbrrace(
    what: str, change: Change, rule: str, severity: str, *, year: int = 2023, after: int | None = None
) -> Defect:
    name = "mbrrace/perinatal-mortality-rates-{}-trusthealth-board.csv"
    return Defect("mbrrace", name.format(year), what, change, rule, severity, None, after and name.format(after))


MBRRACE = [
    mbrrace("an organisation twice", repeat(), "organisation_once", "block"),
    mbrrace("columns shifted from the births on", shift("TotalBirths"), "total_births__filled", "block"),
    mbrrace("columns shifted in the middle", shift("TotalStillbirths"), "stillbirths__filled", "block"),
    mbrrace(
        "a trust missing",
        drop(is_("OrganisationCode", "5")),
        "organisations_of_the_earlier_release_are_here",
        "warn",
        after=2022,
    ),
    mbrrace(
        "last year's file under this year",
        put({"ReportYear": "2023"}),
        "not_another_year_again",
        "block",
        year=2022,
        after=2022,
    ),
    mbrrace("a year to come", put({"ReportYear": "2031"}), "year_is_over", "block"),
    mbrrace("two years in a file", put_once({"ReportYear": "2022"}), "one_year_a_file", "block"),
    mbrrace(
        "a masked count unmasked, its rate not",
        put_once({"TotalStillbirths": "1"}, is_masked),
        "masks_are_whole",
        "block",
    ),
    mbrrace(
        "a masked row unmasked",
        table(lambda rows: [unmasked(row) if is_masked(row) else row for row in rows]),
        "small_counts_are_masked",
        "warn",
    ),
    mbrrace(
        "stillbirths alone unmasked",
        put_once(
            {
                "TotalStillbirths": "3",
                "CrudeStillbirthCategoryID": "4",
                "CrudeStillbirthRate": lambda row: f"{3000 / int(row['TotalBirths']):.2f}",
            },
            is_masked,
        ),
        "masked_together",
        "block",
    ),
    mbrrace(
        "births and stillbirths swapped",
        swap("TotalBirths", "TotalStillbirths", lambda row: not is_masked(row)),
        "live_births_within_total_births",
        "block",
    ),
    mbrrace(
        "stillbirths halved, with all that follows",
        table(lambda rows: [recounted(row, stillbirths=0.5) for row in rows]),
        "deaths_fit_the_group_averages",
        "warn",
    ),
    mbrrace(
        "births and deaths of half a year",
        table(lambda rows: [recounted(row, 0.5, 0.5, 0.5) for row in rows]),
        "births_near_the_earlier_release",
        "warn",
        after=2022,
    ),
    mbrrace(
        "deaths halved, rates not",
        put({"TotalStillbirths": number("TotalStillbirths", lambda n: n if n < 0 else int(n / 2))}),
        "crude_rates_follow_from_counts",
        "block",
    ),
    mbrrace(
        "rates per 100",
        put({"CrudeStillbirthRate": number("CrudeStillbirthRate", lambda n: n if n < 0 else n / 10)}),
        "crude_rates_follow_from_counts",
        "block",
    ),
    mbrrace(
        "intervals the wrong way round",
        put({"StabilisedStillbirthCI": lambda row: " to ".join(reversed(row["StabilisedStillbirthCI"].split(" to ")))}),
        "stabilised_rate_within_its_interval",
        "block",
    ),
    mbrrace(
        "categories of neonatal deaths a row too low",
        table(
            lambda rows: moved_down(rows, "StabilisedNeonatalDeathCategoryID", "StabilisedNeonatalDeathCategoryName")
        ),
        "most_categories_follow_from_rates",
        "block",
    ),
    mbrrace(
        "one category another",
        put_once(
            {"StabilisedNeonatalDeathCategoryID": "5", "StabilisedNeonatalDeathCategoryName": "Over 5% higher"},
            is_("StabilisedNeonatalDeathCategoryID", "3"),
        ),
        "categories_follow_from_rates",
        "warn",
    ),
    mbrrace(
        "names of categories a row too low",
        table(lambda rows: moved_down(rows, "StabilisedNeonatalDeathCategoryName")),
        "one_name_a_category",
        "block",
    ),
    mbrrace("a header translated", header("TotalStillbirths", "Totgeburten"), "missing_column", "block"),
    mbrrace("cut off within a row", cut(0.9), "truncated", "block"),
    mbrrace("cut off after 110 rows", keep(110), "about_as_many_organisations", "warn"),
    mbrrace("cut off after 40 rows", keep(40), "far_too_few_organisations", "block"),
    mbrrace("nothing under the header", keep(0), "no_rows", "block"),
    mbrrace("another encoding", encode("utf-16"), "wrong_encoding", "block"),
    mbrrace("a page named .csv", page, "html", "block"),
    mbrrace("negative counts", put_once({"TotalNeonatalDeaths": "-5"}), "neonatal_deaths__range", "block"),
    mbrrace(
        "births in thousands",
        put({"TotalBirths": number("TotalBirths", lambda n: n / 1000)}),
        "number_style_contradicted",
        "block",
    ),
    mbrrace(
        "decimal commas",
        put({"CrudeStillbirthRate": lambda row: row["CrudeStillbirthRate"].replace(".", ",")}),
        "number_style_contradicted",
        "block",
    ),
    mbrrace("three countries left out", drop(lambda row: row["CountryName"] != "England"), "every_country", "warn"),
]

# --- Maternity Services Data Set -----------------------------------------------------------------------------------

DATA, MEASURES, ANNUAL = (
    "msds/msds-feb2025-exp-data.csv",
    "msds/msds-feb2025-exp-measures.csv",
    "msds/hosp-epis-stat-mat-msdscsv-2022-23.csv",
)
BEFORE, MEASURES_BEFORE = "msds/msds-jan2025-exp-data.csv", "msds/msds-jan2025-exp-measures.csv"
PROVIDER = is_("Org_Level", "Provider")
COUNT = number("Final_value", lambda n: to_five(n / 2))


def of_trusts(first_letters: str) -> Where:
    """Choose rows of trusts by the last letter of their code: a share of all trusts."""
    return lambda row: PROVIDER(row) and row["Org_Code"][-1] in first_letters


def month(rows: list[Row], start: str, end: str, year_month: str) -> list[Row]:
    """Return rows under another month; dates as the publisher writes them."""
    year, number_ = year_month.split("-")
    first, last = f"01/{number_}/{year}", f"28/{number_}/{year}"
    return [row | {start: first, end: last} for row in rows]


def as_february(start: str, end: str) -> Change:
    return table(lambda rows: month(rows, start, end, "2025-02"))


def msds(what: str, file: str, change: Change, rule: str, severity: str, after: str | None = None) -> Defect:
    return Defect("msds", file, what, change, rule, severity, None, after)


MSDS = [
    msds("a row twice", DATA, repeat(), "rows_are_not_repeated", "warn"),
    msds("a row twice with two values", DATA, repeat(Final_value="9995.0"), "values_stand_once", "block"),
    msds("columns shifted", DATA, shift("Count_Of"), "few_values_are_unknown_words", "block"),
    msds(
        "last month's data under this month",
        BEFORE,
        as_february("ReportingPeriodStartDate", "ReportingPeriodEndDate"),
        "not_another_month_again",
        "block",
        BEFORE,
    ),
    msds(
        "last month's measures under this month",
        MEASURES_BEFORE,
        as_february("RPStartDate", "RPEndDate"),
        "measures_not_another_month_again",
        "block",
        MEASURES_BEFORE,
    ),
    msds(
        "a month to come",
        DATA,
        table(lambda rows: month(rows, "ReportingPeriodStartDate", "ReportingPeriodEndDate", "2031-02")),
        "the_month_has_ended",
        "block",
    ),
    msds("a year to come", ANNUAL, put({"Period": "2030-31"}), "the_year_has_ended", "block"),
    msds("a period that is no financial year", ANNUAL, put({"Period": "2022-24"}), "year_is_a_financial_year", "block"),
    msds(
        "a period of two months",
        DATA,
        put({"ReportingPeriodStartDate": "2024-12-01"}),
        "period_is_a_month",
        "block",
    ),
    msds(
        "day and month of start dates swapped",
        "msds/msds-mar2025-exp-measures.csv",
        put({"RPStartDate": "03/01/2025"}),
        "start_dates_are_not_swapped",
        "info",
    ),
    msds("a rounded count unrounded", DATA, put_once({"Final_value": "3.0"}, PROVIDER), "counts_are_rounded", "warn"),
    msds(
        "numerator and denominator swapped",
        MEASURES,
        put(
            {"Currency": lambda row: "Denominator" if row["Currency"] == "Numerator" else "Numerator"},
            is_("Currency", "Numerator", "Denominator"),
        ),
        "numerators_within_denominators",
        "block",
    ),
    msds(
        "percentages times 100",
        MEASURES,
        put({"Value": number("Value", lambda n: 100 * n)}, is_("Currency", "Rate")),
        "most_rates_follow_from_counts",
        "block",
    ),
    msds(
        "one percentage doubled",
        MEASURES,
        put_once({"Value": number("Value", lambda n: 2 * n)}, is_("Currency", "Rate")),
        "rates_follow_from_counts",
        "warn",
    ),
    msds("measures without rates", MEASURES, drop(is_("Currency", "Rate")), "measures_are_whole", "warn"),
    msds("the country left out", DATA, drop(is_("Org_Level", "National")), "national_rows_are_here", "block"),
    msds(
        "a region left out",
        DATA,
        drop(lambda row: row["Org_Level"] == "NHS England (Region)" and row["Org_Code"] == "Y56"),
        "every_region",
        "warn",
    ),
    msds("counts halved", DATA, put({"Final_value": COUNT}), "counts_near_the_earlier_release", "warn", BEFORE),
    msds(
        "counts in hundreds",
        MEASURES,
        put({"Value": number("Value", lambda n: n / 100)}, is_("Currency", "Numerator", "Denominator")),
        "measures_near_the_earlier_release",
        "warn",
        MEASURES_BEFORE,
    ),
    msds(
        "trusts of four letters left out", DATA, drop(of_trusts("ABCDEF")), "counts_trusts_sum_to_the_country", "warn"
    ),
    msds(
        "most trusts left out",
        DATA,
        drop(of_trusts("ABCDEFGHIJKLMNOPQ12345")),
        "counts_trusts_are_no_small_part",
        "block",
    ),
    msds("a negative count", DATA, put_once({"Final_value": "-5"}), "values_are_not_negative", "block"),
    msds(
        "a word that nobody knows",
        DATA,
        put_once({"Final_value": "n/a"}),
        "values_are_numbers_or_known_words",
        "warn",
    ),
    msds(
        "a kind of area of another vintage",
        DATA,
        put({"Org_Level": "Sustainability and Transformation Partnership"}, is_("Org_Level", "Local Maternity System")),
        "org_level__set",
        "warn",
    ),
    msds("a page named .csv", ANNUAL, page, "html", "block"),
]

# --- NMPA ----------------------------------------------------------------------------------------------------------

HAEMORRHAGE, HAEMORRHAGE_BEFORE = (f"nmpa/Haemorrhage of 1500ml or more {year}.csv" for year in (2023, 2022))
HAS_RESULT: Where = lambda row: row["Numerator"] not in ("", "0")  # noqa: E731


def nmpa(
    what: str,
    change: Change,
    rule: str,
    severity: str,
    file: str = HAEMORRHAGE,
    name: str | None = None,
    after: str | None = None,
) -> Defect:
    return Defect("nmpa", file, what, change, rule, severity, name, after)


def as_it_is(content: bytes) -> bytes:
    return content


NMPA = [
    nmpa("a trust twice", repeat(is_("Country", "England")), "organisation_once", "block"),
    nmpa(
        "numerator and denominator swapped", swap("Numerator", "Denominator"), "numerator_within_denominator", "block"
    ),
    nmpa(
        "percentages times 100",
        put({"Unadjusted rate": number("Unadjusted rate", lambda n: 100 * n)}),
        "unadjusted_rate__range",
        "block",
    ),
    nmpa(
        "fractions for percentages",
        put({"Unadjusted rate": lambda row: f"{int(row['Numerator']) / int(row['Denominator']):.6f}"}, HAS_RESULT),
        "shares_are_not_fractions",
        "block",
    ),
    nmpa(
        "fractions for adjusted percentages",
        put({"Adjusted rate": lambda row: f"{float(row['Adjusted rate'].strip('%')) / 100:.4f}"}, HAS_RESULT),
        "adjusted_rates_are_of_the_same_scale",
        "block",
    ),
    nmpa(
        "one adjusted rate of another trust",
        put_once({"Adjusted rate": "33.3%"}, HAS_RESULT),
        "adjusted_rates_are_near_the_unadjusted",
        "warn",
    ),
    nmpa(
        "last year's file renamed",
        as_it_is,
        "bytes_of_another_release",
        "block",
        HAEMORRHAGE_BEFORE,
        "Haemorrhage of 1500ml or more 2023.csv",
        HAEMORRHAGE_BEFORE,
    ),
    nmpa(
        "last year's file saved anew and renamed",
        put_once({"Adjusted rate": "2.5%"}),
        "not_another_year_again",
        "block",
        HAEMORRHAGE_BEFORE,
        "Haemorrhage of 1500ml or more 2023.csv",
        HAEMORRHAGE_BEFORE,
    ),
    nmpa(
        "another measure under this name",
        as_it_is,
        "mean_near_the_earlier_release",
        "warn",
        "nmpa/Induction of labour 2023.csv",
        "Haemorrhage of 1500ml or more 2023.csv",
        HAEMORRHAGE_BEFORE,
    ),
    nmpa("a year to come", as_it_is, "the_year_has_ended", "block", name="Haemorrhage of 1500ml or more 2027.csv"),
    nmpa("most trusts left out", keep(60), "about_as_many_english_organisations", "warn"),
    nmpa(
        "numerators halved",
        put({"Numerator": number("Numerator", lambda n: round(n / 2))}),
        "most_rates_follow_from_counts",
        "block",
    ),
    nmpa(
        "one numerator halved",
        put_once({"Numerator": number("Numerator", lambda n: round(n / 2))}, HAS_RESULT),
        "rates_follow_from_counts",
        "warn",
    ),
    nmpa(
        "codes of another kind",
        put_once({"Organisation code": "MBRRACE-UK 5"}, is_("Country", "England")),
        "organisation_code__pattern",
        "warn",
    ),
    nmpa("columns shifted", shift("Numerator"), "numerator_within_denominator", "block"),
]

# --- NNAP ----------------------------------------------------------------------------------------------------------

IS_COUNTED: Where = lambda row: row["numerator"] not in ("", "0")  # noqa: E731


def nnap(what: str, change: Change, rule: str, severity: str, file: str = "nnap/nnap-2023.csv") -> Defect:
    return Defect("nnap", file, what, change, rule, severity, None, "nnap/nnap-2022.csv")


NNAP = [
    nnap(
        "fractions for percentages",
        put({name: number(name, lambda n: n / 100) for name in ("value", "level_mean")}),
        "values_are_percentages",
        "block",
    ),
    nnap("numerator and denominator swapped", swap("numerator", "denominator"), "counts_are_possible", "block"),
    nnap(
        "last year's file under this year",
        put({"data_year": "2023"}),
        "not_another_year_again",
        "block",
        "nnap/nnap-2022.csv",
    ),
    nnap("a unit twice", repeat(), "each_result_once", "block"),
    nnap("a year to come", put({"data_year": "2031"}), "the_data_year_has_ended", "block"),
    nnap("an unknown measure", put_once({"measure": "growth"}), "measures_are_known", "block"),
    nnap("units without network", put({"network": ""}, is_("level", "unit")), "units_and_networks_are_named", "block"),
    nnap(
        "numerators halved",
        put({"numerator": number("numerator", lambda n: int(n / 2))}, IS_COUNTED),
        "values_follow_from_counts",
        "warn",
    ),
]

# --- Fingertips ----------------------------------------------------------------------------------------------------

BOARDS = "fingertips/fingertips_child221_parent223.csv"
IS_BLANK: Where = lambda row: not row["Value"] and bool(row["Value note"])  # noqa: E731
IS_SUPPRESSED: Where = lambda row: not row["Value"] and "suppressed" in row["Value note"]  # noqa: E731


def fingertips(
    what: str, change: Change, rule: str, severity: str, file: str = BOARDS, after: str | None = None
) -> Defect:
    return Defect("fingertips", file, what, change, rule, severity, None, after)


def twice_described(content: bytes) -> bytes:
    found = json.loads(content)
    return json.dumps(found | {"again": next(iter(found.values()))}).encode()


FINGERTIPS = [
    fingertips("columns shifted", shift("Value"), "columns_have_not_shifted", "block"),
    fingertips("values and counts swapped", swap("Value", "Count"), "limits_hold_the_value", "block"),
    fingertips(
        "intervals the wrong way round",
        swap("Lower CI 95.0 limit", "Upper CI 95.0 limit", is_("Area Code", "E54000008")),
        "limits_are_in_order_at_arrival",
        "warn",
    ),
    fingertips(
        "a suppressed value unmasked",
        put({"Value": "4.2"}, IS_SUPPRESSED),
        "notes_do_not_contradict_values",
        "warn",
        "fingertips/fingertips_child502_parent6.csv",
    ),
    fingertips(
        "blanks without a reason",
        put({"Value": "", "Value note": ""}, is_("Area Type", "England")),
        "blanks_are_explained",
        "warn",
    ),
    fingertips(
        "labels of another year than the dates",
        put_once({"Time period": "2009/10"}),
        "labels_begin_with_the_sortable_year",
        "warn",
    ),
    fingertips(
        "all labels of another year", put({"Time period Sortable": "20090000"}), "columns_have_not_shifted", "block"
    ),
    fingertips("most rows left out", table(lambda rows: rows[::3]), "about_as_many_rows", "warn", after=BOARDS),
    fingertips("an error page for an answer", page, "html", "block"),
    fingertips("no data at this kind of area", keep(0), "no_rows", "block"),
    fingertips(
        "an area's observation twice with two numbers",
        repeat(lambda row: bool(row["Count"]), Count="9", Value="1.5"),
        "values_stand_once_an_area",
        "block",
    ),
    fingertips("negative counts", put_once({"Count": "-20"}), "count__range", "warn"),
    fingertips("a header translated", header("Area Code", "Gebiet"), "not_recognised", "block"),
    fingertips("words of another language", put_once({"Sex": "Frauen"}), "sex__set", "warn"),
    fingertips(
        "an indicator described twice",
        twice_described,
        "indicator_once",
        "block",
        "fingertips/indicator_metadata_all.json",
    ),
]

# --- what is entered by template, and documents --------------------------------------------------------------------

TEMPLATES = [
    Defect(
        "mis",
        "mis/mis-results-2024-25.csv",
        "words of no vocabulary",
        put_once({"value": "Yes"}, is_("value", "Pass")),
        "value__pattern",
        "block",
    ),
    Defect(
        "mis",
        "mis/mis-results-2024-25.csv",
        "a number where Pass or Fail belongs",
        put_once({"value": "1"}, is_("value", "Pass")),
        "words_where_words_belong",
        "block",
    ),
    Defect(
        "pmrt",
        "pmrt/pmrt-2024.csv",
        "another unit",
        put({"unit": "per 1,000"}, is_("unit", "%")),
        "units_are_those_of_the_catalogue",
        "block",
    ),
    Defect(
        "pmrt",
        "pmrt/pmrt-2024.csv",
        "another source's row",
        put({"source": "ebc"}, is_("unit", "%")),
        "one_source_a_file",
        "block",
    ),
    Defect(
        "pmrt",
        "pmrt/pmrt-findings-2025.csv",
        "shares as fractions",
        put({"share": number("share", lambda n: n / 100)}),
        "shares_are_percentages",
        "block",
    ),
    Defect(
        "pmrt",
        "pmrt/pmrt-findings-2025.csv",
        "counts and cases swapped",
        swap("count", "denominator"),
        "counts_are_within_the_cases",
        "block",
    ),
    Defect(
        "cqc",
        "cqc/cqc-maternity-survey-2024.csv",
        "limits swapped",
        swap("lower_95", "upper_95"),
        "limits_hold_the_value",
        "block",
    ),
    Defect("cqc", "cqc/cqc-maternity-survey-2024.csv", "a number twice", repeat(), "each_number_once", "block"),
    Defect("cqc", "cqc/cqc-findings-2024.csv", "a finding twice", repeat(), "findings_stand_once", "warn"),
    Defect("ebc", "ebc/ebc-2016.csv", "a period to come", put({"period": "2031"}), "the_period_has_ended", "block"),
    Defect(
        "ukoss",
        "ukoss/ukoss-2024.csv",
        "rates per 10,000",
        put({"value": number("value", lambda n: round(n / 10, 2))}),
        "value_follows_from_counts",
        "warn",
    ),
    Defect(
        "ens",
        "ens/ens-figures-2017-18.csv",
        "numerator and denominator swapped",
        swap("numerator", "denominator", is_("unit", "%")),
        "counts_are_whole",
        "block",
    ),
    Defect("ens", "ens/ens-report-2019-09-26.pdf", "cut off", cut(0.5), "damaged", "block"),
    Defect(
        "hsib",
        "hsib/mnsi-recommendations-2024-25.csv",
        "published in the future",
        put({"published_on": "2031-07-15"}),
        "published_before_it_arrived",
        "block",
    ),
    Defect(
        "npsa",
        "npsa/npsa-alert-2024-10-02.csv",
        "two documents in a file",
        put_once({"document_title": "Another"}, is_("kind", "recommendation")),
        "one_document_a_file",
        "block",
    ),
    Defect(
        "board_return",
        "board_return/board-return-r0a-2026-08.csv",
        "an unknown indicator",
        put_once({"indicator": "staff_mood"}),
        "indicators_are_in_the_catalogue",
        "block",
    ),
    Defect(
        "board_return",
        "board_return/board-return-r0a-2026-08.csv",
        "a masked row with its counts",
        put_once({"value": "*"}, is_("indicator", "midwife_fill_rate")),
        "masked_rows_hold_no_number",
        "block",
    ),
    Defect(
        "board_return",
        "board_return/board-return-r0a-2026-08.csv",
        "a month in fractions",
        put(
            {"value": lambda row: f"{float(row['value']) / 100}" if row["unit"] == "%" else row["value"]}
            | {"release": "2026-09", "period": "2026-09"},
            lambda row: row["value"].replace(".", "").isdigit(),
        ),
        "not_in_another_unit",
        "block",
        None,
        "board_return/board-return-r0a-2026-08.csv",
    ),
    Defect(
        "board_return",
        "board_return/board-return-r0a-2026-08.csv",
        "last month's return again",
        put({"release": "2026-09", "period": "2026-09"}),
        "not_another_release_again",
        "warn",
        None,
        "board_return/board-return-r0a-2026-08.csv",
    ),
]

ANSWERS = [
    Defect("annotations", "annotations/answers-r0a-2026-09-15.csv", what, change, rule, "block")
    for what, change, rule in (
        ("an unknown organisation", put({"organisation": "ZZ9"}), "organisations_are_trusts_or_lms"),
        (
            "two organisations in a file",
            put_once({"organisation": "RCF"}, is_("indicator", "all")),
            "one_organisation_a_file",
        ),
        ("an unknown indicator", put_once({"indicator": "stillbirths"}), "answers_name_an_indicator"),
        ("a long text", put_once({"text": "long " * 101}), "answers_are_short"),
        (
            "an answer of tomorrow",
            put_once({"date": "2090-01-01"}, is_("indicator", "all")),
            "answers_were_given_before_they_arrived",
        ),
    )
]

# what each file was named like, with the other landed before it
EXCHANGED = [
    Defect(
        "mbrrace",
        f"mbrrace/perinatal-mortality-rates{wrong}-2021-trusthealth-board.csv",
        f"named as the file {which} of its year",
        lambda content: content + b"\n",  # saved anew: not the very bytes
        "content_of_another_release",
        "block",
        f"perinatal-mortality-rates{named}-2021-trusthealth-board.csv",
        f"mbrrace/perinatal-mortality-rates{wrong}-2021-trusthealth-board.csv",
    )
    for wrong, named, which in (
        ("", "-excluding-congenital-anomalies", "excluding congenital anomalies"),
        ("-excluding-congenital-anomalies", "", "of all deaths"),
    )
]
ARRIVAL = [*MBRRACE, *EXCHANGED, *MSDS, *NMPA, *NNAP, *FINGERTIPS, *TEMPLATES, *ANSWERS]


# --- the arrival gate ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with every source's synthetic files, a folder a source."""
    folder = tmp_path_factory.mktemp("samples")
    for one in all_sources().values():
        if (one.folder / "sample.py").exists():
            (folder / one.id).mkdir()
            one.sample.generate(folder / one.id)
    return folder


def land(home: Home, source_id: str, file: Path) -> dict[str, str]:
    """Land a file; return the severity of each check that it breaches."""
    try:
        outcome = landing.land(Stores.of(home), file, Arrival(source(source_id), file.name))
    except RefusedAtArrival:
        [(_, report)] = quarantine.Quarantine(home.quarantine).reports()
        return {reason["rule"]: reason.get("severity", "block") for reason in report.reasons}
    return {check["rule"]: check["severity"] for check in outcome.manifest.checks if not check["success"]}


@pytest.mark.parametrize("defect", ARRIVAL, ids=str)
def test_a_defect_is_caught_on_arrival(defect: Defect, sample: Path, home: Home, tmp_path: Path) -> None:
    if defect.after:
        assert "block" not in land(home, defect.source, sample / defect.after).values()
    file = tmp_path / "incoming" / (defect.name or Path(defect.file).name)
    file.parent.mkdir()
    file.write_bytes(defect.change((sample / defect.file).read_bytes()))
    found = land(home, defect.source, file)
    assert found.get(defect.rule) == defect.severity, found
    assert ("block" in found.values()) == (defect.severity == "block"), found


# --- the release gate ----------------------------------------------------------------------------------------------

SOUND = (
    "mbrrace/perinatal-mortality-rates-*.csv",
    "msds/msds-*2025-exp-data.csv",
    "msds/msds-[jf]*2025-exp-measures.csv",
    "nmpa/Haemorrhage*.csv",
    "fingertips/indicator_metadata_all.json",
    "fingertips/fingertips_child*.csv",
)
ALL_DEATHS = "mbrrace/perinatal-mortality-rates-{}-trusthealth-board.csv"
EXCLUDING = "mbrrace/perinatal-mortality-rates-excluding-congenital-anomalies-{}-trusthealth-board.csv"
AUTHORITIES = "fingertips/fingertips_child502_parent6.csv"


def halved(measure: str, **factors: float) -> Change:
    """Halve deaths with all that follows from them, the averages of the groups too: no row or group tells of it."""
    followers = (f"GroupAverage{measure}Rate", f"Stabilised{measure}Rate")
    interval = f"Stabilised{measure}CI"

    def all_of(row: Row) -> Row:
        ends = " to ".join(f"{float(end) / 2:.2f}" for end in row[interval].split(" to "))
        return recounted(row, **factors) | {n: f"{float(row[n]) / 2:.2f}" for n in followers} | {interval: ends}

    return table(lambda rows: [all_of(row) for row in rows])


def exchange_names(rows: list[Row]) -> list[Row]:
    """Give the first two English organisations each other's name."""
    one, other = [row for row in rows if row["CountryName"] == "England"][:2]
    one["OrganisationName"], other["OrganisationName"] = other["OrganisationName"], one["OrganisationName"]
    return rows


def of_indicator(number_: str, where: Where = always) -> Where:
    return lambda row: row["Indicator ID"] == number_ and where(row)


def found_late(file: str, what: str, change: Change, rule: str, severity: str = "warn", name: str = "") -> Defect:
    """Describe a defect of the release gate; `name` is that of the sample file in whose place it arrives."""
    return Defect(file.split("/", maxsplit=1)[0], file, what, change, rule, severity, Path(name or file).name)


TRUST_2024, TRUST_MSDS = is_("OrganisationCode", "8"), lambda row: PROVIDER(row) and row["Org_Code"] == "R0B"
# the very rows of another file are refused on arrival: here one number differs
a_few_more_births = table(lambda rows: [recounted(row, 1.02, 1, 1) if TRUST_2024(row) else row for row in rows])
RELEASE = [
    # two files of 2020 to 2024, each with something else
    found_late(
        ALL_DEATHS.format(2020),
        "stillbirths halved, averages too",
        halved("Stillbirth", stillbirths=0.5),
        "stillbirths_near_the_national_rate",
    ),
    found_late(
        ALL_DEATHS.format(2020),
        "two thirds of neonatal deaths left out, averages halved",
        halved("NeonatalDeath", neonatal=0.3),
        "neonatal_deaths_near_the_national_rate",
    ),
    found_late(
        EXCLUDING.format(2021),
        "the two files of a year exchanged",
        a_few_more_births,
        "excluding_anomalies_is_the_smaller_count",
        "block",
        ALL_DEATHS.format(2021),
    ),
    found_late(
        ALL_DEATHS.format(2021),
        "the other file of the exchange",
        a_few_more_births,
        "excluding_anomalies_is_the_smaller_count",
        "block",
        EXCLUDING.format(2021),
    ),
    found_late(
        ALL_DEATHS.format(2022),
        "births and deaths of half a year",
        table(lambda rows: [recounted(row, 0.5, 0.5, 0.5) for row in rows]),
        "births_near_the_national_number",
    ),
    found_late(ALL_DEATHS.format(2023), "two trusts under each other's name", table(exchange_names), "names_fit_codes"),
    found_late(
        ALL_DEATHS.format(2023),
        "a trust's deaths five times what they were",
        table(lambda rows: [recounted(row, 1, 5, 5) if row["OrganisationCode"] == "8" else row for row in rows]),
        "revisions_stay_within_limits",
    ),
    found_late(
        ALL_DEATHS.format(2023),
        "all deaths in the place of those excluding anomalies",
        a_few_more_births,
        "excluding_anomalies_excludes_some",
        "block",
        EXCLUDING.format(2023),
    ),
    found_late(ALL_DEATHS.format(2024), "a trust missing", drop(TRUST_2024), "mbrrace_trusts_are_complete"),
    found_late(
        ALL_DEATHS.format(2024),
        "an organisation that nobody knows",
        repeat(OrganisationCode="9999", OrganisationName="Newtown Hospitals NHS Trust", CountryName="England"),
        "organisations_are_known",
    ),
    found_late(
        ALL_DEATHS.format(2024),
        "bands that are not those of the rates",
        put(
            {"CrudePerinatalDeathCategoryID": "2", "CrudePerinatalDeathCategoryName": "Over 15% lower"},
            lambda row: row["CrudePerinatalDeathCategoryID"] == "5",
        ),
        "bands_differ_only_by_rounding",
    ),
    found_late(DATA, "a trust missing", drop(TRUST_MSDS), "trusts_are_there"),
    found_late(
        BEFORE,
        "a trust's counts doubled",
        put({"Final_value": number("Final_value", lambda n: 2 * n)}, TRUST_MSDS),
        "msds_sums_of_trusts_fit_the_publishers_areas",
    ),
    found_late(
        BEFORE,
        "births far from MBRRACE-UK's",
        put(
            {"Final_value": number("Final_value", lambda n: 10 * n)},
            lambda row: PROVIDER(row) and row["Dimension"] == "TotalBabies" and row["Org_Code"] == "R0D",
        ),
        "births_near_those_of_mbrrace",
    ),
    found_late(
        DATA,
        "an LMS code of another vintage",
        put({"Org_Code": "Q83"}, lambda row: row["Org_Level"] == "Local Maternity System" and row["Org_Code"] == "QE1"),
        "areas_are_known",
    ),
    found_late("msds/msds-nov2024-exp-measures.csv", "a month left out", as_it_is, "periods_follow_each_other"),
    found_late(
        HAEMORRHAGE,
        "the country's counts halved",
        put(
            {name: number(name, lambda n: round(n / 2)) for name in ("Numerator", "Denominator")},
            lambda row: not row["Organisation code"] and row["Organisation name"].startswith("England"),
        ),
        "nmpa_trusts_add_up_to_england",
    ),
    found_late(
        HAEMORRHAGE_BEFORE,
        "a site that nobody knows",
        put_once(
            {"Organisation code": "RXX99"},
            lambda row: row["Country"] == "England" and len(row["Organisation code"]) == 5,
        ),
        "nmpa_sites_are_known",
    ),
    found_late(
        BOARDS,
        "an area that is of no kind",
        put({"Area Code": "STP-12"}, is_("Area Code", "E54000008")),
        "fingertips_areas_are_known",
    ),
    found_late(
        "fingertips/by_group_id_1938133222_2019.csv",
        "England left out",
        drop(is_("Area Code", "E92000001")),
        "fingertips_england_is_there",
    ),
    found_late(
        AUTHORITIES,
        "values per 1,000 for percentages",
        put(
            {name: number(name, lambda n: 10 * n) for name in ("Value", "Lower CI 95.0 limit", "Upper CI 95.0 limit")},
            of_indicator("20101"),
        ),
        "fingertips_values_follow_from_counts",
    ),
    found_late(
        AUTHORITIES,
        "an observation twice with two numbers, under two kinds of area",
        repeat(
            of_indicator("92530", lambda row: row["Area Code"].startswith("E06") and bool(row["Count"])),
            **{"Count": "9", "Value": "1.5", "Area Type": "Unitary authorities"},
        ),
        "fingertips_observation_once",
    ),
    found_late(
        AUTHORITIES,
        "a period in words that nobody knows",
        put_once({"Time period": "Apr 2020 - Mar 21"}, of_indicator("94089", is_("Area Code", "E06000001"))),
        "fingertips_periods_are_read",
    ),
    found_late(
        "ukoss/ukoss-findings-2024.csv", "a report that has had no successor in time", as_it_is, "sources_are_on_time"
    ),
]

# what only a fault of our own could do, done to a copy of the candidate: always a block
PIPELINE = {
    "masked_cells_ship_nothing": "update core.fct_observation set denominator = 1000 where is_suppressed",
    "limits_are_in_order": (
        "update core.fct_observation set lower_95 = upper_95, upper_95 = lower_95 "
        "where source_id = 'nmpa' and value > 0"
    ),
    "proportions_are_possible": (
        "update core.fct_observation set numerator = denominator + 1 where source_id = 'nmpa' and numerator is not null"
    ),
    "no_period_in_the_future": "update core.fct_observation set period_end = '2031-12-31' where source_id = 'nmpa'",
    "no_live_births_beside_a_mask": (
        "update core.fct_observation set denominator = 1000 where indicator_id = 'neonatal_mortality_rate'"
    ),
    "incomplete_sums_have_no_value": "update marts.lms_indicator set value = 1 where not is_complete",
    "every_input_row_is_accounted_for": "update quality.source_health set rows_mart = rows_mart - 1",
    "msds_national_counts_are_the_published_ones": (
        "update core.fct_observation set numerator = numerator + 5 where source_id = 'msds' and level = 'england'"
    ),
    "every_release_is_known": "update core.fct_observation set release_key = 'made/up' where source_id = 'mbrrace'",
    "usage_warnings_are_words_of_the_vocabulary": "update core.fct_observation set usage_warnings = ['doubtful']",
}


@dataclass(frozen=True)
class Judged:
    """A candidate with the verdicts of the release gate on it, by rule."""

    folder: Path
    verdicts: dict[str, Result]


def judge(folder: Path, last: Path | None) -> Judged:
    candidate = folder / "perinatal.duckdb"
    found = release.judge(candidate, folder / "work.duckdb", last) + release.judge_today(candidate)
    return Judged(folder, {result.rule: result for result in found})


def build(home: Home, folder: Path, last: Path | None) -> Judged:
    candidate = builder.build(
        folder,
        home.cache / "dbt",
        build_inputs.layouts(),
        build_inputs.releases(LandedReleases(home.landed), manifests.LandedReleases(home.landed).in_use()),
    )
    themes.run(candidate, DecisionFile(home.theme_decisions))
    return judge(folder, last)


@pytest.fixture(scope="session")
def builds(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Judged, Judged]:
    """Give the candidate of sound files, and that of the same with everything in RELEASE done to them."""
    folder = tmp_path_factory.mktemp("candidates")
    home = Home(folder / "home")
    for pattern in SOUND:
        for file in sorted(sample.glob(pattern)):
            assert "block" not in land(home, file.parent.name, file).values(), file.name
    bundled.land(home)  # national figures, which others are held against
    before = build(home, folder / "before", None)
    for (source_id, name), defects in grouped(RELEASE).items():
        content = (sample / defects[0].file).read_bytes()
        for defect in defects:
            content = defect.change(content)
        file = folder / "incoming" / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content + b"\n")  # saved anew: never the very bytes that are landed
        assert "block" not in land(home, source_id, file).values(), name
    return before, build(home, folder / "after", before.folder / "perinatal.duckdb")


def grouped(defects: list[Defect]) -> dict[tuple[str, str], list[Defect]]:
    """Return the defects by the file in which they arrive."""
    found: dict[tuple[str, str], list[Defect]] = {}
    for defect in defects:
        found.setdefault((defect.source, str(defect.name)), []).append(defect)
    return found


@pytest.mark.parametrize("defect", RELEASE, ids=str)
def test_a_defect_is_caught_before_release(defect: Defect, builds: tuple[Judged, Judged]) -> None:
    before, after = (judged.verdicts for judged in builds)
    found = after[defect.rule]
    assert found.failed
    assert found.severity == defect.severity
    # it is the defect that is found, not what the sound files have anyway
    sound = before.get(defect.rule)
    assert sound is None or (found.observed, found.releases) != (sound.observed, sound.releases)


def test_sound_files_are_not_blocked(builds: tuple[Judged, Judged]) -> None:
    assert [rule for rule, verdict in builds[0].verdicts.items() if verdict.blocks] == []


@pytest.fixture(scope="session")
def faulty(builds: tuple[Judged, Judged], tmp_path_factory: pytest.TempPathFactory) -> Judged:
    """Give the verdicts on a candidate that the pipeline itself has got wrong."""
    folder = tmp_path_factory.mktemp("faulty") / "candidate"
    folder.mkdir()
    for name in ("perinatal.duckdb", "work.duckdb"):
        shutil.copyfile(builds[0].folder / name, folder / name)
    with duckdb.connect(str(folder / "perinatal.duckdb")) as connection:
        for fault in PIPELINE.values():
            connection.execute(fault)
    return judge(folder, None)


@pytest.mark.parametrize("rule", PIPELINE)
def test_a_fault_of_the_pipeline_is_blocked(rule: str, builds: tuple[Judged, Judged], faulty: Judged) -> None:
    assert builds[0].verdicts[rule].success
    assert faulty.verdicts[rule].blocks


def test_there_are_at_least_sixty_of_all_sources() -> None:
    assert len(ARRIVAL) + len(RELEASE) >= 60
    assert {defect.source for defect in (*ARRIVAL, *RELEASE)} == {
        one.id for one in all_sources().values() if (one.folder / "sample.py").exists()
    }
