"""A made-up edition file: every table that the pages and packs read, a few organisations, and text that bites.

The tables have the columns of dbt's YAML, so that a test breaks when the contract moves. No dbt run is needed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import yaml

from perinatal.made_files import MadeFiles, Since
from publish import dictionary

SCRIPT = "<script>alert('name')</script> & Sons NHS Trust"
FORMULA = '=cmd()|"/c calc"!A1'
FACTS = {
    "edition_id": "20261123T000000-madeup00",
    "published_at": "2026-11-23T00:00:00+00:00",
    "fingerprint": "madeup00",
    "is_synthetic": True,
    "releases": ["mbrrace/perinatal_mortality/2024/aaaaaaaaaaaa"],
    "checks": 2,
    "warnings": ["a_rule"],
}
Rows = list[dict[str, Any]]

# types of columns in schemas whose YAML gives none
TYPES = {
    "date": ("valid_from", "valid_to", "opened_on", "closed_on", "published_on", "next_due", "late_from",
             "latest_period_end", "newest_reported", "newest_expected", "period_start", "period_end", "effective_from",
             "accepted_until", "last_said_on", "said_on", "decided_on", "first_decided_on", "last_decided_on"),
    "timestamp": ("fetched_at", "opened_at", "last_seen_at", "closed_at"),
    "boolean": ("is_synthetic", "is_superseded", "has_arrival_warning", "success", "is_missing_now", "is_split",
                "is_boundary_change", "is_suppressed", "is_denominator_withheld", "is_named", "is_stressed",
                "is_disputed", "is_seen"),
    "varchar[]": ("aliases", "changed_columns", "usage_warnings", "affected_marts", "affected_lms", "sources",
                  "published_sources", "coded_sources", "mis_action", "mis_status", "bodies"),
    "double": ("multiplier", "target", "observed", "minimum", "maximum", "value", "comparator_value", "numerator",
               "denominator", "knot_target", "next_target", "score", "old_value", "new_value", "old_numerator",
               "new_numerator", "old_denominator", "new_denominator", "england_value",
               "lms_lowest", "lms_highest", "share", "emphasis_z", "emphasis", "recency", "emphasis_score",
               "recency_score", "published_score", "verdict_score", "convergence_score", "published_share_max", "kappa",
               "published_share_lower_95", "published_share_upper_95"),
    "integer": ("revision", "precedence", "year", "knot_year", "next_year", "mergers", "times_seen", "periods_missing",
                "periods_expected", "periods_reported", "period_months", "page", "findings", "convergence_rank",
                "evidence_start", "evidence_end", "trusts_compared", "trusts_worse", "documents", "recommendations",
                "findings_by_person", "n_bodies", "rank_best", "rank_worst", "findings_of_body",
                "trusts_standing_out", "lms_standing_out", "reviewers", "decided", "by_several",
                "disputed", "source_row_count", "months_covered"),
    "bigint": ("source_row", "rows_in", "rows_mart", "rows_quarantined", "rows_excluded", "count"),
}  # fmt: skip
TYPE_OF = {column: kind for kind, columns in TYPES.items() for column in columns}
# the room that describes tables of its own; those of insights are sources in dbt's YAML
WRITTEN_BY_STEPS = ("publish",)
# seeds whose columns the YAML does not list
OTHER_TABLES = {
    ("reference", "ambition"): ["ambition_id", "ambition_name", "unit", "definition", "statement", "quirk"],
    ("reference", "usage_warning"): ["usage_warning", "kind", "says"],
    ("reference", "board_measure"): ["measure_id", "measure", "place", "where_to_get"],
}
RELEASE = "mbrrace/perinatal_mortality/2024/aaaaaaaaaaaa"
MONTHLY = "msds/monthly_measures/2026-03/bbbbbbbbbbbb"
LMSS = [("QAA", "North & South <b>Shire</b>"), ("QBB", "East Shire"), ("QCC", "West Shire")]
TRUSTS = [
    ("R01", SCRIPT, "QAA"), ("R02", "Middle Shire Hospitals NHS Foundation Trust", "QAA"),
    ("R03", "Far Shire NHS Trust", "QAA"), ("R04", "East Shire NHS Trust", "QBB"),
    ("R05", "Eastern Coast NHS Foundation Trust", "QBB"), ("R06", "West Shire NHS Trust", "QCC"),
    ("R07", "Closed Shire NHS Trust", "QCC"),
]  # fmt: skip

HOSPITALS = [
    ("R0401", "Oldcastle <Royal> Hospital", "R04"), ("R9901", "Oldcastle <Royal> Hospital", "R04"),
    ("R0501", "St Mary's Hospital", "R05"), ("7A601", "Beyond the Border Hospital", None),
]  # fmt: skip

# pages of the made-up edition that are not of one organisation, indicator or theme
OTHER_PAGES = (
    "quality.html",
    "release/index.html",
    "release/aaaaaaaaaaaa.html",
    "release/aaaaaaaaaaaa/stillbirth_rate.html",
    "release/aaaaaaaaaaaa/stillbirth_rate-deprivation.html",
    "alert/a1b2c3d4.html",
    "alert/b2c3d4e5.html",
    "alert/c3d4e5f6.html",
    "change.html",
    "downloads.html",
    "dictionary.html",
    "about.html",
    "accessibility.html",
    "official-statistics.html",
    "trust/index.html",
    "board/R01.html",
    "board/R02.html",
    "region/Y01.html",
    "recording/QAA.html",
    "answers.html",
    "compare.html",
    "overview/lms.html",
    "overview/trusts.html",
    "map/stillbirth_rate-mbrrace.html",
    "methods.html",
    "disclosure.html",
    "analysts.html",
    "queries.html",
    "search.html",
)


@dataclass
class MadeUp:
    """Rows by (schema, table)."""

    rows: dict[tuple[str, str], Rows] = field(default_factory=dict)

    def add(self, schema: str, table: str, **row: Any) -> None:
        """Add a row; columns that are not given are NULL."""
        self.rows.setdefault((schema, table), []).append(row)

    def write(self, path: Path, leave_out: tuple[str, ...] = ()) -> Path:
        """Write the file, without the tables that are left out."""
        with duckdb.connect(str(path)) as connection:
            for schema in ("reference", "core", "marts", "quality"):
                connection.execute(f"create schema {schema}")
            for (schema, table), columns in declared().items():
                if f"{schema}.{table}" in leave_out:
                    continue
                shape = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
                connection.execute(f"create table {schema}.{table} ({shape})")
                for row in self.rows.get((schema, table), []):
                    unknown = set(row) - set(columns)
                    assert not unknown, f"{schema}.{table} has no {unknown}"
                    names = ", ".join(f'"{name}"' for name in row)
                    marks = ", ".join("?" for _ in row)
                    connection.execute(f"insert into {schema}.{table} ({names}) values ({marks})", list(row.values()))
        return path


def declared() -> dict[tuple[str, str], dict[str, str]]:
    """Return the columns and types of every table, as dbt's YAML declares them."""
    found = {key: dict.fromkeys(columns, "varchar") for key, columns in OTHER_TABLES.items()}
    described = [path for folder in dictionary.FOLDERS for path in folder.rglob("*.yml")]
    for path in described:
        document = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        sources = [(source.get("schema"), item) for source in document.get("sources", []) for item in source["tables"]]
        for folder, item in [(path.parent.name, item) for item in document.get("models", [])] + sources:
            place = folder
            if folder in WRITTEN_BY_STEPS:
                place = "quality" if item["name"] in ("check_result", "alert", "judgement_change") else "marts"
            if place in ("core", "marts", "quality") and item.get("columns"):
                found[place, item["name"]] = {
                    column["name"]: column.get("data_type") or TYPE_OF.get(column["name"], "varchar")
                    for column in item["columns"]
                }
    for columns in found.values():
        columns.update({name: "varchar[]" for name in columns if name == "usage_warnings"})
    return found


