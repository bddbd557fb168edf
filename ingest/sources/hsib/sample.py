"""Synthetic HSIB and MNSI material: a national learning report as web page, a list of recommendations, yearly counts.

The counts are the published ones (2021/22: 731 referrals, 706 reports, 1,740 recommendations); every text is invented.
"""

import random
from pathlib import Path

from ingest.sample import documents, template

YEARS = {"2021-22": (731, 706, 1740), "2024-25": (None, 613, 1122)}
COUNTS = ("hsib_referrals", "hsib_investigations_completed", "hsib_recommendations")
SITE = "https://www.hssib.org.uk/patient-safety-investigations"


def generate(folder: Path, seed: int = 20201218) -> None:
    """Write a web page, a list by template and two files of counts."""
    dice = random.Random(seed)  # noqa: S311 - invented data, not a secret
    texts = template.invented_texts("hsib")
    _page(folder, texts[:24])
    _list(folder, texts[24:], dice)
    for release, counts in YEARS.items():
        common = {"source": "hsib", "dataset": "year_in_review", "release": release, "level": "england"}
        common |= {"period": release.replace("-", "/"), "unit": "count"}
        rows = [
            {"indicator": indicator, "value": count}
            for indicator, count in zip(COUNTS, counts, strict=True)
            if count is not None
        ]
        template.write("observations", folder / f"hsib-year-{release}.csv", common, rows)


def address(name: str) -> str | None:
    """Return where the publisher would serve a file: the report is a page, what comes by template is not served."""
    return f"{SITE}/synthetic-learning-from-births/investigation-report/" if name.endswith(".html") else None


def _page(folder: Path, texts: tuple[str, ...]) -> None:
    sections = {
        "Introduction": ["This national learning report is synthetic sample data and about no real event."],
        "Findings": [text for text in texts if not text.startswith("The Trust to")],
        "Safety recommendations": [text for text in texts if text.startswith("The Trust to")],
    }
    title = "Investigation report: synthetic learning from births"
    url = f"{SITE}/synthetic-learning-from-births/investigation-report/"
    documents.write_page(folder / "hssib-synthetic-learning-from-births.html", title, url, "2023-01-26", sections)


def _list(folder: Path, texts: tuple[str, ...], dice: random.Random) -> None:
    names = [name for _, name in template.maternity_trusts()]
    rows = [{"text": text, "kind": "recommendation", "recipient": dice.choice(names)} for text in texts]
    document = {
        "source": "hsib",
        "document_title": "Synthetic list of safety recommendations 2024/25",
        "document_url": "https://www.mnsi.org.uk/publications/",
        "published_on": "2025-07-15",
    }
    template.write("findings", folder / "mnsi-recommendations-2024-25.csv", document, rows)
