"""Synthetic Each Baby Counts entries by template, with the published counts of births in 2015 to 2018 as their size."""

import random
from pathlib import Path

from ingest.sample import template

# birth year: eligible babies, stillbirths in labour, early neonatal deaths, severe brain injuries, share (published)
YEARS = {2015: (1136, 126, 156, 854, 76), 2016: (1123, 124, 145, 854, 71), 2017: (1130, 130, 150, 850, 72)}
COUNTS = (
    "ebc_eligible_babies",
    "ebc_intrapartum_stillbirths",
    "ebc_early_neonatal_deaths",
    "ebc_severe_brain_injuries",
)


def generate(folder: Path, seed: int = 20201218) -> None:
    """Write one file of figures a birth year and one of findings."""
    dice = random.Random(seed)  # noqa: S311 - invented data, not a secret
    for year, (*counts, share) in YEARS.items():
        rows = [
            {"indicator": indicator, "value": max(0, count + dice.randint(-5, 5)), "unit": "count"}
            for indicator, count in zip(COUNTS, counts, strict=True)
        ]
        rows.append({"indicator": "ebc_different_care_share", "value": share, "unit": "%", "note": "Reviewed babies"})
        common = {"source": "ebc", "dataset": "report", "release": str(year), "level": "uk", "period": str(year)}
        template.write("observations", folder / f"ebc-{year}.csv", common, rows)
    document = {
        "source": "ebc",
        "document_title": "Synthetic progress report of Each Baby Counts",
        "document_url": "https://www.rcog.org.uk/",
        "published_on": "2020-03-18",
        "kind": "finding",
    }
    rows = [{"text": text, "page": dice.randint(5, 60)} for text in template.invented_texts("ebc")]
    template.write("findings", folder / "ebc-findings-2020.csv", document, rows)
