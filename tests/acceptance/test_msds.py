"""The five real releases of the Maternity Services Data Set in one edition, read against the files themselves."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingest import registry
from ingest.land import landing
from ingest.land.arriving_file import Arrival
from ingest.stores import Stores
from perinatal.home import Home
from pipeline import steps

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

YEARS = {
    "2019-20": "hosp-epis-stat-mat-msdscsv-2019-20.csv",
    "2020-21": "hosp-epis-stat-mat-msdscsv-2020-21.csv",
    "2022-23": "hosp-epis-stat-mat-msdscsv-2022-23.csv",
}
DATA = "msds-feb2025-exp-data.csv"
MEASURES = "msds-apr2025Provisional-exp-measures.csv"
UNKNOWN = ("missing", "value outside", "not known", "not stated", "unknown", "declined", "pseudo", "resident elsewhere")

Ask = Callable[..., list[tuple[Any, ...]]]


def land(home: Home, *files: Path) -> list[landing.Outcome]:
    source = registry.source("msds")
    return [landing.land(Stores.of(home), file, Arrival(source, file.name)) for file in files]


def asker(home: Home) -> Ask:
    def run(sql: str, *values: object) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(home.database), read_only=True) as connection:
            return connection.execute(sql, list(values)).fetchall()

    return run


@pytest.fixture(scope="module")
def folder(real_releases: Path) -> Path:
    """Give the folder of the real files, or skip."""
    found = real_releases / "msds"
    for name in (*YEARS.values(), DATA, MEASURES):
        if not (found / name).exists():
            pytest.skip(f"{found / name} is not there")
    return found


@pytest.fixture(scope="module")
def edition(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Land all five, build and publish."""
    home = Home(tmp_path_factory.mktemp("msds") / "state")
    outcomes = land(home, *(folder / name for name in (*YEARS.values(), DATA, MEASURES)))
    assert [outcome.what for outcome in outcomes] == ["landed"] * 5
    assert steps.build(home).what == "published"
    return home


@pytest.fixture
def ask(edition: Home) -> Ask:
    return asker(edition)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as handle:
        return [{key.lower(): value for key, value in row.items()} for row in csv.DictReader(handle)]


def test_what_the_files_are(edition: Home) -> None:
    found = asker(edition)(
        "select dataset, release, status from core.dim_release where source_id = 'msds' order by all"
    )
    assert found == [
        ("annual", "2019-20", "final"),
        ("annual", "2020-21", "final"),
        ("annual", "2022-23", "final"),
        ("monthly_data", "2025-02", "final"),
        ("monthly_measures", "2025-04", "provisional"),
    ]


def test_every_row_of_every_file_is_accounted_for(ask: Ask, folder: Path) -> None:
    health = dict(ask("select dataset || '/' || split_part(release_key, '/', 3), rows_in from quality.source_health "
                      "where source_id = 'msds'"))  # fmt: skip
    assert health == {
        **{f"annual/{year}": len(rows(folder / name)) for year, name in YEARS.items()},
        "monthly_data/2025-02": len(rows(folder / DATA)),
        "monthly_measures/2025-04": len(rows(folder / MEASURES)),
    }
    assert ask(
        "select count(*) from quality.source_health where rows_in <> rows_mart + rows_quarantined + rows_excluded"
    ) == [(0,)]
    # places in Wales, Scotland, Northern Ireland and the Crown Dependencies stay out of the English marts
    abroad = sum(
        (row["org_level"] == "Local Authority of Residence" and row["org_code"][:1] in tuple("WSNLM"))
        or (row["org_level"].endswith("Site") and row["org_code"].startswith("7A"))
        for row in rows(folder / DATA)
    )
    assert ask("select rows_excluded from quality.source_health where rows_excluded > 0") == [(abroad,)]


@pytest.mark.parametrize(
    ("mart", "code"),
    [
        ("trust_indicator", "trust_code"),
        ("organisation_indicator", "level, organisation_code"),
        ("lms_indicator", "lms_code"),
        ("region_indicator", "region_code"),
        ("england_indicator", "source_id"),
    ],
)
def test_one_row_per_organisation_indicator_period_and_breakdown(ask: Ask, mart: str, code: str) -> None:
    assert ask(
        f"select count(*) from (select 1 from marts.{mart} group by source_id, indicator_id, period_start, period_end, "
        f"breakdown, breakdown_value, {code} having count(*) > 1)"
    ) == [(0,)]
    assert ask(f"select count(*) > 0 from marts.{mart}") == [(True,)]


