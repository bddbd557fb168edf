"""The two templates: exact columns, clear errors by row, and what is never guessed."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.land import template
from ingest.registry import TEMPLATES_DIR, all_sources

OBSERVATION_COLUMNS = (
    "source,dataset,release,indicator,organisation_name,organisation_code,level,period,breakdown,breakdown_value,"
    "numerator,denominator,value,unit,lower_95,upper_95,note,source_url"
)
FINDING_COLUMNS = "source,document_title,document_url,published_on,kind,text,count,denominator,share,page"
GOOD = {
    "source": "mis",
    "dataset": "results",
    "release": "2024-25",
    "indicator": "mis_all_ten_actions",
    "level": "england",
    "period": "2024/25",
    "numerator": "102",
    "denominator": "120",
    "value": "85",
    "unit": "%",
}
STATUS = {
    **GOOD,
    "indicator": "mis_safety_action_1",
    "level": "trust",
    "organisation_code": "RCF",
    "numerator": "",
    "denominator": "",
    "value": "Pass",
    "unit": "status",
}
FINDING = {
    "source": "pmrt",
    "document_title": "Report",
    "published_on": "2024-01-31",
    "kind": "finding",
    "text": "The growth chart was not used.",
    "count": "12",
    "denominator": "40",
    "share": "30%",
    "page": "7",
}


def table(columns: str, *rows: dict[str, str]) -> str:
    out = [columns]
    for row in rows:
        cells = [row.get(name, "") for name in columns.split(",")]
        out.append(",".join('"' + cell.replace('"', '""') + '"' for cell in cells))
    return "\n".join(out) + "\n"


@pytest.mark.parametrize(("name", "columns"), [("observations", OBSERVATION_COLUMNS), ("findings", FINDING_COLUMNS)])
def test_the_examples_have_the_documented_columns_and_land(name: str, columns: str, arrives: Callable) -> None:
    example = TEMPLATES_DIR / name / "example.csv"
    text = example.read_text(encoding="utf-8")
    assert text.splitlines()[0] == columns
    source_id = next(csv.DictReader(text.splitlines()))["source"]
    arrived = arrives(source_id, "anything.csv", text)
    assert arrived.refused == frozenset(), arrived.messages
    assert arrived.identity.contract == name


def test_every_template_source_recognises_its_own_rows_and_no_others(arrives: Callable) -> None:
    entered = [s for s in all_sources().values() if any(about.template for about in s.datasets.values())]
    assert {"pmrt", "ebc", "mis", "cqc", "ukoss", "npsa", "ens", "hsib", "board_return"} <= {s.id for s in entered}
    for publisher in entered:
        for other in ("mis", publisher.id):
            row = {**GOOD, "source": other}
            found = publisher.recognise(_sample(row))
            assert (found is not None) == (other == publisher.id)


def _sample(row: dict[str, str]):
    from ingest.registry import Sample

    columns = OBSERVATION_COLUMNS.split(",")
    return Sample("x.csv", columns, [{name: row.get(name, "") for name in columns}])


def test_what_the_rows_say_is_what_it_is(arrives: Callable) -> None:
    found = arrives("mis", "x.csv", table(OBSERVATION_COLUMNS, GOOD, STATUS)).identity
    assert (found.dataset, found.release, found.contract) == ("results", "2024-25", "observations")
    found = arrives(
        "pmrt", "x.csv", table(FINDING_COLUMNS, {**FINDING, "document_title": "Annual Report: 2023!"})
    ).identity
    assert (found.dataset, found.release, found.published_on) == ("annual-report-2023", "2024-01-31", "2024-01-31")


@pytest.mark.parametrize(
    ("change", "standard"),
    [
        ({"source": "pmrt"}, "one_source_a_file"),
        ({"dataset": "other"}, "one_release_a_file"),
        ({"release": "2023-24"}, "one_release_a_file"),
        ({"indicator": "mis_no_such"}, "indicators_are_in_the_catalogue"),
        ({"unit": "per 1,000"}, "units_are_those_of_the_catalogue"),
        ({"level": "village"}, "level__set"),
        ({"level": "trust"}, "organisations_are_named"),
        ({"period": "last year"}, "period__pattern"),
        ({"period": "2024-13"}, "period__pattern"),
        ({"period": "2090/91"}, "the_period_has_ended"),
        ({"numerator": "", "denominator": "", "value": ""}, "a_row_says_something"),
        ({"value": "Pass"}, "words_where_words_belong"),
        ({"value": "many"}, "value__pattern"),
        ({"value": "*"}, "masked_rows_hold_no_number"),
        ({"numerator": "130"}, "counts_are_whole"),
        ({"denominator": "0"}, "counts_are_whole"),
        ({"numerator": ""}, "counts_are_whole"),
        ({"numerator": "-1"}, "numerator__range"),
        ({"numerator": "ten"}, "numerator__type"),
        ({"lower_95": "90", "upper_95": "80"}, "limits_hold_the_value"),
        ({"lower_95": "86", "upper_95": "90"}, "limits_hold_the_value"),
    ],
)
def test_a_wrong_row_is_refused_by_its_number(change: dict[str, str], standard: str, arrives: Callable) -> None:
    arrived = arrives("mis", "x.csv", table(OBSERVATION_COLUMNS, STATUS, {**GOOD, **change}))
    assert standard in arrived.refused, (arrived.refused, arrived.messages)
    assert any("row 2" in message or "row 1, 2" in message for message in arrived.messages)


def test_a_number_stands_once_and_a_value_follows_from_its_counts(arrives: Callable) -> None:
    assert "each_number_once" in arrives("mis", "x.csv", table(OBSERVATION_COLUMNS, GOOD, GOOD)).refused
    assert (
        "value_follows_from_counts"
        in arrives("mis", "x.csv", table(OBSERVATION_COLUMNS, {**GOOD, "value": "58"})).warned
    )
    # a whole number was entered without decimals
    assert (
        arrives("mis", "x.csv", table(OBSERVATION_COLUMNS, {**GOOD, "numerator": "101", "value": "84"})).warned
        == frozenset()
    )


@pytest.mark.parametrize("period", ["2023", "2023/24", "2024-03", "2022-03..2023-02"])
def test_periods_that_are_understood(period: str, arrives: Callable) -> None:
    assert arrives("mis", "x.csv", table(OBSERVATION_COLUMNS, {**GOOD, "period": period})).refused == frozenset()


@pytest.mark.parametrize(
    ("change", "standard"),
    [
        ({"source": "ebc"}, "findings_of_one_source"),
        ({"document_title": "Another"}, "one_document_a_file"),
        ({"published_on": "2024-02-01"}, "one_document_a_file"),
        ({"published_on": "31 January"}, "published_on__type"),
        ({"kind": "remark"}, "kind__set"),
        ({"text": ""}, "text__filled"),
        ({"count": "41"}, "counts_are_within_the_cases"),
        ({"share": "170%"}, "share__range"),
        ({"page": "0"}, "page__range"),
        ({"document_url": "see website"}, "document_url__pattern"),
    ],
)
def test_a_wrong_finding_is_refused(change: dict[str, str], standard: str, arrives: Callable) -> None:
    arrived = arrives("pmrt", "x.csv", table(FINDING_COLUMNS, FINDING, {**FINDING, **change}))
    assert standard in arrived.refused, (arrived.refused, arrived.messages)


def test_shares_as_fractions_are_refused_and_repeats_told(arrives: Callable) -> None:
    fraction = {**FINDING, "share": "0.3"}
    assert "shares_are_percentages" in arrives("pmrt", "x.csv", table(FINDING_COLUMNS, fraction)).refused
    assert "findings_stand_once" in arrives("pmrt", "x.csv", table(FINDING_COLUMNS, FINDING, FINDING)).warned
    to_two = [{**FINDING, "recipient": name} for name in ("A Trust", "B Trust")]
    assert arrives("pmrt", "x.csv", table(f"{FINDING_COLUMNS},recipient", *to_two)).warned == frozenset()


def test_names_of_persons_are_masked_in_every_cell_and_in_the_title(arrives: Callable) -> None:
    rows = [
        {**FINDING, "document_title": "The death of Jane Smith", "text": "Dr Alice Brown was not called."},
        {**FINDING, "document_title": "The death of Jane Smith", "text": "Later Brown came; Baby Tom Smith was cold."},
    ]
    arrived = arrives("pmrt", "x.csv", table(FINDING_COLUMNS, *rows))
    shown = " ".join(str(row) for row in arrived.rows) + str(arrived.identity)
    assert not any(name in shown for name in ("Jane", "Smith", "Alice", "Brown", "Tom"))
    assert arrived.rows[0]["text"] == "Dr [name] was not called."


def test_a_chapter_is_not_a_finding(arrives: Callable) -> None:
    arrived = arrives("pmrt", "x.csv", table(FINDING_COLUMNS, FINDING, {**FINDING, "text": "word " * 1100}))
    assert arrived.refused == {"too_long"}
    assert "line 3" in arrived.messages[0]


def test_missing_and_unknown_columns(arrives: Callable) -> None:
    without = OBSERVATION_COLUMNS.replace("breakdown_value,", "")
    arrived = arrives("mis", "x.csv", table(without, GOOD))
    assert arrived.refused == {"missing_column"}
    assert "breakdown_value" in arrived.messages[0]
    arrived = arrives("mis", "x.csv", table(f"{OBSERVATION_COLUMNS},remark", {**GOOD, "remark": "x"}))
    assert (arrived.refused, arrived.warned) == (frozenset(), {"columns_are_known"})


def test_names_that_lead_out_of_the_archive_are_not_recognised(arrives: Callable) -> None:
    assert arrives("mis", "x.csv", table(OBSERVATION_COLUMNS, {**GOOD, "dataset": "../../x"})).refused == {
        "not_recognised"
    }
    assert template.slug("../../Annual Report") == "annual-report"


def test_spreadsheets_of_the_template_are_read(tmp_path: Path, arrives: Callable) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(tmp_path / "x.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, OBSERVATION_COLUMNS.split(","))
        sheet.write_row(1, 0, [GOOD.get(name, "") for name in OBSERVATION_COLUMNS.split(",")])
    arrived = arrives("mis", "x.xlsx", (tmp_path / "x.xlsx").read_bytes())
    assert arrived.refused == frozenset(), arrived.messages
    assert arrived.rows[0]["numerator"] == 102
