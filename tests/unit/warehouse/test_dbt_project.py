"""The dbt project documents itself: every model and column says what it is, every word is in its vocabulary."""

import csv
import re
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from ingest.archive import build_inputs
from perinatal.home import Home
from warehouse import dbt

MODELS = dbt.PROJECT / "models"
SEEDS = dbt.PROJECT / "seeds" / "reference"
SQL = {path.stem: path for path in MODELS.rglob("*.sql")}
MARTS = sorted(path.stem for path in MODELS.glob("marts/*.sql"))


@cache
def documented(kind: str = "models", folder: Path = MODELS) -> dict[str, dict[str, Any]]:
    """Return what the YAML files say of each model or seed (or, of `publish`, of tables that it writes)."""
    found = {}
    for path in folder.rglob("*.yml"):
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        for entry in content.get(kind, []):
            assert entry["name"] not in found, f"{entry['name']} is described twice"
            found[entry["name"]] = entry
    return found


def rows(seed: str) -> list[dict[str, str]]:
    with (SEEDS / f"{seed}.csv").open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def words(seed: str, column: str = "") -> set[str]:
    return {row[column or seed] for row in rows(seed)}


@pytest.mark.parametrize("model", sorted(SQL))
def test_every_model_says_what_it_is(model: str) -> None:
    described = documented().get(model, {}).get("description")
    does_not_ship = SQL[model].is_relative_to(MODELS / "staging") or SQL[model].is_relative_to(MODELS / "intermediate")
    if does_not_ship:
        described = described or SQL[model].read_text(encoding="utf-8").startswith("-- Grain: ")
    assert described, f"{SQL[model]} has no description in a YAML file beside it"


@pytest.mark.parametrize("model", sorted(documented()))
def test_every_description_is_of_a_model(model: str) -> None:
    assert model in SQL


@pytest.mark.parametrize("mart", MARTS)
def test_every_column_of_a_mart_has_type_and_description(mart: str) -> None:
    columns = documented()[mart]["columns"]
    assert columns
    for column in columns:
        assert column.get("description"), f"{mart}.{column['name']} has no description"
        assert column.get("data_type"), f"{mart}.{column['name']} has no data type"


@pytest.mark.parametrize("mart", MARTS)
def test_every_mart_says_its_grain_and_tests_it(mart: str) -> None:
    described = documented()[mart]
    assert "grain" in described["description"].lower()
    assert any("unique_grain" in test for test in described.get("data_tests", []) if isinstance(test, dict))


@pytest.mark.parametrize("seed", sorted(path.stem for path in SEEDS.glob("*.csv")))
def test_every_seed_is_a_table_with_a_header(seed: str) -> None:
    with (SEEDS / f"{seed}.csv").open(encoding="utf-8", newline="") as handle:
        header, *rows = list(csv.reader(handle))
    assert rows or seed == "publisher_area"  # what a person decides where the proof by numbers fails: nothing yet
    assert len(set(header)) == len(header)
    assert all(len(row) == len(header) for row in rows)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in header)


def sql_text() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in SQL.values())


def test_every_usage_warning_is_in_the_vocabulary() -> None:
    """Words that a model or macro gives to usage_warnings: the keys of what it hands to the macro `warnings`."""
    macros = "\n".join(path.read_text(encoding="utf-8") for path in (dbt.PROJECT / "macros").glob("*.sql"))
    given = re.findall(r"\bwarnings\(\s*\{(.*?)\}", sql_text() + macros, flags=re.DOTALL)
    used = {word for conditions in given for word in re.findall(r'"(\w+)":', conditions)}
    assert {"suppressed", "small_numbers", "incomplete", "boundary_change", "synthetic", "template_entry"} <= used
    assert used <= words("usage_warning")


def test_every_exclusion_rule_is_in_the_vocabulary() -> None:
    cases = re.findall(r"\bcase\b((?:(?!\bcase\b).)*?)\bend as \w*exclusion_rule", sql_text(), flags=re.DOTALL)
    used = {word for case in cases for word in re.findall(r"(?:then|else) '(\w+)'", case)}
    assert {"outside_england", "not_an_nhs_trust", "unknown_organisation", "superseded_release"} <= used
    assert used <= words("exclusion_rule")


@pytest.mark.parametrize("vocabulary", ["usage_warning", "exclusion_rule"])
def test_every_word_is_explained(vocabulary: str) -> None:
    with (SEEDS / f"{vocabulary}.csv").open(encoding="utf-8", newline="") as handle:
        assert all(row["says"] for row in csv.DictReader(handle))


def test_every_indicator_that_a_seed_names_is_one() -> None:
    """A name that no indicator has would leave a blank that nobody explains."""
    catalogue = words("indicator", "indicator_id")
    named = {name for row in rows("board_measure") for name in row["indicator_ids"].split("|") if name}
    named |= words("indicator_target", "indicator_id")
    assert named - catalogue == set()