def make() -> MadeUp:
    """Return the rows of the made-up edition."""
    edition = MadeUp()
    _reference(edition)
    _organisations(edition)
    _catalogue(edition)
    _ambitions(edition)
    for year in range(2020, 2025):
        _year(edition, year)
    for month in range(15):
        _month(edition, month)
    _observations(edition)
    _looks(edition)
    _findings(edition)
    _quality(edition)
    return edition


def _reference(edition: MadeUp) -> None:
    for word, says in (
        ("suppressed", "The publisher has masked the number: it is small"),
        ("small_numbers", "Fewer than 20 events: the rate is unreliable"),
        ("incomplete", "At least one trust is missing or masked"),
        ("publisher_note", FORMULA),
        ("denominator_withheld", "The denominator is withheld"),
        ("synthetic", "Invented sample data"),
    ):
        kind = "fault" if word == "publisher_note" else "note"
        edition.add("reference", "usage_warning", usage_warning=word, kind=kind, says=says)
    edition.add(
        "reference",
        "ambition",
        ambition_id="stillbirth",
        ambition_name="Stillbirths",
        unit="per 1,000 total births",
        definition="24 weeks or later",
        statement="Halve the rate of 2010 by 2025",
        quirk="Half of 5.1 is 2.55",
    )


def _organisations(edition: MadeUp) -> None:
    for code, name in LMSS:
        edition.add("core", "dim_lms", lms_code=code, lms_name=name, region_code="Y01", region_name="Shires",
                    icb_code=code, icb_name=f"NHS {name} Integrated Care Board")  # fmt: skip
    for code, name, lms in TRUSTS:
        edition.add(
            "core", "dim_organisation", organisation_key=f"{code}-1", code=code, name=name, level="trust",
            valid_from=date(1900, 1, 1), valid_to=date(9999, 12, 31), lms_code=lms, region_code="Y01",
            closed_on=date(2022, 3, 31) if code == "R07" else None, network="Shire Network", aliases=[],
        )  # fmt: skip
        today = "R06" if code == "R07" else code
        edition.add("core", "bridge_organisation_today", code=code, today_code=today, today_name="West Shire NHS Trust")
    for code, name, trust in HOSPITALS:
        edition.add("core", "dim_organisation", organisation_key=f"site-{code}", code=code, name=name, level="site",
                    parent_code=trust, aliases=[])  # fmt: skip
    for key, source, dataset, release, digits in (
        (RELEASE, "mbrrace", "perinatal_mortality", "2024", "a"),
        (MONTHLY, "msds", "monthly_measures", "2026-03", "b"),
    ):
        edition.add(
            "core", "dim_release", release_key=key, source_id=source, dataset=dataset, release=release, revision=1,
            status="final", sha256=digits * 64, original_name="file.csv", url="https://publisher.example/data",
            published_on=date(2025, 5, 1), fetched_at=datetime(2025, 5, 2, 9, 30), publisher=f"{source.upper()} (Body)",
            licence="Open Government Licence v3.0", audience="public", is_synthetic=True, precedence=1,
            is_superseded=False, has_arrival_warning=False,
        )  # fmt: skip


