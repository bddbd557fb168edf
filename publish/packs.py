"""What an LMS downloads: one workbook, CSV and Parquet of its tables, dictionary, `datapackage.json`, changes.

A pack holds rows of shipped tables and nothing else, so nothing masked can be in it. Tables that know the LMS are cut
to it; the region's and England's figures stand beside them for comparison (values for everybody; the whole tables are
in the edition's downloads). Text is never a formula: a workbook's cells are written as strings, a CSV's are
neutralised.
"""

from __future__ import annotations

import csv
import json
import multiprocessing
import os
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from perinatal.errors import PerinatalError
from perinatal.settings import GIVES_WAY, PROJECT_ROOT
from perinatal.sql import literal
from publish import dictionary, edition
from publish.partition import KEY, Form, write_parts
from publish.workbook import Sheet, write_workbook

HEADLINE = "breakdown = 'all'"
SHEET_POINTS = 5
MOST_SHEET_ROWS = 100_000  # Excel opens a million, but nobody else's patience does; the CSV has all
TRUST_LMS = (
    "select code, arg_max(lms_code, valid_to) as lms_code from core.dim_organisation "
    "where level = 'trust' group by code"
)


@dataclass(frozen=True)
class PackTable:
    """One table of a pack: where it comes from, which column says whose row it is (none: everybody's), which rows."""

    name: str
    source: str
    key: str | None = "lms_code"
    condition: str = "true"
    order: str = "all"
    region: bool = False  # the key is the LMS's region
    series: str = ""  # columns that name one series: the workbook shows its newest points, the CSV all
    machine: tuple[str, ...] = ()  # columns for programs (JSON), which the workbook leaves out


