"""A source is a folder; a wrong one is named with file and line."""

import pytest

from expectations.columns import header_key
from ingest import registry
from ingest.land.unreadable import Unreadable
from ingest.registry import Identity, Sample, Source
from perinatal.errors import PerinatalError

HEADER = (
    "dataset,column,published_names,type,required,nullable,minimum,maximum,allowed,pattern,severity,unit,description"
)


def with_columns(source: Source, *lines: str) -> Source:
    (source.folder / "columns.csv").write_text("\n".join([HEADER, *lines]) + "\n")
    return registry.load(source.folder)


def test_every_source_of_the_project_is_whole() -> None:
    for source in registry.all_sources().values():
        assert set(source.columns) == set(source.datasets)
        assert all(source.columns[dataset] for dataset in source.datasets)
        assert callable(source.recognise)
        for dataset, columns in source.columns.items():
            names = [column.name for column in columns]
            assert len(names) == len(set(names)), dataset
            assert all(column.description for column in columns), dataset


def test_a_folder_is_read(demo: Source) -> None:
    code, events, *_ = demo.columns["counts"]
    assert (demo.id, demo.encodings, demo.malformed_rows) == ("demo", ("utf-8",), "refuse")
    assert code.published_names == ("Code", "Org Code")
    assert (code.required, code.nullable, code.minimum) == (True, False, None)
    assert (events.minimum, events.maximum, events.severity) == (0.0, 100.0, "block")


def test_the_recogniser_is_the_folders_own(demo: Source) -> None:
    assert demo.recognise(Sample("counts-2024.csv", [], [])) == Identity("counts", "2024")
    assert demo.recognise(Sample("other.csv", [], [])) is None


def test_columns_may_be_for_some_datasets_only(demo: Source) -> None:
    path = demo.folder / "source.yml"
    path.write_text(path.read_text().replace("{counts: {title: Counts}}", "{a: {}, b: {}, c: {}}"))
    source = with_columns(demo, "a|b,x,X,text,yes,no,,,,,block,,X", "*,y,Y,text,yes,no,,,,,block,,Y")
    assert {dataset: [c.name for c in columns] for dataset, columns in source.columns.items()} == {
        "a": ["x", "y"],
        "b": ["x", "y"],
        "c": ["y"],
    }


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("other,x,X,text,yes,no,,,,,block,,X", "dataset 'other' is not in source.yml"),
        ("*,x,X,int,yes,no,,,,,block,,X", "type 'int'"),
        ("*,x,X,integer,yes,no,,,,,fatal,,X", "severity 'fatal'"),
        ("*,x,X,integer,true,no,,,,,block,,X", "required 'true'"),
        ("*,x,X,integer,yes,no,low,,,,block,,X", "minimum 'low'"),
        ("*,x,X,text,yes,no,,,,(,block,,X", "pattern '('"),
    ],
)
def test_a_wrong_column_is_named_with_file_and_line(demo: Source, line: str, says: str) -> None:
    source = with_columns(demo, "*,code,Code,text,yes,no,,,,,block,,Code", line)
    with pytest.raises(PerinatalError) as error:
        _ = source.columns
    assert f"columns.csv:3: {says}" in str(error.value)


def test_an_id_that_is_not_the_folders_name_is_named(demo: Source) -> None:
    path = demo.folder / "source.yml"
    path.write_text(path.read_text().replace("id: demo", "id: dema"))
    with pytest.raises(PerinatalError, match="id is 'dema', expected the folder's name 'demo'"):
        registry.load(demo.folder)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("publisher: Nobody\n", "", "publisher"),
        ("title: Demo", "titel: Demo", "field title: is missing (and 1 more)"),
        ("title: Demo", "title: [Demo", "source.yml"),
        ("audience: public", "audience: everybody", "field audience: Input should be 'public' or 'restricted'"),
        (
            "cadence_days: 30",
            "cadence_days: 30\nmalformed_rows: ignore",
            "field malformed_rows: Input should be 'refuse' or 'quarantine'",
        ),
        ("cadence_days: 30", "cadence_days: often", "field cadence_days: Input should be a valid integer"),
        ("{counts: {title: Counts}}", "[counts]", "field datasets: Input should be a valid dictionary"),
        ("title: Counts", "titel: Counts", "field datasets.counts.titel: is not a known field"),
        ("title: Counts", "scope: rows", "field datasets.counts.scope: Input should be 'release' or 'row'"),
        (
            "title: Counts",
            "published_on: {'2023': May}",
            "field datasets.counts.published_on.2023: Input should be a valid date",
        ),
        ("title: Counts", "template: finding", "datasets.counts.template: expected findings or observations"),
        ("cadence_days: 30", "cadence_days: 30\ncells: {mark: '*'}", "field cells.mark: is not a known field"),
    ],
)
def test_a_wrong_description_is_named(demo: Source, old: str, new: str, says: str) -> None:
    path = demo.folder / "source.yml"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(PerinatalError) as error:
        registry.load(demo.folder)
    assert str(path) in str(error.value)
    assert says in str(error.value)


def test_a_folder_without_parser_is_named(demo: Source) -> None:
    (demo.folder / "parse.py").unlink()
    with pytest.raises(PerinatalError, match=r"parse\.py is missing"):
        _ = registry.load(demo.folder).recognise


def test_an_unknown_source_gets_the_list() -> None:
    with pytest.raises(PerinatalError, match=r"no source is called 'nhs'; there are: .*mbrrace"):
        registry.source("nhs")


@pytest.mark.parametrize("name", ["Org Code", "org_code", "ORG-CODE", "\ufeffOrg Code ", "OrgCode"])
def test_headers_are_compared_without_case_spaces_and_punctuation(name: str) -> None:
    assert header_key(name) == "orgcode"


def test_numbers_in_headers_stay_apart() -> None:
    assert header_key("Lower CI 95.0 limit") != header_key("Lower CI 99.8 limit")


@pytest.mark.parametrize(
    ("name", "dataset"),
    [
        ("perinatal-mortality-rates-2023-trusthealth-board.csv", "perinatal_mortality"),
        ("perinatal-mortality-rates-2023-trusthealth-board (1).csv", "perinatal_mortality"),
        ("Perinatal-Mortality-Rates-2016-trusthealth-board.CSV", "perinatal_mortality"),
        (
            "perinatal-mortality-rates-excluding-congenital-anomalies-2023-trusthealth-board.csv",
            "perinatal_mortality_excluding_congenital_anomalies",
        ),
    ],
)
@pytest.mark.parametrize("header", ["ReportYear", "Report Year", "report_year"])
def test_mbrrace_files_are_recognised(name: str, dataset: str, header: str) -> None:
    sample = Sample(name, [header], [{header: "2023"}, {header: " 2023"}])
    assert registry.source("mbrrace").recognise(sample) == Identity(dataset, "2023")


def test_a_mbrrace_file_of_several_years_is_taken_for_the_commonest_and_left_to_the_gate() -> None:
    years = [{"ReportYear": year} for year in ("2023", "2", "2023")]
    identity = registry.source("mbrrace").recognise(Sample("perinatal-mortality-rates-2023.csv", ["ReportYear"], years))
    assert identity == Identity("perinatal_mortality", "2023")


@pytest.mark.parametrize("year", ["about 2023", ""])
def test_a_mbrrace_file_of_no_year_is_refused_with_what_stands_there(year: str) -> None:
    sample = Sample("perinatal-mortality-rates-2023.csv", ["ReportYear"], [{"ReportYear": year}])
    with pytest.raises(Unreadable, match=f"ReportYear is '{year}', which is no year"):
        registry.source("mbrrace").recognise(sample)
