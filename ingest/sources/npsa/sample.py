"""Synthetic National Patient Safety Alerts by template. No alert of this wording was ever issued."""

from pathlib import Path

from ingest.sample import template

ALERTS = {
    ("2023-03-14", "Synthetic alert: intravenous infusions for women in labour"): (
        "Infusions for labour and for the treatment of bleeding were prepared at the same time and mixed up.",
        "Do not prepare infusions for after the birth before they are needed.",
        "Label every prepared infusion at once and store it apart from those that are running.",
    ),
    ("2024-10-02", "Synthetic alert: temperature control of newborn babies on postnatal wards"): (
        "Babies were found cold after skin-to-skin contact that was not observed.",
        "Keep a record of observations during skin-to-skin contact in the first two hours.",
        "Make sure that every postnatal ward can measure and restore a baby's temperature.",
    ),
}


def generate(folder: Path, seed: int = 20201218) -> None:  # noqa: ARG001 - nothing is drawn
    """Write one file an alert: what was found, then the actions required."""
    for (day, title), (found, *actions) in ALERTS.items():
        common = {
            "source": "npsa",
            "document_title": title,
            "document_url": "https://www.england.nhs.uk/patient-safety/patient-safety-insight/patient-safety-alerts/",
            "published_on": day,
        }
        rows = [{"kind": "finding", "text": found}]
        rows += [
            {"kind": "recommendation", "text": text, "recipient": "Trusts with maternity services", "status": "open"}
            for text in actions
        ]
        template.write("findings", folder / f"npsa-alert-{day}.csv", common, rows)
