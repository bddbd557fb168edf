"""The real Fingertips files in one edition, read against the files themselves."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from stats_command import command, written

from ingest import registry
from ingest.archive import manifest as manifests
from ingest.archive.manifest import LandedReleases
from ingest.land import landing
from ingest.land.arriving_file import Arrival
from ingest.stores import Stores
from perinatal.home import Home
from pipeline import steps

pytestmark = pytest.mark.slow

INJURIES = "by_indicator_id_90284_child502_parent6.csv"
RAGGED = "by_group_2019_ragged.csv"
METADATA = "indicator_metadata_all.json"
KEY = ("Area Code", "Time period", "Sex", "Age", "Category Type", "Category")

Ask = Callable[..., list[tuple[Any, ...]]]


def land(home: Home, *files: Path) -> list[landing.Outcome]:
    source = registry.source("fingertips")
    return [landing.land(Stores.of(home), file, Arrival(source, file.name)) for file in files]


@pytest.fixture(scope="module")
def folder(real_releases: Path) -> Path:
    """Give the folder of the real files, or skip."""
    found = real_releases / "fingertips"
    for name in (INJURIES, RAGGED, METADATA):
        if not (found / name).exists():
            pytest.skip(f"{found / name} is not there")
    return found


@pytest.fixture(scope="module")
def doubled(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the injuries file as the API writes it under England: England's rows a second time, under itself."""
    path = tmp_path_factory.mktemp("doubled") / "by_indicator_id_90284_child502_parent15.csv"
    with (folder / INJURIES).open(encoding="utf-8", newline="") as handle:
        header, *rows = list(csv.reader(handle))
    header[22] = "Compared to percentiles"
    again = [[*row[:2], "E92000001", "England", *row[4:]] for row in rows if row[4] == "E92000001"]
    with path.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out, lineterminator="\n").writerows([header, *rows, *again])
    return path


