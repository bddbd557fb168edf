"""Corrections change what they were written for, and say so when the publisher has mended it."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from perinatal.errors import PerinatalError
from warehouse import corrections

ENTRY = """
- id: swapped-digits
  dataset: perinatal_mortality
  release: 2023
  match: {organisation_code: 5, organisation_name: "St George's"}
  column: total_births
  expect: 1861
  value: 1816
  reason: digits swapped
  reported_by: Insights group
  date: 2025-06-01
"""


def loaded(folder: Path, text: str = ENTRY) -> list[corrections.Correction]:
    (folder / "corrections.yml").write_text(text, encoding="utf-8")
    return list(corrections.load(folder))


@pytest.mark.parametrize(("printed", "read"), [(1861, 1816), (1816, 1816), (1900, 1900)])
def test_only_the_expected_error_is_corrected(tmp_path, printed, read):
    (correction,) = loaded(tmp_path)
    with duckdb.connect() as connection:
        connection.execute("create table t (organisation_code int, organisation_name text, total_births int)")
        connection.execute("insert into t values (5, 'St George''s', ?), (6, 'Other', 1861)", [printed])
        rows = connection.execute(corrections.overlay("t", [correction]) + " order by 1").fetchall()
    assert [births for *_, births in rows] == [read, 1861]


def test_an_entry_without_match_is_refused(tmp_path):
    with pytest.raises(PerinatalError, match=r"entry 1 \(swapped-digits\): field match: .* at least 1 item"):
        loaded(tmp_path, ENTRY.replace('{organisation_code: 5, organisation_name: "St George\'s"}', "{}"))


def test_a_wrong_entry_is_named(tmp_path):
    with pytest.raises(PerinatalError, match=r"corrections\.yml: entry 1 \(swapped-digits\): field reason: is missing"):
        loaded(tmp_path, ENTRY.replace("  reason: digits swapped\n", ""))
