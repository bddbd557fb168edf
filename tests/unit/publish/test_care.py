"""News of care: the entries of what stands out that the last edition lacked, in words."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
from lxml import etree

from publish import care
from publish.portal import feeds
from publish.portal.model import Facts

ATTENTION = """
create table marts.attention (
    level varchar, organisation_code varchar, organisation_name varchar, lms_code varchar, tier varchar,
    concept_id varchar, source_id varchar, indicator_name varchar, breakdown_value varchar, period_label varchar,
    period_end date, months_covered integer,
    verdict_basis varchar, verdict_level varchar, is_new boolean, why varchar
)
"""
YEAR = ("2024", date(2024, 12, 31), 12)
WINDOW = ("2025-04", date(2025, 4, 30), 3)
TRUST = ("trust", "RAA", "One NHS Trust", "QAA", "death", "stillbirth", "mbrrace", "Stillbirth rate", "all", *YEAR)
LMS = ("lms", "QAA", "Alpha", "QAA", "death", "stillbirth", "mbrrace", "Stillbirth rate", "all", *YEAR)
LMS_ALONE = ("lms", "QAA", "Alpha", "QAA", "process", "smoking", "msds", "Smoking at birth", "Yes", *WINDOW)
BY_MBRRACE = ("publisher", None)
OURS = ("own", "95")


def edition(folder: Path, *entries: tuple[object, ...]) -> Path:
    with duckdb.connect(str(folder / "perinatal.duckdb")) as connection:
        connection.execute("create schema marts; create schema core")
        connection.execute("create table core.dim_lms as select 'QAA' as lms_code, 'Alpha' as lms_name")
        connection.execute(ATTENTION)
        for entry in entries:
            connection.execute(f"insert into marts.attention values ({', '.join('?' * 16)})", list(entry))
    return folder / "perinatal.duckdb"


def test_news_names_trust_indicator_and_whose_verdict(tmp_path: Path) -> None:
    why = "4.2 adjusted beside 3.1"
    database = edition(
        tmp_path,
        (*LMS_ALONE, *OURS, True, "13% beside 6%"),
        (*LMS, *BY_MBRRACE, True, "Trusts of the LMS are worse"),
        (*TRUST, *BY_MBRRACE, True, why),
        ("trust", "RBB", *TRUST[2:], *BY_MBRRACE, False, why),
    )
    first, second = care.new_entries(database)
    assert first["text"] == (
        "One NHS Trust: Stillbirth rate, 2024: worse (MBRRACE-UK’s verdict). 4.2 adjusted beside 3.1."
    )
    assert (first["lms_code"], first["lms_name"], first["page"]) == ("QAA", "Alpha", "trust/RAA.html")
    assert second["text"].startswith(
        "Alpha: Smoking at birth (Yes), three months to April 2025: worse (our verdict, 95% limits)."
    )
    assert second["page"] == "lms/QAA.html"


def test_a_first_edition_has_no_news(tmp_path: Path) -> None:
    assert care.new_entries(edition(tmp_path, (*TRUST, *BY_MBRRACE, None, "why"))) == []


def test_the_feed_of_an_lms_has_its_own_news_of_every_edition_that_is_kept_and_says_what_is_synthetic() -> None:
    news = {"lms_code": "QAA", "lms_name": "Alpha", "subject": "trust/RAA/stillbirth", "text": "One: two", "page": "p"}
    other = news | {"lms_code": "QBB"}
    one = {"edition_id": "e2", "published_at": "2026-11-29T00:00:00+00:00", "care": [news, other]}
    older = {"edition_id": "e1", "published_at": "2026-11-28T00:00:00+00:00"}
    space = "{http://www.w3.org/2005/Atom}"
    for is_synthetic, says in ((False, ""), (True, " (synthetic sample)")):
        kept = tuple(item | {"is_synthetic": is_synthetic} for item in (one, older))
        facts = Facts("e2", one["published_at"], is_synthetic, "", kept)
        feed = etree.fromstring(feeds.care(facts, "QAA", "Alpha").encode())
        assert [entry.findtext(f"{space}summary") for entry in feed.findall(f"{space}entry")] == ["One: two"]
        assert feed.findtext(f"{space}title") == f"Perinatal Insights: care, Alpha{says}"
        assert feed.findtext(f"{space}entry/{space}title") == f"Care: One{says}"
