"""The templates' environment: where they lie, and the filters that they write numbers, dates and words with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import jinja2
from markupsafe import Markup, escape

from publish.portal import wording as words
from publish.portal.model import Record
from publish.portal.rows import verdict_counts
from publish.portal.topics import topic_of

TEMPLATES = Path(__file__).parent / "templates"


def environment() -> jinja2.Environment:
    """Return the environment; a name that a template uses and nobody gives is an error."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        auto_reload=False,
    )
    made.filters |= {
        "number": words.number,
        "counted": words.counted,
        "with_unit": words.with_unit,
        "shown": words.shown,
        "interval": words.interval,
        "adjusted_interval": words.adjusted_interval,
        "answered": words.answered,
        "whose_verdict": words.whose_verdict,
        "row_interval": _row_interval,
        "why_no_value": words.why_no_value,
        "trusts_visible": words.trusts_visible,
        "comparator": words.comparator,
        "label": words.label,
        "tag_look": words.tag_look,
        "day": words.day,
        "short_day": words.short_day,
        "cadence": words.cadence,
        "what_changed": words.what_changed,
        "geography": words.geography,
        "uncapitalised": words.uncapitalised,
        "rests_on_adjusted": words.rests_on_adjusted,
        "sentence": words.sentence,
        "period": words.period,
        "marked": words.marked,
        "topic_name": lambda indicator_id: topic_of(indicator_id).name,
        "verdict_counts": verdict_counts,
        "day_and_time": words.day_and_time,
        "plural": words.plural,
        "slug": words.slug,
        "short_publisher": words.short_publisher,
        "without_nhs": words.without_nhs,
        "linked": _linked,
        "tally": _tally,
        "evidence_text": _evidence_text,
    }
    return made


def _linked(text: str) -> Markup:
    """Make a link of the first web address in a text; any other address is text."""
    start = text.find("http")
    if start < 0 or not text[start:].startswith(("https://", "http://")):
        return escape(text)
    address, _, rest = text[start:].partition(" ")
    shown = address.removeprefix("https://").removeprefix("http://")
    return Markup('{}<a href="{}" rel="noopener noreferrer">{}</a> {}').format(text[:start], address, shown, rest)


def _row_interval(row: Record) -> str:
    return words.span(row["lower_95"], row["upper_95"], row["unit"], "denominator_withheld" in row["usage_warnings"])


def _evidence_text(row: Record) -> Markup:
    """Return a finding's text with the passage marked that it was coded by."""
    text, passage = row.get("text") or "", row["evidence"] or ""
    start = row["evidence_start"] or 0
    if not passage or text[start : start + len(passage)] != passage:
        return escape(passage or text)
    return Markup("{}<mark>{}</mark>{}").format(text[:start], passage, text[start + len(passage) :])


def _tally(rows: Iterable[Record]) -> list[tuple[str, str, int]]:
    """Count changed rows by kind and reason."""
    found: Counter[tuple[str, str]] = Counter()
    for row in rows:
        found[row["change"], row["reason"]] += row["rows"]
    return [(change, reason, count) for (change, reason), count in sorted(found.items())]
