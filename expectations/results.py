"""What was found for one standard: kept in manifests, in `quality.check_result` and behind alerts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from expectations import alerts
from expectations.standards import Dimension, Severity


@dataclass(frozen=True)
class Result:
    """The verdict on one standard.

    `expectation` is the native type. `observed` is the number of failing rows, or the number that was compared with
    `minimum` and `maximum`. `element_count` counts the rows of the table; `unexpected_percent` (0–100) is of the rows
    that the expectation looks at, which leaves empty cells out; both `unexpected_…` are None for what is asked of a
    whole column or table. `source_rows` are the failing rows of the file as (first, last) ranges, complete or empty.
    `releases` counts failing rows by release, `release_key` is the release where there is only one.
    """

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
    kwargs: dict[str, Any] = field(default_factory=dict)
    element_count: int | None = None
    unexpected_count: int | None = None
    unexpected_percent: float | None = None
    description: str = ""
    why: str = ""
    source_rows: list[list[int]] = field(default_factory=list)

    @classmethod
    def read(cls, record: Mapping[str, Any]) -> Result:
        """Read a result from a manifest, also one of an earlier version, which has fewer fields."""
        known = {item.name for item in fields(cls)}
        return cls(**{name: value for name, value in record.items() if name in known})

    @property
    def is_native(self) -> bool:
        """Tell whether Great Expectations has evaluated the standard itself; version 0.1 kept comparisons only."""
        return bool(self.description)

    @property
    def failed(self) -> bool:
        """Tell whether the standard is not met, whatever its severity."""
        return not self.success

    @property
    def is_told(self) -> bool:
        """Tell whether somebody should hear of it: it failed and is more than a record."""
        return self.failed and self.severity != "info"

    @property
    def blocks(self) -> bool:
        """Tell whether this stops the release or the edition."""
        return self.failed and self.severity == "block"

    @property
    def warned_rows(self) -> list[list[int]]:
        """Return the rows of the file that a warning concerns: none where it concerns the release as a whole."""
        is_about_rows = self.failed and self.severity == "warn" and self.unexpected_count != self.element_count
        return self.source_rows if is_about_rows else []

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {**self.__dict__}

    def as_reason(self) -> dict[str, Any]:
        """Return what a quarantine report says of it."""
        return self.as_breach().to_dict()

    def as_breach(self) -> alerts.Breach:
        """Return what an alert says of it."""
        return alerts.Breach(
            rule=self.rule,
            severity=self.severity,
            message=self.message,
            count=int(self.unexpected_count or self.observed or 0),
            sample_rows=self.sample_rows,
            remedy=self.remedy,
            affected_marts=self.affected_marts,
            affected_lms=self.affected_lms,
            release_key=self.release_key,
            why=self.why,
        )
