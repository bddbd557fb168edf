"""NMPA, NNAP, templates, reports and board returns, from files as they come to one published edition."""

import csv
import io
import re
import stat
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from expectations import alerts
from ingest.land import landing
from ingest.land.arriving_file import Arrival
from ingest.registry import source
from ingest.sample import documents
from ingest.sample import template as sample
from ingest.sample.reference import read_seed
from ingest.stores import Stores
from perinatal.home import Home
from pipeline import steps

pytestmark = pytest.mark.slow

Ask = Callable[..., list[tuple[Any, ...]]]

CANARY, CANARY_NUMBER = "Canary of the board", 48_271
PERSON = "Alice Brown"  # whom an original names
NMPA = "Country,Organisation name,Organisation code,Numerator,Denominator,Unadjusted rate,Adjusted rate,GB mean"
OBSERVATIONS = (
    "source,dataset,release,indicator,organisation_name,organisation_code,level,period,breakdown,breakdown_value,"
    "numerator,denominator,value,unit,lower_95,upper_95,note"
)
FINDINGS = "source,document_title,document_url,published_on,kind,text,count,denominator,share,page"
NNAP = "data_year,measure,level,name,unit_level,network,country,numerator,denominator,value,level_mean,note"
BLANK, MASKED = "RCF", "RFF"  # trusts whose NMPA rows are blank; Airedale, and Barnsley in the template


def nmpa() -> bytes:
    """Give 27 of 1,000 for every trust but a blank one; hard spaces, other nations, a predecessor, sites."""
    lines = [
        NMPA,
        "England,England,,3213,119000,2.70%,2.70%,2.65%",
        "Wales,Wales,,90,3000,3.00%,3.00%,2.65%",
        "Scotland,Scotland,,60,3000,2.00%,2.00%,2.65%",
        ",Great Britain,,3363,125000,2.69%,2.69%,2.65%",
    ]
    for code, name in sample.maternity_trusts():
        counts = ",,," if code == BLANK else "27,1000,2.70%,2.68%"
        lines.append(f'England,"{name}\xa0",{code},{counts},2.65%')
    lines += [
        "England,Heart of England NHS Foundation Trust,RR1,40,1000,4.00%,3.90%,",
        "Wales,Aneurin Bevan University Health Board,7A6,30,1000,3.00%,2.90%,2.65%",
        "Scotland,NHS Lothian,S08000024,20,1000,2.00%,2.10%,2.65%",
        "England,Royal Sussex County Hospital,E0A3H,12,500,2.40%,2.50%,2.65%",
        "Wales,The Grange University Hospital,7A6G9,12,500,2.40%,2.50%,2.65%",
    ]
    return ("\r\n".join(lines) + "\r\n").encode("cp1252")


