"""Fingertips: what files are, older headers, website cells, and periods against Python's calendar."""

from __future__ import annotations

import calendar
import csv
import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import registry
from ingest.land import decode, landing, unreadable
from ingest.land.arriving_file import Arrival
from ingest.registry import Identity
from ingest.stores import Stores
from perinatal.home import Home
from warehouse import statistics as stats

SOURCE = registry.source("fingertips")
YEARS_27 = (
    "Indicator ID,Indicator Name,Parent Code,Parent Name,Area Code,Area Name,Area Type,Sex,Age,Category Type,Category,"
    "Time period,Value,Lower CI 95.0 limit,Upper CI 95.0 limit,Lower CI 99.8 limit,Upper CI 99.8 limit,Count,"
    "Denominator,Value note,Recent Trend,Compared to England value or percentiles,{parent},Time period Sortable,"
    "New data,Compared to goal,Time period range"
)
YEAR_2017 = (
    "Indicator ID,Indicator Name,Parent Code,Parent Name,Area Code,Area Name,Area Type,Sex,Age,Category Type,Category,"
    "Time period,Value,Lower CI limit,Upper CI limit,Count,Denominator,Value note,Recent Trend,"
    "Compared to England value or percentiles,Compared to Region value or percentiles"
)
SLASH_MONTH = {"Financial": 4, "Academic": 9, "August-July": 8, "October-September": 10}
MONTHS = calendar.month_abbr[1:]


def evaluate(template: str, values: list[tuple[Any, ...]], columns: str) -> list[tuple[Any, ...]]:
    """Evaluate a macro over rows of values."""
    sql = stats.render(template)
    with duckdb.connect() as connection:
        connection.execute(f"create table given ({columns})")
        connection.executemany(f"insert into given values ({', '.join('?' for _ in values[0])})", values)
        return connection.execute(f"select {sql} from given order by rowid").fetchall()


BOTH_ENDS = """
{{ period_start_of("label", "slash", "plain", "point") }}, {{ period_end_of("label", "slash", "plain", "point") }}
"""


def periods(cases: list[tuple[str, int, int, bool]]) -> list[tuple[Any, ...]]:
    return evaluate(BOTH_ENDS, cases, "label varchar, slash integer, plain integer, point boolean")


def months_later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, 1)


def published() -> Iterator[tuple[str, int, date, date]]:
    """Yield labels as the publisher's formatter writes them, the month of years with a slash, first and last day."""
    for year in range(1990, 2035):
        two = [f"{(year + n) % 100:02}" for n in range(12)]
        for month in SLASH_MONTH.values():
            first = date(year, month, 1)
            yield f"{year}/{two[1]}", month, first, months_later(first, 12) - timedelta(1)
            for years in (2, 3, 5, 10):
                label = f"{year}/{two[1]} - {two[years - 1]}/{two[years]}"
                yield label, month, first, months_later(first, 12 * years) - timedelta(1)
            for quarter in (1, 2, 3, 4):
                start = months_later(first, 3 * quarter - 3)
                yield f"{year}/{two[1]} Q{quarter}", month, start, months_later(start, 3) - timedelta(1)
                yield f"{year}/{two[1]} Q1-Q{quarter}", month, first, months_later(first, 3 * quarter) - timedelta(1)
            rolling = f"{year}/{two[1]} Q2 - {year + 1}/{two[2]} Q1"
            yield rolling, month, months_later(first, 3), months_later(first, 15) - timedelta(1)
        january = date(year, 1, 1)
        yield f"{year}", 4, january, date(year, 12, 31)
        for years in (2, 3, 5, 10):
            yield f"{year} - {two[years - 1]}", 4, january, date(year + years - 1, 12, 31)
        yield f"{year} - {year + 2}", 4, january, date(year + 2, 12, 31)
        for quarter in (1, 2, 3, 4):
            start = months_later(january, 3 * quarter - 3)
            yield f"{year} Q{quarter}", 4, start, months_later(start, 3) - timedelta(1)
        yield f"{year} Q3 - {year + 1} Q2", 4, date(year, 7, 1), date(year + 1, 6, 30)
        for month, word in enumerate(MONTHS, start=1):
            start = date(year, month, 1)
            yield f"{word} {year}", 4, start, months_later(start, 1) - timedelta(1)
        yield f"Aug {year} - Jul {year + 1}", 4, date(year, 8, 1), date(year + 1, 7, 31)


def test_every_label_of_the_publishers_formatter_gets_its_dates() -> None:
    cases = list(published())
    found = periods([(label, month, 1, False) for label, month, *_ in cases])
    wrong = [(case, dates) for case, dates in zip(cases, found, strict=True) if dates != case[2:]]
    assert len(cases) == 3600
    assert wrong == []


def test_a_point_in_time_is_the_last_of_march() -> None:
    found = periods([("2019", 4, 3, True), ("2018/19", 4, 3, True)])
    assert found == [(date(2019, 3, 31), date(2019, 3, 31))] * 2


