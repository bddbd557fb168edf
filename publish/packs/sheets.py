"""The sheets of a pack's workbook, at most eight: what a person reads; the whole tables lie beside it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Final

from perinatal.made_files import Since
from perinatal.settings import PROJECT_ROOT
from publish.packs import columns
from publish.packs.areas import Lms
from publish.packs.figures import Figures, Line
from publish.portal import wording as words
from publish.portal.attention import TIERS
from publish.portal.model import Record, Value
from publish.portal.topics import OUTCOME, PROCESS, topic_of
from publish.workbook import Block, Cell, Column, Sheet, Spark, Workbook

MOST_LINES: Final = 150  # indicators of a sheet
MOST_GROUPS: Final = 200

SAID_TRENDS = words.TREND_WORDS.keys() - {"cannot be calculated"}
GOOD = {"low": "low", "high": "high"}


def workbook(figures: Figures, lms: Lms, *, is_synthetic: bool) -> Callable[[Since], Workbook]:
    """Return the workbook of an LMS, given the first edition in which it reads so."""
    outcomes, process = (figures.lines(lms.code, kind) for kind in (OUTCOME, PROCESS))
    unequal = figures.inequality.get(lms.code, [])[:MOST_GROUPS]
    standing_out = figures.attention.get(lms.code, [])
    lines = [*outcomes[:MOST_LINES], *process[:MOST_LINES]]
    indicators = {line.any.indicator_id for line in lines} | {row["indicator_id"] for row in (*standing_out, *unequal)}
    keys = {value.release_key for line in lines for value in line.values}
    keys |= {row["release_key"] for row in (*standing_out, *unequal)}
    sheets = [
        _standing_out(figures, standing_out),
        _figures_of("Outcomes", figures, outcomes, "What happened to mothers and babies"),
        _figures_of("Process", figures, process, "What care they had"),
        _inequality(unequal),
        _changes(figures.changes.get(lms.code, [])),
        _definitions(figures, indicators),
        _provenance(figures, keys, figures.missing.get(lms.code, [])),
    ]
    return lambda since: Workbook(
        f"{lms.name} ({lms.code})", _cover(figures, lms, since, is_synthetic=is_synthetic), sheets, is_synthetic
    )


def _standing_out(figures: Figures, rows: Sequence[Record]) -> Sheet:
    return Sheet(
        "What stands out",
        "Outcomes whose newest verdict is worse, none older than three years: first of the LMS, then of each trust; "
        "deaths first.",
        [Block(columns.STANDING_OUT, [_attention(figures, row) for row in rows])],
        "Nothing: no outcome of the LMS or of its trusts has a newest verdict that is worse.",
        frozen=3,
    )


def _attention(figures: Figures, row: Record) -> list[Any]:
    key = (row["level"], row["organisation_code"], row["indicator_id"], row["source_id"])
    value = figures.values.get(key)
    adjusted = value.adjusted_value if value and value.release_key == row["release_key"] else None
    is_judged = words.rests_on_adjusted(row | {"adjusted_value": adjusted})
    heading, first = TIERS[row["tier"]]
    group = "" if row["breakdown_value"] == "all" else f" ({row['breakdown_value']})"
    return [
        heading,
        row["organisation_name"],
        f"{row['indicator_name']}{group}",
        words.period(row),
        row["unit"],
        _number(row["value"], row["unit"]),
        _number(adjusted if is_judged else None, row["unit"]),
        _number(row["comparator_value"], row["unit"]),
        words.label(row["verdict"]),
        words.sentence(words.whose_verdict(row)),
        Cell(row["excess"], decimals=0 if row["excess"] is not None and row["excess"] >= 1 else 1),
        words.month(row["held_since"]) if row["held_since"] and row["held_since"] < row["period_start"] else None,
        "New" if row["is_new"] else None,
        words.listing(row["trusts"] or []),
        first,
    ]


def _figures_of(name: str, figures: Figures, lines: Sequence[Line], what: str) -> Sheet:
    trusts = {value.code: value.name for line in lines for value in line.trusts.values()}
    ordered = sorted(trusts, key=lambda code: (trusts[code], code))
    shown = lines[:MOST_LINES]
    adjusted = {code for line in shown for code, value in line.trusts.items() if words.rests_on_adjusted(value)}
    names = [column for code in ordered for column in _trust_columns(trusts[code], has_adjusted=code in adjusted)]
    heads = [*columns.FIGURES, *names, columns.MIND]
    rows = [_line(figures, line, ordered, adjusted) for line in shown]
    answers = [figures.answered(line) for line in shown]
    if any(answers):
        heads.append(columns.ANSWERED)
        rows = [[*row, answer] for row, answer in zip(rows, answers, strict=True)]
    more = len(lines) - MOST_LINES
    cut = f" {more} more indicators are in lms_indicator.csv." if more > 0 else ""
    return Sheet(
        name,
        f"{what}: the newest figures of the LMS, and beside them those of its trusts, with the word of the verdict: "
        "beside the adjusted rate, where the verdict rests on that. "
        f"Counts, groups, earlier periods and how well care is recorded are in the CSV files.{cut}",
        [Block(heads, rows)],
        "No source of this edition has such figures of the LMS or of its trusts.",
    )


def _trust_columns(name: str, *, has_adjusted: bool) -> list[Column]:
    """Return the columns of a trust: its value, and the adjusted rate where a verdict of the sheet rests on one."""
    short = words.without_nhs(name)
    own = [Column(short, columns.TRUST_WIDTH)]
    return [*own, Column(f"{short}, adjusted", columns.TRUST_WIDTH)] if has_adjusted else own


def _line(figures: Figures, line: Line, trusts: Sequence[str], adjusted: Collection[str]) -> list[Any]:
    own, some = line.own, line.any
    position = line.position or {}
    warnings = [word for word in (own.usage_warnings if own else []) if word != "synthetic"]
    return [
        some.indicator_name,
        topic_of(some.indicator_id).name,
        figures.publisher(some.source_id),
        words.period(some),
        some.unit,
        *(_own(own) if own else [None] * 6),
        Spark(line.points),
        words.TREND_WORDS[own.recent_trend] if own and own.recent_trend in SAID_TRENDS else None,
        _number(position.get("target"), some.unit),
        words.POSITION_SHORT.get(position.get("position") or ""),
        f"{own.trusts_reporting} of {own.trusts_expected}" if own and own.trusts_expected is not None else None,
        *(cell for code in trusts for cell in _of_trust(line.trusts.get(code), has_adjusted=code in adjusted)),
        "; ".join(figures.warnings.get(word, words.label(word)) for word in warnings),
    ]


def _own(value: Value) -> list[Any]:
    """Return an LMS's value with its interval, what it is compared with and what is concluded."""
    return [
        _shown(value),
        _number(value.lower_95, value.unit),
        _number(value.upper_95, value.unit),
        _number(value.comparator_value, value.unit),
        words.label(value.verdict) or None,
        words.sentence(words.whose_verdict(value)) or None,
    ]


