"""The Maternity Services Data Set: what a file is, its header contract, its arrival standards, its sample."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Callable, Iterable
from pathlib import Path

import duckdb
import pytest

from expectations import arrival
from expectations.columns import header_key
from expectations.standards import load_standards
from ingest import registry
from ingest.land import header
from ingest.land.unreadable import Unreadable
from ingest.registry import Identity, Sample
from tests.support import light_gate
from warehouse import statistics as stats

SOURCE = registry.source("msds")
ANNUAL = ["Period", "Dimension", "Org_Level", "Org_Code", "Org_Name", "Measure", "Count_Of", "Value"]
OLD = ["period", "dimension", "org_level", "org_code", "org_name", "measure1", "count_of", "value"]
DATA = ["ReportingPeriodStartDate", "ReportingPeriodEndDate", "Dimension", "Org_Level", "Org_Code", "Org_Name",
        "Measure", "Count_Of", "Final_value"]  # fmt: skip
MEASURES = ["Org_Code", "Org_Name", "Org_Level", "RPStartDate", "RPEndDate", "IndicatorFamily", "Indicator",
            "Currency", "Value"]  # fmt: skip


def seen(name: str, header: list[str], *rows: dict[str, str]) -> Identity | None:
    blank = dict.fromkeys(header, "")
    return SOURCE.recognise(Sample(name, header, [{**blank, **row} for row in rows]))


@pytest.mark.parametrize(
    ("name", "header", "row", "expected"),
    [
        ("any.csv", ANNUAL, {"Period": "2022-23"}, Identity("annual", "2022-23")),
        ("any.csv", OLD, {"period": "2019-20"}, Identity("annual", "2019-20")),
        ("msds-feb2025-exp-data.csv", DATA, {"ReportingPeriodStartDate": "2025-01-02 00:00:00",
         "ReportingPeriodEndDate": "28/02/2025"}, Identity("monthly_data", "2025-02")),
        ("msds-apr2025Provisional-exp-measures.csv", MEASURES, {"RPEndDate": "30/04/2025"},
         Identity("monthly_measures", "2025-04", "provisional")),
        ("msds-apr2025-exp-measures.csv", MEASURES, {"RPEndDate": "2025-04-30"},
         Identity("monthly_measures", "2025-04")),
        ("msds-apr2025-exp-measures.csv", [name.lower() for name in MEASURES], {"rpenddate": "2025-04-30 00:00:00"},
         Identity("monthly_measures", "2025-04")),
    ],
)  # fmt: skip
def test_a_file_is_known_by_header_and_period(
    name: str, header: list[str], row: dict[str, str], expected: Identity
) -> None:
    assert seen(name, header, row) == expected


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        (ANNUAL, [{"Period": "2022-23"}, {"Period": "2020-21"}]),
        (ANNUAL, [{"Period": "last year"}]),
        (DATA, [{"ReportingPeriodEndDate": "28/02/2025"}, {"ReportingPeriodEndDate": "31/03/2025"}]),
        (DATA, [{"ReportingPeriodEndDate": "February"}]),
        (MEASURES, []),
    ],
)
def test_what_is_not_one_period_is_not_guessed(header: list[str], rows: list[dict[str, str]]) -> None:
    with pytest.raises(Unreadable, match="a file holds one month") as raised:
        seen("msds-feb2025-exp-data.csv", header, *rows)
    assert raised.value.reason == "no_period"
    assert seen("msds-feb2025-exp-data.csv", ["Year", "Value"], {"Year": "2025"}) is None


@pytest.mark.parametrize(
    ("dataset", "header"),
    [("annual", ANNUAL), ("annual", OLD), ("monthly_data", DATA), ("monthly_measures", MEASURES)],
)
def test_every_header_seen_binds_whole(dataset: str, header: list[str]) -> None:
    keys = [header_key(name) for name in header]
    bound = [{header_key(name) for name in column.published_names} & set(keys) for column in SOURCE.columns[dataset]]
    assert sorted(key for found in bound for key in found) == sorted(keys)
    assert all(len(found) == 1 for found in bound)


@pytest.mark.parametrize(
    ("published", "expected"),
    [
        ("07-Oct", "7 to 10"),
        ("7-10", "7 to 10"),
        (" 20 - 24", "20 to 24"),
        ("7 to 10", "7 to 10"),
        ("Missing value / Value outside reporting parameters", None),
        ("37-40 weeks", None),
    ],
)
def test_a_category_is_the_same_in_every_spelling(published: str, expected: str | None) -> None:
    [found] = duckdb.execute(stats.render("select {{ msds_category('$1') }}"), [published]).fetchone() or []
    assert found == (expected or published)


@pytest.mark.parametrize(
    ("published", "expected"),
    [
        ("GestationLengthBirthGroup37", "gestation_length_birth_group37"),
        ("TOTAL BABIES", "total_babies"),
        ("CQIMSmokingBooking", "cqim_smoking_booking"),
        ("COC_by_28weeks", "coc_by_28weeks"),
        ("SBL_Element1_ProcessIndicator_a.i", "sbl_element1_process_indicator_a_i"),
        ("BMI_14+1Wks", "bmi_14_1_wks"),
    ],
)
def test_names_become_ids(published: str, expected: str) -> None:
    assert duckdb.execute(stats.render("select {{ snake_case('$1') }}"), [published]).fetchall() == [(expected,)]


# --- arrival standards, measured on small tables -------------------------------------------------------------------

Judge = Callable[..., set[str]]
START, END = "2025-04-01", "2025-04-30"


def breached(dataset: str, columns: str, rows: Iterable[tuple[object, ...]]) -> set[str]:
    """Return the ids of the standards that a table of text breaches."""
    names = columns.split()
    kinds = [f"{name} {'date' if name.endswith('_date') else 'varchar'}" for name in names]
    with duckdb.connect() as connection:
        connection.execute(f"create table rows (source_row bigint, {', '.join(kinds)})")
        for number, row in enumerate(rows, start=1):
            marks = ", ".join("?" for _ in range(len(row) + 1))
            connection.execute(f"insert into rows values ({marks})", [number, *row])
        connection.execute("create table identity as select null::date as published_on")
        arrival.make_keys(connection)
        standards = [one for one in load_standards(arrival.SUITES / "msds.yml") if one.is_for({dataset})]
        assert standards
        arrival._make_seeds(connection, standards)
        return {one.rule for one in light_gate.validate_tables(connection, standards, suite="msds") if one.failed}


def measures(*changed: tuple[object, ...], start: str = START, end: str = END) -> set[str]:
    """Judge a sound file of measures with some rows put in place of its own."""
    regions = [f"Y{number}" for number in (56, 58, 59, 60, 61, 62, 63)]
    places = [("National", "National"), ("R1A", "Provider"), *((code, "NHS England (Region)") for code in regions)]
    rows = {
        (code, currency): (code, "Name", level, start, end, "Birth", "Induction", currency, value)
        for code, level in places
        for currency, value in (("Numerator", "25.0"), ("Denominator", "100.0"), ("Rate", "25.0"))
    }
    extra = []
    for row in changed:
        key = (str(row[0]), str(row[7]))
        if key in rows:
            rows[key] = row
        else:
            extra.append(row)
    columns = "org_code org_name org_level start_date end_date indicator_family indicator currency value"
    return breached("monthly_measures", columns, [*rows.values(), *extra])


def row(code: str, currency: str, value: str | None, level: str = "Provider") -> tuple[object, ...]:
    return (code, "Name", level, START, END, "Birth", "Induction", currency, value)


def test_a_sound_file_breaches_nothing() -> None:
    assert measures() == set()


def test_swapped_start_dates_are_told_and_nothing_else() -> None:
    assert measures(start="2025-01-04") == {"start_dates_are_not_swapped"}


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2025-03-01", END),
        ("2025-04-02", END),
        ("2025-05-01", END),
        (START, "2025-04-29"),
        ("2025-04-30", "2025-04-01"),
    ],
)
def test_an_impossible_period_is_refused(start: str, end: str) -> None:
    assert "period_is_a_month" in measures(start=start, end=end)


@pytest.mark.parametrize("word", ["Pass", "DNS", "Low DQ"])
def test_known_words_stand_in_place_of_numbers(word: str) -> None:
    assert measures(row("R1A", "Rate", word)) == set()


def test_unknown_words_are_told_and_many_of_them_refused() -> None:
    assert measures(row("R1A", "Rate", "n/a")) == {"values_are_numbers_or_known_words", "few_values_are_unknown_words"}


def test_contradicting_and_repeated_rows() -> None:
    assert measures(row("R1B", "Numerator", "5.0"), row("R1B", "Numerator", "10.0")) >= {"measures_values_stand_once"}
    again = ("R1A", "Name", "Provider", START, END, "Birth", "Induction", "Rate ", "25.0")
    assert "measures_rows_are_not_repeated" in measures(again)
    assert "measures_rows_are_not_repeated" in measures(row("R1B", "Rate", "0.0"), row("R1B", "Rate", "0.0"))


@pytest.mark.parametrize("code", ["R1A ", "r1a", " R1A", "R1 A"])
def test_a_code_spelt_otherwise_is_the_same_organisation(code: str) -> None:
    assert measures(row(code, "Numerator", "10.0")) >= {"measures_values_stand_once"}
    assert "measures_values_stand_once" not in measures(row(code, "Numerator", "25.00"))
    assert "measures_rows_are_not_repeated" in measures(row(code, "Numerator", "25.00"))


def test_categories_are_told_apart_by_their_signs() -> None:
    columns = "period dimension org_level org_code org_name measure count_of value"

    def counts(*measures: tuple[str, str]) -> set[str]:
        given = [
            ("2022-23", "GestationLengthBirthGroup37", "Provider", "R1A", "Name", measure, "Babies", value)
            for measure, value in measures
        ]
        return breached("annual", columns, given)

    assert "values_stand_once" not in counts(("<37 weeks", "5"), (">=37 weeks", "10"))
    assert "values_stand_once" in counts(("<37 weeks", "5"), ("<37  Weeks ", "10"))


def test_rates_that_do_not_follow_from_their_counts() -> None:
    assert measures(row("R1A", "Rate", "52.0")) == {"rates_follow_from_counts"}
    assert measures(row("R1A", "Rate", "25.04")) == set()


def test_a_rate_per_thousand_may_come_from_counts_before_rounding() -> None:
    def thousand(rate: str) -> set[str]:
        parts = [("Numerator", "10.0"), ("Denominator", "235.0"), ("Rate per Thousand", rate)]
        return measures(*(row("R1B", currency, value) for currency, value in parts))

    assert "rates_follow_from_counts" not in thousand("51.0")
    assert "rates_follow_from_counts" in thousand("80.0")


def test_a_filtered_file_is_refused() -> None:
    columns = "period dimension org_level org_code org_name measure count_of value"
    one = ("2022-23", "TotalBabies", "Provider", "R1A", "Name", None, "Babies", "5.0")
    assert breached("annual", columns, [one]) >= {"national_rows_are_here", "every_region"}
    national = ("2022-23", "TotalBabies", "National", "National", "All", None, "Babies", "100.0")
    assert breached("annual", columns, [one, national]) >= {"counts_trusts_are_no_small_part"}


YEARS = [
    "msds/hosp-epis-stat-mat-msdscsv-2019-20.csv",
    "msds/hosp-epis-stat-mat-msdscsv-2020-21.csv",
    "msds_native/hosp-epis-stat-mat-msdscsv-2021-22.csv",
    "msds/hosp-epis-stat-mat-msdscsv-2022-23.csv",
    "msds/hosp-epis-stat-mat-msdscsv-2023-24.csv",
]


def incomplete(rows: Path, earlier: Path) -> set[str]:
    """Return which standards of whole files a year breaches, another one landed before."""
    columns = ["period", "dimension", "org_level", "org_code", "org_name", "measure", "count_of", "value"]
    rules = {"dimensions_of_the_earlier_year_are_here", "dimensions_are_whole"}
    with duckdb.connect() as connection:
        for table, path in (("rows", rows), ("earlier", earlier)):
            read = f"read_csv('{path}', names = {columns}, header = true, all_varchar = true)"
            connection.execute(f"create table {table} as select row_number() over () as source_row, * from {read}")
        arrival.make_keys(connection)
        asked = [one for one in load_standards(arrival.SUITES / "msds.yml") if one.id in rules]
        assert {one.id for one in asked} == rules
        return {one.id for one in asked if connection.execute(one.query_of("rows")).fetchall()}


def year_of(path: Path, period: str, dimensions: Iterable[str]) -> Path:
    """Write a year of twenty trusts, a region and the country."""
    places = [("National", "All"), ("NHS England (Region)", "Y56"), *(("Provider", f"R{n:02}") for n in range(20))]
    lines = [
        f"{period},{dimension},{level},{code},A name,,Babies,5" for dimension in dimensions for level, code in places
    ]
    path.write_text("\n".join([",".join(ANNUAL), *lines]) + "\n")
    return path


def test_a_year_that_is_cut_off_is_told(tmp_path: Path) -> None:
    before = year_of(tmp_path / "before.csv", "2021-22", ("Old name", "Births", "Ages"))
    whole = year_of(tmp_path / "whole.csv", "2022-23", ("New name", "Births", "Ages"))
    lines = whole.read_text().splitlines(keepends=True)
    cut = tmp_path / "cut.csv"

    def of_first(count: int) -> set[str]:
        cut.write_text("".join(lines[: count + 1]))
        return incomplete(cut, before)

    assert incomplete(whole, before) == set()
    assert of_first(66) == set()
    assert of_first(44) == {"dimensions_of_the_earlier_year_are_here"}
    assert of_first(63) == {"dimensions_are_whole"}
    assert of_first(45) == {"dimensions_are_whole"}
    assert incomplete(year_of(tmp_path / "a.csv", "2020-21", ("Births",)), before) == set()


@pytest.mark.parametrize("place", range(1, len(YEARS)))
def test_real_years_are_whole(place: int, real_releases: Path) -> None:
    year, before = (real_releases / YEARS[number] for number in (place, place - 1))
    assert incomplete(year, before) == set()
    assert incomplete(before, year) == set()


def test_a_real_year_that_is_cut_off_is_told(tmp_path: Path, real_releases: Path) -> None:
    before, year = (real_releases / name for name in YEARS[1:3])
    with year.open() as lines:
        (tmp_path / "cut.csv").write_text("".join(itertools.islice(lines, 9_919)))
    assert incomplete(tmp_path / "cut.csv", before) == {
        "dimensions_of_the_earlier_year_are_here",
        "dimensions_are_whole",
    }


def test_unrounded_counts_are_told() -> None:
    assert "measures_counts_are_rounded" in measures(row("R1A", "Numerator", "26.0"))


def test_a_year_is_a_financial_year() -> None:
    columns = "period dimension org_level org_code org_name measure count_of value"
    one = ("2022-22", "TotalBabies", "National", "National", "All", None, "Babies", "5.0")
    assert "year_is_a_financial_year" in breached("annual", columns, [one])
    century = ("1999-00", *one[1:])
    assert "year_is_a_financial_year" not in breached("annual", columns, [century])


# --- the sample ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    SOURCE.sample.generate(folder)
    return folder


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def identity(path: Path) -> Identity | None:
    return SOURCE.recognise(Sample(path.name, header.read_header(path), header.read_sample(path)))


def test_the_sample_is_the_same_every_time(sample: Path, tmp_path: Path) -> None:
    SOURCE.sample.generate(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        path.name: path.read_bytes() for path in sample.iterdir()
    }


def test_the_sample_is_small_and_known_and_long_enough_for_charts(sample: Path) -> None:
    found = [identity(path) for path in sorted(sample.iterdir())]
    assert None not in found
    months = {item.release for item in found if item and item.dataset == "monthly_measures"}
    assert len(months) == 13
    assert {item.dataset for item in found if item} == set(SOURCE.datasets)
    assert sum(len(read(path)) for path in sample.iterdir()) < 30_000
    march = [item.status for item in found if item and item.release == "2025-03"]
    assert sorted(march) == ["final", "provisional"]


def test_the_sample_has_the_publishers_quirks(sample: Path) -> None:
    rows = [row for path in sorted(sample.glob("*measures.csv")) for row in read(path)]
    assert {"*", "DNS", "Low DQ", "Pass", "Fail"} <= {row["Value"] for row in rows}
    assert any(float(row["Value"]) > 100 for row in rows if row["Currency"] == "Rate" and row["Value"][0].isdigit())
    assert {row["RPStartDate"][:4] for row in rows} >= {"2024", "01/0"}
    for item in rows:
        if item["Currency"] in ("Numerator", "Denominator") and item["Value"] != "DNS":
            assert float(item["Value"]) % 5 == 0
    data = [row for path in sorted(sample.glob("*data.csv")) for row in read(path)]
    codes = {row["Org_Code"] for row in data}
    assert {"RDZ", "E0A3H", "N6J7V", "7A6G9", "W06000021"} <= codes
    assert not any(row["Final_value"] == "0.0" for row in data)
    old = sample / "hosp-epis-stat-mat-msdscsv-2019-20.csv"
    assert header.read_header(old) == OLD
    assert {row["org_level"] for row in read(old)} == {"ALL SUBMITTERS", "REGION", "PROVIDER"}
    assert any(row["Value"] == "0.0" for row in read(sample / "hosp-epis-stat-mat-msdscsv-2022-23.csv"))


def test_a_year_is_due_once_a_year() -> None:
    assert {dataset: SOURCE.calendar(dataset).cadence_days for dataset in SOURCE.datasets} == {
        "annual": 365,
        "monthly_data": 31,
        "monthly_measures": 31,
    }
