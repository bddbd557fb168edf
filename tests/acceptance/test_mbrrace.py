"""MBRRACE-UK's real files of 2023, from the published bytes to the published edition: what the first issue asks for."""

import csv
import json
import os
import re
import shutil
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from python_calamine import CalamineWorkbook

from expectations import alerts
from ingest.archive import manifest as manifests
from ingest.archive import quarantine
from ingest.archive import store as archive
from perinatal import settings
from perinatal.errors import RefusedAtArrival
from perinatal.home import Home
from perinatal.settings import PROJECT_ROOT
from pipeline import steps
from publish.edition import Editions

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]  # a build is long on a busy machine

Row = dict[str, str]
Ask = Callable[..., list[tuple[Any, ...]]]

NAME = "perinatal-mortality-rates{}-{}-trusthealth-board.csv"
EXCLUDING = "-excluding-congenital-anomalies"
MEASURES = {  # indicator → measure in the file's column names, births it is over
    "stillbirth_rate": ("Stillbirth", "TotalBirths"),
    "neonatal_mortality_rate": ("NeonatalDeath", "TotalLiveBirths"),
    "extended_perinatal_mortality_rate": ("PerinatalDeath", "TotalBirths"),
}
SUFFIX = {0: "", 1: "_excluding_congenital_anomalies"}


def read(path: Path) -> list[Row]:
    with path.open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.DictReader(handle))


@pytest.fixture(scope="module")
def files(mbrrace_files: tuple[Path, Path]) -> tuple[list[Row], list[Row]]:
    """Give the rows of both files as published."""
    whole, excluding = mbrrace_files
    return read(whole), read(excluding)


def ask(home: Home, sql: str, *values: object) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(home.database), read_only=True) as connection:
        return connection.execute(sql, list(values)).fetchall()


def masked(row: Row, measure: str) -> bool:
    return row[f"Total{measure}s"] == "-1"


def any_mask(row: Row) -> bool:
    return any(masked(row, measure) for measure, _ in MEASURES.values())


def standing(home: Home) -> tuple[Path | None, str]:
    """Return what must not change when something is refused: the current edition and its bytes."""
    return Editions.of(home).current(), archive.hash_of(home.database)


# --- every organisation, every row


def test_all_151_organisations_are_accounted_for(published: Home, files: tuple[list[Row], list[Row]]) -> None:
    for rows, suffix in zip(files, SUFFIX.values(), strict=True):
        assert len({row["OrganisationCode"] for row in rows}) == 151
        assert ask(
            published,
            """
            select coalesce(exclusion_rule, 'in the marts'), count(distinct published_code)
            from core.fct_observation where indicator_id = ? group by 1 order by 1
            """,
            f"stillbirth_rate{suffix}",
        ) == [("in the marts", 120), ("not_an_nhs_trust", 2), ("outside_england", 29)]


def test_120_english_nhs_trusts_are_in_the_marts_by_ods_code(published: Home) -> None:
    rows = ask(
        published,
        "select indicator_id, count(*), count(distinct trust_code), count(*) filter (where trust_name is null or "
        "lms_code is null or region_code is null or not regexp_full_match(trust_code, 'R[A-Z0-9]{2}')) "
        "from marts.trust_indicator group by 1",
    )
    assert len(rows) == 6
    assert {row[1:] for row in rows} == {(120, 120, 0)}


def test_the_two_without_ods_code_are_kept_out_by_a_named_rule(published: Home) -> None:
    found = ask(
        published,
        "select distinct organisation_name from core.fct_observation "
        "where exclusion_rule = 'not_an_nhs_trust' order by 1",
    )
    assert [name for (name,) in found] == [
        "RAF Lakenheath (48th Medical Group)",
        "The Portland Hospital for Women and Children",
    ]


def test_the_other_nations_stand_in_core(published: Home) -> None:
    found = ask(
        published,
        "select country, count(distinct published_code) from core.fct_observation "
        "where exclusion_rule = 'outside_england' group by 1 order by 1",
    )
    assert found == [("Crown Dependencies", 3), ("Northern Ireland", 5), ("Scotland", 14), ("Wales", 7)]


def test_input_rows_add_up(published: Home) -> None:
    found = ask(
        published,
        "select rows_in, rows_mart, rows_quarantined, rows_excluded, latest_period_end::varchar "
        "from quality.source_health where source_id = 'mbrrace'",
    )
    assert found == [(151, 120, 0, 31, "2023-12-31")] * 2


def test_every_mart_row_leads_to_archived_bytes(published: Home, mbrrace_files: tuple[Path, Path]) -> None:
    found = ask(
        published,
        "select distinct sha256, is_synthetic, published_on::varchar from marts.trust_indicator "
        "join core.dim_release using (release_key) order by 1",
    )
    assert found == sorted((archive.hash_of(path), False, "2025-05-01") for path in mbrrace_files)
    assert all(archive.Archive(published.archive).path_of(sha256).exists() for sha256, *_ in found)
    loose = ask(published, "select count(*) from marts.lms_indicator anti join core.dim_release using (release_key)")
    assert loose == [(0,)]


# --- the numbers


def test_group_averages_weighted_by_births_give_the_published_uk_rates(files: tuple[list[Row], list[Row]]) -> None:
    rows = files[0]
    for measure, births, rate in (("NeonatalDeath", "TotalLiveBirths", 1.63), ("PerinatalDeath", "TotalBirths", 4.84)):
        weighted = sum(float(row[f"GroupAverage{measure}Rate"]) * int(row[births]) for row in rows)
        assert round(weighted / sum(int(row[births]) for row in rows), 2) == rate


