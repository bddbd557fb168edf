"""Numbers, intervals, comparisons and positions in words: one way of saying it on every page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from perinatal import periods
from publish.portal.model import Record, Value

TREND_WORDS = {
    "better": "Getting better",
    "worse": "Getting worse",
    "increasing": "Increasing",
    "decreasing": "Decreasing",
    "no significant change": "No significant change",
    "cannot be calculated": "Cannot be calculated",
}
SPC_WORDS = {
    "special_cause_improvement": "Special cause: improvement",
    "special_cause_concern": "Special cause: concern",
    "special_cause_neutral_high": "Special cause: high",
    "special_cause_neutral_low": "Special cause: low",
    "common_cause": "Common cause: no sign of change",
}
ASSURANCE_WORDS = {
    "consistent_pass": "The target is met month after month",
    "consistent_fail": "The target is missed month after month",
    "inconsistent": "The target is met or missed by chance",
}
POSITION_SHORT = {"below": "Below", "above": "Above", "not distinguishable": "No clear difference"}
REASONS = {
    "new release": "The publisher has published figures that were not there before.",
    "revision": "The publisher has changed figures that were there before; the last file stays in the archive.",
    "correction": "A known error of the publisher has been mended here; the release’s corrections say what and why.",
    "no longer in the newest release": "The publisher’s newest release does not hold them any more.",
    "membership": "The trust has moved to another local maternity system or region.",
    "method or reference data": "The publisher’s figures are the same: how they are computed or assigned has changed.",
}
CHANGED = {
    "value": "value",
    "numerator": "number",
    "denominator": "denominator",
    "lower_95": "interval",
    "upper_95": "interval",
    "publisher_value": "publisher’s rate",
    "adjusted_value": "adjusted value",
    "adjusted_lower_95": "adjusted value",
    "adjusted_upper_95": "adjusted value",
    "publisher_band": "publisher’s band",
    "trusts_expected": "trusts expected",
    "trusts_reporting": "trusts visible",
    "value_min": "least possible value",
    "value_max": "greatest possible value",
}
LABELS = {"suppressed": "Masked"}
# colours of the tags by what they say; the words stand on the tag, so colour is never alone
TAG_LOOKS = {
    **dict.fromkeys(("better", "special_cause_improvement", "consistent_pass", "below"), "tag-better"),
    **dict.fromkeys(("worse", "special_cause_concern", "consistent_fail", "above"), "tag-worse"),
    **dict.fromkeys(("higher", "lower", "increasing", "decreasing"), "tag-neutral"),
    **dict.fromkeys(("block", "red"), "tag-red"),
    **dict.fromkeys(("warn", "amber", "open", "late"), "tag-amber"),
}


def decimals(unit: str | None, value: float) -> int:
    """Return how many decimals a value of this unit is shown with."""
    if unit == "%":
        return 1
    if unit and unit.startswith("per "):
        return 2
    return 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2


def number(value: float | None, unit: str | None = None) -> str:
    """Write a value of a unit; nothing for nothing."""
    return "" if value is None else f"{value:,.{decimals(unit, value)}f}"


def counted(value: float | None) -> str:
    """Write a count: whole where it is whole, or so great that a part of one does not matter."""
    if value is None:
        return ""
    return f"{value:,.0f}" if value == round(value) or value >= 1000 else f"{value:,.1f}"


def with_unit(value: float | None, unit: str | None) -> str:
    """Write a value with its unit: 3.80 per 1,000, 7.8%."""
    if value is None:
        return "no value"
    return f"{number(value, unit)}%" if unit == "%" else f"{number(value, unit)} {unit or ''}".strip()


def unit_after(unit: str | None) -> str:
    """Write a unit after a value: `%` close to it, others after a space."""
    return unit if unit == "%" else f" {unit}" if unit else ""


def shown(value: Value) -> str:
    """Write the value, or what is shown instead of it."""
    if value.value is not None:
        return number(value.value, value.unit)
    if value.is_suppressed:
        return "Masked"
    if value.value_min is not None and value.value_max is not None:
        return f"Between {number(value.value_min, value.unit)} and {number(value.value_max, value.unit)}"
    return "No value"


def interval(value: Value) -> str:
    """Say the 95% interval."""
    return span(value.lower_95, value.upper_95, value.unit, "denominator_withheld" in value.usage_warnings)


def adjusted_interval(value: Value) -> str:
    """Say the 95% interval of the adjusted value."""
    return span(value.adjusted_lower_95, value.adjusted_upper_95, value.unit)


def span(low: float | None, high: float | None, unit: str, withheld: bool = False) -> str:
    """Write an interval; one that was widened to one decimal is not shown with two."""
    if low is None or high is None:
        return ""
    return f"{low:.1f} to {high:.1f}" if withheld else f"{number(low, unit)} to {number(high, unit)}"


def why_no_value(value: Value) -> str:
    """Say why a value is not there, in words; nothing where it is there."""
    if value.value is not None:
        return ""
    if value.is_suppressed:
        return "masked by the publisher: the number is small"
    return (value.is_incomplete and trusts_visible(value)) or "the publisher gives no value"


def trusts_visible(value: Value) -> str:
    """Say on how many of its trusts an area's value rests; nothing where that is not known."""
    if value.trusts_expected is None:
        return ""
    return f"{value.trusts_reporting or 0} of {value.trusts_expected} trusts visible"


def comparator_name(value: Value) -> str:
    """Name what the value is compared with."""
    return value.comparator_name or ("England" if value.level != "england" else "comparator")