def rows(columns: str, common: dict[str, object], *each: dict[str, object]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns.split(","), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({**common, **row} for row in each)
    return out.getvalue().encode()


def nnap(year: int, value: float) -> bytes:
    unit = {"measure": "antenatal_steroids", "level": "unit", "unit_level": "LNU", "country": "England"}
    return rows(
        NNAP,
        {"data_year": year},
        {
            **unit,
            "name": "St Mary's Hospital",
            "network": "North West",
            "numerator": 30,
            "denominator": 60,
            "value": 50,
        },
        {**unit, "name": "St Mary's Hospital", "network": "Northern", "value": value, "level_mean": 52},
        {**unit, "name": "Small Hospital", "network": "Northern", "note": "Fewer than ten babies"},
        {"measure": "antenatal_steroids", "level": "network", "name": "Northern", "country": "England", "value": 51},
        {"measure": "antenatal_steroids", "level": "uk", "value": 53},
    )


def board_return() -> bytes:
    common = {"source": "board_return", "dataset": "rgt", "release": "2025-03", "level": "trust", "period": "2025-03"}
    common |= {"organisation_code": "RGT", "organisation_name": CANARY}
    return rows(
        OBSERVATIONS,
        common,
        {"indicator": "serious_incidents", "value": CANARY_NUMBER, "unit": "count", "note": CANARY},
        # the value does not follow from the counts: a warning that shows examples, of which none may leave
        {"indicator": "midwife_fill_rate", "numerator": 90, "denominator": 100, "value": 48.271, "unit": "%"},
        {"indicator": "sblcb_element_1", "value": "Pass", "unit": "status"},
        {"indicator": "one_to_one_care_in_labour", "value": 99, "unit": "%", "organisation_code": "XYZ9"},
    )


def findings(*texts: str) -> bytes:
    document = {"source": "pmrt", "document_title": "Annual report", "published_on": "2024-01-31", "kind": "finding"}
    return rows(FINDINGS, document, *({"text": text, "page": 3} for text in texts))


def files(folder: Path) -> Iterable[tuple[str, Path]]:
    """Yield source and file of everything that is landed, in order."""
    mis = {"source": "mis", "dataset": "results", "release": "2024-25", "period": "2024/25"}
    status = {"level": "trust", "organisation_code": "RCF", "unit": "status"}
    contents = {
        "nmpa/Haemorrhage 2023.csv": nmpa(),
        "nnap/nnap-2021.csv": nnap(2021, 48),
        "nnap/nnap-2022.csv": nnap(2022, 44),
        "mis/results.csv": rows(
            OBSERVATIONS,
            mis,
            {**status, "indicator": "mis_safety_action_1", "value": "Pass"},
            {**status, "indicator": "mis_safety_action_2", "value": "Fail"},
            {
                "indicator": "mis_all_ten_actions",
                "level": "england",
                "numerator": 102,
                "denominator": 120,
                "value": 85,
                "unit": "%",
            },
            {**status, "organisation_code": MASKED, "indicator": "mis_all_ten_actions", "value": "*", "unit": "%"},
        ),
        "pmrt/first.csv": findings("The growth chart was not used.", f"Dr {PERSON} was not called."),
        "pmrt/second.csv": findings(
            "The growth chart was not used.",
            f"Dr {PERSON} saw that the scan was late.",
            "The growth chart was not used.",
        ),
        "pmrt/figures.csv": rows(
            OBSERVATIONS,
            {"source": "pmrt", "dataset": "report", "release": "2024", "level": "uk", "period": "2022-03..2023-02"},
            {"indicator": "pmrt_reviews_completed", "value": 4111, "unit": "count"},
        ),
        "board_return/march.csv": board_return(),
    }
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        yield path.parent.name, path
    for made, write in (("hsib/report-2023-01-26.html", _page), ("ens/report-2019-09-26.pdf", _pdf)):
        path = folder / made
        path.parent.mkdir(parents=True)
        write(path)
        yield path.parent.name, path


def _page(path: Path) -> None:
    url = "https://www.hssib.org.uk/patient-safety-investigations/x/investigation-report/"
    texts = {
        "Findings": ["The trace was read alone."],
        "Safety recommendations": ["Trusts should review the trace together."],
    }
    documents.write_page(path, "A national learning report", url, "2023-01-26", texts)


def _pdf(path: Path) -> None:
    documents.write_pdf(path, "An Early Notification report", {"Findings": ["Birth was delayed in most of the cases."]})


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("further") / "Ann's état")
    for source_id, path in files(tmp_path_factory.mktemp("files")):
        landing.land(Stores.of(home), path, Arrival(source(source_id), path.name))
    assert steps.build(home).what == "published"
    return home


@pytest.fixture
def ask(home: Home) -> Ask:
    def run(sql: str, file: Path | None = None) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(file or home.database), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    return run


# --- accounting ----------------------------------------------------------------------------------------------------


def test_every_row_of_every_source_is_accounted_for(ask: Ask) -> None:
    health = ask(
        "select source_id, sum(rows_in), sum(rows_mart), sum(rows_quarantined), sum(rows_excluded) "
        "from quality.source_health group by source_id order by source_id"
    )
    trusts = len(sample.maternity_trusts())
    official = source("official_figures")
    with (official.folder / str(official.bundled)).open(encoding="utf-8", newline="") as handle:
        levels = [row["level"] for row in csv.DictReader(handle)]
    wider = sum(level in ("uk", "england_and_wales") for level in levels)
    assert 0 < wider < len(levels)
    assert health == [
        ("board_return", 4, 0, 0, 4),
        ("ens", 1, 1, 0, 0),
        ("hsib", 2, 2, 0, 0),
        ("mis", 4, 4, 0, 0),
        # excluded: Wales, Scotland, Great Britain, two Welsh and one Scottish organisation
        ("nmpa", trusts + 9, trusts + 3, 0, 6),
        ("nnap", 10, 8, 0, 2),
        # comes with the software; excluded: figures of the UK, and of England and Wales
        ("official_figures", len(levels), len(levels) - wider, 0, wider),
        # excluded: the two findings of the report's first revision, and the UK's figure
        ("pmrt", 6, 3, 0, 3),
    ]


