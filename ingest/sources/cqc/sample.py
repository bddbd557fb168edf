"""Synthetic CQC maternity survey scores and findings by template. No score is about a real trust."""

import random
from pathlib import Path

from ingest.sample import template

# mean score of each section, nought to ten
SECTIONS = {
    "antenatal_care": 8.1,
    "labour_and_birth": 8.0,
    "staff_during_labour": 8.6,
    "postnatal_care_in_hospital": 7.1,
    "feeding": 7.6,
    "care_at_home": 7.9,
}


def generate(folder: Path, seed: int = 20201218) -> None:
    """Write the scores of two surveys and the findings of one report."""
    dice = random.Random(seed)  # noqa: S311 - invented data, not a secret
    for year in (2023, 2024):
        rows = [
            {
                "indicator": f"cqc_{section}",
                "organisation_name": name,
                "organisation_code": code,
                "value": (score := round(min(9.9, max(5.0, dice.gauss(mean, 0.35))), 1)),
                "lower_95": round(score - 0.3, 1),
                "upper_95": round(score + 0.3, 1),
            }
            for code, name in template.maternity_trusts()
            for section, mean in SECTIONS.items()
        ]
        common = {"source": "cqc", "dataset": "maternity_survey", "release": str(year), "level": "trust"}
        common |= {"period": f"{year}-02", "unit": "score, nought to ten"}
        template.write("observations", folder / f"cqc-maternity-survey-{year}.csv", common, rows)
    document = {
        "source": "cqc",
        "document_title": "Synthetic report on maternity inspections",
        "document_url": "https://www.cqc.org.uk/publications/maternity-services-2022-2024",
        "published_on": "2024-09-19",
        "kind": "finding",
    }
    findings = [{"text": text} for text in template.invented_texts("cqc")]
    template.write("findings", folder / "cqc-findings-2024.csv", document, findings)
