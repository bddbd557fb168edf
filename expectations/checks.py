"""What a check is: a rule as data, measured in SQL, judged by Great Expectations, told to people."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

import duckdb
import yaml

from expectations import alerts
from perinatal.errors import PerinatalError

Severity = Literal["block", "warn", "info"]
Dimension = Literal["completeness", "uniqueness", "consistency", "timeliness", "validity", "accuracy"]

SAMPLE_ROWS = 5


@dataclass(frozen=True)
class Rule:
    """One standard.

    `offending` is SQL whose rows offend (observed = their number, 0 is asked for unless `maximum` tolerates some);
    `measure` is SQL of one number that must lie between `minimum` and `maximum`. Severity `block` stops the
    release or the edition, `warn` publishes with an alert, `info` is a record. Dimensions are those of the
    Government Data Quality Framework. `marts` are those that a breach makes doubtful, `owner` is who sees to it.
    """

    id: str
    says: str
    severity: Severity
    dimension: Dimension
    remedy: str = ""
    offending: str | None = None
    measure: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    marts: tuple[str, ...] = ()
    owner: str = ""
    needs: str | None = None
    reason: str = ""

    @property
    def upper(self) -> float | None:
        """Return the greatest value that passes: a rule on offending rows asks for none unless it says more."""
        return 0.0 if self.offending and self.maximum is None else self.maximum

    def is_for(self, at_hand: set[str]) -> bool:
        """Tell whether all that the rule needs is at hand: one of each group "a|b" of `needs`."""
        return all(at_hand & set(group.split("|")) for group in (self.needs or "").split())


@dataclass(frozen=True)
class Measured:
    """A rule with what was observed: a number, and rows to show where it fails.

    `releases` counts the offending rows by release, `release_key` is the release where there is only one.
    """

    rule: Rule
    observed: float | None
    rows: list[dict[str, Any]] = field(default_factory=list)
    message: str = ""
    release_key: str | None = None
    affected_lms: tuple[str, ...] = ()
    releases: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """The verdict on one rule, as kept in manifests and in `quality.check_result`."""

    suite: str
    rule: str
    expectation: str
    severity: Severity
    dimension: Dimension
    success: bool
    observed: float | None
    minimum: float | None
    maximum: float | None
    message: str
    remedy: str
    owner: str
    affected_marts: list[str]
    sample_rows: list[dict[str, Any]]
    release_key: str | None = None
    affected_lms: list[str] = field(default_factory=list)
    releases: dict[str, int] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Tell whether the standard is breached, whatever its severity."""
        return not self.success

    @property
    def is_told(self) -> bool:
        """Tell whether somebody should hear of it: a breach that is more than a record."""
        return self.failed and self.severity != "info"

    @property
    def blocks(self) -> bool:
        """Tell whether this stops the release or the edition."""
        return self.failed and self.severity == "block"

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {**self.__dict__}

    def as_reason(self) -> dict[str, Any]:
        """Return what a quarantine report says of it."""
        return {
            "rule": self.rule,
            "message": self.message,
            "count": int(self.observed or 0),
            "severity": self.severity,
            "rows": self.sample_rows,
            "remedy": self.remedy,
            "affected_marts": self.affected_marts,
        }

    def as_breach(self) -> alerts.Breach:
        """Return what an alert says of it."""
        return alerts.Breach(
            rule=self.rule,
            severity=self.severity,
            message=self.message,
            count=int(self.observed or 0),
            sample_rows=self.sample_rows,
            remedy=self.remedy,
            affected_marts=self.affected_marts,
            affected_lms=self.affected_lms,
            release_key=self.release_key,
        )


@cache
def load_rules(path: Path, tags: tuple[str, ...] = ("remedy",)) -> tuple[Rule, ...]:
    """Read a YAML list of rules; a wrong one, or one that leaves a tag out, is named with its file."""
    if not path.exists():
        return ()
    rules: dict[str, Rule] = {}
    for raw in yaml.safe_load(path.read_text(encoding="utf-8")) or []:
        try:
            rule = Rule(**{**raw, "marts": tuple(raw.get("marts", ()))})
            wrong = _wrong(rule, tags) or ("stands twice" if rule.id in rules else None)
        except TypeError as error:
            wrong = str(error)
        if wrong:
            raise PerinatalError(f"{path}: rule {raw.get('id')!r}: {wrong}")
        rules[rule.id] = rule
    return tuple(rules.values())