def test_sources_of_one_concept_say_how_they_differ() -> None:
    by_concept: dict[str, list[dict[str, str]]] = {}
    for row in rows("indicator"):
        by_concept.setdefault(row["concept_id"], []).append(row)
    shared = [
        row
        for kin in by_concept.values()
        if len({source for row in kin for source in row["source_id"].split("|")}) > 1
        for row in kin
    ]
    assert len(shared) > 15
    assert [row["indicator_id"] for row in shared if not row["difference_note"]] == []


def test_figures_that_a_source_passes_on_name_their_own_publisher() -> None:
    """The source of national figures is no publisher: each series in it belongs to one."""
    passed_on = [row for row in rows("indicator") if row["source_id"] == "official_figures"]
    assert len(passed_on) == 10
    assert {row["publisher"] for row in passed_on} == {"ONS", "DHSC", "NNRD", "MBRRACE-UK"}
    assert {row["publisher"] for row in rows("indicator") if row["source_id"] != "official_figures"} == {""}
    # the catalogue says it in the indicator's name too
    assert [row["indicator_id"] for row in passed_on if f"({row['publisher']})" not in row["indicator_name"]] == []


def test_every_programme_is_served_by_an_indicator() -> None:
    known = words("indicator", "indicator_id") | {
        row["indicator_id"] or row["publisher_indicator"] for row in rows("indicator_source_map")
    }
    patterns = {row["pattern"] for row in rows("indicator_programme") if "msds" not in row["pattern"]}
    dull = {pattern for pattern in patterns if not any(re.fullmatch(pattern, name) for name in known)}
    assert not dull


def test_every_target_is_of_a_group_that_a_source_gives() -> None:
    given = {(row["indicator_id"], row["breakdown"], row["breakdown_value"]) for row in rows("indicator_source_map")}
    for row in rows("indicator_target"):
        place = (row["indicator_id"], row["breakdown"], row["breakdown_value"])
        assert row["breakdown"] == "all" or place in given


def test_models_know_no_paths_clocks_or_chance() -> None:
    forbidden = r"\b(read_csv|read_parquet|now\(\)|current_date|current_timestamp|random\(\)|uuid\(\)|today\(\))"
    assert re.findall(forbidden, sql_text()) == []


def source_tables(path: Path) -> dict[str, str]:
    """Return the source tables that a _sources.yml lists, with their descriptions."""
    listed = yaml.safe_load(path.read_text(encoding="utf-8"))["sources"]
    return {table["name"]: table["description"] for source in listed for table in source["tables"]}


def test_every_layout_is_a_source_table_of_its_staging_folder() -> None:
    files = MODELS.glob("staging/*/_sources.yml")
    listed = {(path.parent.name, name) for path in files for name in source_tables(path)}
    assert listed == {(layout.source_id, f"{layout.source_id}__{layout.name}") for layout in build_inputs.layouts()}


def test_models_read_nothing_but_sources_refs_and_their_own_parts() -> None:
    """A relation by its schema's name would be invisible to dbt's graph."""
    macros = "\n".join(path.read_text(encoding="utf-8") for path in (dbt.PROJECT / "macros").glob("*.sql"))
    schemas = "landed|staging|reference|core|marts|quality|restricted|perinatal"
    assert re.findall(rf"(?i)\b(?:from|join)\s+(?:{schemas})\s*\.\s*\w+", sql_text() + macros) == []
    assert re.findall(r"api\.Relation|get_relation|load_relation", sql_text() + macros) == []


@pytest.mark.parametrize("seed", sorted(path.stem for path in SEEDS.glob("*.csv")))
def test_every_seed_says_what_it_is(seed: str) -> None:
    assert documented("seeds", SEEDS).get(seed, {}).get("description")


@pytest.mark.slow
@pytest.mark.parametrize("schema", ["marts", "quality", "core"])
def test_every_shipped_column_is_documented(published: Home, schema: str) -> None:
    with duckdb.connect(str(published.database), read_only=True) as connection:
        found = connection.execute(
            "select table_name, column_name from information_schema.columns where table_schema = ?", [schema]
        ).fetchall()
    assert found
    insights = yaml.safe_load((MODELS / "marts" / "made_by_insights.yml").read_text(encoding="utf-8"))
    made = {table["name"]: table for source in insights["sources"] for table in source["tables"]}
    everything = documented() | documented(folder=dbt.PROJECT.parent / "publish") | made
    for model, path in SQL.items():
        for alias in re.findall(r'alias="(\w+)"', path.read_text(encoding="utf-8")):
            everything[alias] = everything[model]
    missing = [
        f"{schema}.{table}.{column}"
        for table, column in found
        if not any(
            entry["name"] == column and entry.get("description")
            for entry in everything.get(table, {}).get("columns", [])
        )
    ]
    assert missing == []


@pytest.mark.slow
def test_only_schemas_of_the_contract_ship(published: Home) -> None:
    with duckdb.connect(str(published.database), read_only=True) as connection:
        schemas = connection.execute(
            "select distinct table_schema from information_schema.tables order by 1"
        ).fetchall()
    assert [name for (name,) in schemas] == ["core", "marts", "quality", "reference"]


def test_the_project_is_found_beside_the_package() -> None:
    assert (dbt.PROJECT / "dbt_project.yml").exists()
    assert Path(dbt.__file__).parents[1] == dbt.PROJECT.parent