def test_no_period_is_impossible(ask: Ask) -> None:
    periods = ask(
        "select distinct period_label, period_start, period_end from core.fct_observation where source_id = 'msds' "
        "order by 1"
    )
    assert periods == [
        ("2019-20", date(2019, 4, 1), date(2020, 3, 31)),
        ("2020-21", date(2020, 4, 1), date(2021, 3, 31)),
        ("2022-23", date(2022, 4, 1), date(2023, 3, 31)),
        ("2025-02", date(2025, 2, 1), date(2025, 2, 28)),
        ("2025-04", date(2025, 4, 1), date(2025, 4, 30)),
    ]
    repaired = ask(
        "select distinct period_label, list_contains(usage_warnings, 'date_repaired') from core.fct_observation "
        "where source_id = 'msds' order by 1"
    )
    assert repaired == [(label, label.startswith("2025")) for label, *_ in periods]
    assert all(end - start < timedelta(days=366) for _, start, end in periods)


@pytest.mark.parametrize("name", [*YEARS.values(), DATA])
def test_national_counts_are_the_published_ones(ask: Ask, folder: Path, name: str) -> None:
    published = {
        (row.get("measure") or row.get("measure1") or "all", float(row.get("final_value") or row["value"])): row
        for row in rows(folder / name)
        if row["org_level"] in ("National", "ALL SUBMITTERS") and not row["count_of"].startswith("Average")
    }
    ours = set(
        ask(
            "select e.breakdown_value, e.numerator from marts.england_indicator as e "
            "join core.dim_release using (release_key) where original_name = ?",
            name,
        )
    )
    assert set(published) <= ours


def test_the_year_with_the_lower_case_header(ask: Ask, folder: Path) -> None:
    assert rows(folder / YEARS["2019-20"])[0]["measure1"] == "0 to 6"
    found = ask(
        "select numerator, denominator, round(value, 3), unit from marts.england_indicator "
        "where period_label = '2019-20' and indicator_id = 'msds_apgar_score5_term_group7' "
        "and breakdown_value = '0 to 6'"
    )
    assert found == [(1450.0, 1450.0 + 102830.0, 1.390, "%")]


def test_known_categories_make_up_the_denominator(ask: Ask, folder: Path) -> None:
    counts: dict[str, dict[str, float]] = {}
    for row in rows(folder / DATA):
        if row["org_level"] == "Provider" and row["org_code"] == "R1H" and row["measure"]:
            counts.setdefault(row["dimension"], {})[row["measure"]] = float(row["final_value"])
    for dimension, expected in (("SmokingStatusGroupBooking", "Smoker"), ("EthnicCategoryMotherGroup", "White")):
        categories = counts[dimension]
        known = sum(count for category, count in categories.items() if not category.lower().startswith(UNKNOWN))
        [(indicator,)] = ask(
            "select distinct indicator_id from marts.trust_indicator where lower(replace(indicator_id, '_', '')) = ?",
            f"msds{dimension.lower()}",
        )
        [(numerator, denominator)] = ask(
            "select numerator, denominator from marts.trust_indicator where trust_code = 'R1H' "
            "and period_label = '2025-02' and indicator_id = ? and breakdown_value = ?",
            indicator,
            expected,
        )
        assert (numerator, denominator) == (categories[expected], known)
    missing = ask(
        "select numerator, denominator from marts.trust_indicator where trust_code = 'R1H' "
        "and period_label = '2025-02' and indicator_id = 'msds_smoking_status_group_booking' "
        "and breakdown_value like 'Missing%'"
    )
    smoking = counts["SmokingStatusGroupBooking"]
    assert missing == [(smoking["Missing Value / Value outside reporting parameters"], sum(smoking.values()))]


def test_the_three_rows_of_a_measure_are_one_observation(ask: Ask, folder: Path) -> None:
    parts = {
        row["currency"]: (number, row["value"])
        for number, row in enumerate(rows(folder / MEASURES), start=1)
        if row["org_code"] == "National" and row["indicator"] == "CQIMPPH"
    }
    [(numerator, denominator, value, published, unit, row, count)] = ask(
        "select numerator, denominator, value, publisher_value, "
        "(select unit from core.dim_indicator where indicator_id = 'pph_1500ml'), source_row, source_row_count "
        "from core.fct_observation where indicator_id = 'pph_1500ml' and level = 'england'"
    )
    assert (numerator, denominator) == (float(parts["Numerator"][1]), float(parts["Denominator"][1]))
    assert value == pytest.approx(100 * numerator / denominator)
    assert (published, unit) == (float(parts["Rate per Thousand"][1]) / 10, "%")
    assert (row, count) == (min(number for number, _ in parts.values()), 3)


