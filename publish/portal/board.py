"""The board report: one A4 sheet a trust, with the measures of the 2020 guide, verdicts, trends and gaps.

A board gets it on paper, so everything has a bound: so many rows, so many things that stand out; what is left out is
counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from publish.portal import wording as words
from publish.portal.answers import EVERY_FIGURE, Answers
from publish.portal.model import Record, Value
from publish.portal.organisations import OrganisationViews

MOST_ROWS = 16
MOST_STANDING_OUT = 4
MOST_ANSWERS = 4
BOARD_RETURN = "board_return"


@dataclass(frozen=True)
class Icon:
    """A trend as a picture: `look` is better, worse, change or level; `way` is up, down or level; and in words."""

    look: str
    way: str
    says: str


@dataclass(frozen=True)
class BoardRow:
    """A figure of the dashboard; `value` is the same figure with its adjusted value and comparator, if public."""

    row: Record
    name: str
    value: Value | None
    icon: Icon | None


class Boards:
    """Makes the board reports of one edition."""

    def __init__(self, views: OrganisationViews, answers: Answers) -> None:
        self.views = views
        self.answers = answers
        self.lookup = views.lookup
        self.edition = views.edition

    def trusts(self) -> list[Record]:
        """Return the trusts that have a board report: those that stand on the day of the edition."""
        return [trust for trust in self.edition.trusts.values() if self.views.members.is_open(trust)]

    def page(self, trust: Record, restricted: Sequence[Record] | None = None) -> dict[str, Any]:
        """Return the context of a trust's board report.

        `restricted` are the rows of the dashboard in a restricted file, public ones among them; None: the public page.
        """
        code = trust["code"]
        dashboard = self.edition.board.get(code, []) if restricted is None else restricted
        reported = [self._row(code, row) for row in dashboard if row["indicator_id"]]
        told = {row["measure_id"] for row in dashboard if row["indicator_id"]}
        notable = self.views.attention.of("trust", code)
        answered = self._answers(code, dashboard)
        return {
            "trust": trust,
            "lms": next((row for row in self.edition.lms if row["lms_code"] == trust["lms_code"]), None),
            "setting": self.views.members.setting("trust", code),
            "reported": reported[:MOST_ROWS],
            "left_out": max(0, len(reported) - MOST_ROWS),
            "blanks": [row for row in self.edition.board_measures if row["measure_id"] not in told],
            "has_returns": any(row["source_id"] == BOARD_RETURN for row in dashboard),
            "is_restricted": restricted is not None,
            "answered": answered[:MOST_ANSWERS],
            "answers_left_out": max(0, len(answered) - MOST_ANSWERS),
            "missing": self.views.gaps.of("trust_code", code),
            **_standing_out(notable),
        }

    def _answers(self, code: str, dashboard: Sequence[Record]) -> list[Record]:
        """Return what the trust says to figures of its dashboard and to every figure, newest first."""
        shown = [(row["indicator_id"], row["period_start"], row["period_end"]) for row in dashboard]
        to_figures = [
            answer
            for indicator_id, start, end in shown
            if indicator_id
            for answer in self.answers.to("trust", code, indicator_id, start, end)
        ]
        said = {row["annotation_id"] for row in to_figures}
        return [
            row
            for row in self.answers.of("trust", code)
            if row["annotation_id"] in said or row["indicator_id"] == EVERY_FIGURE
        ]

    def _row(self, code: str, row: Record) -> BoardRow:
        return BoardRow(
            row=row,
            name=self.lookup.indicator_name(row["indicator_id"]),
            value=self.lookup.beside(code, row),
            icon=self._icon(code, row),
        )

    def _icon(self, code: str, row: Record) -> Icon | None:
        """Return the trend: the control chart's newest point where there is a chart, else the trend over the years."""
        chart = self.edition.signals.get(("trust", code, row["indicator_id"], row["source_id"]))
        newest = chart[-1].get("point_type") if chart else None
        good = self.edition.indicators.get(row["indicator_id"], {}).get("polarity")
        if newest:
            return _icon(newest.removeprefix("special_cause_"), good, words.SPC_WORDS.get(newest, words.label(newest)))
        trend = row["recent_trend"]
        if not trend or trend == "cannot be calculated":
            return None
        return _icon(trend, good, words.TREND_WORDS[trend])


UP = {"increasing", "neutral_high"}
DOWN = {"decreasing", "neutral_low"}
BETTER = {"better", "improvement"}
WORSE = {"worse", "concern"}


def _icon(word: str, polarity: str | None, says: str) -> Icon:
    """Return the icon of a trend; which way better and worse go follows from which direction is good."""
    if word in UP | DOWN:
        return Icon("change", "up" if word in UP else "down", says)
    if word in BETTER | WORSE:
        look = "better" if word in BETTER else "worse"
        rises = (word in BETTER) == (polarity == "high")
        return Icon(look, "up" if rises else "down", says)
    return Icon("level", "level", says)


def _standing_out(notable: dict[str, Any]) -> dict[str, Any]:
    """Return the first few things that stand out, signals first, and the names of the others."""
    entries = [entry for _, _, found in notable["tiers"] for entry in found]
    signals = notable["signals"][:MOST_STANDING_OUT]
    room = MOST_STANDING_OUT - len(signals)
    return {
        "signals": signals,
        "entries": entries[:room],
        "also": [entry.row["indicator_name"] for entry in entries[room:]] + notable["more"],
    }
