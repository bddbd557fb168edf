"""The marts that look across sources, recomputed from what ships: ambitions, positions, groups, signals, the board.

One edition of the real releases (MBRRACE-UK 2023, MSDS April 2025) and one of the synthetic MSDS months, which are long
enough for control charts.
"""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingest import registry
from ingest.land import landing
from ingest.land.arriving_file import Arrival
from ingest.stores import Stores
from perinatal.home import Home
from perinatal.settings import PROJECT_ROOT
from pipeline import steps

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

Row = dict[str, Any]
Ask = Callable[..., list[Row]]
SEEDS = PROJECT_ROOT / "dbt_project" / "seeds" / "reference"
Z = 1.959963984540054


def land(home: Home, source_id: str, files: list[Path]) -> None:
    source = registry.source(source_id)
    for file in files:
        landing.land(Stores.of(home), file, Arrival(source, file.name))


def asker(home: Home) -> Ask:
    def run(sql: str, *values: object) -> list[Row]:
        with duckdb.connect(str(home.database), read_only=True) as connection:
            cursor = connection.execute(sql, list(values))
            names = [name for name, *_ in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    return run


@pytest.fixture(scope="module")
def real(real_releases: Path, tmp_path_factory: pytest.TempPathFactory) -> Ask:
    """Give the marts of the real releases."""
    home = Home(tmp_path_factory.mktemp("real") / "home")
    land(home, "mbrrace", sorted((real_releases / "mbrrace").glob("*.csv")))
    land(home, "msds", [real_releases / "msds" / "msds-apr2025Provisional-exp-measures.csv"])
    assert steps.build(home).what == "published"
    return asker(home)


@pytest.fixture(scope="module")
def months(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    """Give the marts of the synthetic months of the Maternity Services Data Set."""
    folder = tmp_path_factory.mktemp("months")
    source = registry.source("msds")
    (folder / "files").mkdir()
    source.sample.generate(folder / "files")
    home = Home(folder / "home")
    land(home, "msds", sorted((folder / "files").rglob("*exp-measures.csv")))
    assert steps.build(home).what == "published"
    return asker(home)


def seed(name: str) -> list[dict[str, str]]:
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


# --- the five ambitions


def knots() -> dict[str, list[tuple[int, float]]]:
    """Return the knots of each trajectory: an ambition's own has its name."""
    found: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for row in seed("ambition_knot"):
        found[row["trajectory_id"]].append((int(row["year"]), float(row["target"])))
    return {name: sorted(points) for name, points in found.items()}


def trajectory(points: list[tuple[int, float]], year: int) -> float | None:
    """Return the straight line between two knots; nothing before the first."""
    for (before, high), (after, low) in pairwise(points):
        if before <= year <= after:
            return high + (low - high) * (year - before) / (after - before)
    return None


def test_england_stands_where_the_issue_says(real: Ask) -> None:
    [row] = real("select * from marts.national_ambition where ambition_id = 'stillbirth' and year = 2024")
    assert (row["actual"], row["target"], row["gap"], row["on_track"]) == (3.8, pytest.approx(2.82), 0.98, False)
    # 3.8 lay on the line in late 2020: 2020 + (4.1 - 3.8) / (4.1 - 2.5) x 5 years
    assert row["years_behind"] == round(2024 - (2020 + 0.3 / 1.6 * 5), 2)
    assert row["source_url"].startswith("https://")


def bundled() -> set[tuple[str, float]]:
    """Return period and value of every figure in the bundled release; three years as 2022-24."""
    one = registry.source("official_figures")
    with (one.folder / str(one.bundled)).open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    return {(_period(row["period"]), float(row["value"])) for row in rows}


def _period(text: str) -> str:
    first, _, last = text.partition("..")
    return f"{first[:4]}-{last[2:4]}" if last else text


def test_every_actual_has_a_release_and_every_target_is_on_its_line(real: Ask) -> None:
    rows = real("select * from marts.national_ambition")
    assert {row["ambition_id"] for row in rows} == {row["ambition_id"] for row in seed("ambition")} <= set(knots())
    releases = {row["release_key"]: row for row in real("select * from core.dim_release")}
    for row in rows:
        assert row["source_url"].startswith("https://")
        assert not releases[row["release_key"]]["is_synthetic"]
        if row["release_key"].startswith("official_figures/"):
            assert (row["period"], row["actual"]) in bundled(), row
        if row["target"] is None:
            assert (row["gap"], row["on_track"]) == (None, None)
            continue
        assert row["geography"] == ("UK" if row["ambition_id"] == "maternal_death" else "England")
        assert row["target"] == pytest.approx(trajectory(knots()[row["trajectory_id"]], row["year"]))
        assert row["gap"] == pytest.approx(row["actual"] - row["target"], abs=1e-6)
        assert row["on_track"] == (round(row["gap"], 6) <= 0)
    grain = [(row["ambition_id"], row["definition"], row["geography"], row["period"]) for row in rows]
    assert len(grain) == len(set(grain))


def test_definitions_are_never_one_line(real: Ask) -> None:
    rows = real("select distinct ambition_id, definition, geography, is_headline from marts.national_ambition")
    headlines = [row["ambition_id"] for row in rows if row["is_headline"]]
    assert sorted(headlines) == sorted(row["ambition_id"] for row in seed("ambition")), (
        "one headline definition for each ambition"
    )
    assert len(rows) > len(headlines)


def test_a_position_says_what_changed_since_the_baseline_of_the_same_definition(real: Ask) -> None:
    newest = real(
        "select * from marts.national_ambition where is_headline "
        "qualify row_number() over (partition by ambition_id order by year desc) = 1"
    )
    found = {row["ambition_id"]: row for row in newest}
    brain = found["brain_injury"]
    assert (brain["on_track"], brain["target"], brain["change_since_baseline"]) == (None, None, 0.0)
    assert brain["position"].startswith("no reduction since 2012: 4.2 in 2019, 4.2 in 2012")
    assert brain["is_stale"]
    assert "; stale: the period ended" in brain["position"]
    assert found["neonatal_death"]["definition"].startswith("24 weeks or later")
    assert found["neonatal_death"]["position"] == "down to 1.4 in 2023 from 2.0 in 2010; above the trajectory (1.13)"
    assert (found["maternal_death"]["period"], found["maternal_death"]["actual"]) == ("2022-24", 12.8)
    assert found["maternal_death"]["position"].startswith("higher than in 2009-11")
    for row in newest:
        assert row["is_stale"] == (row["age_years"] > 3)
        if row["baseline_value"] is not None:
            assert row["change_since_baseline"] == pytest.approx(row["actual"] - row["baseline_value"], abs=1e-6)


def test_positions_follow_from_the_interval_and_the_line(real: Ask) -> None:
    rows = real("select * from marts.ambition_position")
    assert {row["level"] for row in rows} == {"trust", "lms", "region"}
    assert {"stillbirth", "neonatal_death"} <= {row["ambition_id"] for row in rows}
    assert not [row for row in rows if row["indicator_id"] == "preterm_birth"], "singletons are another population"
    later = {row["trajectory_id"] for row in rows if row["indicator_id"] == "neonatal_mortality_rate"}
    assert later == {"neonatal_death_24_weeks"}, "MBRRACE-UK counts births at 24 weeks or later"
    seen = set()
    for row in rows:
        assert row["target"] == pytest.approx(trajectory(knots()[row["trajectory_id"]], row["year"]))
        if row["value"] is not None:
            assert row["gap"] == pytest.approx(row["value"] - row["target"], abs=1e-6)
            if row["upper_95"] <= row["target"]:
                expected = "below"
            else:
                expected = "above" if row["lower_95"] > row["target"] else "not distinguishable"
        elif row["is_complete"]:
            expected = None
        else:
            # an incomplete sum has a position where its bounds, and their intervals, lie on one side
            expected = row["position"]
            assert expected in (None, "below", "above"), row
            if expected:
                assert row["value_max" if expected == "below" else "value_min"] is not None, row
                assert (row["value_max"] < row["target"]) is (expected == "below"), row
                assert (row["value_min"] > row["target"]) is (expected == "above"), row
        assert row["position"] == expected, row
        seen.add(expected)
    assert seen >= {"above", "not distinguishable", None}


def test_a_trusts_position_on_deaths_rests_on_its_adjusted_rate(real: Ask) -> None:
    rows = real(
        "select position.*, trust.adjusted_value, trust.adjusted_lower_95, trust.adjusted_upper_95 "
        "from marts.ambition_position as position left join marts.trust_indicator as trust "
        "on position.level = 'trust' and position.organisation_code = trust.trust_code "
        "and position.indicator_id = trust.indicator_id and position.source_id = trust.source_id "
        "and position.period_start = trust.period_start and trust.breakdown = 'all' "
        "where position.source_id = 'mbrrace'"
    )
    for row in rows:
        assert row["basis"] == ("adjusted" if row["level"] == "trust" else "not adjusted")
        if row["level"] == "trust":
            assert (row["value"], row["lower_95"], row["upper_95"]) == (
                row["adjusted_value"], row["adjusted_lower_95"], row["adjusted_upper_95"]
            )  # fmt: skip
        else:
            assert "not adjusted" in row["definition_note"]


def test_pass_and_fail_of_the_data_set_are_about_data(real: Ask) -> None:
    rows = real("select * from marts.compliance where source_id = 'msds'")
    assert {row["publisher_status"] for row in rows} >= {"Pass", "Fail"}
    for row in rows:
        assert row["status_means"]
        assert row["standard_name"].startswith(("Data behind: ", "Data quality: ")), row["standard_name"]


def test_withdrawn_targets_are_no_targets(real: Ask) -> None:
    rows = real("select * from core.dim_indicator where indicator_id like '%continuity_of_carer%'")
    assert rows
    assert {(row["target"], str(row["target_withdrawn_on"])) for row in rows if row["target_withdrawn_on"]} == {
        (None, "2022-09-21")
    }
    assert real("select count(*) as n from marts.inequality where target is not null") == [{"n": 0}]


def test_every_definition_of_the_catalogue_has_an_address(real: Ask) -> None:
    rows = real("select * from core.dim_indicator")
    assert [
        row["indicator_id"] for row in rows if "unverified" in f"{row['definition']} {row['difference_note']}"
    ] == []
    assert [row["indicator_id"] for row in rows if not (row["definition_url"] or "").startswith("https://")] == []
    assert [row["indicator_name"] for row in rows if "indicator" in row["indicator_name"].lower()] == []


# --- groups


def test_ratios_and_gaps_are_those_of_the_counts(real: Ask) -> None:
    rows = real("select * from marts.inequality")
    assert {row["group_type"] for row in rows} == {"ethnicity", "deprivation"}
    compared = 0
    by_place: dict[tuple, dict[str, Row]] = defaultdict(dict)
    for row in rows:
        by_place[row["indicator_id"], row["level"], row["organisation_code"], row["breakdown"]][row["group"]] = row
    for groups in by_place.values():
        for row in groups.values():
            reference = groups.get(row["reference_group"] or "")
            if reference is None:
                assert row["ratio"] is None
                continue
            assert row["gap"] == pytest.approx(row["rate"] - reference["rate"])
            if not reference["rate"]:
                assert row["ratio"] is None
                continue
            assert row["ratio"] == pytest.approx(row["rate"] / reference["rate"])
            if row is reference:
                assert (row["ratio_lower_95"], row["ratio_upper_95"]) == (None, None)
            elif row["numerator"] and reference["numerator"]:
                spread = math.exp(Z * math.sqrt(1 / row["numerator"] + 1 / reference["numerator"]))
                assert row["ratio_lower_95"] == pytest.approx(row["ratio"] / spread)
                assert row["ratio_upper_95"] == pytest.approx(row["ratio"] * spread)
                compared += 1
    assert compared > 500


# --- signals


def control_limits(points: list[Row]) -> tuple[float, float, float]:
    """Return mean and limits of an XmR chart, moving ranges beyond 3.267 times their mean left out.

    Values that nobody believes take no part, and nothing moves over a gap.
    """
    values = [None if "implausible" in point["usage_warnings"] else point["value"] for point in points]
    ranges = [
        abs(after - before)
        for (before, after), (earlier, later) in zip(pairwise(values), pairwise(points), strict=True)
        if before is not None and after is not None and follows(earlier, later)
    ]
    mean_range = sum(ranges) / len(ranges)
    kept = [spread for spread in ranges if spread < 3.267 * mean_range]
    believed = [value for value in values if value is not None]
    mean, width = sum(believed) / len(believed), 2.66 * sum(kept) / len(kept)
    return mean, mean - width, mean + width


def follows(earlier: Row, later: Row) -> bool:
    return later["period_start"] == earlier["period_end"] + timedelta(days=1)


def series(months: Ask) -> Iterator[list[Row]]:
    found: dict[tuple, list[Row]] = defaultdict(list)
    for row in months("select * from marts.signal order by period_start"):
        found[row["indicator_id"], row["level"], row["organisation_code"]].append(row)
    yield from found.values()


def test_limits_are_those_of_the_series(months: Ask) -> None:
    several = with_gaps = 0
    for points in series(months):
        assert len(points) >= 12
        mean, low, high = control_limits(points)
        for point in points:
            assert point["process_mean"] == pytest.approx(mean)
            assert point["lower_process_limit"] == pytest.approx(low)
            assert point["upper_process_limit"] == pytest.approx(high)
            if not low <= point["value"] <= high:
                assert point["special_cause_type"] in ("Above UCL", "Below LCL")
        several += 1
        with_gaps += not all(follows(earlier, later) for earlier, later in pairwise(points))
    assert several > 50
    assert 5 < with_gaps < several


def test_overlapping_windows_have_no_chart(months: Ask) -> None:
    rolling = months(
        "select distinct indicator_id from marts.trust_indicator where list_contains(usage_warnings, 'rolling_window')"
    )
    assert rolling
    charted = {row["indicator_id"] for row in months("select distinct indicator_id from marts.signal")}
    assert charted
    assert not charted & {row["indicator_id"] for row in rolling}


def test_a_rolling_window_covers_three_months_and_every_other_value_its_period(months: Ask) -> None:
    covered = """
        list_contains(usage_warnings, 'rolling_window') as is_rolling,
        months_covered - date_diff('month', period_start, period_end + 1) as more
    """
    found = months(f"select distinct {covered} from marts.trust_indicator order by all")
    assert found == [{"is_rolling": False, "more": 0}, {"is_rolling": True, "more": 2}]


def test_only_rare_harm_is_added_up_and_after_a_red_it_starts_again(months: Ask) -> None:
    harm = {row["indicator_id"] for row in seed("indicator") if row["is_harm"] == "true"}
    added = 0
    for points in series(months):
        if all(point["cusum"] is None for point in points):
            continue
        added += 1
        assert points[0]["indicator_id"] in harm
        before = 0.0
        for point in points:
            assert point["cusum"] >= 0
            red, amber = point["cusum"] >= math.log(100), point["cusum"] >= math.log(20)
            assert point["cusum_signal"] == ("red" if red else "amber" if amber else None)
            # events x ln 2 less the expected; events follow from the excess
            assert point["cusum"] <= before + 1e-9 + point["expected_events"] * 100
            before = 0.0 if red else point["cusum"]
    assert added > 5


# --- the board


def test_the_board_sees_every_measure_with_a_number_or_a_reason(real: Ask) -> None:
    rows = real("select * from marts.board_dashboard")
    measures = {row["measure_id"] for row in seed("board_measure")}
    by_trust: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        by_trust[row["trust_code"]].add(row["measure_id"])
        assert (row["value"] is None) == (row["reason_blank"] is not None), row
    partly = {trust for trust, found in by_trust.items() if found != measures}
    assert len(by_trust) - len(partly) == 120
    # a trust that has closed since keeps what was reported of it
    closed = real("select code from core.dim_organisation where level = 'trust' and closed_on is not null")
    assert partly <= {row["code"] for row in closed}


def test_the_board_sees_continuity_of_carer_without_the_target_that_was_withdrawn(real: Ask) -> None:
    rows = real("select * from marts.board_dashboard where measure_id = 'continuity_of_carer' and value is not null")
    assert len({row["trust_code"] for row in rows}) > 90
    assert {row["target"] for row in rows} == {None}


def test_nothing_of_a_board_return_is_public(real: Ask) -> None:
    assert real("select count(*) as n from marts.board_dashboard where source_id = 'board_return'") == [{"n": 0}]
    blank = real("select distinct reason_blank from marts.board_dashboard where measure_id = 'serious_incidents'")
    assert blank == [{"reason_blank": "in the trust's board return only: see the restricted part"}]


# --- the same thing from two sources


def test_sources_of_one_concept_stand_side_by_side(real: Ask) -> None:
    rows = real(
        "select concept_id, count(distinct source_id) as sources, count(*) as n, count(difference_note) as notes "
        "from core.dim_indicator join (select distinct indicator_id, source_id as given from marts.trust_indicator) "
        "using (indicator_id) group by concept_id having count(distinct indicator_id) > 1"
    )
    assert rows
    merged = real(
        "select indicator_id, trust_code, period_start, period_end from marts.trust_indicator where breakdown = 'all' "
        "group by all having count(*) <> count(distinct source_id)"
    )
    assert merged == []


# --- rates of few deaths


def test_no_rate_is_made_of_fewer_than_three_deaths(real: Ask) -> None:
    deaths = {
        row["indicator_id"] for row in seed("indicator") if row["is_death"] == "true" and row["statistic"] == "rate"
    }
    assert deaths
    for mart in ("trust", "lms", "region", "england"):
        rows = real(f"select indicator_id, numerator, method from marts.{mart}_indicator where numerator < 3")
        assert {row["method"] for row in rows if row["indicator_id"] in deaths} <= {None, "published"}