def test_comparators_in_the_marts_are_the_group_averages(published: Home, files: tuple[list[Row], list[Row]]) -> None:
    averages = {row["OrganisationCode"]: float(row["GroupAverageNeonatalDeathRate"]) for row in files[0]}
    found = ask(
        published,
        "select published_code, comparator_value from core.fct_observation "
        "where indicator_id = 'neonatal_mortality_rate'",
    )
    assert dict(found) == averages


def test_every_unmasked_cell_stands_as_published(published: Home, files: tuple[list[Row], list[Row]]) -> None:
    for number, rows in enumerate(files):
        for indicator, (measure, _) in MEASURES.items():
            expected = {
                row["OrganisationCode"]: (float(row[f"Total{measure}s"]), float(row[f"Crude{measure}Rate"]))
                for row in rows
                if not masked(row, measure)
            }
            found = ask(
                published,
                "select published_code, numerator, publisher_value, value from core.fct_observation "
                "where indicator_id = ? and not is_suppressed",
                indicator + SUFFIX[number],
            )
            assert {code: (n, printed) for code, n, printed, _ in found} == expected
            # ours, from the counts, at the decimals printed
            assert all(abs(value - printed) < 0.005 + 1e-9 for _, _, printed, value in found)


def test_every_masked_cell_is_null_with_its_denominator(published: Home, files: tuple[list[Row], list[Row]]) -> None:
    for number, rows in enumerate(files):
        for indicator, (measure, _) in MEASURES.items():
            expected = {row["OrganisationCode"] for row in rows if masked(row, measure)}
            found = ask(
                published,
                "select published_code, coalesce(numerator, denominator, value, publisher_value, lower_95, upper_95, "
                "lower_998, upper_998), publisher_band, list_contains(usage_warnings, 'suppressed') "
                "from core.fct_observation where indicator_id = ? and is_suppressed",
                indicator + SUFFIX[number],
            )
            assert {code for code, *_ in found} == expected
            assert {row[1:] for row in found} == {(None, None, True)}
    assert sum(masked(row, "Stillbirth") for row in files[0]) == 42
    assert sum(masked(row, "Stillbirth") for row in files[1]) == 58


def test_adjusted_rates_are_never_masked(published: Home) -> None:
    assert ask(
        published,
        "select count(*), count(adjusted_value), count(adjusted_lower_95), count(*) filter (where adjusted_value "
        "not between adjusted_lower_95 and adjusted_upper_95) from marts.trust_indicator",
    ) == [(720, 720, 720, 0)]


def test_bands_differ_only_where_rounding_explains_it(published: Home) -> None:
    found = dict(
        ask(
            published,
            "select rule, (severity, success, observed) from quality.check_result where rule like 'bands_%'",
        )
    )
    assert found["bands_follow_from_rates"][0] == "warn"
    assert found["bands_follow_from_rates"][1:] == (False, 2.0)
    assert found["bands_differ_only_by_rounding"] == ("warn", True, 0.0)
    # the births of 2023 are late, and more so every day
    told = {alert.breach.rule for alert in alerts.AlertLog(published.alerts).open()}
    assert told - {"sources_are_on_time"} == {"bands_follow_from_rates"}


def test_intervals_hold_their_values(published: Home) -> None:
    assert ask(
        published,
        "select count(*) from marts.trust_indicator where value is not null "
        "and not (lower_998 <= lower_95 and lower_95 <= value and value <= upper_95 and upper_95 <= upper_998)",
    ) == [(0,)]


# --- sums


def test_incomplete_sums_have_no_value(published: Home) -> None:
    for mart in ("lms_indicator", "region_indicator", "england_indicator"):
        assert ask(
            published,
            f"select count(*) from marts.{mart} where source_id = 'mbrrace' and is_complete <> "
            "(trusts_expected = trusts_reporting)",
        ) == [(0,)]
        assert ask(
            published,
            f"select count(*) from marts.{mart} where source_id = 'mbrrace' and not is_complete and "
            "coalesce(value, numerator, denominator, lower_95, upper_95, lower_998, upper_998) is not null",
        ) == [(0,)]
    assert ask(published, "select distinct is_complete from marts.england_indicator where source_id = 'mbrrace'") == [
        (False,)
    ]
    assert ask(
        published,
        "select count(distinct lms_code), bool_or(is_complete), bool_and(trusts_expected > 0) from marts.lms_indicator "
        "where indicator_id = 'stillbirth_rate'",
    ) == [(44, True, True)]
    expected = ask(
        published, "select distinct trusts_expected from marts.england_indicator where source_id = 'mbrrace'"
    )
    assert expected == [(120,)]


def truth(row: Row, measure: str) -> int | None:
    """Return what a masked count is: the births of the raw file, which do not ship, give it away."""
    if not masked(row, measure):
        return int(row[f"Total{measure}s"])
    stillbirths = int(row["TotalBirths"]) - int(row["TotalLiveBirths"])
    if measure == "Stillbirth":
        return stillbirths
    return (
        int(row["TotalPerinatalDeaths"]) - stillbirths
        if measure == "NeonatalDeath" and not masked(row, "PerinatalDeath")
        else None
    )


