"""NMPA downloads: what a file is.

The header is the same for every measure and year, and neither stands in the file: the file name tells them by the words
of the seed `nmpa_measure` and a year, or a person says `--dataset pph_1500ml --release 2023`.
"""

import csv
import re

from expectations.columns import header_key
from ingest.registry import Identity, Sample
from perinatal.settings import PROJECT_ROOT

MEASURES = PROJECT_ROOT / "dbt_project" / "seeds" / "reference" / "nmpa_measure.csv"

HEADER = {"country", "organisationname", "organisationcode", "numerator", "denominator", "unadjustedrate", "gbmean"}
YEAR = re.compile(r"(?<!\d)(20[12]\d)(?:[-_/ ](\d{2})(?!\d))?(?!\d)")


def recognise(sample: Sample) -> Identity | None:
    """Return measure and year of birth: as a person said them, else as far as the file's name does."""
    if not HEADER.issubset(header_key(name) for name in sample.header):
        return None
    measure = sample.dataset or measure_of(sample.name)
    release = sample.release or year_of(sample.name)
    return Identity(measure or "", release or "", layout="measure")


def datasets() -> tuple[str, ...]:
    """Return the measures: each is a dataset."""
    return tuple(_words())


def _words() -> dict[str, str]:
    """Return the words that name each measure."""
    with MEASURES.open(encoding="utf-8", newline="") as handle:
        return {row["measure"]: row["words"] for row in csv.DictReader(handle)}


def measure_of(name: str) -> str | None:
    """Return the one measure that a file name means; None where it means none or several."""
    measures, plain = _words(), name.lower()
    # an id spelled out ("pph_1500ml-2023.csv") decides; words must mean one measure
    spelled = [measure for measure in measures if "_" in measure and measure in plain]
    words = re.sub(r"[_-]+", " ", plain)
    found = spelled or [measure for measure, pattern in measures.items() if re.search(pattern, words)]
    return found[0] if len(found) == 1 else None


def year_of(name: str) -> str | None:
    """Return the one year in a file name: 2023, or 2018-19 for births from April to March."""
    years = {match[1] + (f"-{match[2]}" if is_next(match[1], match[2]) else "") for match in YEAR.finditer(name)}
    return years.pop() if len(years) == 1 else None


def is_next(year: str, second: str | None) -> bool:
    """Tell whether two digits are the year after: 2018-19 is one audit year, 2023-05 a month."""
    return second is not None and int(second) == (int(year) + 1) % 100
