"""Where people's decisions on codes are kept, and how they come in: one by one, from a spreadsheet, from the inbox.

`PERINATAL_HOME/themes/decisions.csv` only grows. A file from a spreadsheet is taken whole or not at all; rows that are
kept already are passed over, so that the same file may come twice.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

from expectations.alerts import AlertLog, Breach, Scope
from insights.decisions import COLUMNS, DecisionFile, checked
from insights.questions import Question
from insights.review_agreement import reviewed
from insights.themes import load_themes, theme_ids
from perinatal.csv_rows import read_rows
from perinatal.dropped_files import check_incoming, signature, stable_files
from perinatal.errors import PerinatalError
from perinatal.opening import open_database
from perinatal.spreadsheet_safe import safe_text

SCOPE = Scope.of("themes", "inbox")
SHEET = (*COLUMNS, "said", "theme", "score", "proposed", "evidence", "text", "document")
# before each id in a sheet: a spreadsheet reads 12e4567890123456 as a number, and writes another one back
ID_MARK = "id:"
NUMBER = re.compile(r"-?\d+([.,]\d+)?(E[+-]?\d+)?", re.IGNORECASE)
FINDINGS = """
select finding_id, text, concat_ws(', ', document_title, 'page ' || page) as place
from core.fct_finding order by finding_id
"""
ENCODINGS = ("utf-8-sig", "cp1252")  # Excel's "CSV (Comma delimited)" is the second
DAY_FIRST = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")


@dataclass(frozen=True)
class Taken:
    """What a file brought: decisions that are new, that were known, and rows without a decision."""

    new: int
    known: int
    undecided: int


def questions(
    database: Path, decisions: DecisionFile, limit: int | None, theme_id: str | None
) -> tuple[list[Question], dict[str, str]]:
    """Return what is to be decided in an edition, and where each finding stands (document, page)."""
    from insights.coding import train
    from insights.questions import queue

    if theme_id and theme_id not in theme_ids():
        raise PerinatalError(f"unknown theme {theme_id!r}; the themes are {', '.join(theme_ids())}")
    with open_database(database, read_only=True) as connection:
        rows = connection.execute(FINDINGS).fetchall()
    findings = [(finding_id, text) for finding_id, text, _ in rows]
    places = {finding_id: place for finding_id, _, place in rows}
    if not findings:
        return [], places
    made = decisions.read()
    coder = train(decisions=made, decided_texts=dict(findings))
    disputed = {key: code.in_words for key, code in reviewed(made).items() if code.is_disputed}
    return queue(coder, findings, limit, theme_id, disputed), places


def write_sheet(asked: Iterable[Question], places: Mapping[str, str], path: Path) -> int:
    """Write questions as a sheet to fill in: decision, reviewer, and a date or nothing for today."""
    rows = [_sheet_row(question, places.get(question.finding_id, "")) for question in asked]
    try:
        # with a byte order mark, without which spreadsheets take UTF-8 for an old encoding
        with path.open("w", encoding="utf-8-sig", newline="") as out:
            writer = csv.writer(out, lineterminator="\r\n")
            writer.writerow(SHEET)
            writer.writerows(rows)
    except OSError as error:
        raise PerinatalError(f"{path}: cannot be written ({error.strerror})") from error
    return len(rows)


def _sheet_row(question: Question, place: str) -> list[str]:
    label = next(theme.label for theme in load_themes() if theme.theme_id == question.theme_id)
    to_fill_in = ["", "", "", ""]
    asked = [label, f"{question.score:.2f}", "yes" if question.proposed else "no"]
    words = [safe_text(text) for text in (question.evidence, question.text, place)]
    return [ID_MARK + question.finding_id, question.theme_id, *to_fill_in, safe_text(question.said), *asked, *words]


def take_sheet(decisions: DecisionFile, path: Path, today: date, reviewer: str = "") -> Taken:
    """Take the decisions of a sheet; `reviewer` fills blank names. Raises PerinatalError and keeps nothing of it."""
    rows = [(line, {name: row.get(name, "").strip() for name in COLUMNS}) for line, row in _sheet_rows(path)]
    filled = [(line, row) for line, row in rows if row["decision"]]
    made = [checked(_dated(row, today, reviewer), f"{path}, line {line}") for line, row in filled]
    new = decisions.keep(made)
    return Taken(new, len(made) - new, len(rows) - len(filled))


def _sheet_rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the rows of a sheet, the mark before each id taken off. Raises PerinatalError on an id that was changed."""
    for line, row in read_rows(path, COLUMNS[:3], encodings=ENCODINGS):
        marked = row["finding_id"].strip()
        if not marked.startswith(ID_MARK) and NUMBER.fullmatch(marked) and re.search("[.,e]", marked, re.IGNORECASE):
            raise PerinatalError(
                f"{path}, line {line}: finding_id {marked!r} is a number that a spreadsheet made of an id. "
                "Fill in a sheet of `perinatal themes review --export`, whose ids stay as they are."
            )
        yield line, row | {"finding_id": marked.removeprefix(ID_MARK)}


def _dated(row: dict[str, str], today: date, reviewer: str) -> dict[str, str]:
    """Fill name and date; a spreadsheet of this country turns 2026-11-23 into 23/11/2026."""
    day_first = DAY_FIRST.fullmatch(row["decided_on"])
    day = row["decided_on"] or today.isoformat()
    if day_first:
        day = f"{day_first[3]}-{int(day_first[2]):02}-{int(day_first[1]):02}"
    return {
        **row,
        "decision": row["decision"].lower(),
        "theme_id": row["theme_id"].upper(),
        "reviewer": row["reviewer"] or reviewer,
        "decided_on": day,
    }


def take_inbox(folder: Path, decisions: DecisionFile, log: AlertLog, today: date, quiet_seconds: float) -> list[str]:
    """Take every sheet in the folder; a faulty one stays there, under an alert, and stops nothing else.

    Returns a line for each sheet taken.
    """
    if not folder.is_dir():
        return []
    lines, wrong = [], []
    for path in stable_files(sorted(folder.glob("*.csv")), quiet_seconds):
        try:
            check_incoming(path, folder)
            before = signature(path)
            taken = take_sheet(decisions, path, today)
        except PerinatalError as error:
            wrong.append({"file": path.name, "problem": str(error)})
            continue
        if signature(path) == before:  # else somebody has saved it again: the next build takes that
            _set_aside(path, decisions.path.parent / "taken")
        lines.append(f"{path.name}: {taken.new} decision(s) on themes, {taken.known} known already")
    log.reconcile(SCOPE, _breaches(wrong))
    return lines


def _breaches(wrong: list[dict[str, Any]]) -> list[Breach]:
    if not wrong:
        return []
    what, remedy = f"A review in the inbox cannot be taken: {wrong[0]['problem']}", "Mend the file; it waits there."
    return [Breach("review_not_taken", "warn", what, len(wrong), wrong, remedy, ["marts.theme_evidence"])]


def _set_aside(path: Path, folder: Path) -> None:
    """Move a file that was taken out of the inbox; its bytes are kept under a name of their own."""
    kept = folder / f"{sha256(path.read_bytes()).hexdigest()[:12]}-{path.name}"
    kept.parent.mkdir(parents=True, exist_ok=True)
    path.replace(kept)