# --- NMPA ----------------------------------------------------------------------------------------------------------


def test_a_trust_has_crude_and_adjusted_rates_beside_the_mean(ask: Ask) -> None:
    found = ask(
        "select numerator, denominator, value, publisher_value, adjusted_value, comparator_value, comparison, method, "
        "period_label, period_start::varchar, period_end::varchar, unit, usage_warnings, trust_name "
        "from marts.trust_indicator where source_id = 'nmpa' and indicator_id = 'pph_1500ml' and trust_code = 'RGT'"
    )
    name = "Cambridge University Hospitals NHS Foundation Trust"
    assert found == [
        (27, 1000, 2.7, 2.7, 2.68, 2.65, "similar", "Wilson", "2023", "2023-01-01", "2023-12-31", "%", [], name)
    ]


def test_a_blank_is_no_result_neither_masked_nor_nought(ask: Ask) -> None:
    sql = (
        "select numerator, denominator, value, publisher_value, is_suppressed, usage_warnings "
        f"from marts.trust_indicator where source_id = 'nmpa' and trust_code = '{BLANK}'"
    )
    assert ask(sql) == [(None, None, None, None, False, ["publisher_note"])]
    notes = ask(f"select note from core.fct_observation where source_id = 'nmpa' and organisation_code = '{BLANK}'")
    assert "data-quality" in notes[0][0]


def test_a_predecessor_stands_under_its_own_code_and_in_no_sum(ask: Ask) -> None:
    sql = (
        "select value, comparator_value, list_contains(usage_warnings, 'boundary_change') from marts.trust_indicator "
        "where source_id = 'nmpa' and trust_code = 'RR1'"
    )
    assert ask(sql) == [(4.0, 2.7, True)]  # without a mean of its own: against England
    # Birmingham and Solihull's trusts are complete without it
    sql = (
        "select numerator, denominator, is_complete from marts.lms_indicator "
        "where source_id = 'nmpa' and lms_code = 'QHL'"
    )
    members = [row for row in read_seed("trust_lms_membership") if row["lms_code"] == "QHL" and not row["valid_to"]]
    trusts = {code for code, _ in sample.maternity_trusts()} & {row["trust_code"] for row in members}
    found = ask(sql)
    assert found
    assert found[0] in {(27 * len(trusts), 1000 * len(trusts), True), (None, None, False)}
    assert found[0][0] != 27 * len(trusts) + 40


def test_an_incomplete_lms_has_no_value(ask: Ask) -> None:
    sql = (
        "select lms.value, lms.is_complete from marts.lms_indicator as lms join marts.trust_indicator as trust "
        "using (source_id, indicator_id, lms_code, period_start, period_end) "
        f"where source_id = 'nmpa' and trust.trust_code = '{BLANK}'"
    )
    assert ask(sql) == [(None, False)]


def test_england_is_the_publishers_own_row_and_others_stay_in_core(ask: Ask) -> None:
    assert ask("select numerator, value from marts.england_indicator where source_id = 'nmpa'") == [(3213, 2.7)]
    sql = (
        "select exclusion_rule, count(*) from core.fct_observation where source_id = 'nmpa' "
        "group by exclusion_rule order by exclusion_rule nulls last"
    )
    assert ask(sql)[:2] == [("outside_england", 5), ("wider_than_england", 1)]
    assert ask("select level, organisation_code from marts.organisation_indicator where source_id = 'nmpa'") == [
        ("site", "E0A3H")
    ]
    assert ask("select published_name from (select organisation_name as published_name from core.fct_observation) "
               "where contains(published_name, chr(160))") == []  # fmt: skip


# --- NNAP ----------------------------------------------------------------------------------------------------------


