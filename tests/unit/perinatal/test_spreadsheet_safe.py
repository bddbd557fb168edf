"""One rule for all CSV files: the Python function and the SQL of it treat every text alike."""

import duckdb
import pytest

from perinatal.spreadsheet_safe import safe_cell, safe_columns, safe_text

DANGEROUS = ["=1+1", "+1", "-1", "@sum(a)", "\t=1", "\r=1", "\n=1", " =1", " \t-2", "\tplain", '=HYPERLINK("x")']
HARMLESS = ["", " ", "plain", "a=1", " plain = text", "'=1", "3 - 1", "‘=1"]


@pytest.mark.parametrize("text", DANGEROUS)
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    assert safe_text(text) == f"'{text}"


@pytest.mark.parametrize("text", HARMLESS)
def test_other_text_stays_as_it_is(text: str) -> None:
    assert safe_text(text) == text


@pytest.mark.parametrize("text", [*DANGEROUS, *HARMLESS])
def test_sql_follows_the_same_rule(text: str) -> None:
    relation = duckdb.sql("select $1 as word, [$1, 'b'] as words, -1.5 as number", params=[text])
    assert relation.project(safe_columns(relation)).fetchall() == [(safe_text(text), safe_text(f"{text}; b"), -1.5)]


@pytest.mark.parametrize("text", [*DANGEROUS, *HARMLESS])
def test_cells_follow_the_rule_of_the_sql(text: str) -> None:
    relation = duckdb.sql("select $1 as word, [$1, null, 'b'] as words, -1.5 as number, null as none", params=[text])
    [cells] = relation.fetchall()
    assert [tuple(map(safe_cell, cells))] == relation.project(safe_columns(relation)).fetchall()