def test_bounds_contain_the_truth(published: Home, files: tuple[list[Row], list[Row]]) -> None:
    trusts = {
        code: (lms, region)
        for code, lms, region in ask(
            published,
            "select distinct published_code, lms_code, region_code from core.fct_observation "
            "join marts.trust_indicator on organisation_code = trust_code",
        )
    }
    marts = {
        "lms_indicator": ("lms_code", 0),
        "region_indicator": ("region_code", 1),
        "england_indicator": ("'E'", None),
    }
    checked = 0
    for mart, (column, place) in marts.items():
        for number, rows in enumerate(files):
            for indicator, (measure, births) in MEASURES.items():
                members: dict[str, list[Row]] = defaultdict(list)
                for row in rows:
                    if row["OrganisationCode"] in trusts:
                        members["E" if place is None else trusts[row["OrganisationCode"]][place]].append(row)
                found = ask(
                    published,
                    f"select {column}, value, value_min, value_max, is_complete from marts.{mart} "
                    "where indicator_id = ?",
                    indicator + SUFFIX[number],
                )
                for area, value, least, greatest, complete in found:
                    known = [truth(row, measure) for row in members[area]]
                    low = 1000 * sum(k or 0 for k in known) / sum(int(row[births]) for row in members[area])
                    high = (
                        1000
                        * sum(2 if k is None else k for k in known)
                        / sum(int(row[births]) for row in members[area])
                    )
                    assert least is not None
                    rounding = 0.005 if complete else 0  # a complete sum with withheld births is told to two decimals
                    assert least - rounding - 1e-9 <= high, (mart, area, indicator)
                    assert greatest + rounding + 1e-9 >= low, (mart, area, indicator)
                    if None not in known:
                        assert least - rounding - 1e-9 <= low <= greatest + rounding + 1e-9, (mart, area, indicator)
                        checked += 1
                    if complete:
                        assert abs(value - low) < 0.005 + 1e-9
                        assert least == greatest == value
    assert checked > 250


# --- disclosure, as an attacker would try it


def every_number(home: Home) -> dict[str, list[dict[str, Any]]]:
    """Read every table and every download of the edition that has rows of organisations."""
    shipped = {}
    with duckdb.connect(str(home.database), read_only=True) as connection:
        names = connection.execute(
            "select table_schema || '.' || table_name from information_schema.tables order by 1"
        ).fetchall()
        for (name,) in names:
            relation = connection.table(name)
            shipped[name] = [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]
    for path in sorted((home.current / "downloads").glob("**/*")):
        if path.suffix in (".parquet", ".csv"):
            relation = duckdb.read_parquet(str(path)) if path.suffix == ".parquet" else duckdb.read_csv(str(path))
            rows = relation.fetchall()
            shipped[str(path)] = [dict(zip(relation.columns, row, strict=True)) for row in rows]
    return shipped


def test_no_table_or_download_holds_the_live_births_of_a_masked_organisation(
    published: Home, files: tuple[list[Row], list[Row]]
) -> None:
    """The three leaks: total less live births, over measures of one file, and over the two files."""
    whole, excluding = ({row["OrganisationCode"]: row for row in rows} for rows in files)
    codes = dict(ask(published, "select distinct organisation_code, published_code from core.fct_observation"))
    hidden = {code for code in whole if any_mask(whole[code]) or any_mask(excluding[code])}
    looked = 0
    for name, rows in every_number(published).items():
        for row in rows:
            organisation = row.get("trust_code") or row.get("organisation_code")
            indicator = row.get("indicator_id") or ""
            code = codes.get(str(organisation))
            if code not in hidden or "neonatal" not in indicator:
                continue
            looked += 1
            assert row.get("denominator") is None, (name, row)
            numerator = row.get("numerator")
            own = excluding if indicator.endswith("anomalies") else whole
            for column in ("value", "rate", "publisher_value", "lower_95", "upper_95", "lower_998", "upper_998"):
                number = row.get(column)
                if number is None:
                    continue
                # a rate or limit from the exact births would have more decimals than are printed
                assert abs(number * 100 - round(number * 100)) < 1e-6, (name, column, row)
            if own[code]["TotalStillbirths"] == "-1":
                # what counts give is hidden; a position on the ambition rests on the rate that is printed all the same
                printed = (
                    own[code]["StabilisedNeonatalDeathRate"],
                    own[code]["StabilisedNeonatalDeathCI"].split(" to ")[1],
                )
                found = row.get("value"), row.get("upper_95")
                is_printed = "ambition_position" in name and found == tuple(map(float, printed))
                assert numerator is None, name
                assert is_printed or found == (None, None), name
    assert looked > 500


def test_nothing_that_ships_depends_on_what_a_mask_hides(
    published: Home,
    mbrrace_files: tuple[Path, Path],
    edited: Callable[..., Path],
    landed: Callable[..., Any],
    home: Home,
) -> None:
    """The strongest test there is: other numbers behind the masks, the same edition."""
    for path in mbrrace_files:
        landed(home, edited(path, home.root.parent / path.name, change_the_hidden_births))
    steps.build(home)
    ours, theirs = content(published, DEPENDS_ON_BYTES), content(home, DEPENDS_ON_BYTES)
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if ours[name] != theirs[name]] == []


def change_the_hidden_births(rows: list[Row]) -> None:
    """Give every hidden number another value that the visible ones allow."""
    changed = 0
    for row in rows:
        total, live = int(row["TotalBirths"]), int(row["TotalLiveBirths"])
        if masked(row, "PerinatalDeath"):
            # total births are hidden too; visible is only the hundred that they are nearest to
            total += 1 if round(total + 1, -2) == round(total + 2, -2) == round(total - 1, -2) else 0
            row["TotalBirths"] = str(total)
            row["TotalLiveBirths"] = str(total - (1 if total - live != 1 else 0))
        elif masked(row, "Stillbirth"):
            deaths = int(row["TotalPerinatalDeaths"])
            row["TotalLiveBirths"] = str(total - (0 if live < total else deaths))
        else:
            continue
        changed += row["TotalLiveBirths"] != str(live)
    assert changed > 35


