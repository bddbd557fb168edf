"""Synthetic Early Notification reports: one PDF of invented findings, and figures by template near the published ones.

Published of 2017/18: 746 cases reported; of 96 analysed, fetal monitoring in 70% and delay in birth in 63%.
"""

from pathlib import Path

from ingest.sample import documents, template

CASES, ANALYSED, MONITORING, DELAY = 746, 96, 67, 60


def generate(folder: Path, seed: int = 20201218) -> None:  # noqa: ARG001 - nothing is drawn
    """Write a report as PDF and the figures of one year."""
    texts = template.invented_texts("ens")
    findings = [text for text in texts if not text.startswith("Trusts should")]
    sections = {
        "Foreword": ["This report is synthetic sample data. It is about no real case, trust or person."],
        "Findings from the analysed cases": findings,
        "Recommendations": [text for text in texts if text.startswith("Trusts should")],
    }
    documents.write_pdf(folder / "ens-report-2019-09-26.pdf", "Synthetic Early Notification progress report", sections)
    common = {"source": "ens", "dataset": "progress_report", "release": "2017-18", "level": "england"}
    common |= {"period": "2017/18"}
    rows: list[dict[str, object]] = [{"indicator": "ens_cases_reported", "value": CASES, "unit": "count"}]
    for indicator, cases in (("ens_fetal_monitoring_share", MONITORING), ("ens_delay_in_birth_share", DELAY)):
        share = round(100 * cases / ANALYSED, 1)
        rows.append({"indicator": indicator, "numerator": cases, "denominator": ANALYSED, "value": share, "unit": "%"})
    template.write("observations", folder / "ens-figures-2017-18.csv", common, rows)