def test_a_break_is_two_series_never_one_line(ask: Ask) -> None:
    sql = (
        "select indicator_id, organisation_code, period_label, value, numerator, comparator_value "
        "from marts.organisation_indicator where source_id = 'nnap' and level = 'unit' and value is not null "
        "order by indicator_id, organisation_code"
    )
    assert ask(sql) == [
        ("nnap_antenatal_steroids", "st-mary-s-hospital.north-west", "2022", 50, 30, None),
        ("nnap_antenatal_steroids", "st-mary-s-hospital.northern", "2022", 44, None, 52),
        ("nnap_antenatal_steroids_2017_to_2021", "st-mary-s-hospital.north-west", "2021", 50, 30, None),
        ("nnap_antenatal_steroids_2017_to_2021", "st-mary-s-hospital.northern", "2021", 48, None, 52),
    ]
    assert ask("select count(distinct concept_id), bool_and(series_break is not null) from core.dim_indicator "
               "where indicator_id like 'nnap_antenatal_steroids%'") == [(1, True)]  # fmt: skip


# --- templates -----------------------------------------------------------------------------------------------------


def test_pass_and_fail_are_compliance(ask: Ask) -> None:
    sql = (
        "select organisation_code, standard, publisher_status, usage_warnings from marts.compliance "
        "where source_id = 'mis' order by standard"
    )
    assert ask(sql) == [
        ("RCF", "mis_safety_action_1", "Pass", ["template_entry"]),
        ("RCF", "mis_safety_action_2", "Fail", ["template_entry"]),
    ]


def test_a_masked_entry_ships_no_number(ask: Ask) -> None:
    sql = (
        "select numerator, denominator, value, publisher_value, is_suppressed, usage_warnings "
        f"from marts.trust_indicator where source_id = 'mis' and trust_code = '{MASKED}'"
    )
    assert ask(sql) == [(None, None, None, None, True, ["suppressed", "template_entry"])]


def test_figures_of_the_uk_stay_in_core(ask: Ask) -> None:
    sql = (
        "select value, period_start::varchar, period_end::varchar, exclusion_rule from core.fct_observation "
        "where source_id = 'pmrt'"
    )
    assert ask(sql) == [(4111, "2022-03-01", "2023-02-28", "wider_than_england")]


def test_findings_of_the_newest_revision_with_stable_ids(ask: Ask, home: Home) -> None:
    sql = (
        "select source_row, text, usage_warnings, finding_id from core.fct_finding where source_id = 'pmrt' order by 1"
    )
    found = ask(sql)
    assert [row[:3] for row in found] == [
        (1, "The growth chart was not used.", ["template_entry"]),
        (2, "Dr [name] saw that the scan was late.", ["template_entry"]),
        (3, "The growth chart was not used.", ["template_entry"]),
    ]
    assert len({row[3] for row in found}) == 3
    assert all(row[3].startswith("pmrt-") for row in found)
    read = ask("select source_id, kind, text, page, heading, usage_warnings from core.fct_finding "
               "where source_id <> 'pmrt' order by source_id, source_row")  # fmt: skip
    assert read == [
        ("ens", "finding", "Birth was delayed in most of the cases.", 1, "Findings", ["machine_read"]),
        ("hsib", "finding", "The trace was read alone.", None, "Findings", ["machine_read"]),
        ("hsib", "recommendation", "Trusts should review the trace together.", None, "Safety recommendations",
         ["machine_read"]),
    ]  # fmt: skip


def test_published_themes_are_facts(ask: Ask) -> None:
    seed = read_seed("published_theme")
    assert ask("select count(*) from core.published_theme") == [(len(seed),)]
    sql = (
        "select value, value_is, denominator, period_start::varchar, period_end::varchar from core.published_theme "
        "where publisher = 'PMRT' and period_label = '2024' and statement like '%difference%'"
    )
    assert ask(sql) == [(35, "about", None, "2024-01-01", "2024-12-31")]
    assert ask(
        "select count(*) from core.published_theme where kind not in ('theme','count','share','rank','mean')"
    ) == [(0,)]
    assert ask("select count(*) from core.published_theme where period_end is null or period_start > period_end") == [
        (0,)
    ]
    assert ask("select period_start, period_end::varchar from core.published_theme where period_label = 'to 2022-06' "
               "limit 1") == [(None, "2022-06-30")]  # fmt: skip


# --- restricted ----------------------------------------------------------------------------------------------------


