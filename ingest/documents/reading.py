"""Reports as findings: the passages of a web page or PDF that are findings, with page and heading, as template CSV.

`ingest/templates/findings/passages.yml` says under which headings, or with which words, a passage is a finding,
recommendation or theme; other passages are left out. `findings.py` splits them into sentences.
"""

from __future__ import annotations

import csv
import itertools
import operator
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from ingest.documents import findings
from ingest.documents.passage_kinds import kind_of
from ingest.documents.passages import Passage, Report
from ingest.documents.pdf_report import read_pdf_report
from ingest.documents.responses import with_answers
from ingest.documents.web_report import read_web_report
from ingest.land.sniff import Kind, sniff
from ingest.land.template import iso_date
from ingest.land.unreadable import Unreadable

EXTRACTED_BY: Final = "passages 2"
COLUMNS: Final = (
    "source",
    "document_title",
    "document_url",
    "published_on",
    "kind",
    "text",
    "count",
    "denominator",
    "share",
    "page",
    "heading",
    "recipient",
    "status",
    "extracted_by",
)


def findings_csv(path: Path, out: Path, name: str, source_id: str) -> None:
    """Write the findings of a web page or PDF as CSV in the findings template. Raises Unreadable."""
    kind = sniff(path)
    if kind is Kind.HTML:
        document = read_web_report(path)
    elif kind is Kind.PDF:
        document = read_pdf_report(path)
    else:
        raise Unreadable("not_a_document", f"{name}: is neither a web page nor a PDF, nor a table")
    document = replace(document, published_on=document.published_on or _day_of(name))
    with out.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, COLUMNS, lineterminator="\n", restval="")
        writer.writeheader()
        writer.writerows(_rows(document, source_id))


def _day_of(name: str) -> str | None:
    """Return the day in a file name: `report-2023-01-26.pdf`."""
    found = re.search(r"(20\d\d-\d\d-\d\d)", name)
    return iso_date(found[1]) if found else None


def _rows(document: Report, source_id: str) -> Iterator[dict[str, Any]]:
    """Yield the findings: a recommendation whole, with recipient and status, other passages sentence by sentence."""
    common = {
        "source": source_id,
        "document_title": document.title,
        "document_url": document.url or "",
        "published_on": document.published_on or "",
        "extracted_by": EXTRACTED_BY,
    }
    about = findings.Document(source_id, document.title, document.url or "", document.published_on or "")
    read = with_answers((kind_of(passage), passage) for passage in document.passages)
    for kind, group in itertools.groupby(read, key=operator.itemgetter(0)):
        for found in findings.split_findings(about, _lines(passage for _, passage in group) if kind else ()):
            yield {
                **common,
                "kind": findings.RECOMMENDATION if found.kind == findings.RECOMMENDATION else kind,
                "text": found.text,
                "page": found.page or "",
                "heading": found.heading,
                "recipient": found.recipient,
                "status": found.status,
            }


def _lines(passages: Iterable[Passage]) -> Iterator[findings.Line]:
    """Yield each passage as a line, a blank line after it: passages are never joined."""
    for passage in passages:
        yield findings.Line(passage.text, passage.page, passage.headings[-1] if passage.headings else "")
        yield findings.Line("", passage.page)
