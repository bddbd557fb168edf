"""The eleven traps of English organisation codes, each with real codes, in a published edition."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import pytest

from ingest import registry
from ingest.land import landing
from ingest.land.arriving_file import Arrival
from ingest.stores import Stores
from perinatal.home import Home
from pipeline import steps
from warehouse import statistics as stats

Ask = Callable[..., list[tuple]]

pytestmark = pytest.mark.slow


@pytest.fixture
def ask(published: Home) -> Ask:
    def run(sql: str, *values: object) -> list[tuple]:
        with duckdb.connect(str(published.database), read_only=True) as connection:
            return connection.execute(sql, list(values)).fetchall()

    return run


def test_1_one_predecessor_with_two_successors(ask: Ask) -> None:
    assert ask("select successor_code from core.bridge_succession where predecessor_code = 'RW6' order by 1") == [
        ("R0A",),
        ("RM3",),
    ]
    assert ask("select today_code, is_split from core.bridge_organisation_today where code = 'RW6' order by 1") == [
        ("R0A", True),
        ("RM3", True),
    ]


@pytest.mark.parametrize(
    ("code", "day", "name"),
    [
        ("RAJ", date(2019, 12, 31), "Southend University Hospital NHS Foundation Trust"),
        ("RAJ", date(2023, 12, 31), "Mid and South Essex NHS Foundation Trust"),
        ("RC9", date(2019, 12, 31), "Luton and Dunstable University Hospital NHS Foundation Trust"),
        ("RC9", date(2023, 12, 31), "Bedfordshire Hospitals NHS Foundation Trust"),
        ("RH5", date(2019, 12, 31), "Somerset Partnership NHS Foundation Trust"),
        ("RH5", date(2023, 12, 31), "Somerset NHS Foundation Trust"),
        ("RM3", date(2021, 9, 30), "Salford Royal NHS Foundation Trust"),
        ("RM3", date(2021, 10, 1), "Northern Care Alliance NHS Foundation Trust"),
    ],
)
def test_2_a_code_reused_for_another_body(ask: Ask, code: str, day: date, name: str) -> None:
    found = ask(
        "select name from core.dim_organisation "
        "where level = 'trust' and code = ? and ? between valid_from and valid_to",
        code,
        day,
    )
    assert found == [(name,)]


def test_3_a_closed_trust_keeps_its_own_code_and_its_way_to_today(ask: Ask) -> None:
    assert ask("select valid_to from core.bridge_trust_lms where trust_code = 'RVY'") == [(date(2023, 6, 30),)]
    assert ask("select today_code from core.bridge_organisation_today where code = 'RVY'") == [("RBN",)]


def test_names_of_sites_begin_with_a_capital(ask: Ask) -> None:
    assert ask("select name from core.dim_organisation where level = 'site' and name[1] <> upper(name[1])") == []
    assert ask("select name from core.dim_organisation where code = 'RTD02'") == [("The Royal Victoria Infirmary",)]


@pytest.mark.parametrize(("site", "trust"), [("E0A3H", "RYR"), ("N6J7V", "RYR"), ("I3W1A", "RXK"), ("RCC25", "RCB")])
def test_4_a_site_prefix_is_not_always_its_trust(ask: Ask, site: str, trust: str) -> None:
    assert site[:3] != trust
    assert ask("select parent_code from core.dim_organisation where level = 'site' and code = ?", site) == [(trust,)]


def test_5_ons_codes_of_an_area_change_while_its_ods_code_does_not(ask: Ask) -> None:
    codes = ask("select count(distinct stp_code_ons) from reference.stp_icb_code_history where stp_code_ods = 'QF7'")
    assert codes[0][0] >= 2
    assert ask("select count(*) from core.dim_organisation where level = 'icb' and code = 'QF7'") == [(1,)]


@pytest.mark.parametrize(("trust", "before", "after"), [("RCD", "QWO", "QOQ"), ("RTP", "QNX", "QXU")])
def test_6_trusts_move_between_footprints(ask: Ask, trust: str, before: str, after: str) -> None:
    def lms(day: date) -> list[tuple]:
        return ask(
            "select lms_code from core.bridge_trust_lms where trust_code = ? and ? between valid_from and valid_to",
            trust,
            day,
        )

    assert lms(date(2019, 12, 31)) == [(before,)]
    assert lms(date(2023, 12, 31)) == [(after,)]


def test_7_east_cheshire_is_where_ods_and_msds_have_it(ask: Ask) -> None:
    assert ask("select distinct lms_code from marts.trust_indicator where trust_code = 'RJN'") == [("QYG",)]
    assert (
        "Greater Manchester"
        in ask(
            "select source from core.bridge_trust_lms where trust_code = 'RJN'",
        )[0][0]
    )


def test_8_three_north_east_lmss_share_one_icb(ask: Ask) -> None:
    assert ask("select lms_code from core.dim_lms where icb_code = 'QHM' order by 1") == [
        ("QHM-DTHRW",),
        ("QHM-NTWD",),
        ("QHM-WNEC",),
    ]
    assert ask("select count(*), count(distinct lms_code), count(distinct icb_code) from core.dim_lms") == [
        (44, 44, 42)
    ]


@pytest.mark.parametrize(
    "spelling",
    [
        "Guy's and St Thomas' NHS Foundation Trust",
        "GUYS AND ST THOMAS NHS FOUNDATION TRUST",
        "Guy’s  &  St Thomas’ NHS FT ",
        "The Guys and St. Thomas Foundation Trust",
    ],
)
def test_9_spellings_of_a_name_are_one_alias(ask: Ask, spelling: str) -> None:
    [(normalised,)] = ask(stats.render("select {{ normalised_name('$1') }}"), spelling)
    assert ask(
        "select organisation_code from core.organisation_alias where scheme = 'name' and alias = ?", normalised
    ) == [("RJ1",)]


def test_10_rows_of_other_nations_stand_in_core_only(ask: Ask) -> None:
    rules = ask(
        "select distinct country, level, exclusion_rule from core.fct_observation where country <> 'England' order by 1"
    )
    # one figure for the whole country covers England too, and is no row of another nation
    assert rules == [
        ("Crown Dependencies", "trust", "outside_england"),
        ("Northern Ireland", "trust", "outside_england"),
        ("Scotland", "trust", "outside_england"),
        ("United Kingdom", "uk", "wider_than_england"),
        ("Wales", "trust", "outside_england"),
    ]
    for mart in ("england_indicator", "organisation_indicator"):
        assert ask(
            f"select count(*) from marts.{mart} join core.fct_observation as wider "
            "using (release_key, indicator_id, period_start, period_end, value) "
            "where wider.exclusion_rule = 'wider_than_england'"
        ) == [(0,)]
    assert ask(
        "select count(*) from marts.trust_indicator where trust_name like '%Health Board%' or trust_code like '7A%'"
    ) == [(0,)]


def test_11_a_range_that_a_spreadsheet_made_a_date_is_a_range_again(home: Home, tmp_path: Path) -> None:
    source = registry.source("msds")
    source.sample.generate(tmp_path)
    file = tmp_path / "hosp-epis-stat-mat-msdscsv-2019-20.csv"
    assert b",07-Oct," in file.read_bytes()
    landing.land(Stores.of(home), file, Arrival(source, file.name))
    assert steps.build(home).what == "published"
    with duckdb.connect(str(home.database), read_only=True) as connection:
        found = connection.execute(
            "select breakdown_value, list_contains(usage_warnings, 'category_repaired'), count(*) "
            "from core.fct_observation where indicator_id = 'msds_apgar_score5_term_group7' and level = 'trust' "
            "group by all order by all"
        ).fetchall()
        told = connection.execute(
            "select success, observed from quality.check_result where rule = 'categories_are_not_dates'"
        ).fetchall()
    assert [row[:2] for row in found if row[0].startswith("7")] == [("7 to 10", False), ("7 to 10", True)]
    assert "07-Oct" not in {row[0] for row in found}
    assert told == [(False, 1.0)]
