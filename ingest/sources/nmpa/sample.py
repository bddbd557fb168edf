"""Synthetic NMPA downloads in the publisher's layout, with its quirks. No number is about a real organisation.

Quirks: percentages as text; bare 0xA0 bytes in names that are UTF-8 otherwise; blanks where an organisation's data
failed the audit's checks; country rows without a code; a closed trust that stays listed, without a mean, beside its
successor; Welsh (7A…) and Scottish (S08…) boards; sites under codes of their own.
"""

import random
from pathlib import Path

from ingest.sample import template
from ingest.sample.reference import read_seed

# the file's name, and the size of the measure
MEASURES = {
    "Haemorrhage of 1500ml or more": 0.029,
    "Third or fourth degree tear": 0.031,
    "5-minute Apgar score below 7": 0.012,
    "Induction of labour": 0.33,
    "Planned caesarean": 0.16,
    "Unplanned caesarean": 0.21,
    "SGA born at or after 40 weeks": 0.47,
}
YEARS = {2022: 3, 2023: 7}  # measures of each year
HEADER = "Country,Organisation name,Organisation code,Numerator,Denominator,Unadjusted rate,Adjusted rate,GB mean"
ELSEWHERE = (
    ("Wales", "Aneurin Bevan University Health Board", "7A6"),
    ("Wales", "Cardiff & Vale University Health Board", "7A4"),
    ("Scotland", "NHS Ayrshire & Arran", "S08000015"),
    ("Scotland", "NHS Lothian", "S08000024"),
)
PREDECESSOR = ("England", "Heart of England NHS Foundation Trust", "RR1")
WITHOUT_RESULT = 0.05
Line = tuple[str, str, str, int | None, int | None, bool]


def generate(folder: Path, seed: int = 20201218) -> None:
    """Write one file a measure and year. The same seed gives the same bytes."""
    dice = random.Random(seed)  # noqa: S311 - invented data, not a secret
    for year, measures in YEARS.items():
        for measure, share in list(MEASURES.items())[:measures]:
            lines = _organisations(dice, share)
            totals = [_total(country, lines) for country in ("England", "Scotland", "Wales")]
            _write(folder / f"{measure} {year}.csv", [*totals, *lines])


def _organisations(dice: random.Random, share: float) -> list[Line]:
    """Return trusts, boards and sites with counts; some have no result, the predecessor has no mean."""
    lines: list[Line] = []
    trusts = [("England", name, code) for code, name in template.maternity_trusts()]
    for country, name, code in (*trusts, *ELSEWHERE):
        denominator = dice.randint(1500, 7000)
        own = max(0.001, dice.gauss(share, share * 0.2))
        numerator = sum(dice.random() < own for _ in range(denominator))
        has_result = dice.random() >= WITHOUT_RESULT
        lines.append(
            (country, name, code, numerator if has_result else None, denominator if has_result else None, True)
        )
    lines.append((*PREDECESSOR, 31, 940, False))
    for site in read_seed("msds_delivery_site")[4:40]:
        if site["trust_code"]:
            denominator = dice.randint(800, 5000)
            numerator = sum(dice.random() < share for _ in range(denominator))
            lines.append(("England", site["site_name"].title(), site["site_code"], numerator, denominator, True))
    return lines


def _total(country: str, lines: list[Line]) -> Line:
    """Return a country's own row: its trusts or boards, without sites and without predecessors."""
    mine = [line for line in lines if line[0] == country and len(line[2]) != 5 and line[5] and line[4]]
    return (country, country, "", sum(line[3] or 0 for line in mine), sum(line[4] or 0 for line in mine), True)


def _write(path: Path, lines: list[Line]) -> None:
    whole = lines[0][3] or 0, lines[0][4] or 1
    mean = f"{100 * whole[0] / whole[1]:.2f}%"
    rows = [HEADER]
    for country, name, code, numerator, denominator, has_mean in lines:
        shown = f"{name}\xa0" if len(name) % 7 == 0 else name
        quoted = f'"{shown}"' if "," in shown else shown
        cells = [country, quoted, code, *_cells(numerator, denominator, mean), mean if has_mean else ""]
        rows.append(",".join(cells))
    # Windows-1252: the hard space is the bare byte 0xA0, as in the publisher's files
    path.write_bytes(("\r\n".join(rows) + "\r\n").encode("cp1252"))


def _cells(numerator: int | None, denominator: int | None, mean: str) -> list[str]:
    if numerator is None or not denominator:
        return ["", "", "", ""]
    rate = 100 * numerator / denominator
    adjusted = (rate * 3 + float(mean.rstrip("%"))) / 4
    return [str(numerator), str(denominator), f"{rate:.2f}%", f"{adjusted:.2f}%"]