def _catalogue(edition: MadeUp) -> None:
    for indicator, name, statistic, unit, multiplier, source, ambition, concept in (
        ("stillbirth_rate", "Stillbirth rate", "rate", "per 1,000", 1000, "mbrrace", "stillbirth", "stillbirth"),
        ("apgar_below_7", "Apgar score below 7", "proportion", "%", 100, "msds", None, "apgar"),
        ("msds_cqimdq02", "Data quality: check 02", "ratio", "%", 100, "msds", None, "cqimdq02"),
        ("never_landed", FORMULA, "rate", "per 1,000", 1000, "nnap", None, "stillbirth"),
    ):
        edition.add(
            "core", "dim_indicator", indicator_id=indicator, indicator_name=name, definition="What is counted <here>",
            statistic=statistic, unit=unit, multiplier=multiplier, polarity="low", numerator_definition="Events",
            denominator_definition="Total births", ambition_id=ambition, source_id=source, concept_id=concept,
            difference_note="Counted by <residence>" if concept == "stillbirth" else None,
        )  # fmt: skip


def _ambitions(edition: MadeUp) -> None:
    for year in range(2010, 2031):
        target = 5.1 - (year - 2010) / 10
        edition.add("core", "ambition_trajectory", trajectory_id="stillbirth", ambition_id="stillbirth", year=year,
                    target=target, knot_year=2010 if year < 2020 else 2020, knot_target=5.1)  # fmt: skip
    for year, actual in ((2010, 5.1), (2020, 3.8), (2024, 3.8)):
        for definition, offset in (("ONS, 24 weeks or later", 0.0), ("another definition", 0.5)):
            edition.add(
                "marts", "national_ambition", ambition_id="stillbirth", ambition_name="Stillbirths",
                definition=definition, geography="England", period=str(year), year=year,
                trajectory_id="stillbirth",
                target=5.1 - (year - 2010) / 10, actual=actual + offset, gap=0.1,
                on_track=False, years_behind=3.1, unit="per 1,000 total births", is_headline=offset == 0.0,
                position=f"down to {actual + offset} in {year}; above the <trajectory>", is_stale=False,
                source_url="https://ons.example/births (table <1>)", release_key=RELEASE,
            )  # fmt: skip