def _of_trust(value: Value | None, *, has_adjusted: bool) -> list[Any]:
    """Return a trust’s value and adjusted rate; the word of a verdict stands beside what the verdict rests on."""
    if value is None:
        return [None, None] if has_adjusted else [None]
    verdict = value.verdict if value.verdict in ("worse", "better") else ""
    if has_adjusted and value.adjusted_value is not None and words.rests_on_adjusted(value):
        return [_shown(value), _judged(value.adjusted_value, value.unit, verdict or "")]
    return [_shown(value, verdict or ""), None] if has_adjusted else [_shown(value, verdict or "")]


def _judged(number: float, unit: str, verdict: str) -> Cell:
    return Cell(number, verdict or "text", words.decimals(unit, number), verdict)


def _shown(value: Value, verdict: str = "") -> Any:
    """Return the number, or the words that are shown instead of it."""
    if value.value is None:
        return Cell(words.shown(value), "masked")
    return _judged(value.value, value.unit, verdict)


def _number(value: float | None, unit: str) -> Any:
    return None if value is None else Cell(value, decimals=words.decimals(unit, value))


def _inequality(rows: Sequence[Record]) -> Sheet:
    return Sheet(
        "Inequality",
        "Differences between groups of women and babies in the newest figures of the LMS; those first in which a group "
        "differs from the group that it is compared with by more than chance.",
        [Block(columns.INEQUALITY, [_group(row) for row in rows])],
        "No source of this edition gives figures of the LMS by ethnicity or deprivation.",
    )


def _group(row: Record) -> list[Any]:
    limits = (row["ratio_lower_95"], row["ratio_upper_95"])
    differs = ("Higher" if row["ratio"] > 1 else "Lower") if row["differs"] else None
    return [
        row["indicator_name"],
        row["breakdown"],
        row["group"],
        words.period(row),
        row["unit"],
        *(_number(row[name], row["unit"]) for name in ("rate", "lower_95", "upper_95")),
        row["reference_group"],
        *(Cell(number, decimals=2) for number in (row["ratio"], *limits)),
        Cell(differs, "bold"),
        _number(row["gap"], row["unit"]),
    ]


def _changes(rows: Sequence[Record]) -> Sheet:
    return Sheet(
        "Changes",
        "What differs from the last edition for the LMS and its trusts: figures that changed, one by one, then how "
        "many are new. All of them are in changes.csv.",
        [Block(columns.CHANGES, [_change(row) for row in rows])],
        "Nothing differs from the last edition for the LMS and its trusts, or there is none.",
    )