def test_the_restricted_file_is_there_for_its_owner_alone(ask: Ask, home: Home) -> None:
    folder = home.current.resolve() / "restricted"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [path.name for path in folder.iterdir()] == ["board_return.duckdb"]
    file = folder / "board_return.duckdb"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    found = ask(
        "select trust_code, indicator_id, value, numerator, denominator, unit from marts.trust_indicator order by 2",
        file,
    )
    assert found == [
        ("RGT", "midwife_fill_rate", 90, 90, 100, "%"),
        ("RGT", "serious_incidents", CANARY_NUMBER, None, None, "count"),
    ]
    dashboard = ask("select measure_id, source_id, value, reason_blank from marts.board_dashboard order by all", file)
    assert {measure for measure, *_ in dashboard} == {row["measure_id"] for row in read_seed("board_measure")}
    assert ("serious_incidents", "board_return", CANARY_NUMBER, None) in dashboard
    assert ("safe_staffing", "board_return", 90, None) in dashboard
    assert [row[2:] for row in dashboard if row[0] == "moderate_harm"] == [
        (None, "in the trust's board return only: see the restricted part")
    ]
    sql = "select organisation_name, publisher_status, exclusion_rule from core.fct_observation order by source_row"
    assert ask(sql, file) == [
        (CANARY, None, None),
        (CANARY, None, None),
        (CANARY, "Pass", None),
        (CANARY, None, "unknown_organisation"),
    ]


def test_the_rows_are_counted_under_their_rule(ask: Ask) -> None:
    assert ask("select exclusion_rule from reference.exclusion_rule where exclusion_rule = 'restricted_audience'")
    assert ask("select count(*) from core.fct_observation where source_id = 'board_return'") == [(0,)]
    assert ask("select audience from core.dim_release where source_id = 'board_return'") == [("restricted",)]


def test_originals_and_landed_rows_are_for_their_owner_alone(home: Home) -> None:
    for landed in (home.landed / "board_return").glob("*/*/r*"):
        assert stat.S_IMODE(landed.stat().st_mode) == 0o700
        assert stat.S_IMODE((landed / "rows.parquet").stat().st_mode) == 0o600
    modes = {
        stat.S_IMODE(path.stat().st_mode) for path in home.archive.glob("??/*") if CANARY.encode() in path.read_bytes()
    }
    assert modes == {0o400}


def test_no_restricted_row_and_no_name_is_in_any_public_file(home: Home) -> None:
    edition = home.current.resolve()
    public = {
        path.relative_to(edition).as_posix(): path
        for path in sorted(edition.rglob("*"))
        if path.is_file() and "restricted" not in path.relative_to(edition).parts
    }
    assert {"perinatal.duckdb", "edition.json", "portal/index.html"} <= set(public)
    assert len([name for name in public if re.fullmatch(r"downloads/lms/[^/]+/[^/]+\.xlsx", name)]) == 44
    told = f"{CANARY}|{CANARY_NUMBER}|48\\.271|{PERSON}"
    for name, path in public.items():
        for text in texts_of(path):
            assert not re.search(told, text), name


def test_alerts_name_rows_of_a_restricted_file_by_number_alone(home: Home) -> None:
    told = [alert for alert in alerts.AlertLog(home.alerts).all() if alert.scope.source_id == "board_return"]
    assert told
    assert CANARY not in str([alert.to_dict() for alert in told])
    assert all(set(row) <= {"source_row", "line"} for alert in told for row in alert.breach.sample_rows)


def texts_of(path: Path) -> Iterable[str]:
    """Yield all that can be read in a file: every cell of every table, every member of a zip."""
    content = path.read_bytes()
    if path.suffix == ".duckdb":
        with duckdb.connect(str(path), read_only=True) as connection:
            tables = connection.execute("select table_schema, table_name from information_schema.tables").fetchall()
            for schema, name in tables:
                yield str(connection.execute(f'select * from "{schema}"."{name}"').fetchall())
    elif path.suffix == ".parquet":
        with duckdb.connect() as connection:
            yield str(connection.read_parquet(str(path)).fetchall())
    elif content.startswith(b"PK"):
        with zipfile.ZipFile(path) as archive:
            yield from (archive.read(name).decode("utf-8", "replace") for name in archive.namelist())
    yield content.decode("utf-8", "replace")
