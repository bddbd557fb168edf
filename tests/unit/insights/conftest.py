"""A candidate in little: only the columns that the insights step and the brief read, typed as dbt writes them."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import duckdb
import pytest

from insights import coding

SEED = Path(__file__).parents[3] / "dbt_project/seeds/reference/published_theme.csv"
PUBLISHER_SOURCE = {"HSIB": "hsib", "MNSI": "hsib", "EBC": "ebc", "PMRT": "pmrt"}

TABLES = """
create schema reference;
create schema core;
create schema marts;
create schema quality;
create table reference.usage_warning as
select unnest(['machine_coded', 'machine_read', 'template_entry', 'synthetic']) as usage_warning;
create table reference.outcome as
select unnest(['stillbirth_rate(_.*)?', 'apgar_below_7', 'preterm_birth']) as indicator_pattern,
    unnest(['death', 'harm', 'outcome']) as tier;
create table core.fct_finding (
    finding_id varchar, source_id varchar, document_title varchar, document_url varchar, published_on date,
    kind varchar, text varchar, count bigint, denominator bigint, share double, page bigint, heading varchar,
    recipient varchar, status varchar, extracted_by varchar, is_synthetic boolean, usage_warnings varchar[],
    release_key varchar, source_row bigint);
create table core.published_theme (
    publisher varchar, source_id varchar, period_label varchar, period_start date, period_end date, statement varchar,
    kind varchar, value double, value_is varchar, published_value varchar, published_unit varchar, denominator integer,
    published_denominator varchar, is_seen boolean, status varchar, source_url varchar);
create table core.dim_indicator (
    indicator_id varchar, indicator_name varchar, concept_id varchar, polarity varchar, unit varchar,
    source_id varchar);
create table core.dim_lms (lms_code varchar, lms_name varchar, region_code varchar, region_name varchar);
create table core.dim_release (
    release_key varchar, source_id varchar, dataset varchar, release varchar, publisher varchar, url varchar,
    published_on date, is_synthetic boolean);
create table marts.trust_indicator (
    indicator_id varchar, source_id varchar, breakdown varchar, period_label varchar, period_start date,
    period_end date, months_covered integer, trust_code varchar, trust_name varchar, lms_code varchar, value double,
    unit varchar, verdict varchar, usage_warnings varchar[], is_synthetic boolean, release_key varchar);
create table marts.lms_indicator (
    indicator_id varchar, indicator_name varchar, source_id varchar, breakdown varchar, period_label varchar,
    period_start date, period_end date, months_covered integer, lms_code varchar, lms_name varchar,
    region_name varchar, value double,
    lower_95 double, upper_95 double, unit varchar, verdict varchar, comparator_value double, is_complete boolean,
    trusts_expected integer, trusts_reporting integer, value_min double, value_max double, usage_warnings varchar[],
    release_key varchar);
create table marts.england_indicator (
    indicator_id varchar, indicator_name varchar, source_id varchar, breakdown varchar, period_label varchar,
    period_start date, period_end date, months_covered integer, value double, unit varchar, recent_trend varchar,
    is_synthetic boolean, release_key varchar);
create table marts.signal (
    indicator_id varchar, source_id varchar, level varchar, organisation_code varchar, period_end date,
    point_type varchar, cusum_signal varchar);
create table marts.attention (
    level varchar, organisation_code varchar, organisation_name varchar, lms_code varchar, rank integer, tier varchar,
    concept_id varchar, source_id varchar, indicator_id varchar, indicator_name varchar, period_label varchar,
    period_end date, value double, unit varchar, comparator_value double, verdict varchar, verdict_basis varchar,
    verdict_level varchar, excess double, held_since date, is_new boolean, trusts varchar[], why varchar,
    release_key varchar);
"""


class Candidate:
    """A small candidate file that a test fills; rows are written when the path is asked for."""

    def __init__(self, path: Path) -> None:
        self.waiting: list[tuple[str, list[object]]] = [(TABLES, [])]
        self._path = path

    @property
    def path(self) -> Path:
        if self.waiting:
            with duckdb.connect(str(self._path)) as connection:
                connection.execute("begin")
                for statement, values in self.waiting:
                    connection.execute(statement, values)
                connection.execute("commit")
            self.waiting = []
        return self._path

    def insert(self, table: str, **values: object) -> None:
        marks = ", ".join("?" for _ in values)
        self.waiting.append((f"insert into {table} ({', '.join(values)}) values ({marks})", list(values.values())))

    def finding(self, finding_id: str, text: str, **more: object) -> None:
        given = {
            "source_id": "hsib",
            "document_title": "A learning report",
            "document_url": "https://example.org/report",
            "published_on": "2022-05-01",
            "kind": "finding",
            "is_synthetic": False,
            "usage_warnings": ["template_entry"],
            "release_key": "hsib/findings/2022-05-01#1",
            "source_row": 1,
        }
        self.insert("core.fct_finding", finding_id=finding_id, text=text, **(given | more))

    def published(self) -> None:
        """Fill core.published_theme from the seed, shares and counts as the model reads them."""
        with SEED.open(encoding="utf-8", newline="") as handle:
            for row in csv.DictReader(handle):
                kind = "share" if row["unit"].startswith(("%", "share")) else row["unit"].split(" ")[0]
                plain = row["value"].rstrip("%")
                cases = row["denominator"].split(" ")[0]
                self.insert(
                    "core.published_theme",
                    publisher=row["source"],
                    source_id=PUBLISHER_SOURCE.get(row["source"]),
                    period_label=row["period"],
                    statement=row["theme_or_measure"],
                    kind=kind,
                    value=float(plain) if plain.replace(".", "", 1).isdigit() else None,
                    denominator=int(cases) if cases.isdigit() else None,
                    published_value=row["value"] or None,
                    published_unit=row["unit"],
                    published_denominator=row["denominator"] or None,
                    is_seen=row["status"] == "seen",
                    status=row["status"],
                    source_url=row["url"],
                )

    def rows(self, sql: str, *values: object) -> list[tuple]:
        with duckdb.connect(str(self.path), read_only=True) as connection:
            return connection.execute(sql, list(values)).fetchall()


@pytest.fixture(scope="session")
def make_candidate() -> type[Candidate]:
    return Candidate


@pytest.fixture
def candidate(tmp_path: Path) -> Candidate:
    return Candidate(tmp_path / "perinatal.duckdb")


@pytest.fixture(autouse=True, scope="session")
def trained_once() -> Iterator[None]:
    """Train the coder without decisions once: it is the same every time, and takes seconds."""
    train, plain = coding.train, cache(coding.train)

    def once(labelled=None, decisions=(), decided_texts=None):
        return train(labelled, decisions, decided_texts) if labelled is not None or decisions else plain()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(coding, "train", once)
        yield