TABLES = (
    PackTable("lms_indicator", "marts.lms_indicator", series="source_id, indicator_id"),
    PackTable("trust_indicator", "marts.trust_indicator", series="source_id, indicator_id, trust_code"),
    PackTable(
        "region_indicator",
        "marts.region_indicator",
        "region_code",
        HEADLINE,
        region=True,
        series="source_id, indicator_id",
    ),
    PackTable("england_indicator", "marts.england_indicator", None, HEADLINE, series="source_id, indicator_id"),
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
    PackTable(
        "theme",
        "marts.theme",
        None,
        machine=("findings_by_source", "findings_by_year", "published_figures", "linked_indicators"),
    ),
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
class Lms:
    """Whose pack it is."""

    code: str
    name: str
    region_code: str
    region_name: str
    icb_name: str


@dataclass(frozen=True)
class Described:
    """A table with its columns' types, as the dictionary and the package tell them."""

    table: PackTable
    about: dictionary.Table
    columns: list[tuple[str, str]]

    def meaning(self, column: str) -> str:
        """Return what a column means."""
        return self.about.says(column) or ("LMS of the organisation." if column == "lms_code" else "")

    @property
    def says(self) -> str:
        """Return what the table holds, in the pack."""
        cut = " Here: values for everybody (breakdown all); the edition's downloads have the groups too."
        return self.about.description + (cut if self.table.condition == HEADLINE else "")


class Packer:
    """Writes packs from one edition file."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, facts: dict[str, Any]) -> None:
        self.connection = connection
        self.facts = facts
        held = {
            f"{schema}.{table}"
            for schema, table in connection.execute("select schema_name, table_name from duckdb_tables()").fetchall()
        }
        self.described = [self._describe(table) for table in TABLES if NEEDS.get(table.name, table.source) in held]
        self.resources = [_resource(item) for item in self.described]

    def _describe(self, table: PackTable) -> Described:
        relation = self.connection.sql(f"select * from {table.source} limit 0")
        about = dictionary.table(KNOWN_AS.get(table.name, table.name))
        return Described(table, about, [(n, str(t)) for n, t in zip(relation.columns, relation.types, strict=True)])

    def codes(self) -> list[str]:
        """Return the codes of all LMSs."""
        rows = self.connection.execute("select lms_code from core.dim_lms order by lms_code").fetchall()
        return [code for (code,) in rows]

    def find(self, wanted: str) -> Lms:
        """Return an LMS by code or whole name."""
        rows = self.connection.execute(
            "select lms_code, lms_name, region_code, region_name, icb_name from core.dim_lms "
            "where upper(lms_code) = upper($wanted) or lower(lms_name) = lower($wanted)",
            {"wanted": wanted.strip()},
        ).fetchall()
        if not rows:
            raise PerinatalError(
                f"no LMS {wanted!r} in this edition: give a code or the whole name. Codes: {', '.join(self.codes())}"
            )
        return Lms(*rows[0])

    def tables_of(self, lms: Lms, out: Path) -> None:
        """Write the tables of one LMS as CSV and Parquet."""
        for item in self.described:
            relation = self.connection.sql(_selection(item.table, lms))
            relation.write_parquet(str(out / f"{item.table.name}.parquet"), compression="zstd")
            relation.project(edition.formula_safe(relation)).write_csv(str(out / f"{item.table.name}.csv"))

    def cut(self, table: PackTable, everyone: Sequence[Lms], folder: Path) -> None:
        """Write one table as CSV and Parquet into all packs: one query for all of them."""
        relation = self.connection.sql(_selection(table))
        forms: tuple[tuple[Form, str], ...] = (("csv", edition.formula_safe(relation)), ("parquet", "*"))
        for form, columns in forms:
            whole = folder / f"whole.{form}"
            _write_whole(relation.limit(0) if table.key else relation, whole, columns)
            shares = self._shares(relation, table, columns, folder, form) if table.key else {}
            for lms in everyone:
                share = shares.get(lms.region_code if table.region else lms.code, whole)
                shutil.copyfile(share, folder / lms.code / f"{table.name}.{form}")
            for path in [whole, *shares.values()]:
                path.unlink()

    def _shares(
        self, relation: duckdb.DuckDBPyRelation, table: PackTable, columns: str, folder: Path, form: Form
    ) -> dict[str, Path]:
        shares: dict[str, Path] = {}

        def place(key: str) -> Path:
            shares[key] = folder / f"share-{len(shares)}.{form}"
            return shares[key]

        parts = f"select {columns}, {table.key} as {KEY} from ({relation.sql_query()}) where {table.key} is not null"
        write_parts(self.connection, parts, place, form)
        return shares

    def complete(self, lms: Lms, out: Path) -> None:
        """Add workbook, dictionary and datapackage.json to a pack that has its tables."""
        with (out / "data_dictionary.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["table", "column", "type", "description"])
            for item in self.described:
                writer.writerows([item.table.name, name, kind, item.meaning(name)] for name, kind in item.columns)
        package = json.dumps(_package(lms, self.facts) | {"resources": self.resources}, ensure_ascii=False)
        (out / "datapackage.json").write_text(package + "\n", encoding="utf-8")
        write_workbook(
            out / f"{lms.code}.xlsx",
            f"{lms.name} ({lms.code})",
            _cover(lms, self.facts),
            [self._summary(lms), *(self._sheet(item, lms) for item in self.described)],
            bool(self.facts["is_synthetic"]),
        )

    def _summary(self, lms: Lms) -> Sheet:
        """Return the sheet to begin with: a row an indicator, the LMS's newest value and those of its trusts."""
        found: dict[tuple[str, str], dict[str, Any]] = {}
        trusts: dict[str, str] = {}
        if {"lms_indicator", "trust_indicator"} <= {item.table.name for item in self.described}:
            cursor = self.connection.execute(SUMMARY, {"lms": lms.code})
            names = [column[0] for column in cursor.description or []]
            for cells in cursor.fetchall():
                row = dict(zip(names, cells, strict=True))
                found.setdefault((row["indicator_id"], row["source_id"]), {})[row["code"]] = row
                if row["code"] != lms.code:
                    trusts[row["code"]] = row["name"]
        columns = [(name, kind) for name, kind, _ in SUMMARY_COLUMNS] + [(name, "DOUBLE") for name in trusts.values()]
        meanings = [says for *_, says in SUMMARY_COLUMNS] + [f"Newest value of {name}." for name in trusts.values()]
        told = [cells for cells in found.values() if any(_summary_value(row) is not None for row in cells.values())]
        rows = [_summary_row(lms, list(trusts), cells) for cells in told]
        return Sheet("summary", SUMMARY_SAYS, columns, meanings, rows)

    def _sheet(self, item: Described, lms: Lms) -> Sheet:
        table, says = item.table, item.says
        query = _newest_points(table, lms) if table.series else _selection(table, lms)
        columns = [column for column in item.columns if column[0] not in table.machine]
        chosen = ", ".join(f'"{name}"' for name, _ in columns)
        rows = self.connection.execute(f"select {chosen} from ({query}) limit {MOST_SHEET_ROWS}").fetchall()
        if table.series:
            says += f" This sheet: values for everybody, the newest {SHEET_POINTS} points of each series"
            says += f"; {table.name}.csv has all."
        if len(rows) == MOST_SHEET_ROWS:
            says += f" Only the first {MOST_SHEET_ROWS:,} rows stand here; {table.name}.csv has all."
        if table.machine:
            says += f" Columns that hold JSON stand in {table.name}.csv only."
        meanings = [item.meaning(name) for name, _ in columns]
        return Sheet(table.name, says.strip(), columns, meanings, list(_cells(rows)))


SUMMARY_SAYS = (
    "Begin here: the newest value of each indicator for the LMS, beside it its trusts. Masked: the publisher hides a "
    "small number. Between: a trust is masked or missing. The other sheets have the periods, intervals and warnings."
)
SUMMARY_COLUMNS = (
    ("Indicator", "VARCHAR", "Name of the indicator."),
    ("Unit", "VARCHAR", "Unit of all values in the row."),
    ("Source", "VARCHAR", "Source of the figures."),
    ("Period", "VARCHAR", "Newest period that the source has for the LMS or a trust of it."),
    ("LMS", "DOUBLE", "Value of the LMS, or what stands in its place."),
    ("From", "DOUBLE", "Lower 95% limit of the LMS's value."),
    ("To", "DOUBLE", "Upper 95% limit of the LMS's value."),
    ("Compared with", "DOUBLE", "Value that the LMS is compared with: England's."),
    ("Comparison", "VARCHAR", "better, similar, worse, higher or lower than that."),
    ("Recent trend", "VARCHAR", "Trend of the LMS over the last five points."),
)
# the newest figures of each indicator and source for the LMS and its trusts
SUMMARY = f"""
with
    everyone as (
        select lms_code as code, lms_name as name, 0 as place, *
        from marts.lms_indicator
        where {HEADLINE} and lms_code = $lms
        union all by name
        select trust_code as code, trust_name as name, 1 as place, *
        from marts.trust_indicator
        where {HEADLINE} and lms_code = $lms
    )
select *
from everyone
qualify
    row_number() over (partition by code, source_id, indicator_id order by period_end desc, period_start desc) = 1
    and max(period_end) over (partition by source_id, indicator_id) = period_end
order by indicator_name, indicator_id, source_id, place, name
"""


def _summary_row(lms: Lms, trusts: Sequence[str], cells: dict[str, dict[str, Any]]) -> list[Any]:
    """Return an indicator's row of the summary; `cells` are the marts' rows by organisation."""
    some, own = next(iter(cells.values())), cells.get(lms.code, {})
    told = [some[name] for name in ("indicator_name", "unit", "source_id", "period_label")]
    limits = [own.get(name) for name in ("lower_95", "upper_95", "comparator_value", "comparison", "recent_trend")]
    return [*told, _summary_value(own), *limits, *(_summary_value(cells.get(code, {})) for code in trusts)]


def _summary_value(row: dict[str, Any]) -> Any:
    if row.get("value") is not None:
        return row["value"]
    if row.get("is_suppressed"):
        return "Masked"
    if row.get("value_min") is not None and row.get("value_max") is not None:
        return f"Between {row['value_min']:.2f} and {row['value_max']:.2f}"
    return None


def write(edition_db: Path, lms_code: str, out: Path, facts: dict[str, Any] | None = None) -> Path:
    """Write the pack of one LMS into the folder `out`, which is made; returns it.

    `facts` is what the edition says of itself; else it is read from `edition.json` beside the file. Raises
    PerinatalError for an LMS that the edition does not know.
    """
    with duckdb.connect(str(edition_db), read_only=True) as connection:
        packer = Packer(connection, facts or edition.info(edition_db.parent))
        lms = packer.find(lms_code)
        out.mkdir(parents=True, exist_ok=True)
        packer.tables_of(lms, out)
        packer.complete(lms, out)
    return out


def write_all(edition_db: Path, folder: Path, facts: dict[str, Any], workers: int = 2) -> int:
    """Write the pack of every LMS into `folder`/<lms_code>/; returns how many.

    One query cuts a table for all LMSs; the workbooks, which take longest, are shared among processes.
    """
    with duckdb.connect(str(edition_db), read_only=True) as connection:
        packer = Packer(connection, facts)
        everyone = [packer.find(code) for code in packer.codes()]
        for lms in everyone:
            (folder / lms.code).mkdir(parents=True)
        for item in packer.described:
            packer.cut(item.table, everyone, folder)
    codes = [lms.code for lms in everyone]
    if workers < 2 or multiprocessing.current_process().daemon:  # a daemon may have no children
        _complete_some(edition_db, codes, folder, facts)
    else:
        spawned = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, spawned, initializer=os.nice, initargs=(GIVES_WAY,)) as pool:
            shares = [codes[start::workers] for start in range(workers)]
            list(pool.map(_complete_some, *zip(*((edition_db, share, folder, facts) for share in shares), strict=True)))
    return len(everyone)


