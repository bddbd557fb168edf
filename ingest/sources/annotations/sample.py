"""Synthetic answers of two trusts and a local maternity system to invented figures."""

import csv
from pathlib import Path

from ingest.sample import template

DAY = "2026-09-15"
ANSWERS = (
    (
        "stillbirth_rate",
        "2024",
        "SYNTHETIC answer: we have reviewed each of these deaths; a resubmission is due in March.",
    ),
    ("all", "", "SYNTHETIC answer: the midwife-led unit closed in June, and its births have moved to the main unit."),
)


def generate(folder: Path, seed: int = 20201218) -> None:  # noqa: ARG001 - nothing is drawn
    """Write one file an organisation."""
    with (Path(__file__).parent / "example.csv").open(encoding="utf-8", newline="") as handle:
        columns = next(csv.reader(handle))
    for code in [code for code, _ in template.maternity_trusts()[:2]] + ["QOP"]:
        with (folder / f"answers-{code.lower()}-{DAY}.csv").open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows((code, name, period, text, "Director of Midwifery", DAY) for name, period, text in ANSWERS)
