"""What the pages show: the edition as Python objects, read once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

Record = dict[str, Any]
SeriesKey = tuple[str, str, str, str]  # level, code, indicator, source


@dataclass(frozen=True, slots=True)
class Value:
    """The newest value of an indicator of one source for one organisation, as the marts give it."""

    level: str
    code: str
    name: str
    lms_code: str | None
    region_code: str | None
    indicator_id: str
    indicator_name: str
    source_id: str
    period_label: str
    period_start: date
    period_end: date
    months_covered: int
    numerator: float | None
    denominator: float | None
    value: float | None
    unit: str
    lower_95: float | None
    upper_95: float | None
    lower_998: float | None
    upper_998: float | None
    publisher_value: float | None
    adjusted_value: float | None
    adjusted_lower_95: float | None
    adjusted_upper_95: float | None
    comparator_value: float | None
    comparator_name: str | None
    comparison: str | None
    verdict: str | None
    verdict_basis: str | None
    verdict_level: str | None
    publisher_band: str | None
    recent_trend: str | None
    is_suppressed: bool
    usage_warnings: list[str]
    release_key: str
    trusts_expected: int | None
    trusts_reporting: int | None
    is_complete: bool | None
    value_min: float | None
    value_max: float | None
    is_current: bool

    @property
    def key(self) -> SeriesKey:
        """Return the name of the series that the value ends."""
        return (self.level, self.code, self.indicator_id, self.source_id)

    @property
    def is_incomplete(self) -> bool:
        """Whether a trust is missing from the sum, and the publisher gives no value of its own for the area."""
        return self.is_complete is False and self.value is None

    @property
    def conclusion(self) -> str | None:
        """What is said of the value: the verdict; where neither direction is good, whether it is higher or lower."""
        return self.verdict or (self.comparison if self.comparison in ("higher", "lower") else None)


@dataclass(frozen=True)
class Facts:
    """`edition.json` as far as pages show it."""

    edition_id: str
    published_at: str
    is_synthetic: bool
    portal_url: str = ""
    editions: tuple[Record, ...] = ()  # this one and those kept, newest first
    signed_by: str | None = None
    has_briefs: bool = False  # whether `downloads/brief/` holds a briefing for every LMS and theme


@dataclass
class Edition:
    """Everything that the pages show. A table that the edition does not hold is an empty list."""

    facts: Facts
    values: list[Value]
    series: dict[SeriesKey, list[Record]]
    lms: list[Record]
    trusts: dict[str, Record]
    hospitals: list[Record]
    indicators: dict[str, Record]
    releases: dict[str, Record]
    warnings: dict[str, str]
    faults: frozenset[str]
    tables: dict[str, dict[str, str]]  # schema.table → column → type
    row_counts: dict[str, int]
    figures: list[Record] = field(default_factory=list)
    ambitions: list[Record] = field(default_factory=list)
    actuals: list[Record] = field(default_factory=list)
    trajectory: list[Record] = field(default_factory=list)
    positions: list[Record] = field(default_factory=list)
    attention: list[Record] = field(default_factory=list)
    births: dict[tuple[str, str], Record] = field(default_factory=dict)  # level, code
    deprived: dict[tuple[str, str], Record] = field(default_factory=dict)  # level, code
    spreads: dict[tuple[str, str, str], Record] = field(default_factory=dict)  # level, indicator, source
    signals: dict[SeriesKey, list[Record]] = field(default_factory=dict)
    inequality: dict[tuple[str, str], list[Record]] = field(default_factory=dict)  # level, code
    board: dict[str, list[Record]] = field(default_factory=dict)  # trust
    annotations: list[Record] = field(default_factory=list)
    board_measures: list[Record] = field(default_factory=list)
    compliance: dict[str, list[Record]] = field(default_factory=dict)  # organisation
    themes: list[Record] = field(default_factory=list)
    evidence: dict[str, list[Record]] = field(default_factory=dict)  # theme
    theme_reviews: dict[str, Record] = field(default_factory=dict)  # theme
    theme_bodies: dict[str, list[Record]] = field(default_factory=dict)  # theme
    theme_figures: dict[str, list[Record]] = field(default_factory=dict)  # theme
    theme_indicators: dict[str, list[Record]] = field(default_factory=dict)  # theme
    others: dict[str, list[Record]] = field(default_factory=dict)  # indicator: figures of networks and units
    results: dict[str, list[Record]] = field(default_factory=dict)  # standard: how many organisations
    health: list[Record] = field(default_factory=list)
    checks: list[Record] = field(default_factory=list)
    alerts: list[Record] = field(default_factory=list)
    completeness: list[Record] = field(default_factory=list)
    change_counts: list[Record] = field(default_factory=list)
    judgements: list[Record] = field(default_factory=list)
    changes: list[Record] = field(default_factory=list)
    categories: dict[str, list[Record]] = field(default_factory=dict)  # indicator

    def is_doubted(self, value: Value) -> bool:
        """Whether a value has a warning of a fault, so that it is compared with nothing; a publisher's note is none."""
        return bool(set(value.usage_warnings) & self.faults - {"publisher_note"})

    def has(self, table: str) -> bool:
        """Whether the edition holds a table."""
        return table in self.tables
