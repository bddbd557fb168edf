"""Funnels: the macros' own limits, England's rate or its bounds as baseline, withheld trusts left out and counted."""

from datetime import date
from pathlib import Path

import duckdb
import made_up
import pytest

from publish.portal.funnels import Funnel, funnels
from publish.portal.reader import Reader
from warehouse import statistics as stats

KEY = ("mbrrace", "stillbirth_rate")


def read(path: Path) -> dict[tuple[str, str], Funnel]:
    with duckdb.connect(str(path), read_only=True) as connection:
        Reader(connection).make_headline()
        return funnels(connection)


@pytest.fixture(scope="module")
def edition(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_up.make().write(tmp_path_factory.mktemp("funnels") / "edition.duckdb")


def test_masked_trusts_have_no_point_and_are_counted(edition: Path) -> None:
    funnel = read(edition)[KEY]
    assert funnel.period == "2024"
    assert {row["code"] for row in funnel.points} == {"R01", "R02", "R04", "R05", "R06"}
    assert funnel.skipped == 1


def test_a_withheld_denominator_leaves_no_point(tmp_path: Path) -> None:
    made = made_up.make()
    for row in made.rows["marts", "trust_indicator"]:
        if row["trust_code"] == "R02" and row["period_label"] == "2024":
            row["denominator"] = None
    for code in ("R08", "R09"):  # enough points for a funnel all the same
        row = next(r for r in made.rows["marts", "trust_indicator"] if r["trust_code"] == "R04") | {"trust_code": code}
        row |= {"period_label": "2024", "period_start": date(2024, 1, 1), "period_end": date(2024, 12, 31)}
        made.rows["marts", "trust_indicator"].append(row)
    funnel = read(made.write(tmp_path / "edition.duckdb"))[KEY]
    assert "R02" not in {row["code"] for row in funnel.points}
    assert funnel.skipped == 2


def test_limits_are_those_of_the_macros(edition: Path) -> None:
    funnel = read(edition)[KEY]
    assert funnel.limits.baseline == (pytest.approx(3.5), pytest.approx(3.5))
    n = funnel.limits.denominators[20]
    with duckdb.connect() as connection:
        [[lower, upper]] = connection.execute(
            stats.render(
                "select {{ funnel_limit('0.0035', n, '1000', 'lower', 99.8, 'rate') }},"
                " {{ funnel_limit('0.0035', n, '1000', 'upper', 95, 'rate') }}",
                n=f"{n!r}::double",
            )
        ).fetchall()
    assert funnel.limits.lower_998[20] == pytest.approx(lower, rel=1e-9)
    assert funnel.limits.upper_95[20] == pytest.approx(upper, rel=1e-9)


def test_an_incomplete_england_gives_limits_of_both_bounds(tmp_path: Path) -> None:
    made = made_up.make()
    for row in made.rows["marts", "england_indicator"]:
        if row["source_id"] == "mbrrace" and row["breakdown"] == "all":
            row |= {"numerator": None, "denominator": None, "value": None, "value_min": 3.0, "value_max": 4.0}
    funnel = read(made.write(tmp_path / "edition.duckdb"))[KEY]
    assert funnel.is_bounded
    assert funnel.limits.baseline == (3.0, 4.0)
    n = funnel.limits.denominators[30]
    with duckdb.connect() as connection:
        [[low, high]] = connection.execute(
            stats.render(
                "select {{ funnel_limit('0.003', n, '1000', 'lower', 95, 'rate') }},"
                " {{ funnel_limit('0.004', n, '1000', 'upper', 95, 'rate') }}",
                n=f"{n!r}::double",
            )
        ).fetchall()
    assert funnel.limits.lower_95[30] == pytest.approx(low, rel=1e-9)
    assert funnel.limits.upper_95[30] == pytest.approx(high, rel=1e-9)
    significances = {row["code"]: row["significance"] for row in funnel.points}
    assert significances["R01"] == "High (0.001)"
    assert significances["R04"] == "Not significant"


def test_a_few_points_are_no_funnel(tmp_path: Path) -> None:
    made = made_up.make()
    rows = made.rows["marts", "trust_indicator"]
    made.rows["marts", "trust_indicator"] = [row for row in rows if row["trust_code"] in ("R01", "R02")]
    assert not read(made.write(tmp_path / "edition.duckdb"))
