"""Which tables a pack holds, whose row each of their rows is, and how the dictionary describes them."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from perinatal.sql import literal
from publish import dictionary, marts
from publish.partition import KEY

EVERYBODY = "all"  # marks rows that are in every pack
HEADLINE = "breakdown = 'all'"
TRUST_LMS = (
    "select code, arg_max(lms_code, (valid_to, lms_code)) as lms_code from core.dim_organisation "
    "where level = 'trust' group by code"
)


@dataclass(frozen=True)
class PackTable:
    """One table of a pack: where it comes from, which column says whose row it is (none: everybody's), which rows."""

    name: str
    source: str
    key: str | None = "lms_code"
    condition: str = "true"
    region: bool = False  # the key is the LMS's region

    @property
    def rows(self) -> str:
        """Return the query of the table's rows, each with the code that says in which packs it is."""
        return f"select {self.key or literal(EVERYBODY)} as {KEY}, * from {self.source} where {self.condition}"


def _indicator_table(level: str, condition: str = "true") -> PackTable:
    mart = marts.BY_LEVEL[level]
    is_region = mart.area is not None and mart.lms is None
    return PackTable(mart.name, mart.table, mart.area, condition, is_region)


TABLES = (
    _indicator_table("lms"),
    _indicator_table("trust"),
    _indicator_table("region", HEADLINE),
    _indicator_table("england", HEADLINE),
    PackTable("ambition_position", "marts.ambition_position", condition="level in ('lms', 'trust')"),
    PackTable("national_ambition", "marts.national_ambition", None),
    PackTable("board_dashboard", "marts.board_dashboard"),
    PackTable("signal", "marts.signal"),
    PackTable("inequality", "marts.inequality"),
    PackTable(
        "compliance",
        f"(select compliance.*, trusts.lms_code from marts.compliance inner join ({TRUST_LMS}) as trusts "
        "on compliance.level = 'trust' and compliance.organisation_code = trusts.code)",
    ),
    PackTable("theme", "marts.theme", None),
    PackTable("org_completeness", "quality.org_completeness"),
    PackTable("changes", "marts.edition_change"),
    PackTable("indicators", "core.dim_indicator", None),
    PackTable("releases", "core.dim_release", None),
    PackTable("usage_warnings", "reference.usage_warning", None),
)
# the names under which the dictionary knows tables that are called otherwise in a pack
KNOWN_AS = {
    "changes": "edition_change",
    "indicators": "dim_indicator",
    "releases": "dim_release",
    "usage_warnings": "usage_warning",
}
NEEDS = {"compliance": "marts.compliance"}


@dataclass(frozen=True)
class Described:
    """A table with its columns' types, as dictionary and data package describe it."""

    table: PackTable
    about: dictionary.Table
    columns: list[tuple[str, str]]

    def meaning(self, column: str) -> str:
        """Return what a column means."""
        return self.about.meaning(column) or ("LMS of the organisation." if column == "lms_code" else "")

    @property
    def description(self) -> str:
        """Return what the table holds, in the pack."""
        cut = " Here: values for everybody (breakdown all); the edition's downloads have the groups too."
        return self.about.description + (cut if self.table.condition == HEADLINE else "")


def described(connection: duckdb.DuckDBPyConnection) -> list[Described]:
    """Return the tables of a pack that the edition holds."""
    held = {
        f"{schema}.{table}"
        for schema, table in connection.execute("select schema_name, table_name from duckdb_tables()").fetchall()
    }
    return [_described(connection, table) for table in TABLES if NEEDS.get(table.name, table.source) in held]


def _described(connection: duckdb.DuckDBPyConnection, table: PackTable) -> Described:
    relation = connection.sql(f"select * from {table.source} limit 0")
    about = dictionary.table(KNOWN_AS.get(table.name, table.name))
    return Described(table, about, [(n, str(t)) for n, t in zip(relation.columns, relation.types, strict=True)])
