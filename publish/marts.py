"""How each indicator mart names whose figure a row is: the one record used by the change report, pages and packs."""

from __future__ import annotations

from dataclasses import dataclass

ENGLAND_CODE, ENGLAND_NAME = "E92000001", "England"


@dataclass(frozen=True)
class IndicatorMart:
    """An indicator mart: `code` and `name` of the organisation are SQL over its columns, `lms` and `region` columns."""

    name: str
    code: str
    organisation_name: str
    lms: str | None = None
    region: str | None = None

    @property
    def table(self) -> str:
        """Return the mart with its schema."""
        return f"marts.{self.name}"

    @property
    def area(self) -> str | None:
        """Return the column that says in whose pack a row belongs: its LMS, else its region; None is in all."""
        return self.lms or self.region

    @property
    def series(self) -> str:
        """Return the columns that one series over time has in common, as a select list."""
        return f"source_id, indicator_id, {self.code}"


# the four levels that share one shape
BY_LEVEL = {
    "trust": IndicatorMart("trust_indicator", "trust_code", "trust_name", "lms_code", "region_code"),
    "lms": IndicatorMart("lms_indicator", "lms_code", "lms_name", "lms_code", "region_code"),
    "region": IndicatorMart("region_indicator", "region_code", "region_name", region="region_code"),
    "england": IndicatorMart("england_indicator", f"'{ENGLAND_CODE}'", f"'{ENGLAND_NAME}'"),
}
# every other level: level and code together name an organisation
OTHER_LEVELS = IndicatorMart("organisation_indicator", "level || ':' || organisation_code", "organisation_name")
ALL = (*BY_LEVEL.values(), OTHER_LEVELS)