def _wrong(rule: Rule, tags: tuple[str, ...]) -> str | None:
    """Return what is wrong with a rule as written, or None."""
    missing = [tag for tag in tags if not getattr(rule, tag)]
    if missing:
        return f"{' and '.join(missing)} must be said"
    for name, choices in (("severity", get_args(Severity)), ("dimension", get_args(Dimension))):
        if getattr(rule, name) not in choices:
            return f"{name} {getattr(rule, name)!r}: expected {' or '.join(choices)}"
    if (rule.offending is None) == (rule.measure is None):
        return "either offending or measure must be given"
    return None


def measure(connection: duckdb.DuckDBPyConnection, rules: Iterable[Rule]) -> list[Measured]:
    """Run each rule's SQL. Offending rows are counted; a few are kept to show."""
    return [_measured(connection, rule) for rule in rules]


def _measured(connection: duckdb.DuckDBPyConnection, rule: Rule) -> Measured:
    try:
        return _offending(connection, rule) if rule.offending else _scalar(connection, rule)
    except duckdb.Error as error:
        raise PerinatalError(f"rule {rule.id!r}: {error}") from None


def _offending(connection: duckdb.DuckDBPyConnection, rule: Rule) -> Measured:
    [(found,)] = connection.execute(f"select count(*) from ({rule.offending})").fetchall()
    if not found:
        return Measured(rule, 0.0, message=rule.says)
    relation = connection.sql(str(rule.offending))
    rows = records(relation.limit(SAMPLE_ROWS))
    releases = _releases(relation)
    return Measured(
        rule,
        float(found),
        rows,
        _told(rule, found, rows),
        next(iter(releases)) if len(releases) == 1 else None,
        _affected_lms(connection, relation),
        releases,
    )


def _releases(relation: duckdb.DuckDBPyRelation) -> dict[str, int]:
    """Return how many of the offending rows each release has, where they say of which they are."""
    if "release_key" not in relation.columns:
        return {}
    return dict(relation.aggregate("release_key, count(*)").order("release_key").fetchall())


def _affected_lms(connection: duckdb.DuckDBPyConnection, relation: duckdb.DuckDBPyRelation) -> tuple[str, ...]:
    """Return the LMSs that offending rows name, or whose trusts they name (at the release gate)."""
    if "lms_code" in relation.columns:
        codes = relation.project("lms_code").distinct().order("lms_code").fetchall()
        return tuple(code for (code,) in codes if code)
    named = next((name for name in ("trust_code", "organisation_code") if name in relation.columns), None)
    if named is None or not connection.execute("from duckdb_views() where view_name = 'lms_of_trust'").fetchall():
        return ()
    trusts = relation.project(f'"{named}"::varchar as trust_code').distinct().fetchall()
    found = connection.execute(
        "select distinct lms_code from lms_of_trust where list_contains(?, trust_code) and lms_code is not null "
        "order by lms_code",
        [[code for (code,) in trusts]],
    ).fetchall()
    return tuple(code for (code,) in found)


def _scalar(connection: duckdb.DuckDBPyConnection, rule: Rule) -> Measured:
    found = connection.execute(str(rule.measure)).fetchall()
    value = float(found[0][0]) if found and found[0][0] is not None else None
    shown = "nothing to compare" if value is None else f"{value:,.4g}"
    return Measured(rule, value, [], f"{rule.says} (seen: {shown})")


def _told(rule: Rule, found: int, rows: list[dict[str, Any]]) -> str:
    numbers = [str(row["source_row"]) for row in rows if "source_row" in row]
    where = f", first at row {', '.join(numbers)}" if numbers else ""
    return f"{rule.says}: {found:,} row(s) do not{where}"


def records(relation: duckdb.DuckDBPyRelation) -> list[dict[str, Any]]:
    """Return rows as plain dictionaries that JSON can carry."""
    return [
        {name: _plain(value) for name, value in zip(relation.columns, row, strict=True)} for row in relation.fetchall()
    ]


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if isinstance(value, str | int | float | bool | None) else str(value)
