"""HSIB, MNSI and HSSIB: national learning reports as web pages or PDFs, or our templates."""

from pathlib import Path

from ingest.documents import reading as documents
from ingest.land import template

recognise = template.recogniser("hsib")


def to_csv(path: Path, out: Path, name: str) -> None:
    """Write the findings of a report (a web page or PDF) as the findings template."""
    documents.findings_csv(path, out, name, "hsib")