def _complete_some(edition_db: Path, codes: Sequence[str], folder: Path, facts: dict[str, Any]) -> None:
    with duckdb.connect(str(edition_db), read_only=True) as connection:
        packer = Packer(connection, facts)
        for code in codes:
            packer.complete(packer.find(code), folder / code)


def _selection(table: PackTable, lms: Lms | None = None) -> str:
    """Return the query of a table's rows: of one LMS, or of all."""
    conditions = [table.condition]
    if lms and table.key:
        conditions.append(f"{table.key} = {literal(lms.region_code if table.region else lms.code)}")
    return f"select * from {table.source} where {' and '.join(conditions)} order by {table.order}"


def _newest_points(table: PackTable, lms: Lms) -> str:
    """Return the query of what the workbook shows of an indicator mart."""
    return f"""
        select * from ({_selection(table, lms)})
        where {HEADLINE}
        qualify row_number() over (partition by {table.series} order by period_end desc, period_start) <= {SHEET_POINTS}
        order by {table.order}
        """


def _write_whole(relation: duckdb.DuckDBPyRelation, path: Path, columns: str) -> None:
    if path.suffix == ".csv":
        relation.project(columns).write_csv(str(path))
    else:
        relation.write_parquet(str(path), compression="zstd")


FRICTIONLESS_TYPES = {
    "VARCHAR": "string",
    "DOUBLE": "number",
    "FLOAT": "number",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "INTEGER": "integer",
    "BIGINT": "integer",
}


