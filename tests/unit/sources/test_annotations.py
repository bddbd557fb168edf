"""Answers to figures: the template lands, and what nobody could place is refused with its row and a remedy."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.registry import SOURCES_DIR, source

COLUMNS = "organisation,indicator,period,text,name,date"
GOOD = {
    "organisation": "RCF",
    "indicator": "stillbirth_rate",
    "period": "2023",
    "text": "A resubmission is due in March.",
    "name": "Director of Midwifery",
    "date": "2026-01-15",
}


def table(*rows: dict[str, str]) -> str:
    cells = [[row[name].replace('"', '""') for name in COLUMNS.split(",")] for row in rows]
    return "\n".join([COLUMNS, *('"' + '","'.join(row) + '"' for row in cells)]) + "\n"


def test_the_example_lands_and_has_the_documented_columns(arrives: Callable) -> None:
    text = (SOURCES_DIR / "annotations" / "example.csv").read_text(encoding="utf-8")
    assert text.splitlines()[0] == COLUMNS
    arrived = arrives("annotations", "anything.csv", text)
    assert arrived.refused == frozenset(), arrived.messages
    assert (arrived.identity.dataset, arrived.identity.release) == ("answers", "RCF-2026-01-15")


def test_an_answer_to_every_figure_and_every_period_lands(arrives: Callable) -> None:
    arrived = arrives("annotations", "x.csv", table({**GOOD, "organisation": "qop", "indicator": "all", "period": ""}))
    assert arrived.refused == frozenset(), arrived.messages
    assert arrived.identity.release == "QOP-2026-01-15"


def test_names_of_persons_in_the_text_are_masked(arrives: Callable) -> None:
    arrived = arrives("annotations", "x.csv", table({**GOOD, "text": "Dr Sarah Whitfield has reviewed these deaths."}))
    assert "Whitfield" not in arrived.rows[0]["text"]
    assert arrived.rows[0]["name"] == "Director of Midwifery"


@pytest.mark.parametrize(
    ("change", "standard"),
    [
        ({"organisation": "RXQ"}, "one_organisation_a_file"),
        ({"organisation": "ZZ9"}, "organisations_are_trusts_or_lms"),
        ({"indicator": "stillbirths"}, "answers_name_an_indicator"),
        ({"indicator": ""}, "indicator__filled"),
        ({"period": "last year"}, "period__pattern"),
        ({"text": ""}, "text__filled"),
        ({"text": "x" * 501}, "answers_are_short"),
        ({"name": ""}, "name__filled"),
        ({"date": "2090-01-01"}, "answers_were_given_before_they_arrived"),
        ({"date": "soon"}, "date__type"),
        ({"text": "a resubmission is due in march"}, "answers_stand_once"),
    ],
)
def test_what_cannot_be_placed_is_refused(change: dict[str, str], standard: str, arrives: Callable) -> None:
    arrived = arrives("annotations", "x.csv", table(GOOD, {**GOOD, "text": "Another answer", **change}
                      if "text" not in change else {**GOOD, **change}))  # fmt: skip
    assert standard in arrived.refused, (arrived.refused, arrived.messages)


def test_a_first_row_without_a_day_says_so(arrives: Callable) -> None:
    arrived = arrives("annotations", "x.csv", table({**GOOD, "date": "soon"}))
    assert "no day such as 2026-01-15" in arrived.messages[0]


def test_the_sample_says_that_it_is_synthetic_and_lands(arrives: Callable, tmp_path: Path) -> None:
    source("annotations").sample.generate(tmp_path)
    files = sorted(tmp_path.glob("answers-*.csv"))
    assert len(files) == 3
    for file in files:
        text = file.read_text(encoding="utf-8")
        assert "SYNTHETIC" in text
        assert arrives("annotations", file.name, text).refused == frozenset()
