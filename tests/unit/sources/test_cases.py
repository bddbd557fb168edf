"""Small invented inputs that once went wrong, from beside the project: read as their clean twin, or refused for it."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CASES = Path(__file__).resolve().parents[4] / "shared" / "cases"
pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason=f"no cases at {CASES}")
LINEAGE = {"source_row", "cell_words"}


def case(name: str) -> bytes:
    return next(CASES.glob(name)).read_bytes()


def rows_of(arrived: Any) -> list[dict[str, object]]:
    assert not arrived.refused, arrived.messages
    return [{name: value for name, value in row.items() if name not in LINEAGE} for row in arrived.rows]


def without_lines(count: int) -> Callable[[bytes], bytes]:
    return lambda content: content.split(b"\n", count)[count]


def with_points(content: bytes) -> bytes:
    return content.replace(b",", b".").replace(b";", b",")


def with_plain_days(content: bytes) -> bytes:
    return content.replace(b"T00:00:00", b"")


def without_commas_in_numbers(content: bytes) -> bytes:
    return re.sub(rb'"(\d[\d,]*)"', lambda found: found[1].replace(b",", b""), content)


@pytest.mark.parametrize(
    ("source", "name", "to_clean"),
    [
        ("msds", "msds/comma_hosp-epis*.csv", with_points),
        ("msds", "msds/msds-jul2024-*.csv", with_plain_days),
        ("msds", "msds/msds-may2024-*.csv", without_lines(2)),
        ("mbrrace", "mbrrace/b15*/*.csv", without_lines(1)),
        ("mbrrace", "mbrrace/b16*/*.csv", without_commas_in_numbers),
        ("mbrrace", "mbrrace/b24*/*.csv", without_lines(1)),
        ("nmpa", "nmpa/c1*.csv", without_lines(1)),
    ],
)
def test_a_layout_that_is_read_gives_the_rows_of_its_clean_twin(
    arrives: Callable, source: str, name: str, to_clean: Callable[[bytes], bytes]
) -> None:
    content, file = case(name), next(CASES.glob(name)).name.removeprefix("comma_").removeprefix("c1-blank-first-line ")
    clean = to_clean(content)
    assert clean != content
    found, expected = (rows_of(arrives(source, file, text)) for text in (content, clean))
    assert len(found) > 100
    assert found == expected


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("msds-dec2024-Provider-and-national-exp-measures.csv", "final"),
        ("msds-dec2024Provisional-exp-measures.csv", "provisional"),
    ],
)
def test_provider_is_no_word_for_provisional(arrives: Callable, name: str, status: str) -> None:
    assert arrives("msds", name, case(f"msds/{name}")).identity.status == status


def test_one_code_with_a_blank_behind_it_and_two_values_is_refused(arrives: Callable) -> None:
    found = arrives("msds", "msds-jun2024-exp-measures.csv", case("msds/msds-jun2024-*.csv"))
    assert "measures_values_stand_once" in found.refused


@pytest.mark.parametrize(
    ("name", "reason", "place"),
    [
        ("nmpa/x4*.xlsx", "formulas_without_result", "cells ("),
        ("nmpa/x5*.xlsx", "error_cells", "#N/A"),
    ],
)
def test_a_workbook_that_cannot_be_read_rightly_is_refused_with_its_cells(
    arrives: Callable, name: str, reason: str, place: str
) -> None:
    found = arrives("nmpa", "Induction of labour 2023.xlsx", case(name))
    assert found.refused == {reason}
    assert place in found.messages[0]
    assert "sheet '" in found.messages[0]


def test_the_one_sheet_with_a_known_header_is_taken(arrives: Callable) -> None:
    found = arrives("nmpa", "Induction of labour 2023.xlsx", case("nmpa/x6c*.xlsx"))
    clean = arrives("nmpa", "Induction of labour 2023.csv", case("nmpa/c1*.csv"))
    assert not found.refused
    assert found.decoded.sheet
    assert len(found.rows) > 100
    assert len(found.rows) == len(clean.rows)
