"""Synthetic PMRT entries by template, near the published figures: 4,111, 4,311 and 4,166 reviews of three years."""

import random
from pathlib import Path

from ingest.sample import template

# release, period, reviews, share with an issue, share with a relevant issue (published; the counts are invented)
YEARS = (
    ("2023", "2022-03..2023-02", 4111, 0.95, 0.20),
    ("2024", "2023", 4311, 0.93, 0.30),
    ("2025", "2024", 4166, 0.95, 0.35),
)


def generate(folder: Path, seed: int = 20201218) -> None:
    """Write one file of figures a year and one of findings."""
    dice = random.Random(seed)  # noqa: S311 - invented data, not a secret
    for release, period, reviews, issue, relevant in YEARS:
        counts = {"pmrt_reviews_with_issue": issue, "pmrt_reviews_with_relevant_issue": relevant}
        rows = [{"indicator": "pmrt_reviews_completed", "value": reviews, "unit": "count"}]
        for indicator, share in counts.items():
            found = round(reviews * share) + dice.randint(-9, 9)
            value = round(100 * found / reviews, 1)
            rows.append(
                {"indicator": indicator, "numerator": found, "denominator": reviews, "value": value, "unit": "%"}
            )
        common = {"source": "pmrt", "dataset": "annual_report", "release": release, "level": "uk", "period": period}
        template.write("observations", folder / f"pmrt-{release}.csv", common, rows)
    findings = [
        {"kind": "finding", "text": text, "count": (count := dice.randint(20, 900)), "share": round(count / 41.66)}
        for text in template.invented_texts("pmrt")
    ]
    document = {
        "source": "pmrt",
        "document_title": "Synthetic annual report of the Perinatal Mortality Review Tool",
        "document_url": "https://www.npeu.ox.ac.uk/pmrt/reports",
        "published_on": "2025-10-09",
        "denominator": 4166,
    }
    template.write("findings", folder / "pmrt-findings-2025.csv", document, findings)