@pytest.mark.parametrize(
    "label", ["", "2019/21", "2016/17 - 20/22", "19", "Juli 2019", "2019 Q5", "2015-Oct", "07-Oct"]
)
def test_other_labels_give_no_dates(label: str) -> None:
    assert periods([(label, 4, 1, False)]) == [(None, None)]


@settings(max_examples=40, deadline=None)
@given(st.text(alphabet="0123456789/- QJanFebOct", max_size=20))
def test_no_label_breaks_the_reader(label: str) -> None:
    ((start, end),) = periods([(label, 4, 1, False)])
    assert (start is None) == (end is None)


@pytest.mark.parametrize(
    ("age", "bounds"),
    [
        ("All ages", (0, 1000)),
        ("<15 yrs", (0, 15)),
        ("0-9 yrs", (0, 10)),
        ("18+ yrs", (18, 1000)),
        ("5 yrs", (5, 6)),
        ("Not applicable", (None, None)),
    ],
)
def test_age_bands_have_bounds(age: str, bounds: tuple[float | None, float | None]) -> None:
    assert evaluate('{{ age_from("age") }}, {{ age_to("age") }}', [(age,)], "age varchar") == [bounds]


# --- headers and cells ------------------------------------------------------------------------------------


def row(**changes: str) -> dict[str, str]:
    return {
        "Indicator ID": "93085",
        "Indicator Name": "Smoking",
        "Area Code": "E92000001",
        "Area Name": "England",
        "Area Type": "England",
        "Sex": "Persons",
        "Age": "All ages",
        "Time period": "2022/23",
        "Time period Sortable": "20220000",
        "Value": "8.8",
    } | changes


def write(path: Path, header: str, *rows: dict[str, str], fields: int | None = None, end: str = "\n") -> Path:
    names = header.split(",")
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator=end)
        writer.writerow(names)
        writer.writerows([each.get(name, "") for name in names][:fields] for each in rows)
    return path


def typed(path: Path, folder: Path) -> tuple[decode.Decoded, list[dict[str, Any]]]:
    rows = folder / "rows.parquet"
    decoded = decode.to_parquet(path, SOURCE, "data", rows, "300MB", 1)
    with duckdb.connect() as connection:
        found = connection.execute("select * from read_parquet(?)", [str(rows)])
        names = [name for name, *_ in found.description or []]
        return decoded, [dict(zip(names, values, strict=True)) for values in found.fetchall()]


@pytest.mark.parametrize(
    "parent",
    [
        "Compared to percentiles",
        "Compared to Region value or percentiles",
        "Compared to Regions (statistical) value or percentiles",
        "Compared to Counties & UAs (from Apr 2023) value or percentiles",
        "Compared to Sub-region value or percentiles",
    ],
)
def test_column_23_is_known_whatever_parent_it_is_named_after(parent: str, tmp_path: Path) -> None:
    header = YEARS_27.format(parent=parent)
    decoded, (only,) = typed(write(tmp_path / "a.csv", header, row(**{parent: "Similar"})), tmp_path)
    assert decoded.new_columns == []
    assert only["compared_to_parent"] == "Similar"


def test_two_columns_that_could_be_one_are_refused(tmp_path: Path) -> None:
    header = YEARS_27.format(parent="Compared to A value or percentiles,Compared to B value or percentiles")
    with pytest.raises(unreadable.Unreadable, match="several columns could be compared_to_parent"):
        typed(write(tmp_path / "a.csv", header, row()), tmp_path)


def test_the_header_of_2017_is_read(tmp_path: Path) -> None:
    decoded, (only,) = typed(write(tmp_path / "a.csv", YEAR_2017, row(**{"Lower CI limit": "8.5"})), tmp_path)
    assert decoded.new_columns == []
    assert only["lower_95"] == 8.5


def test_rows_one_field_short_lose_the_last_optional_column_and_nothing_shifts(tmp_path: Path) -> None:
    header = YEARS_27.format(parent="Compared to Region value or percentiles").rpartition(",")[0]
    rows = [row(**{"Indicator Name": "Campylo\nbacter", "New data": "New data"})] * 3
    path = write(tmp_path / "a.csv", header, *rows, fields=25, end="\r\n")
    assert decode.is_plain_csv(path)
    decoded, found = typed(path, tmp_path)
    assert decoded.absent_trailing_columns == ["Compared to goal"]
    assert {each["time_period_sortable"] for each in found} == {"20220000"}
    assert {each["new_data"] for each in found} == {"New data"}


def test_cells_of_the_website_become_numbers_blanks_and_marks(tmp_path: Path) -> None:
    header = "\ufeff" + YEARS_27.format(parent="ComparedtoRegionvalueorpercentiles").replace(" ", "")
    values = ["1,234.5", '<div class="no-data">-</div>', '8.8<span class="tooltipValueNote">*', "-", "", "n/a"]
    rows = [{name.replace(" ", ""): cell for name, cell in row(Value=value).items()} for value in values]
    rows = [each | {"\ufeffIndicatorID": "93085"} for each in rows]
    _, found = typed(write(tmp_path / "a.csv", header, *rows), tmp_path)
    assert [each["value"] for each in found] == [1234.5, None, 8.8, None, None, None]
    assert [each["cell_marks"] for each in found] == [None, None, ["value"], None, None, None]
    assert [each["cast_errors"] for each in found] == [None] * 5 + [["value"]]


