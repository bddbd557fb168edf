"""Review at a terminal: one question after the other, each answer on disk before the next is asked."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from insights.decisions import Decision
from insights.questions import Question
from insights.themes import Theme, load_themes, theme_ids

WIDTH = 96
KEYS = "[c]onfirm  [r]eject  [a]dd another theme  [s]kip  [?] definition  [q]uit"


@dataclass
class Session:
    """One sitting. `ask` shows a prompt and returns the answer; EOFError from it ends the sitting like `q`."""

    reviewer: str
    today: str
    keep: Callable[[Decision], object]
    ask: Callable[[str], str]
    tell: Callable[[str], object]
    kept: int = 0

    def run(self, questions: Sequence[Question], places: Mapping[str, str]) -> int:
        """Ask every question until `q`; `places` says where each finding stands. Returns how many were kept."""
        try:
            for number, question in enumerate(questions, start=1):
                self._show(question, f"{number} of {len(questions)}", places.get(question.finding_id, ""))
                if not self._answer(question):
                    break
        except EOFError:
            self.tell("")
        return self.kept

    def _show(self, question: Question, number: str, place: str) -> None:
        theme = _theme(question.theme_id)
        asked = "proposed" if question.proposed else "not proposed"
        self.tell(f"\n{number}   {plain(place)}")
        self.tell(textwrap.fill(_marked(question), WIDTH, initial_indent="  ", subsequent_indent="  "))
        self.tell(f"{theme.theme_id} {theme.label}: {asked}, score {question.score:.2f}")
        if question.said:
            self.tell(f"Not agreed: {plain(question.said)}")

    def _answer(self, question: Question) -> bool:
        """Ask until there is an answer to this question; False ends the sitting."""
        while True:
            answer = self.ask(f"{KEYS}: ").strip().lower()
            if answer in ("c", "r"):
                yes = "confirm" if question.proposed else "add"
                self._keep(question.finding_id, question.theme_id, yes if answer == "c" else "reject")
                return True
            if answer == "a":
                self._add(question.finding_id)
            elif answer == "?":
                self.tell(textwrap.fill(_theme(question.theme_id).definition, WIDTH))
            elif answer in ("s", "q"):
                return answer == "s"

    def _add(self, finding_id: str) -> None:
        names = self.ask("theme (for example C05 S02, nothing to go back): ").upper().split()
        for theme_id in names:
            if theme_id in theme_ids():
                self._keep(finding_id, theme_id, "add")
            else:
                self.tell(f"{plain(theme_id)} is no theme: {', '.join(theme_ids())}")

    def _keep(self, finding_id: str, theme_id: str, decision: str) -> None:
        self.keep(Decision(finding_id, theme_id, decision, self.reviewer, self.today))
        self.kept += 1


def _theme(theme_id: str) -> Theme:
    return next(theme for theme in load_themes() if theme.theme_id == theme_id)


def _marked(question: Question) -> str:
    """Return the text with the evidence between »«."""
    before, found, after = question.text.partition(question.evidence) if question.evidence else (question.text, "", "")
    return plain(f"{before}»{found}«{after}" if found else question.text)


def plain(text: str) -> str:
    """Return text in one line without control characters, which a document might send to the terminal."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