def _change(row: Record) -> list[Any]:
    unit = row["unit"] or ""
    change = words.plural(row["figures"], "new figure") if row["change"] == "added" else words.label(row["change"])
    return [
        row["indicator_name"] or words.label(row["indicator_id"]),
        row["organisation_name"],
        words.period(row) if row["period_label"] else None,
        None if row["breakdown_value"] in ("all", None) else row["breakdown_value"],
        unit,
        change,
        _number(row["old_value"], unit),
        _number(row["new_value"], unit),
        words.what_changed(row["changed_columns"] or []),
        words.REASONS.get(row["reason"], words.label(row["reason"])),
    ]


def _definitions(figures: Figures, indicators: Iterable[str]) -> Sheet:
    about = [figures.indicators[name] for name in indicators if name in figures.indicators]
    about.sort(key=lambda row: (row["indicator_name"] or "", row["indicator_id"]))
    explained = (*columns.STANDING_OUT, *columns.FIGURES, columns.ANSWERED, *columns.INEQUALITY, *columns.CHANGES)
    meanings = {column.name: column.meaning for column in explained if column.meaning}
    return Sheet(
        "Definitions",
        "What each indicator counts and what each column says. data_dictionary.csv explains those of the CSV files.",
        [
            Block(columns.DEFINITIONS, [_definition(row) for row in about], "Indicators"),
            Block(columns.EXPLAINED, [*meanings.items()], "Columns"),
        ],
        "",
    )


def _definition(row: Record) -> list[Any]:
    notes = [row["difference_note"], row["series_break"] and f"The definition changed: {row['series_break']}"]
    return [
        row["indicator_name"],
        row["definition"],
        row["numerator_definition"],
        row["denominator_definition"],
        row["unit"],
        GOOD.get(row["polarity"], "neither"),
        " ".join(note for note in notes if note),
    ]


def _provenance(figures: Figures, keys: Iterable[str], missing: Sequence[Record]) -> Sheet:
    rows = [figures.releases[key] for key in sorted(keys) if key in figures.releases]
    return Sheet(
        "Provenance",
        "The files that the figures of this workbook come from, as their publishers gave them; releases.csv lists all, "
        "and release_key in each CSV file names the one of a row.",
        [
            Block(columns.RELEASES, [_release(row) for row in rows], "Files"),
            Block(
                columns.MISSING,
                [_missing(figures, row) for row in missing],
                "Trusts missing from a publisher's newest figures",
            ),
        ],
        "This workbook holds no figures.",
    )


def _release(row: Record) -> list[Any]:
    return [
        row["publisher"],
        words.label(row["dataset"]),
        row["release"],
        words.label(row["status"]),
        row["published_on"],
        row["fetched_at"],
        row["licence"],
        row["url"],
        row["original_name"],
        row["sha256"],
    ]


def _missing(figures: Figures, row: Record) -> list[Any]:
    return [
        figures.publisher(row["source_id"]),
        words.label(row["dataset"]),
        row["trust_name"] or row["trust_code"],
        f"{row['periods_missing']} of {row['periods_expected']}",
        row["newest_reported"],
        row["newest_expected"],
    ]


def _cover(figures: Figures, lms: Lms, since: Since, *, is_synthetic: bool) -> list[tuple[str, str]]:
    """Return the lines of the cover: what it is, from when, how to read it."""
    real = "no: made from the publishers' releases"
    return [
        ("Local maternity system", f"{lms.name} ({lms.code})"),
        ("Region", lms.region_name),
        ("Integrated care board today", lms.icb_name),
        ("Unchanged since edition", since.edition_id),
        ("Published", words.day_and_time(since.published_at) if since.published_at else ""),
        ("Synthetic", "YES: invented sample data, about no real organisation" if is_synthetic else real),
        ("Masked", "The publisher hides a small number; nothing in this pack lets it be worked out."),
        ("Between", "A trust of the LMS is masked or missing: the value lies between these bounds."),
        ("Verdict", "Better or worse than the comparison, and whose verdict it is: deaths by MBRRACE-UK alone."),
        *(("Answer to every figure", words.answered(row)) for row in figures.answers_to_all(lms.code)),
        ("Whole tables", "CSV and Parquet beside this workbook; data_dictionary.csv explains every column."),
        ("Licence", "The figures are their publishers', under the licence beside each release (sheet Provenance)."),
        ("Methods", f"{(PROJECT_ROOT / 'docs' / 'methods.md').name} of Perinatal Insights; methods.html of its pages."),
    ]