@pytest.mark.parametrize(
    ("cell", "value", "marks", "wrong"),
    [
        ("21<sup>7</sup>", 21, ["value"], None),
        ('<div>1,021.5<SUB class="x">\n7</SUB></div>', 1021.5, ["value"], None),
        ("<b>21</b>", 21, None, None),
        ("2.7<br/>", 2.7, None, None),
        ("<del>21</del>", None, None, ["value"]),
        ("21<s>7</s>", None, None, ["value"]),
        ('21<span class="note">7</span>', None, None, ["value"]),
        ("21.<a href=#n>7</a>", None, None, ["value"]),
        ("21<sup>7", None, None, ["value"]),
    ],
)
def test_digits_that_markup_keeps_apart_are_no_number(
    tmp_path: Path, cell: str, value: float | None, marks: list[str] | None, wrong: list[str] | None
) -> None:
    header = YEARS_27.format(parent="Compared to Region value or percentiles")
    _, (found,) = typed(write(tmp_path / "a.csv", header, row(Value=cell)), tmp_path)
    assert (found["value"], found["cell_marks"], found["cast_errors"]) == (value, marks, wrong)


def test_markup_is_wrong_where_a_source_does_not_say_so(demo: registry.Source, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("Code,Events\nA,<b>5</b>\nB,-\nC,5*\n")
    decode.to_parquet(path, demo, "counts", tmp_path / "r.parquet", "300MB", 1)
    with duckdb.connect() as connection:
        found = connection.execute(f"select events, cast_errors from '{tmp_path / 'r.parquet'}'").fetchall()
    assert found == [(None, ["events"])] * 3


# --- what a file is ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "rows", "dataset", "release"),
    [
        ("by_indicator_id_93085_child502_parent6.csv", [row()], "93085_502_6", "2022-23"),
        ("93085_221_15.csv", [row()], "93085_221_15", "2022-23"),
        ("data.csv", [row(), row(**{"Time period": "2020 - 22", "Time period Sortable": "20200000"})],
         "93085_england", "2022-23"),
        ("by_indicator_id_1_2_child502_parent6_2026-10-01.csv", [row(), row(**{"Indicator ID": "20101"})],
         "2_indicators_20101_to_93085_502_6", "2026-10-01"),
    ],
)  # fmt: skip
def test_dataset_and_release_come_from_name_and_rows(
    name: str, rows: list[dict[str, str]], dataset: str, release: str, home: Home, tmp_path: Path
) -> None:
    header = YEARS_27.format(parent="Compared to percentiles")
    outcome = landing.land(Stores.of(home), write(tmp_path / name, header, *rows), Arrival(SOURCE, name))
    assert (outcome.manifest.dataset, outcome.manifest.release) == (dataset, release)
    assert outcome.manifest.layout == "data"


def test_the_metadata_document_becomes_a_table(tmp_path: Path) -> None:
    entry = {"IID": 7, "Descriptive": {"Name": "A, b"}, "Unit": {"Label": "%", "Value": 100.0}, "ValueType": None}
    path, table = tmp_path / "m.json", tmp_path / "m.csv"
    path.write_text(json.dumps({"7": entry}))
    SOURCE.parser.to_csv(path, table, path.name)
    with table.open(encoding="utf-8", newline="") as handle:
        (only,) = csv.DictReader(handle)
    assert (only["IID"], only["Name"], only["Unit"], only["Unit value"]) == ("7", "A, b", "%", "100.0")
    assert only["Value type"] == ""
    sample = registry.Sample(path.name, list(only), [dict(only)])
    assert SOURCE.recognise(sample) == Identity("indicator_metadata", "", layout="metadata")


@pytest.mark.parametrize("text", ['{"a": [1, 2', '{"a": {"Name": "x"}}', '[{"IID": 1}, {"x": 2}]'])
def test_other_documents_are_refused_in_one_line(text: str, tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    path.write_text(text)
    with pytest.raises(Exception, match=r"JSON|metadata|table"):
        SOURCE.parser.to_csv(path, tmp_path / "m.csv", path.name)
    assert not (tmp_path / "m.csv").exists()


def test_the_sample_knows_every_indicator_that_is_asked_for(tmp_path: Path) -> None:
    SOURCE.sample.generate(tmp_path)
    known = json.loads((tmp_path / "indicator_metadata_all.json").read_text(encoding="utf-8"))
    assert set(known) == {str(number) for number in SOURCE.probe.indicator_ids}


def test_the_sample_is_the_same_each_time(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        SOURCE.sample.generate(tmp_path / folder)
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert len(names) == 6
    assert all((tmp_path / "a" / n).read_bytes() == (tmp_path / "b" / n).read_bytes() for n in names)