def value_row(**given: Any) -> dict[str, Any]:
    """Return a row of an indicator mart with its usual columns."""
    base: dict[str, Any] = {
        "breakdown": "all", "breakdown_value": "all", "is_suppressed": False, "usage_warnings": ["synthetic"],
        "recent_trend": "no significant change", "verdict": "similar", "verdict_basis": "publisher",
        "months_covered": _months(given["period_start"], given["period_end"]), "is_synthetic": True,
    }  # fmt: skip
    return base | given


def _months(start: date, end: date) -> int:
    return (end.year - start.year) * 12 + end.month - start.month + 1


def counts(events: int, births: int, multiplier: int) -> dict[str, float]:
    """Return numbers that fit together, with an interval that is wide enough."""
    value = events / births * multiplier
    return {
        "numerator": events, "denominator": births, "value": value, "lower_95": value * 0.7, "upper_95": value * 1.4,
        "lower_998": value * 0.6, "upper_998": value * 1.6,
    }  # fmt: skip


def _year(edition: MadeUp, year: int) -> None:
    shared = {
        "indicator_id": "stillbirth_rate", "indicator_name": "Stillbirth rate", "source_id": "mbrrace",
        "period_label": str(year), "period_start": date(year, 1, 1), "period_end": date(year, 12, 31),
        "unit": "per 1,000", "release_key": RELEASE,
    }  # fmt: skip
    region = {"region_code": "Y01", "region_name": "Shires"}
    for place, (code, name, lms) in enumerate(TRUSTS):
        if code == "R07" and year > 2021:
            continue
        masked = code == "R03" and year in (2021, 2024)
        numbers = {} if masked else counts(12 + place + year % 3, 4000 + 500 * place, 1000)
        if code == "R01":  # a trust that stands out
            numbers = counts(45, 4000, 1000) | {"verdict": "worse", "recent_trend": "worse"}
        words = ["suppressed", "synthetic"] if masked else ["publisher_note", "small_numbers", "synthetic"]
        edition.add("marts", "trust_indicator", **value_row(
            trust_code=code, trust_name=name, lms_code=lms, lms_name=dict(LMSS)[lms], **region, **shared,
            **{"verdict": None, "verdict_basis": None, **numbers} if masked else numbers, is_suppressed=masked,
            usage_warnings=words,
            comparator_value=3.5, adjusted_value=3.4, adjusted_lower_95=3.0, adjusted_upper_95=4.0,
        ) | numbers)  # fmt: skip
    for code, name in LMSS:
        incomplete = code == "QAA" and year in (2021, 2024)
        numbers = {"value_min": 4.01, "value_max": 4.52} if incomplete else counts(40, 12000, 1000)
        visible = 2 if incomplete else 3
        edition.add("marts", "lms_indicator", **value_row(
            lms_code=code, lms_name=name, **region, **shared, trusts_expected=3, trusts_reporting=visible,
            is_complete=not incomplete, usage_warnings=["incomplete", "synthetic"] if incomplete else ["synthetic"],
            comparator_value=3.6, **({"verdict": None, "verdict_basis": None} if incomplete else {}),
        ) | numbers)  # fmt: skip
    whole = {"trusts_expected": 6, "trusts_reporting": 6, "is_complete": True}
    edition.add("marts", "region_indicator", **value_row(**region, **shared, **whole) | counts(120, 36000, 1000))
    edition.add("marts", "england_indicator", **value_row(**shared, **whole) | counts(126, 36000, 1000))
    edition.add("marts", "england_indicator", **(value_row(**shared, **whole) | counts(26, 6000, 1000)
                | {"breakdown": "deprivation", "breakdown_value": "Quintile 1 <most deprived>"}))  # fmt: skip


