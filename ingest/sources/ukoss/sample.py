"""Synthetic UKOSS results by template: incidences of rare conditions, and findings of a study. All invented."""

from pathlib import Path

from ingest.sample import template

# condition: women, maternities
STUDIES = {
    "amniotic fluid embolism": (29, 1_702_000),
    "uterine rupture": (141, 1_406_000),
    "pulmonary embolism": (87, 702_000),
    "placenta accreta": (134, 798_000),
}
FINDINGS = (
    "Half of the women admitted had at least one condition known before pregnancy, most often raised blood pressure.",
    "Three in four of the women were in the third trimester when they were admitted.",
    "Women of Black and Asian backgrounds were admitted more often than White women of the same age and weight.",
    "Pathways for women with severe breathlessness differed between hospitals, and advice came late in some.",
)


def generate(folder: Path, seed: int = 20201218) -> None:  # noqa: ARG001 - nothing is drawn
    """Write one file of incidences and one of findings."""
    common = {"source": "ukoss", "dataset": "annual_report", "release": "2024", "indicator": "ukoss_incidence"}
    common |= {"level": "uk", "period": "2021-01..2023-12", "breakdown": "condition", "unit": "per 100,000"}
    rows = [
        {
            "breakdown_value": name,
            "numerator": women,
            "denominator": births,
            "value": round(100_000 * women / births, 1),
        }
        for name, (women, births) in STUDIES.items()
    ]
    template.write("observations", folder / "ukoss-2024.csv", common, rows)
    document = {
        "source": "ukoss",
        "document_title": "Synthetic study of women admitted to hospital",
        "document_url": "https://www.npeu.ox.ac.uk/ukoss",
        "published_on": "2024-06-12",
        "kind": "finding",
    }
    template.write("findings", folder / "ukoss-findings-2024.csv", document, [{"text": text} for text in FINDINGS])