def _package(lms: Lms, facts: dict[str, Any]) -> dict[str, Any]:
    """Return what the Frictionless package says of itself; its resources are the CSV files."""
    synthetic = " SYNTHETIC SAMPLE DATA: invented, about no real organisation." if facts["is_synthetic"] else ""
    return {
        "name": f"perinatal-insights-{lms.code.lower()}",
        "title": f"Perinatal Insights: {lms.name}",
        "description": f"Edition {facts['edition_id']}.{synthetic} Read usage_warnings beside every value.",
        "created": facts["published_at"],
        "version": facts["edition_id"],
        "profile": "tabular-data-package",
        "keywords": ["maternity", "neonatal", "patient safety", lms.code],
    }


def _resource(item: Described) -> dict[str, Any]:
    fields = [
        {"name": name, "type": FRICTIONLESS_TYPES.get(kind, "string"), "description": item.meaning(name)}
        for name, kind in item.columns
    ]
    return {
        "name": item.table.name,
        "path": f"{item.table.name}.csv",
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "description": item.says,
        "schema": {"fields": fields, "missingValues": [""]},
    }


def _cells(rows: Sequence[Sequence[Any]]) -> Iterator[list[Any]]:
    """Yield rows as a workbook can hold them: lists joined, everything else that is no number or date as text."""
    for row in rows:
        yield ["; ".join(map(str, value)) if isinstance(value, list) else _plain(value) for value in row]


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | date | datetime | None) else str(value)


def _cover(lms: Lms, facts: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the lines of the cover: what it is, from when, how to read it."""
    real = "no: made from the publishers' releases"
    return [
        ("Local maternity system", f"{lms.name} ({lms.code})"),
        ("Begin with", "the sheet summary; the sheet contents leads to all others"),
        ("Region", lms.region_name),
        ("Integrated care board today", lms.icb_name),
        ("Edition", str(facts["edition_id"])),
        ("Made", str(facts["published_at"])),
        ("Synthetic", "YES: invented sample data, about no real organisation" if facts["is_synthetic"] else real),
        ("Masked values", "The publisher hides small numbers: the cell is empty, with is_suppressed TRUE."),
        (
            "Incomplete values",
            "A trust of the area is masked or missing: value is empty, value_min and value_max are the bounds.",
        ),
        ("Warnings", "Read usage_warnings beside every value; the sheet usage_warnings says what each word means."),
        ("Comparison", "better or worse: the whole 95% interval lies on one side of comparator_value."),
        ("Sources", "release_key leads to the sheet releases: publisher, address, sha256, licence, dates."),
        ("Columns", "The sheet dictionary says what each column means; so does data_dictionary.csv."),
        ("Licence", "The figures are their publishers', under the licence beside each release."),
        (
            "Methods",
            (PROJECT_ROOT / "docs" / "methods.md").name + " of Perinatal Insights, and methods.html of its pages.",
        ),
    ]