def test_nothing_that_ships_is_finer_than_the_printed_counts(ask: Ask) -> None:
    """Printed counts (to 5) and rates are all that rows, coverage and excess follow from."""
    near = "abs({0} - round({0})) < 1e-6"
    [(rows_, finer, other_values, coverage, other_coverage, excess_alone)] = ask(
        f"""
        select
            count(*),
            count(*) filter (where numerator % 5 <> 0 or denominator % 5 <> 0),
            count(*) filter (
                where value is distinct from publisher_value
                and not coalesce(abs(value - multiplier * numerator / denominator) < 1e-9, value is null)
            ),
            count(denominator / coverage),
            count(*) filter (where coverage > 0 and not {near.format("(denominator / coverage / 5)")}),
            count(*) filter (where excess is not null and (numerator is null or denominator is null))
        from marts.trust_indicator inner join core.dim_indicator using (indicator_id)
        where trust_indicator.source_id = 'msds'
        """
    )
    assert rows_ > 50_000
    assert coverage > 10_000
    assert (finer, other_values, other_coverage, excess_alone) == (0, 0, 0, 0)


def test_results_are_in_compliance_and_only_there(ask: Ask, folder: Path) -> None:
    published = rows(folder / MEASURES)
    results = [row["value"] for row in published if row["currency"] == "Result"]
    assert len(results) == 8_422
    found = dict(ask("select publisher_status, count(*) from marts.compliance group by 1"))
    rates = [row["value"] for row in published if row["currency"].startswith("Rate")]
    assert found == {
        "Pass": results.count("Pass"),
        "Fail": results.count("Fail"),
        "Low DQ": rates.count("Low DQ"),
        "DNS": rates.count("DNS"),
    }
    assert ask("select count(*) from marts.compliance group by source_id, level, organisation_code, standard, "
               "period_start, period_end, publisher_status having count(*) > 1") == []  # fmt: skip
    # a withheld rate is nowhere a number
    assert ask(
        "select count(*) from marts.compliance as c join marts.trust_indicator as t "
        "on c.organisation_code = t.trust_code and c.indicator_id = t.indicator_id "
        "and c.period_start = t.period_start and t.breakdown = 'all' "
        "where c.publisher_status in ('Low DQ', 'DNS') and c.standard = c.indicator_id"
    ) == [(0,)]


def test_masked_rates_show_no_number(ask: Ask, folder: Path) -> None:
    masked = sum(row["value"] == "*" for row in rows(folder / MEASURES))
    found = ask(
        "select count(*), count(numerator), count(denominator), count(value), count(publisher_value), count(upper_95) "
        "from core.fct_observation where is_suppressed"
    )
    assert masked > 0
    assert found == [(masked, 0, 0, 0, 0, 0)]


def test_all_levels_are_in_their_marts(ask: Ask, folder: Path) -> None:
    levels = {level for (level,) in ask("select distinct level from marts.organisation_indicator")}
    assert levels == {"icb", "comparator_group", "site", "local_authority", "sub_icb"}
    boards = ask("select count(distinct organisation_code) from marts.organisation_indicator where level = 'icb'")
    assert boards == [(42,)]
    assert ask("select count(distinct region_code) from marts.region_indicator where source_id = 'msds'") == [(7,)]
    assert ask("select count(*) from core.fct_observation where exclusion_rule not in ('outside_england')") == [(0,)]
    # a local authority without a code goes by its name
    assert ask("select count(*) from core.fct_observation where organisation_code is null") == [(0,)]
    providers = {row["org_code"] for row in rows(folder / YEARS["2020-21"]) if row["org_level"] == "Provider"}
    ours = ask("select distinct trust_code from marts.trust_indicator where period_label = '2020-21'")
    assert {code for (code,) in ours} == providers
    # closed codes that still report stand under their own code
    assert {"RA4", "RVY"} <= providers


def test_sums_of_trusts_lie_within_rounding_or_have_a_cause(ask: Ask) -> None:
    found = dict(ask("select coalesce(cause, 'within rounding'), count(*) from quality.area_reconciliation group by 1"))
    assert set(found) == {
        "within rounding",
        "counted_by_several_trusts",
        "membership",
        "trust_left_out_by_publisher",
    }
    assert found["within rounding"] > 0.9 * sum(found.values())
    assert ask(
        "select count(*) from quality.area_reconciliation where cause = 'counted_by_several_trusts' and difference < 0"
    ) == [(0,)]