def _month(edition: MadeUp, month: int) -> None:
    start = date(2025 + month // 12, month % 12 + 1, 1)
    end = (start + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    shared = {
        "indicator_id": "apgar_below_7", "indicator_name": "Apgar score below 7", "source_id": "msds",
        "period_label": f"{start:%b %Y}", "period_start": start, "period_end": end, "unit": "%", "release_key": MONTHLY,
    }  # fmt: skip
    for place, (code, name, lms) in enumerate(TRUSTS[:6]):
        if month == 14:
            check = {"indicator_id": "msds_cqimdq02", "indicator_name": "Data quality: check 02", "verdict": None}
            edition.add("marts", "trust_indicator", **value_row(
                trust_code=code, trust_name=name, lms_code=lms, lms_name=dict(LMSS)[lms], region_code="Y01",
                region_name="Shires", **shared | check, comparator_value=90.0) | counts(380, 400, 100))  # fmt: skip
        numbers = counts(8 + (month * (place + 2)) % 5 + (30 if code == "R02" and month == 14 else 0), 400, 100)
        edition.add("marts", "trust_indicator", **value_row(
            trust_code=code, trust_name=name, lms_code=lms, lms_name=dict(LMSS)[lms], region_code="Y01",
            region_name="Shires", **shared, comparator_value=2.2) | numbers)  # fmt: skip
        concern = code == "R02" and month == 14
        edition.add(
            "marts", "signal", **{k: v for k, v in shared.items()}, level="trust", organisation_code=code,
            organisation_name=name, lms_code=lms, value=numbers["value"], process_mean=2.4, lower_process_limit=0.9,
            upper_process_limit=3.9, target=2.0, assurance="inconsistent", is_short_series=False,
            special_cause_type="Above UCL" if concern else "Common Cause",
            point_type="special_cause_concern" if concern else "common_cause",
            cusum_signal="red" if concern else None, usage_warnings=["synthetic"],
        )  # fmt: skip
    edition.add("marts", "england_indicator", **value_row(**shared, trusts_expected=6, trusts_reporting=6,
                is_complete=True) | counts(60, 2400, 100))  # fmt: skip


def _observations(edition: MadeUp) -> None:
    """A row of a file for each figure of a trust and of England; QCC's publisher has a row of its own."""
    copied = ("source_id", "indicator_id", "period_label", "period_start", "period_end", "breakdown", "breakdown_value",
              "numerator", "denominator", "value", "is_suppressed", "release_key")  # fmt: skip
    for mart, level, code in (
        ("trust_indicator", "trust", "trust_code"), ("lms_indicator", "icb", "lms_code"),
        ("england_indicator", "england", ""),
    ):  # fmt: skip
        for place, row in enumerate(edition.rows["marts", mart], start=1):
            if level == "icb" and row["lms_code"] != "QCC":
                continue
            edition.add(
                "core", "fct_observation", level=level, organisation_code=row.get(code, "E92000001"),
                organisation_name=row.get(code), source_row=place, source_row_count=3 if level == "icb" else 1,
                **{name: row.get(name) for name in copied},
            )  # fmt: skip


def _looks(edition: MadeUp) -> None:
    period = {"period_label": "2024", "period_start": date(2024, 1, 1), "period_end": date(2024, 12, 31)}
    about = {"source_id": "mbrrace", "indicator_id": "stillbirth_rate", "release_key": RELEASE, **period}
    for level, code, name, lms, position in (
        ("trust", "R01", SCRIPT, "QAA", "above"), ("lms", "QAA", LMSS[0][1], "QAA", "above"),
        ("lms", "QBB", LMSS[1][1], "QBB", "not distinguishable"), ("lms", "QCC", LMSS[2][1], "QCC", None),
    ):  # fmt: skip
        edition.add(
            "marts", "ambition_position", ambition_id="stillbirth", level=level, organisation_code=code,
            organisation_name=name, lms_code=lms, year=2024, value=4.4, lower_95=4.0, upper_95=4.9, target=2.82,
            gap=1.58, position=position, years_behind=2.5, unit="per 1,000", is_complete=True, basis="adjusted",
            definition_note="Counted otherwise", usage_warnings=["synthetic"], **about,
        )  # fmt: skip
    for measure, place, indicator in (("Stillbirths", 1, "stillbirth_rate"), ("Safe staffing levels", 2, None)):
        edition.add("reference", "board_measure", measure_id=measure.lower(), measure=measure, place=str(place),
                    where_to_get=f"the trust's <own> log of {measure.lower()}")  # fmt: skip
        row: dict[str, Any] = {
            "trust_code": "R01", "trust_name": SCRIPT, "lms_code": "QAA", "measure_id": measure.lower(),
            "measure": measure, "place": place, "usage_warnings": [],
        }  # fmt: skip
        more = about | {"value": 11.25, "unit": "per 1,000", "lower_95": 7.9, "upper_95": 15.7, "verdict": "worse",
                        "recent_trend": "worse", "target": 2.82, "position": "above"}  # fmt: skip
        blank = {"reason_blank": "in the trust's board return only"}
        edition.add("marts", "board_dashboard", **row, **(more if indicator else blank))
    for group, rate in (("Quintile 1", 5.0), ("Quintile 5", 3.0)):
        for level, code, name in (("lms", "QAA", LMSS[0][1]), ("england", "E92000001", "England")):
            edition.add(
                "marts", "inequality", indicator_name="Stillbirth rate", level=level, organisation_code=code,
                organisation_name=name, lms_code="QAA" if level == "lms" else None, group_type="deprivation",
                breakdown="deprivation", group=group, numerator=20.0, denominator=5000.0, rate=rate,
                lower_95=rate - 1, upper_95=rate + 1, unit="per 1,000", reference_group="Quintile 5", ratio=rate / 3,
                ratio_lower_95=rate / 4, ratio_upper_95=rate / 2, gap=rate - 3, usage_warnings=["synthetic"], **about,
            )  # fmt: skip
    _attention(edition)
    for number, (level, code, indicator, text) in enumerate((
        ("trust", "R01", "stillbirth_rate", "A <b>resubmission</b> is due."), ("trust", "R01", "all", FORMULA),
        ("trust", "R01", "apgar_below_7", "To another year"), ("lms", "QBB", "stillbirth_rate", "We have reviewed all"),
    )):  # fmt: skip
        own = {"period_label": "2019", "period_start": date(2019, 1, 1), "period_end": date(2019, 12, 31)}
        edition.add(
            "marts", "annotation", annotation_id=f"a{number}", level=level, organisation_code=code,
            organisation_name=SCRIPT if code == "R01" else LMSS[1][1], lms_code="QAA" if code == "R01" else code,
            indicator_id=indicator, indicator_name=None if indicator == "all" else indicator.replace("_", " "),
            text=text, said_by="Director of <Midwifery>", said_on=date(2025, 6, number + 1), usage_warnings=[],
            release_key=RELEASE, **(own if "another" in text else period if indicator != "all" else {}),
        )  # fmt: skip
    for change, old, new in (("changed", 4.0, 4.4), ("added", None, 4.1), ("masked", None, None)):
        edition.add(
            "marts", "edition_change", mart="trust_indicator", organisation_code="R01", organisation_name=SCRIPT,
            lms_code="QAA", breakdown="all", breakdown_value="all", change=change, reason="revision", old_value=old,
            changed_columns=["value", "value_min"] if change == "changed" else [],
            new_value=new, new_release_key=RELEASE, last_edition="20260101T000000-before00",
            **{name: cell for name, cell in about.items() if name != "release_key"},
        )  # fmt: skip


def _attention(edition: MadeUp) -> None:
    """R01 is worse in deaths, and its LMS through it; R02 and its LMS in Apgar scores."""
    death = {
        "tier": "death", "concept_id": "stillbirth", "source_id": "mbrrace", "indicator_id": "stillbirth_rate",
        "indicator_name": "Stillbirth rate", "period_label": "2024", "period_start": date(2024, 1, 1),
        "period_end": date(2024, 12, 31), "months_covered": 12, "unit": "per 1,000", "comparator_value": 3.5,
        "verdict_basis": "publisher", "excess": 31.0, "held_since": date(2022, 1, 1), "release_key": RELEASE,
    }  # fmt: skip
    harm = {
        "tier": "harm", "concept_id": "apgar", "source_id": "msds", "indicator_id": "apgar_below_7",
        "indicator_name": "Apgar score below 7", "period_label": "Mar 2026", "period_start": date(2026, 3, 1),
        "period_end": date(2026, 3, 31), "months_covered": 1, "unit": "%", "comparator_value": 2.2,
        "verdict_basis": "own", "verdict_level": "99.8", "excess": None, "held_since": date(2026, 3, 1),
        "is_new": True, "release_key": MONTHLY,
    }  # fmt: skip
    for level, code, name, rank, row, value in (
        ("lms", "QAA", LMSS[0][1], 1, death, None), ("lms", "QAA", LMSS[0][1], 2, harm, 10.5),
        ("trust", "R01", SCRIPT, 1, death, 11.25), ("trust", "R02", TRUSTS[1][1], 1, harm, 10.5),
    ):  # fmt: skip
        trusts = [SCRIPT if row is death else TRUSTS[1][1]] if level == "lms" else None
        edition.add(
            "marts", "attention", level=level, organisation_code=code, organisation_name=name, lms_code="QAA",
            rank=rank, breakdown_value="all", value=value, verdict="worse", trusts=trusts, why="worse",
            is_synthetic=True, **row,
        )  # fmt: skip


def _findings(edition: MadeUp) -> None:
    for place, (theme, label, sources) in enumerate(
        (("C01", "Fetal monitoring <CTG>", ["hsib", "Coroner <PFD>"]), ("S02", FORMULA, ["hsib"])), start=1
    ):
        by_source = [{"source_id": "hsib", "findings": len(sources), "of": 9}]
        edition.add("marts", "theme", theme_id=theme, label=label, driver="Deterioration", sbl_element="4",
                    sources=sources, published_sources=sources[1:], findings=len(sources), convergence_rank=place,
                    findings_by_source=json.dumps(by_source), usage_warnings=["publisher_note"], bodies=["HSIB/MNSI"],
                    n_bodies=1, convergence_score=60.0 / place, emphasis_score=0.5, recency_score=0.8,
                    published_score=0.4, verdict_score=None if place == 2 else 0.2, rank_best=1, rank_worst=2,
                    published_share_max=49.0, published_share_lower_95=38.95, published_share_upper_95=58.96,
                    published_share_of="HSIB/MNSI 2021/22", published_share_definition="of <cases>")  # fmt: skip
        edition.add("marts", "theme_body", theme_id=theme, body="HSIB/MNSI", findings=len(sources), findings_of_body=9,
                    share=22.2, emphasis_z=1.4, is_named=False, emphasis=0.7, is_stressed=True,
                    last_said_on=date(2022, 3, 30), recency=1.0)  # fmt: skip
        for source in sources[1:]:
            edition.add("marts", "theme_body", theme_id=theme, body=source, findings=0, findings_of_body=0,
                        is_named=True, emphasis=1.0,
                        is_stressed=True, last_said_on=date(2022, 3, 30), recency=1.0)  # fmt: skip
        edition.add(
            "marts", "theme_figure", theme_id=theme, publisher="HSIB", body="HSIB/MNSI", period_label="2021/22",
            kind="share", is_seen=True,
            statement=FORMULA, published_value="49", published_unit="%", published_denominator="92 <cases>",
            source_url="https://reports.example/figure (secondary)",
        )  # fmt: skip
        edition.add(
            "marts", "theme_figure", theme_id=theme, publisher="HSIB", body="HSIB/MNSI", period_label="2019",
            kind="theme", statement="Remembered by somebody", is_seen=False,
            source_url="https://reports.example/remembered",
        )  # fmt: skip
        edition.add(
            "marts", "theme_indicator", theme_id=theme, indicator_id="apgar_below_7", source_id="msds", unit="%",
            indicator_name="Apgar score below 7", link="outcome", link_note=FORMULA, period_label="Mar 2026",
            england_value=2.5, trusts_compared=6, trusts_worse=1, release_key=MONTHLY,
        )  # fmt: skip
        edition.add("marts", "theme_review", theme_id=theme, decided=3, by_several=2, disputed=1, kappa=0.5,
                    reviewers=2, last_decided_on=date(2026, 11, 3))  # fmt: skip
        for number, source in enumerate(sources):
            finding = f"{theme}-{number}"
            person = {"coded_by": "person", "reviewers": 2, "decided_on": date(2026, 11, 3), "is_disputed": True}
            edition.add("marts", "theme_evidence", theme_id=theme, finding_id=finding, evidence="was late",
                        evidence_start=len(f"The {SCRIPT} "), score=0.8,
                        **(person if number else {"coded_by": "rule"}))  # fmt: skip
            edition.add(
                "core", "fct_finding", finding_id=finding, source_id=source, document_title="A report",
                document_url="javascript:alert(1)" if number else "https://reports.example/1", kind="finding",
                text=f"The {SCRIPT} was late <again>", page=3, published_on=date(2022, 3, 30), release_key=RELEASE,
            )  # fmt: skip


def _quality(edition: MadeUp) -> None:
    for key, source, dataset, due in (
        (RELEASE, "mbrrace", "perinatal_mortality", date(2026, 5, 1)),
        (MONTHLY, "msds", "monthly_measures", date(2026, 12, 1)),
    ):
        edition.add(
            "quality", "source_health", source_id=source, dataset=dataset, release_key=key, rows_in=10, rows_mart=8,
            rows_quarantined=1, rows_excluded=1, latest_period_end=date(2024, 12, 31), published_on=date(2025, 5, 1),
            next_due=due, late_from=due + timedelta(days=31),
        )  # fmt: skip
    for success in (True, False):
        edition.add(
            "quality", "check_result", suite="release", rule="a_rule", expectation="expect", severity="warn",
            dimension="completeness", success=success, observed=2.0, maximum=0.0, message=f"{FORMULA} is not met",
            remedy="Ask <them>", owner="Insights group", affected_marts=["marts.trust_indicator"], sample_rows="[]",
            release_key=RELEASE,
        )  # fmt: skip
    seen = {"last_seen_at": datetime(2026, 11, 22, 8), "affected_marts": ["marts.trust_indicator"]}
    rows = [{"release_key": RELEASE, "source_row": 72, "trust_code": "R01", "indicator_id": "stillbirth_rate"}]
    edition.add(
        "quality", "alert", alert_id="a1b2c3d4", scope="release", state="open", times_seen=1, rule="a_rule",
        opened_at=datetime(2026, 11, 22, 8, tzinfo=UTC).replace(tzinfo=None), severity="warn", count=2,
        message="<script>alert(1)</script> rows do not", why="Boards would read a <wrong> figure", remedy="Ask",
        sample_rows=json.dumps(rows), affected_lms=["QAA"], release_key=RELEASE, **seen,
    )  # fmt: skip
    edition.add(
        "quality", "alert", alert_id="b2c3d4e5", scope="arrival/msds/monthly_measures/2026-03", state="accepted",
        times_seen=3, rule="counts_are_rounded", opened_at=datetime(2026, 11, 20, 8), severity="block", count=1,
        message="Counts are not rounded", sample_rows="[]", affected_lms=[], accepted_by="Ann Steward",
        accepted_until=date(2027, 1, 31), accepted_why="The publisher knows", **seen,
    )  # fmt: skip
    edition.add(
        "quality", "alert", alert_id="c3d4e5f6", scope="inbox/mbrrace/deaths.csv", state="closed", times_seen=1,
        rule="file_is_known", opened_at=datetime(2026, 11, 1, 8), closed_at=datetime(2026, 11, 2, 8), severity="warn",
        count=1, message="A file is not known", sample_rows="[]", affected_lms=[], **seen,
    )  # fmt: skip
    edition.add(
        "quality", "org_completeness", source_id="mbrrace", dataset="perinatal_mortality", period_months=12,
        trust_code="R06", lms_code="QCC", periods_expected=5, periods_reported=4, periods_missing=1,
        newest_reported=date(2023, 12, 31), newest_expected=date(2024, 12, 31), is_missing_now=True,
    )  # fmt: skip


def edition_folder(home: Path) -> Path:
    """Write a whole made-up edition (file, pages, packs, downloads) as the current one of a state folder."""
    from publish import edition, packs, portal
    from publish.portal.model import Facts

    folder = home / "editions" / str(FACTS["edition_id"])
    folder.mkdir(parents=True)
    database = make().write(folder / edition.DATABASE)
    made = MadeFiles(folder / "downloads", Since(str(FACTS["edition_id"]), str(FACTS["published_at"])))
    edition.write_downloads(database, made)
    packs.write_all(database, made, is_synthetic=True)
    made.close()
    facts = Facts(str(FACTS["edition_id"]), str(FACTS["published_at"]), True, "", (FACTS,))
    portal.write(database, folder / "portal", facts)
    docs = folder / "quality" / "data_docs"
    docs.mkdir(parents=True)
    (docs / "index.html").write_text(
        "<!DOCTYPE html><html lang='en'><head><title>Docs</title></head><body></body></html>"
    )
    (folder / edition.INFO).write_text(json.dumps(FACTS))
    (home / "current").symlink_to(Path("editions") / folder.name)
    return folder
