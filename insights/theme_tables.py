"""The insights step of a build: findings of the candidate are coded, and themes ranked, before the release gate.

It reads `core.fct_finding`, `core.published_theme` and the indicator marts of the candidate, and writes
`reference.theme…`, `marts.theme_evidence`, `marts.theme_figure`, `marts.theme_indicator` and `marts.theme`. Same
findings, same decisions, same taxonomy: same rows. Where there are no findings nothing is trained.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from insights.bodies import Said, quoted_bodies
from insights.decisions import DecisionFile
from insights.review_agreement import Key, Reviewed, agreements, reviewed
from insights.themes import TAXONOMY, taxonomy_version
from perinatal.opening import open_database
from warehouse.statistics.macros import render

if TYPE_CHECKING:
    import pyarrow as pa

    from insights.coding import Assignment

SQL = Path(__file__).parent / "sql"


def run(candidate: Path, decisions: DecisionFile) -> int:
    """Code the candidate's findings and write the theme tables; returns how many codes were given."""
    with open_database(candidate) as connection:
        _reference(connection)
        findings = read_findings(connection)
        coded = code(findings, decisions) if findings else []
        connection.register("coded", _coded_table(coded))
        codes = reviewed(decisions.read())
        connection.register("reviewed", _reviewed_table(codes))
        connection.register("agreed", _agreed_table(codes))
        connection.register("quoted", _quoted_table(quoted_bodies(read_said(connection))))
        for script in sorted(SQL.glob("[2-9]_*.sql")):
            connection.execute(render(script.read_text(encoding="utf-8")))
        for name in ("coded", "reviewed", "agreed", "quoted"):
            connection.unregister(name)
    return len(coded)


def read_findings(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """Read (finding_id, text) of every finding, in one order whatever the order of landing."""
    return connection.execute("select finding_id, text from core.fct_finding order by finding_id").fetchall()


def read_said(connection: duckdb.DuckDBPyConnection) -> list[Said]:
    """Read who published each finding, and when."""
    rows = connection.execute("select finding_id, source_id, published_on, text from core.fct_finding").fetchall()
    return [Said(*row) for row in rows]


def code(findings: Sequence[tuple[str, str]], decisions: DecisionFile) -> list[Assignment]:
    """Code findings; what people have decided wins and teaches."""
    from insights.coding import train

    return train(decisions=decisions.read(), decided_texts=dict(findings)).code(findings)


def _reference(connection: duckdb.DuckDBPyConnection) -> None:
    """Write the taxonomy's tables from its files."""
    given = {
        "version": taxonomy_version(),
        "themes": str(TAXONOMY / "themes.csv"),
        "mappings": str(TAXONOMY / "mappings.csv"),
        "indicators": str(TAXONOMY / "indicator_links.csv"),
        "published": str(TAXONOMY / "published_links.csv"),
        "bodies": str(TAXONOMY / "bodies.csv"),
        "weights": str(TAXONOMY / "convergence_weights.csv"),
    }
    for statement in duckdb.extract_statements((SQL / "1_reference.sql").read_text(encoding="utf-8")):
        connection.execute(statement, {name: given[name] for name in statement.named_parameters})


def _reviewed_table(codes: Mapping[Key, Reviewed]) -> pa.Table:
    """Return each code that people decided on: by how many, when, and whether they agree. Who they are stays here."""
    import pyarrow as pa

    columns = {
        "finding_id": (pa.string(), [finding_id for finding_id, _ in codes]),
        "theme_id": (pa.string(), [theme_id for _, theme_id in codes]),
        "reviewers": (pa.int32(), [len(code.said) for code in codes.values()]),
        "decided_on": (pa.string(), [code.in_force.decided_on for code in codes.values()]),
        "is_disputed": (pa.bool_(), [code.is_disputed for code in codes.values()]),
    }
    return pa.table({name: pa.array(values, kind) for name, (kind, values) in columns.items()})


def _agreed_table(codes: Mapping[Key, Reviewed]) -> pa.Table:
    import pyarrow as pa

    found = agreements(codes)
    columns = {
        "theme_id": (pa.string(), [item.theme_id for item in found]),
        "decided": (pa.int32(), [item.decided for item in found]),
        "by_several": (pa.int32(), [item.by_several for item in found]),
        "disputed": (pa.int32(), [item.disputed for item in found]),
        "kappa": (pa.float64(), [item.kappa for item in found]),
        "reviewers": (pa.int32(), [len(item.reviewers) for item in found]),
        "first_decided_on": (pa.string(), [item.first_on for item in found]),
        "last_decided_on": (pa.string(), [item.last_on for item in found]),
    }
    return pa.table({name: pa.array(values, kind) for name, (kind, values) in columns.items()})


def _quoted_table(quoted: Mapping[str, str]) -> pa.Table:
    import pyarrow as pa

    return pa.table(
        {"finding_id": pa.array(quoted, pa.string()), "quoted_body": pa.array(quoted.values(), pa.string())}
    )


def _coded_table(coded: Sequence[Assignment]) -> pa.Table:
    import pyarrow as pa

    columns = {
        "theme_id": (pa.string(), [item.theme_id for item in coded]),
        "finding_id": (pa.string(), [item.finding_id for item in coded]),
        "evidence": (pa.string(), [item.evidence for item in coded]),
        "evidence_start": (pa.int32(), [item.start for item in coded]),
        "evidence_end": (pa.int32(), [item.end for item in coded]),
        "score": (pa.float64(), [item.score for item in coded]),
        "coded_by": (pa.string(), [item.coded_by for item in coded]),
    }
    return pa.table({name: pa.array(values, kind) for name, (kind, values) in columns.items()})