# what tells bytes and times, not numbers
DEPENDS_ON_BYTES = {
    "release_key",
    "sha256",
    "content_sha256",
    "fetched_at",
    "precedence",
    "opened_at",
    "last_seen_at",
    "closed_at",
}
DEPENDS_ON_TIME = {"fetched_at", "precedence", "opened_at", "last_seen_at", "closed_at"}


def content(home: Home, leaving_out: set[str]) -> dict[str, list[str]]:
    """Return every table of the edition as sorted lines, without the columns and the hashes of release keys."""
    found = {}
    with duckdb.connect(str(home.database), read_only=True) as connection:
        for schema, name in connection.execute(
            "select table_schema, table_name from information_schema.tables order by all"
        ).fetchall():
            relation = connection.table(f"{schema}.{name}")
            kept = [column for column in relation.columns if column not in leaving_out]
            rows = relation.project(", ".join(f'"{column}"' for column in kept)).fetchall()
            found[f"{schema}.{name}"] = sorted(
                re.sub(r"(mbrrace/\w+/\d+)/[0-9a-f]{12}", r"\1", repr(row)) for row in rows
            )
    return found


# --- twice, in other folders

MADE_FILES = "made_files.csv"
TELLS_TIMES = re.compile(r"lms/([\w-]+)/(releases\.(csv|parquet)|\1\.xlsx)")