def comparator(value: Value) -> str:
    """Say what the value is compared with."""
    if value.comparator_value is None:
        return ""
    return f"{comparator_name(value)}: {number(value.comparator_value, value.unit)}"


def whose_verdict(row: Value | dict[str, Any]) -> str:
    """Name whose verdict a row's is, and on what it rests."""
    get = row.get if isinstance(row, dict) else lambda name: getattr(row, name)
    if get("verdict_basis") == "publisher":
        return "MBRRACE-UK’s verdict" if get("source_id") == "mbrrace" else "publisher’s verdict"
    if get("verdict_basis") == "publisher_adjusted_rate":
        return f"our verdict on the publisher’s adjusted rate, {get('verdict_level')}% limits"
    return f"our verdict, {get('verdict_level')}% limits" if get("verdict_basis") else ""


def rests_on_adjusted(row: Value | dict[str, Any]) -> bool:
    """Whether what is concluded rests on the publisher's adjusted rate, beside which the crude one proves nothing."""
    get = row.get if isinstance(row, dict) else lambda name: getattr(row, name)
    return get("verdict_basis") not in (None, "own") and get("adjusted_value") is not None


def label(word: str | None) -> str:
    """Turn a word of a vocabulary into a label: `small_numbers` → Small numbers."""
    text = LABELS.get(word or "", word or "").replace("_", " ").strip()
    return text[:1].upper() + text[1:]


def tag_look(word: str | None) -> str:
    """Return the class of a tag."""
    return TAG_LOOKS.get(word or "", "tag-grey")


def day(value: date | datetime | str | None) -> str:
    """Write a date as people do: 1 May 2025."""
    if value is None or value == "":
        return ""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return f"{value.day} {value:%B %Y}"


def sentence(text: str) -> str:
    """Begin a sentence with a text: its first letter is a capital."""
    return text[:1].upper() + text[1:]


def period(row: Value | dict[str, Any]) -> str:
    """Write the period of a row: April 2025, three months to April 2025, 2024."""
    return periods.in_words(*_period_of(row))


def short_period(row: Value | dict[str, Any]) -> str:
    """Write the period of a row where there is little room: Apr 2025, 3 months to Apr 2025, 2024."""
    return periods.in_short(*_period_of(row))


def _period_of(row: Value | dict[str, Any]) -> tuple[str, date | None, int | None]:
    get = row.get if isinstance(row, dict) else lambda name: getattr(row, name)
    return str(get("period_label")), get("period_end"), get("months_covered")


def marked(text: str, is_synthetic: bool) -> str:
    """Say behind a title that what follows is invented sample data, where it is."""
    return f"{text} (synthetic sample)" if is_synthetic else text


def first_address(text: str | None) -> str:
    """Return the first web address in a text, or nothing."""
    found = re.search(r"https?://[^\s]+", text or "")
    return found[0] if found else ""


def month(value: date) -> str:
    """Write a month: April 2024."""
    return f"{value:%B %Y}"


def short_day(value: date | None) -> str:
    """Write a date for a table's cell: 1 May 2025, 30 Sep 2025."""
    return "" if value is None else f"{value.day} {value:%b %Y}"


def day_and_time(value: datetime | str) -> str:
    """Write a moment: 23 November 2026 at 02:39 UTC."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return f"{day(moment)} at {moment:%H:%M} UTC"


def what_changed(columns: Sequence[str]) -> str:
    """Name what differs between two editions' rows."""
    return ", ".join(dict.fromkeys(CHANGED.get(name, label(name).lower()) for name in columns))


def cadence(months: int | None) -> str:
    """Say how long the periods of some figures are: monthly, quarterly, yearly."""
    return {1: "monthly", 3: "quarterly", 12: "yearly"}.get(months or 0, "")


def listing(items: Sequence[str], last: str = "and") -> str:
    """Join words: a, b and c."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"


def plural(count: int, one: str, many: str | None = None) -> str:
    """Count things: 1 trust, 2 trusts."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def slug(text: str) -> str:
    """Return a file name that is safe everywhere."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text).strip("-.") or "unnamed"


def answered(row: Record) -> str:
    """Return what an organisation says to a figure, with who and when."""
    name = row["organisation_name"] or row["organisation_code"]
    return f"{name}: {row['text']} ({row['said_by']}, {day(row['said_on'])})"


def without_nhs(name: str) -> str:
    """Return a trust's name without the words that all trusts' names end in."""
    return re.sub(r",? (NHS|Hospitals? NHS|University Hospitals? NHS) (Foundation )?Trust$", "", name)


def short_publisher(text: str | None) -> str:
    """Return a publisher's name without what stands in brackets."""
    return (text or "").split(" (")[0]


def publisher_letters(text: str | None) -> str:
    """Return the letters that a publisher puts in brackets after its name (OHID), else the name without what it adds.

    What it adds begins with a small letter (RCPCH, commissioned by HQIP). A list of publishers stays whole: its first
    name would stand for the figures of the others.
    """
    found = re.search(r" \(([A-Z]{3,})\)", text or "")
    return found[1] if found else re.split(r", (?=[a-z])", short_publisher(text))[0]


def uncapitalised(text: str) -> str:
    """Begin a name as within a sentence: stillbirth rate (ONS), but MBRRACE stays."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def geography(text: str) -> str:
    """Name the country of a figure, and where the source leaves it open, that it does."""
    return text.replace("(?)", " (as far as the source says)")


def ambition_sentence(newest: dict[str, Any]) -> str:
    """Say where the newest figure of an ambition stands, with its unit: the position of the mart as a sentence."""
    place = geography(newest["geography"])
    return f"{place}, {newest['unit']}: {newest['position']}."
