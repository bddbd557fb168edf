"""Early Notification Scheme: reports as PDF, or our templates.

A PDF does not say its day of publication: it is taken from the file name, or given with --release.
"""

from pathlib import Path

from ingest.documents import reading as documents
from ingest.land import template

recognise = template.recogniser("ens")


def to_csv(path: Path, out: Path, name: str) -> None:
    """Write the findings of a report (a PDF) as the findings template."""
    documents.findings_csv(path, out, name, "ens")