def test_the_same_inputs_give_the_same_edition_elsewhere(
    published: Home,
    mbrrace_files: tuple[Path, Path],
    landed: Callable[..., Any],
    home: Home,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Another folder, the other order, one thread, another time zone and language."""
    for name, value in {"PERINATAL_THREADS": "1", "TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "7"}.items():
        monkeypatch.setenv(name, value)
    time.tzset()
    settings.get.cache_clear()
    try:
        landed(home, *reversed(mbrrace_files))
        steps.build(home)
    finally:
        monkeypatch.undo()
        time.tzset()
    ours, theirs = content(published, DEPENDS_ON_TIME), content(home, DEPENDS_ON_TIME)
    assert [name for name in ours if ours[name] != theirs[name]] == []
    # to the byte, and in the same order of rows
    tables = sorted(path.name for path in (published.current / "downloads").glob("*.csv"))
    assert tables == sorted(path.name for path in (home.current / "downloads").glob("*.csv"))
    for name in tables:
        if name != MADE_FILES:
            of_each = [(edition.current / "downloads" / name).read_bytes() for edition in (published, home)]
            assert of_each[0] == of_each[1], name
    # the list of files names editions and times of making; releases and workbooks of packs say when a file was fetched
    assert made_files(published) == made_files(home)
    packs = sorted(path.name for path in (published.current / "downloads" / "lms").iterdir())
    assert len(packs) == 44
    for lms in packs:
        assert provenance(published, lms) == provenance(home, lms), lms


def made_files(home: Home) -> list[tuple[str, ...]]:
    """Return file, key and size of each file of the downloads; of those that tell times, the name alone."""
    rows = read(home.current / "downloads" / MADE_FILES)
    assert {row["edition_id"] for row in rows} == {home.current.resolve().name}
    return [
        (row["file"],) if TELLS_TIMES.fullmatch(row["file"]) else (row["file"], row["key"], row["bytes"])
        for row in rows
    ]


def provenance(home: Home, lms: str) -> list[object]:
    """Return what stands in a pack's releases and its workbook, without times and the edition's id."""
    folder = home.current / "downloads" / "lms" / lms
    book = CalamineWorkbook.from_path(str(folder / f"{lms}.xlsx"))
    sheets = {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}
    sheets["Cover"] = [row for row in sheets["Cover"] if row[:1] not in (["Unchanged since edition"], ["Published"])]
    assert len(sheets["Cover"]) > 5
    timeless = {
        name: [[cell for cell in row if not isinstance(cell, datetime)] for row in rows]
        for name, rows in sheets.items()
    }
    read_in = (duckdb.read_csv, duckdb.read_parquet)
    files = [str(folder / f"releases.{kind}") for kind in ("csv", "parquet")]
    releases = [
        kind(file).select("* exclude (fetched_at, precedence)").fetchall()
        for kind, file in zip(read_in, files, strict=True)
    ]
    assert releases[0] == releases[1] != []
    return [timeless, releases]


# --- landing again, revisions


def test_landing_twice_is_unchanged_and_nothing_is_rebuilt(
    copied: Home, mbrrace_files: tuple[Path, Path], cli: Callable[..., Any]
) -> None:
    before = standing(copied)
    ran = cli("land", *mbrrace_files, "--source", "mbrrace", at=copied)
    assert ran.code == 0
    assert [line.split(":")[0] for line in ran.out.splitlines()] == ["unchanged", "unchanged"]
    ran = cli("build", at=copied)
    assert ran.code == 0
    assert ran.out.startswith("nothing new; the edition stays ")
    assert standing(copied) == before
    assert len(list(copied.editions.iterdir())) == 1


def test_what_an_earlier_reader_has_landed_is_read_again_by_the_next_build(
    copied: Home, cli: Callable[..., Any]
) -> None:
    landed = manifests.LandedReleases(copied.landed)
    for path in landed.manifest_files("mbrrace"):
        now = json.loads(path.read_text())
        assert now["parser_version"] == 2
        path.write_text(json.dumps(now | {"parser_version": 1}))
    before = [(item.release_key, item.fetched_at) for item in landed.all("mbrrace")]
    figures = ask(copied, "from marts.trust_indicator order by all")
    ran = cli("build", at=copied)
    assert ran.code == 0
    assert ran.err.count("read again by version 2 of its reader") == 2
    assert ran.out.startswith("published ")
    assert ask(copied, "from marts.trust_indicator order by all") == figures
    assert ask(copied, "select distinct revision from core.dim_release where source_id = 'mbrrace'") == [(2,)]
    assert [(item.release_key, item.fetched_at) for item in landed.all("mbrrace")] == before
    assert cli("build", at=copied).out.startswith("nothing new; ")


@pytest.fixture(scope="module")
def revised(
    published: Home,
    mbrrace_files: tuple[Path, Path],
    edited: Callable[..., Path],
    landed: Callable[..., Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Home:
    """Give a home in which a revision of 2023 is published: Airedale has one stillbirth more, Barnsley is masked."""
    folder = tmp_path_factory.mktemp("revised")
    home = Home(folder / "home")
    shutil.copytree(published.root, home.root, symlinks=True)

    def revise(rows: list[Row]) -> None:
        by_name = {row["OrganisationName"].split()[0]: row for row in rows}
        airedale, barnsley = by_name["Airedale"], by_name["Barnsley"]
        airedale.update(TotalStillbirths="6", TotalPerinatalDeaths="9", TotalBirths="1817")
        airedale.update(CrudeStillbirthRate="3.3", CrudePerinatalDeathRate="4.95")
        for measure in ("Stillbirth", "NeonatalDeath"):
            barnsley.update({f"Total{measure}s": "-1", f"Crude{measure}Rate": "-1", f"Crude{measure}CategoryID": "0"})

    [outcome] = landed(home, edited(mbrrace_files[0], folder / mbrrace_files[0].name, revise))
    assert (outcome.what, outcome.manifest.revision) == ("revised", 2)
    assert steps.build(home).what == "published"
    return home


def test_a_revision_wins_in_the_marts(revised: Home) -> None:
    found = ask(
        revised,
        "select numerator, round(value, 2) from marts.trust_indicator "
        "where trust_code = 'RCF' and indicator_id in ('stillbirth_rate', 'extended_perinatal_mortality_rate') "
        "order by 1",
    )
    assert found == [(6.0, 3.3), (9.0, 4.95)]
    assert ask(revised, "select count(*) from marts.trust_indicator") == [(720,)]
    assert ask(
        revised, "select revision, is_superseded from core.dim_release where dataset = 'perinatal_mortality' order by 1"
    ) == [(1, True), (2, False)]


def test_the_difference_is_listed(revised: Home) -> None:
    found = ask(
        revised,
        "select indicator_id, change, reason, old_numerator, new_numerator from marts.edition_change "
        "where mart = 'trust_indicator' and organisation_code = 'RCF' order by 1",
    )
    assert found == [
        ("extended_perinatal_mortality_rate", "changed", "revision", 8.0, 9.0),
        ("stillbirth_rate", "changed", "revision", 5.0, 6.0),
    ]
    [query] = (PROJECT_ROOT / "docs" / "queries").glob("13_*.sql")
    said = {(row[0], row[2], row[3]) for row in ask(revised, query.read_text(encoding="utf-8"))}
    assert {("Stillbirth rate", "changed", "revision"), ("Stillbirth rate", "masked", "revision")} <= said
    assert {reason for *_, reason in said} == {"revision"}
    places = ask(revised, "select distinct organisation_code from marts.edition_change where mart = 'trust_indicator'")
    assert {code for (code,) in places} == {"RCF", "RFF"}


def test_a_newly_masked_number_is_not_shown_again(revised: Home, files: tuple[list[Row], list[Row]]) -> None:
    found = ask(
        revised,
        "select indicator_id, change, old_value, new_value, old_numerator, new_numerator, old_denominator, "
        "new_denominator from marts.edition_change where mart = 'trust_indicator' and organisation_code = 'RFF' "
        "and change = 'masked' order by 1",
    )
    assert [row[:2] for row in found] == [("neonatal_mortality_rate", "masked"), ("stillbirth_rate", "masked")]
    assert {row[2:] for row in found} == {(None,) * 6}
    # its LMS and region are incomplete now: what they showed complete would be the difference
    areas = ask(
        revised,
        "select old_value, old_numerator, old_denominator from marts.edition_change "
        "where mart <> 'trust_indicator' and new_value is null",
    )
    assert areas
    assert set(areas) == {(None, None, None)}


def test_the_masked_trust_leaves_no_live_births(revised: Home) -> None:
    assert ask(
        revised,
        "select denominator from core.fct_observation "
        "where organisation_code = 'RFF' and indicator_id like 'neonatal%'",
    ) == [(None,), (None,)]


def test_superseded_rows_are_counted_as_excluded(revised: Home) -> None:
    found = ask(
        revised,
        "select revision, rows_in, rows_mart, rows_excluded from quality.source_health "
        "join core.dim_release using (release_key) "
        "where release = '2023' and source_health.dataset = 'perinatal_mortality' order by 1",
    )
    assert found == [(1, 151, 0, 151), (2, 151, 120, 31)]


def test_both_revisions_stay_in_the_archive(revised: Home, mbrrace_files: tuple[Path, Path]) -> None:
    kept = manifests.LandedReleases(revised.landed).revisions("mbrrace", "perinatal_mortality", "2023")
    assert [item.revision for item in kept] == [1, 2]
    assert archive.Archive(revised.archive).path_of(kept[0].sha256).read_bytes() == mbrrace_files[0].read_bytes()
    assert list(archive.Archive(revised.archive).damaged()) == []


# --- refused files


def spoil(path: Path, how: str) -> bytes:
    original = path.read_bytes()
    lines = original.splitlines(keepends=True)
    return {
        "missing column": original.replace(b"TotalLiveBirths", b"Renamed", 1),
        "html": b"<!doctype html>\n<html><head><title>Sign in</title></head><body>Please sign in</body></html>\n",
        "truncated": original[: int(len(original) * 0.6)],
        "cut at a line's end": b"".join(lines[:60]),
        "utf-16": original.decode().encode("utf-16"),
        "latin-1": original.replace(b"Airedale", "Airédale".encode("latin-1")),
        "empty": b"",
        "header only": lines[0],
        "two years": original + lines[1].replace(b"2023", b"2022", 1),
        "an organisation twice": original + lines[5],
        "a count in words": original.replace(b",1816,5,", b",1816,five,"),
        "halved counts": halved(path),
    }[how]


def halved(path: Path) -> bytes:
    """Halve every count of deaths, and nothing else."""
    rows = read(path)
    lines = [list(rows[0])]
    for row in rows:
        for measure, _ in MEASURES.values():
            if not masked(row, measure):
                row[f"Total{measure}s"] = str(int(row[f"Total{measure}s"]) // 2)
        lines.append(list(row.values()))
    return "\n".join(",".join(f'"{cell}"' for cell in line) for line in lines).encode() + b"\n"


# every reason, in the order in which people are told
REFUSED = {
    "missing column": ["missing_column"],
    "html": ["html"],
    "truncated": ["truncated"],
    "cut at a line's end": ["far_too_few_organisations"],
    "utf-16": ["wrong_encoding"],
    "latin-1": ["wrong_encoding"],
    "empty": ["empty"],
    "header only": ["no_rows"],
    "two years": ["one_year_a_file", "year_is_that_of_the_release", "organisation_once"],
    "an organisation twice": ["organisation_once"],
    "a count in words": ["stillbirths__type", "stillbirths__filled", "cells_have_their_type"],
    "halved counts": ["perinatal_deaths_are_stillbirths_and_neonatal_deaths", "crude_rates_follow_from_counts"],
}


@pytest.fixture(scope="module")
def spoiled(published: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Give a copy of the published home in which refused files gather."""
    home = Home(tmp_path_factory.mktemp("spoiled") / "home")
    shutil.copytree(published.root, home.root, symlinks=True)
    return home


@pytest.mark.parametrize(("how", "rules"), REFUSED.items(), ids=REFUSED)
def test_a_spoiled_file_is_refused_and_the_last_edition_stays(
    spoiled: Home, mbrrace_files: tuple[Path, Path], tmp_path: Path, cli: Callable[..., Any], how: str, rules: list[str]
) -> None:
    before, landed_before = standing(spoiled), list(manifests.LandedReleases(spoiled.landed).all())
    path = tmp_path / mbrrace_files[0].name
    path.write_bytes(spoil(mbrrace_files[0], how))
    ran = cli("land", path, "--source", "mbrrace", at=spoiled)
    assert ran.code == 3, ran
    assert ran.err.count("\n") == 1
    assert f"refused at arrival ({rules[0]})" in ran.err, ran.err
    assert ran.out == ""
    sha256 = archive.hash_of(path)
    folder, report = quarantine.Quarantine(spoiled.quarantine).find(sha256)
    assert [reason["rule"] for reason in report.reasons] == rules
    assert (folder / path.name).read_bytes() == path.read_bytes()
    assert set(rules) <= {alert.breach.rule for alert in alerts.AlertLog(spoiled.alerts).open()}
    assert list(manifests.LandedReleases(spoiled.landed).all()) == landed_before
    assert cli("build", at=spoiled).out.startswith("nothing new")
    assert standing(spoiled) == before


# --- a candidate that is blocked


def test_files_swapped_by_name_are_blocked_at_the_release_gate(
    copied: Home, mbrrace_files: tuple[Path, Path], tmp_path: Path, landed: Callable[..., Any], cli: Callable[..., Any]
) -> None:
    whole, excluding = mbrrace_files
    for original, name in ((whole, excluding.name), (excluding, whole.name)):
        (tmp_path / name).write_bytes(original.read_bytes().replace(b"2023,", b"2021,"))
        landed(copied, tmp_path / name)
    before = standing(copied)
    ran = cli("build", at=copied)
    assert ran.code == 3
    line = ran.err.splitlines()[-1]
    assert "blocked by the release gate (excluding_anomalies_is_the_smaller_count)" in line
    assert "the last good one stays" in line
    assert standing(copied) == before
    assert "excluding_anomalies_is_the_smaller_count" in {a.breach.rule for a in alerts.AlertLog(copied.alerts).open()}


# --- other years


def rates_follow(rows: list[Row]) -> None:
    """Print the rates that the counts give."""
    for row in rows:
        for measure, births in MEASURES.values():
            if not masked(row, measure):
                row[f"Crude{measure}Rate"] = f"{1000 * int(row[f'Total{measure}s']) / int(row[births]):.2f}"


def as_year(year: int, *more: Callable[[list[Row]], list[Row] | None]) -> Callable[[list[Row]], list[Row]]:
    """Return an edit that makes of the rows of 2023 invented ones of another year, and then does more.

    There were more births in earlier years; deaths stay, and the group averages follow.
    """

    def change(rows: list[Row]) -> list[Row]:
        before, after = defaultdict(int), defaultdict(int)
        for number, row in enumerate(rows):
            row["ReportYear"] = str(year)
            before[row["ComparatorGroupID"]] += int(row["TotalBirths"])
            more_births = (2023 - year) * (60 + number % 3) if int(row["TotalBirths"]) > 1000 else 0
            for births in ("TotalBirths", "TotalLiveBirths"):
                row[births] = str(int(row[births]) + more_births)
            after[row["ComparatorGroupID"]] += int(row["TotalBirths"])
        for row in rows:
            group = row["ComparatorGroupID"]
            for measure, _ in MEASURES.values():
                average = float(row[f"GroupAverage{measure}Rate"]) * before[group] / after[group]
                row[f"GroupAverage{measure}Rate"] = f"{average:.2f}"
        for edit in more:
            rows = edit(rows) or rows
        rates_follow(rows)
        return rows

    return change


def fill_regions(rows: list[Row]) -> None:
    for row in rows:
        row["RegionName"] = "London" if row["CountryName"] == "England" else ""


def spell_otherwise(rows: list[Row]) -> None:
    for number, row in enumerate(rows):
        name = row["OrganisationName"]
        row["OrganisationName"] = (name + "  ", name.upper(), name.replace("'", ""), name.replace(" ", "  "))[
            number % 4
        ]


def add_an_unknown(rows: list[Row]) -> list[Row]:
    stranger = dict(rows[0]) | {"OrganisationCode": "9999", "OrganisationName": "Newtown General NHS Trust"}
    return [*rows, stranger]


def renumber_one(rows: list[Row]) -> None:
    """Give a known trust a number that nobody knows: its name is known still."""
    rows[0]["OrganisationCode"] = "8888"


COUNTS = ("TotalBirths", "TotalLiveBirths", "TotalStillbirths", "TotalNeonatalDeaths", "TotalPerinatalDeaths")


def merge_north_middlesex(rows: list[Row]) -> list[Row]:
    """Count North Middlesex under the Royal Free, which it joined at the end of 2024."""
    by_code = {row["OrganisationCode"]: row for row in rows}
    joined, successor = by_code["151"], by_code["183"]
    for count in COUNTS:
        successor[count] = str(int(successor[count]) + int(joined[count]))
    return [row for row in rows if row is not joined]


def leave_north_bristol_out(rows: list[Row]) -> list[Row]:
    """Leave out a trust whose successor of 2026 has no more births than before."""
    return [row for row in rows if row["OrganisationName"] != "North Bristol NHS Trust"]


def halve(*columns: str) -> Callable[[list[Row]], None]:
    """Return an edit that halves deaths (and births, where named)."""

    def change(rows: list[Row]) -> None:
        for row in rows:
            for column in columns:
                if row[column] != "-1":
                    row[column] = str(int(row[column]) // 2)
            if not masked(row, "Stillbirth"):
                row["TotalPerinatalDeaths"] = str(int(row["TotalStillbirths"]) + int(row["TotalNeonatalDeaths"]))
                row["TotalBirths"] = str(int(row["TotalLiveBirths"]) + int(row["TotalStillbirths"]))

    return change


def halve_averages(rows: list[Row]) -> None:
    for row in rows:
        for measure, _ in MEASURES.values():
            row[f"GroupAverage{measure}Rate"] = f"{float(row[f'GroupAverage{measure}Rate']) / 2:.2f}"


DEATHS = ("TotalStillbirths", "TotalNeonatalDeaths", "TotalPerinatalDeaths")
YEARS: dict[int, tuple[Callable[[list[Row]], Any], ...]] = {
    2016: (fill_regions, spell_otherwise),
    2018: (add_an_unknown, renumber_one),
    2019: (halve(*DEATHS), halve_averages),
    2020: (halve(*DEATHS),),
    2021: (halve(*DEATHS, "TotalBirths", "TotalLiveBirths"),),
    2022: (halve("TotalNeonatalDeaths"),),
    2024: (merge_north_middlesex, leave_north_bristol_out),
}


@pytest.fixture(scope="module")
def years(
    published: Home,
    mbrrace_files: tuple[Path, Path],
    edited: Callable[..., Path],
    landed: Callable[..., Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Home, dict[int, str]]:
    """Give a home with other years in the same layout, and what became of each year's main file."""
    folder = tmp_path_factory.mktemp("years")
    home = Home(folder / "home")
    shutil.copytree(published.root, home.root, symlinks=True)
    became = {}
    for year, edits in YEARS.items():
        for path, infix in zip(mbrrace_files, ("", EXCLUDING), strict=True):
            if infix and year not in (2016, 2024):
                continue
            target = edited(path, folder / NAME.format(infix, year), as_year(year, *edits))
            try:
                [outcome] = landed(home, target)
                became[year] = outcome.what
            except RefusedAtArrival as error:
                became[year] = f"refused: {error}"
    steps.build(home)
    return home, became


def test_other_years_of_the_same_layout_are_landed_and_published(years: tuple[Home, dict[int, str]]) -> None:
    home, became = years
    assert {year: what for year, what in became.items() if year in (2016, 2018, 2024)} == {
        2016: "landed",
        2018: "landed",
        2024: "landed",
    }
    assert ask(
        home,
        "select period_label, count(*) from marts.trust_indicator where indicator_id = 'stillbirth_rate' "
        "and period_label in ('2016', '2023', '2024') group by 1 order by 1",
    ) == [("2016", 120), ("2023", 120), ("2024", 118)]


def test_names_in_other_spellings_are_the_same_trusts(years: tuple[Home, dict[int, str]]) -> None:
    home, _ = years
    assert ask(
        home,
        "select count(*) from (select trust_code from marts.trust_indicator where period_label = '2016' "
        "except select trust_code from marts.trust_indicator where period_label = '2023')",
    ) == [(0,)]
    found = ask(home, "select success from quality.check_result where rule = 'names_fit_codes'")
    assert found == [(True,)]


def test_an_unknown_organisation_alerts_and_stands_in_core(years: tuple[Home, dict[int, str]]) -> None:
    home, _ = years
    assert ask(
        home,
        "select distinct organisation_name, period_label, exclusion_rule from core.fct_observation "
        "where published_code = '9999'",
    ) == [("Newtown General NHS Trust", "2018", "unknown_organisation")]
    [alert] = [alert for alert in alerts.AlertLog(home.alerts).open() if alert.breach.rule == "organisations_are_known"]
    assert "Newtown General NHS Trust" in json.dumps(alert.breach.sample_rows)
    assert ask(home, "select rows_excluded from quality.source_health where release_key like '%/2018/%'") == [(32,)]


def test_a_trust_under_a_new_number_is_known_by_its_name_and_noted(years: tuple[Home, dict[int, str]]) -> None:
    home, _ = years
    found = ask(
        home,
        "select trust_code from marts.trust_indicator where period_label = '2018' and trust_code = 'RCF' limit 1",
    )
    assert found == [("RCF",)]
    assert ask(home, "select severity, success from quality.check_result where rule = 'trusts_known_by_name_only'") == [
        ("info", False)
    ]
    assert "trusts_known_by_name_only" not in {alert.breach.rule for alert in alerts.AlertLog(home.alerts).open()}


def test_an_lms_stays_complete_when_the_successor_is_seen_to_count_its_member(
    years: tuple[Home, dict[int, str]], files: tuple[list[Row], list[Row]]
) -> None:
    """North Middlesex is in the Royal Free's births of 2024, North Bristol in nobody's."""
    home, _ = years
    found = ask(
        home,
        "select lms_code, period_label, trusts_expected, trusts_reporting, is_complete, numerator "
        "from marts.lms_indicator where lms_code in ('QMJ', 'QUY') and indicator_id = 'stillbirth_rate' "
        "and period_label in ('2023', '2024') order by 1, 2",
    )
    whole, members = 0, ("Royal Free", "North Middlesex", "Whittington", "University College London")
    for row in files[0]:
        if row["OrganisationName"].startswith(members):
            whole += int(row["TotalStillbirths"])
    assert [row for row in found if row[0] == "QMJ"] == [
        ("QMJ", "2023", 4, 4, True, whole),
        ("QMJ", "2024", 3, 3, True, whole),
    ]
    [before, after] = [row for row in found if row[0] == "QUY"]
    assert before[2] == before[3] == after[2] == after[3] + 1
    assert (before[4], after[4:]) == (True, (False, None))
    assert ask(
        home,
        "select split_part(release_key, '/', 2), severity, observed from quality.check_result "
        "where rule = 'mbrrace_trusts_are_complete' and not success and release_key like 'mbrrace/%/2024/%' order by 1",
    ) == [
        ("perinatal_mortality", "warn", 1.0),
        ("perinatal_mortality_excluding_congenital_anomalies", "warn", 1.0),
    ]


ALARMS = {
    "births_near_the_earlier_release",
    "births_near_the_national_number",
    "stillbirths_near_the_national_rate",
    "neonatal_deaths_near_the_national_rate",
    "deaths_fit_the_group_averages",
}


def alarms(home: Home, year: int) -> set[str]:
    """Return the alarms about a year's numbers that stand in the edition."""
    found = ask(
        home,
        "select rule from quality.check_result where not success and severity = 'warn' "
        "and (release_key like $1 or sample_rows::varchar like $1)",
        f"%mbrrace/perinatal_mortality/{year}/%",
    )
    return {rule for (rule,) in found} & ALARMS


@pytest.mark.parametrize(
    ("year", "expected"),
    [
        (2019, {"stillbirths_near_the_national_rate"}),
        (2020, {"deaths_fit_the_group_averages"}),
        (2021, {"births_near_the_earlier_release"}),
        (2022, {"deaths_fit_the_group_averages"}),
    ],
    ids=["deaths and averages", "deaths", "births and deaths", "neonatal deaths"],
)
def test_halved_numbers_are_never_silent(
    years: tuple[Home, dict[int, str]], files: tuple[list[Row], list[Row]], year: int, expected: set[str]
) -> None:
    """Counts with the rates that follow from them: plausible line by line, impossible for a country."""
    home, became = years
    assert became[year] == "landed"
    assert expected <= alarms(home, year)
    told = {(str(alert.scope), alert.breach.rule) for alert in alerts.AlertLog(home.alerts).open()}
    assert told & {
        (scope, rule) for rule in expected for scope in ("release", f"arrival/mbrrace/perinatal_mortality/{year}")
    }
    # these are about the release: of its rows only those are more doubtful that print a count which was always masked
    rows = as_year(year, *YEARS[year])([dict(row) for row in files[0]])
    small = {
        row["OrganisationCode"]
        for row in rows
        if any(0 <= int(row[f"Total{measure}s"]) < 3 for measure, _ in MEASURES.values())
    }
    found = ask(
        home,
        "select published_code, count(*), count(*) filter (where list_contains(usage_warnings, 'arrival_warning')) "
        "from core.fct_observation where source_id = 'mbrrace' and period_label = ? group by 1",
        str(year),
    )
    assert len(found) == len(rows)
    assert {(code, measures, warned) for code, measures, warned in found if warned} == {(code, 3, 3) for code in small}
    assert len(small) < len(rows) / 2


@pytest.mark.parametrize("year", [2016, 2018, 2023, 2024])
def test_years_that_are_right_raise_no_such_alarm(years: tuple[Home, dict[int, str]], year: int) -> None:
    made_up = {"births_near_the_earlier_release"}
    if year == 2016:  # made of the deaths of 2023, a quarter below those of that year
        made_up.add("stillbirths_near_the_national_rate")
    assert alarms(years[0], year) - made_up == set()


def test_the_environment_is_left_as_it_was() -> None:
    assert "PERINATAL_THREADS" not in os.environ
