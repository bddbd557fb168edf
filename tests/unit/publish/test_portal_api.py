"""Figures for programs: static JSON that keeps to its schema and holds no more than the marts."""

import json
import re
from pathlib import Path
from typing import Any

import duckdb
import made_up
import pytest
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.protocols import Validator

from perinatal.home import Home
from perinatal.settings import PROJECT_ROOT
from publish import edition, portal
from publish.portal.model import Facts

KINDS = ("indicators", "organisations", "indicator", "organisation")


@pytest.fixture(scope="module")
def api(made: Path) -> Path:
    return made / "portal" / "api"


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def validator(api: Path, kind: str) -> Validator:
    schema = read(api / "schema" / f"{kind}.json")
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def files(api: Path, kind: str) -> list[Path]:
    return [api / f"{kind}.json"] if kind.endswith("s") else sorted((api / kind).iterdir())


def numbers(api: Path) -> list[dict[str, Any]]:
    return [row for kind in KINDS[2:] for path in files(api, kind) for row in read(path)["values"]]


@pytest.mark.parametrize("kind", KINDS)
def test_every_file_keeps_to_its_schema(api: Path, kind: str) -> None:
    checks = validator(api, kind)
    for path in files(api, kind):
        checks.validate(read(path))
    assert files(api, kind)


@pytest.mark.parametrize("kind", KINDS[2:])
def test_a_schema_refuses_a_number_in_a_masked_row(api: Path, kind: str) -> None:
    document = read(files(api, kind)[0])
    document["values"][0] |= {"is_suppressed": True, "numerator": 3}
    with pytest.raises(ValidationError, match="3 is not of type 'null'"):
        validator(api, kind).validate(document)


def test_the_lists_name_every_file(api: Path) -> None:
    for kind in ("indicator", "organisation"):
        listed = [row["file"] for row in read(api / f"{kind}s.json")[f"{kind}s"]]
        assert listed == [f"{kind}/{path.name}" for path in files(api, kind)]
        for row in read(api / f"{kind}s.json")[f"{kind}s"]:
            assert row["figures"] == len(read(api / row["file"])["values"])
    assert {path.stem for path in files(api, "organisation")} >= {"E92000001", "Y01", "QAA", "R01"}


def test_a_file_holds_the_rows_of_the_marts(api: Path, made: Path) -> None:
    values = read(api / "indicator" / "stillbirth_rate.json")["values"]
    with duckdb.connect(str(made / edition.DATABASE), read_only=True) as connection:
        rows = connection.execute(
            "select trust_code, period_label, value, verdict from marts.trust_indicator "
            "where indicator_id = 'stillbirth_rate' and breakdown = 'all' order by all"
        ).fetchall()
    mine = [
        (row["code"], row["period_label"], row["value"], row["verdict"]) for row in values if row["level"] == "trust"
    ]
    assert sorted(mine, key=str) == sorted(rows, key=str)


def test_a_masked_cell_has_no_number(api: Path) -> None:
    masked = [row for row in numbers(api) if row["is_suppressed"]]
    assert len(masked) == 4  # two years of R03, in the indicator's file and in the trust's
    hidden = ("numerator", "denominator", "value", "lower_95", "upper_95")
    assert all(row[name] is None for row in masked for name in hidden)


def test_what_stands_out_is_in_the_organisations_file(api: Path) -> None:
    document = read(api / "organisation" / "QAA.json")
    assert [(row["rank"], row["tier"], row["verdict"]) for row in document["attention"]] == [
        (1, "death", "worse"),
        (2, "harm", "worse"),
    ]
    assert read(api / "organisation" / "Y01.json")["attention"] == []


def test_each_value_leads_to_the_publishers_file(api: Path) -> None:
    for kind in KINDS[2:]:
        for path in files(api, kind):
            document = read(path)
            assert {row["release_key"] for row in document["values"]} == {
                row["release_key"] for row in document["releases"]
            }


def test_the_same_edition_gives_the_same_bytes(api: Path, made: Path, tmp_path: Path) -> None:
    facts = Facts(str(made_up.FACTS["edition_id"]), str(made_up.FACTS["published_at"]), True, "", (made_up.FACTS,))
    portal.write(made / edition.DATABASE, tmp_path / "again", facts)
    for path in api.rglob("*.json"):
        assert (tmp_path / "again/api" / path.relative_to(api)).read_bytes() == path.read_bytes(), path


def test_an_edition_without_figures_has_empty_lists(tmp_path: Path) -> None:
    database = made_up.MadeUp().write(tmp_path / "empty.duckdb", leave_out=("marts.attention",))
    portal.write(database, tmp_path / "portal", Facts("none", "2026-11-23T00:00:00+00:00", False))
    for kind in ("indicators", "organisations"):
        document = read(tmp_path / "portal/api" / f"{kind}.json")
        assert document[kind] == []
        validator(tmp_path / "portal/api", kind).validate(document)


def test_the_documented_python_runs(api: Path) -> None:
    text = (PROJECT_ROOT / "docs" / "analysts.md").read_text(encoding="utf-8")
    [code] = [block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "portal/api/" in block]
    found: dict[str, Any] = {}
    exec(code.replace("http://127.0.0.1:8765/portal/api/", f"{api.as_uri()}/"), found)  # noqa: S102 - our own document
    assert found["indicator"]["indicator_id"] == "stillbirth_rate"
    assert set(found["values"].level) == {"england", "region", "lms", "trust"}


@pytest.mark.slow
def test_the_files_of_a_real_edition_keep_to_their_schemas(published: Home) -> None:
    api = published.current / "portal" / "api"
    for kind in KINDS:
        checks = validator(api, kind)
        for path in files(api, kind):
            checks.validate(read(path))