def test_zeros_that_the_file_leaves_out_count_in_sums(ask: Ask, folder: Path) -> None:
    """Fourth degree tears are listed for few trusts; an LMS sums all its trusts all the same."""
    listed = {
        row["org_code"]: float(row["final_value"])
        for row in rows(folder / DATA)
        if row["org_level"] == "Provider" and row["measure"] == "Perineal tear - fourth degree"
    }
    sums = ask(
        "select lms_code, numerator, trusts_reporting from marts.lms_indicator where is_complete "
        "and indicator_id = 'msds_genital_tract_traumatic_lesion' and breakdown_value = 'Perineal tear - fourth degree'"
    )
    assert len(sums) == 44
    assert sum(numerator for _, numerator, _ in sums) == sum(listed.values())
    assert sum(trusts for _, _, trusts in sums) == 119 > len(listed)
    # the implied zeros themselves are no published values
    assert ask(
        "select count(*) from marts.trust_indicator where indicator_id = 'msds_genital_tract_traumatic_lesion' "
        "and breakdown_value = 'Perineal tear - fourth degree'"
    ) == [(len(listed),)]


def test_no_block_and_no_unexplained_warning(ask: Ask) -> None:
    failed = ask("select distinct rule from quality.check_result where not success and severity in ('block', 'warn')")
    # the annual file of 2021-22 is not at hand: a gap between the two beside it
    gap = "periods_follow_each_other"
    assert {rule for (rule,) in failed} == {"rates_follow_from_counts", gap}


def part_of(file: Path, *indicators: str) -> tuple[list[str], list[dict[str, str]]]:
    """Return header and rows of some measures: enough for a gate and a build, in a fraction of the time."""
    with file.open(newline="", encoding="utf-8") as handle:
        reader = csv.DictReader(handle)
        return list(reader.fieldnames or []), [row for row in reader if row["Indicator"] in indicators]


def write(path: Path, header: list[str], rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, header)
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_a_final_release_may_confirm_a_provisional_one(folder: Path, home: Home, tmp_path: Path) -> None:
    header, kept = part_of(folder / MEASURES, "Induction")
    files = (
        write(tmp_path / MEASURES, header, kept),
        write(tmp_path / "msds-apr2025-exp-measures.csv", header, kept[::-1]),
        write(tmp_path / "msds-apr2025Provisional.csv", header, [*kept[1:], kept[0]]),
    )
    found = land(home, *files)
    assert [(outcome.what, outcome.manifest.status) for outcome in found] == [
        ("landed", "provisional"),
        ("revised", "final"),
        ("unchanged", "provisional"),
    ]


@pytest.mark.parametrize("order", ["provisional first", "final first"])
def test_final_beats_provisional_whenever_it_arrives(folder: Path, home: Home, tmp_path: Path, order: str) -> None:
    provisional, final = tmp_path / MEASURES, tmp_path / "msds-apr2025-exp-measures.csv"
    header, kept = part_of(folder / MEASURES, "CQIMPPH", "Induction")
    for path, induced in ((provisional, "11035.0"), (final, "11500.0")):
        for row in kept:
            if row["Org_Code"] == "QE1":
                row["Org_Code"] = "E54000048"  # some years name boards by their ONS codes
            if (row["Org_Code"], row["Indicator"], row["Currency"]) == ("National", "Induction", "Numerator"):
                row["Value"] = induced
        write(path, header, kept)
    files = (provisional, final) if order == "provisional first" else (final, provisional)
    assert [outcome.what for outcome in land(home, *files)] == ["landed", "revised"]
    steps.build(home)
    ask = asker(home)
    assert ask("select numerator from marts.england_indicator where indicator_id = 'induction'") == [(11500.0,)]
    assert ask("select status from core.dim_release where not is_superseded and source_id = 'msds'") == [("final",)]
    assert ask("select count(*) from marts.trust_indicator where list_contains(usage_warnings, 'provisional')") == [
        (0,)
    ]
    assert ask("select distinct published_code, organisation_code from core.fct_observation where level = 'icb' "
               "and organisation_name like '%LANCASHIRE%'") == [("E54000048", "QE1")]  # fmt: skip
    health = ask(
        "select rows_mart, rows_excluded from quality.source_health join core.dim_release using (release_key) "
        "where dim_release.source_id = 'msds' order by is_superseded"
    )
    assert health == [(len(kept), 0), (0, len(kept))]