@pytest.fixture(scope="module")
def edition(folder: Path, doubled: Path, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Land all, build and publish."""
    home = Home(tmp_path_factory.mktemp("fingertips") / "state")
    outcomes = land(home, *(folder / name for name in (INJURIES, RAGGED, METADATA)), doubled)
    assert [outcome.what for outcome in outcomes] == ["landed"] * 4
    assert steps.build(home).what == "published"
    return home


@pytest.fixture(scope="module")
def ask(edition: Home) -> Ask:
    def run(sql: str, *values: object) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(edition.database), read_only=True) as connection:
            return connection.execute(sql, list(values)).fetchall()

    return run


@pytest.fixture(scope="module")
def published(folder: Path) -> list[dict[str, str]]:
    with (folder / INJURIES).open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def test_one_row_for_each_area_period_sex_age_and_category(ask: Ask, published: list[dict[str, str]]) -> None:
    keys = Counter(tuple(row[name] for name in KEY) for row in published)
    assert max(keys.values()) == 1
    ((rows, distinct),) = ask(
        """
        select count(*), count(distinct (organisation_code, period_label, breakdown, breakdown_value))
        from core.fct_observation where indicator_id = 'fingertips_90284'
        """
    )
    assert rows == distinct == len(keys)


def test_englands_first_value(ask: Ask) -> None:
    ((value, printed, method, start, end),) = ask(
        """
        select value, publisher_value, method, period_start::varchar, period_end::varchar from marts.england_indicator
        where indicator_id = 'fingertips_90284' and period_label = '2010/11' and breakdown = 'all'
        """
    )
    assert round(value, 4) == round(printed, 4) == 115.2167
    assert (method, start, end) == ("Byar", "2010-04-01", "2011-03-31")


def test_blanks_are_explained_by_their_notes(ask: Ask, published: list[dict[str, str]]) -> None:
    found = ask(
        """
        select note, count(*), count(*) filter (where is_suppressed) from core.fct_observation
        where indicator_id = 'fingertips_90284' and value is null group by note
        """
    )
    assert {note: rows for note, rows, _ in found} == Counter(
        row["Value note"] for row in published if not row["Value"]
    )
    assert {note for note, _, masked in found if masked} == {
        "Value suppressed for disclosure control due to small count"
    }


def test_minus_one_never_stands_for_a_limit(ask: Ask) -> None:
    assert ask("select count(*) from core.fct_observation where least(lower_95, lower_998) = -1") == [(0,)]


def test_every_row_is_accounted_for(ask: Ask) -> None:
    health = {row[0]: row[1:] for row in ask(
        "select dataset, rows_in, rows_mart, rows_quarantined, rows_excluded from quality.source_health"
    )}  # fmt: skip
    assert all(rows_in == sum(rest) for rows_in, *rest in health.values())
    assert health["indicator_metadata"][0] == 1587
    assert health["93356_county_ua_region"] == (852, 852, 0, 0)
    # two files hold the same observations: one gives them, and England's second copy is a named exclusion
    assert health["90284_502_6"][0] == 6847
    assert health["90284_502_15"][0] == 6847 + 703
    assert health["90284_502_6"][1] + health["90284_502_15"][1] == 6847


def test_englands_second_copy_is_excluded_by_name_and_counted(edition: Home) -> None:
    (newest,) = [item for item in manifests.LandedReleases(edition.landed).in_use() if item.dataset == "90284_502_15"]
    with duckdb.connect(str(edition.database), read_only=True) as connection:
        rules = {row[0] for row in connection.execute("select exclusion_rule from reference.exclusion_rule").fetchall()}
        excluded = connection.execute(
            "select rows_excluded from quality.source_health where release_key = ?", [newest.release_key]
        ).fetchall()
    assert "repeated_row" in rules
    assert excluded[0][0] >= 703


def test_the_ragged_file_is_read_and_nothing_has_shifted(edition: Home) -> None:
    (item,) = [item for item in manifests.LandedReleases(edition.landed).in_use() if item.dataset.startswith("93356")]
    told = {check["rule"]: check for check in item.checks if not check["success"]}
    assert set(told) == {"header_names_no_absent_column"}
    assert "Compared to goal" in told["header_names_no_absent_column"]["message"]
    rows = str(LandedReleases(edition.landed).folder_of(item) / manifests.ROWS)
    with duckdb.connect() as connection:
        found = connection.execute(
            "select distinct time_period_sortable, new_data, time_period from read_parquet(?) order by all", [rows]
        ).fetchall()
    assert {(sortable, new) for sortable, new, _ in found} == {
        ("20150000", None), ("20160000", None), ("20170000", "New data")
    }  # fmt: skip
    assert all(sortable == f"{period}0000" for sortable, _, period in found)


def test_authorities_add_up_to_england_through_their_lmss(ask: Ask) -> None:
    """Lower-layer areas share nothing away: in a year without gaps all 44 LMSs together hold England's population."""
    ((lmss, denominator, warned),) = ask(
        """
        select count(value), sum(denominator), count(*) filter (where list_contains(usage_warnings, 'area_share'))
        from marts.lms_indicator
        where indicator_id = 'fingertips_90284' and period_label = '2023/24' and breakdown = 'all'
        """
    )
    ((england,),) = ask(
        """
        select denominator from marts.england_indicator
        where indicator_id = 'fingertips_90284' and period_label = '2023/24' and breakdown = 'all'
        """
    )
    assert lmss == 44
    assert denominator == pytest.approx(england)
    assert 0 < warned < 44


def test_a_missing_authority_leaves_its_lmss_incomplete(ask: Ask) -> None:
    found = ask(
        """
        select lms_code from marts.lms_indicator where indicator_id = 'fingertips_90284' and breakdown = 'all'
        and period_label = '2016/17' and not is_complete and value is null order by 1
        """
    )
    # Nottingham's trust had no valid geography in 2016/17: Nottingham and Nottinghamshire are not presented
    assert found == [("QF7",), ("QT1",)]


def test_no_standard_is_breached_without_a_reason(ask: Ask, folder: Path) -> None:
    found = ask(
        "select rule, split_part(release_key, '/', 2), severity, observed from quality.check_result "
        "where not success and severity <> 'info' order by all"
    )
    with (folder / RAGGED).open(encoding="utf-8", newline="") as handle:
        unplaced = {
            (row["Area Name"], row["Time period"])
            for row in csv.DictReader(handle)
            if row["Area Name"] in ("Bournemouth", "Dorset", "Poole")
        }
    assert len(unplaced) == 9
    late = "sources_are_on_time"  # each of the three has had its next year since
    assert found == [
        # Bournemouth, Poole and Dorset before 2019 cannot be cut into parts of LMSs
        ("fingertips_authorities_reach_their_lms", None, "warn", len(unplaced)),
        ("header_names_no_absent_column", "93356_county_ua_region", "warn", 1),
        (late, "90284_502_15", "warn", 1),
        (late, "90284_502_6", "warn", 1),
        (late, "93356_county_ua_region", "warn", 1),
    ]


def test_an_authority_that_no_lms_knows_leaves_its_lms_without_a_value(ask: Ask) -> None:
    lacking = "where indicator_id = 'fingertips_93356' and breakdown = 'all' and not is_complete"
    assert ask(f"select distinct lms_code, period_label from marts.lms_indicator {lacking} order by all") == [
        ("QVV", "2015"),
        ("QVV", "2016"),
        ("QVV", "2017"),
    ]
    assert ask(f"select count(value), count(numerator) from marts.lms_indicator {lacking}") == [(0, 0)]


def test_indices_of_inequality_are_those_of_the_command(ask: Ask, tmp_path: Path) -> None:
    sets = ask(
        """
        select
            indicator_id, level, organisation_code, period_start, breakdown,
            any_value((sii, rii, sii_lower_95, sii_upper_95, rii_lower_95, rii_upper_95)),
            count(*), count(distinct sii), any_value(dim_indicator.multiplier), any_value(dim_indicator.statistic),
            list((deprivation_quantile.quantile, denominator, numerator) order by deprivation_quantile.quantile)
        from marts.inequality
        inner join core.dim_indicator using (indicator_id)
        inner join reference.deprivation_quantile on regexp_matches(lower("group"), pattern)
        where sii is not null
        group by all order by all
        """
    )
    assert len(sets) > 10
    assert {row[6] for row in sets} == {10}, "whole sets of deciles alone have an index"
    assert {row[7] for row in sets} == {1}
    assert any(row[5][0] < 0 for row in sets), "the least deprived have fewer"
    for number, (found, _rows, _sii, multiplier, statistic, quantiles) in enumerate(row[5:] for row in sets[:6]):
        folder = tmp_path / str(number)
        folder.mkdir()
        rows = [
            {"quantile": quantile, "population": people, "count": events, "value_type": statistic, "confidence": 95}
            for quantile, people, events in quantiles
        ]
        [first, *_] = command("sii", folder, written(rows), multiplier)
        names = ("sii", "rii", "sii_lowercl_1", "sii_uppercl_1", "rii_lowercl_1", "rii_uppercl_1")
        assert found == pytest.approx([float(first[name]) for name in names], rel=1e-9)


def test_a_reference_group_is_1_without_an_interval(ask: Ask) -> None:
    rows = ask(
        'select ratio, ratio_lower_95, ratio_upper_95 from marts.inequality where "group" = reference_group '
        "and numerator > 0"
    )
    assert rows
    assert set(rows) == {(1.0, None, None)}
