"""Synthetic NNAP results in our template: invented units of real network names, three data years, a break between."""

import csv
import random
from pathlib import Path

from ingest.sample.reference import read_seed

EXAMPLE = Path(__file__).parent / "example.csv"

# measure: size, babies a unit
MEASURES = {
    "antenatal_steroids": (0.52, 60),
    "deferred_cord_clamping_under_34_weeks": (0.66, 90),
    "normal_temperature_on_admission": (0.76, 55),
    "bloodstream_infection": (0.05, 80),
    "two_year_follow_up": (0.72, 14),
}
YEARS = (2021, 2022, 2023)
TOWNS = ("Northgate", "Southgate", "Eastgate", "Westgate", "Hillside", "Riverside")
LEVELS = ("NICU", "LNU", "LNU", "LNU", "SCU", "SCU")
FEWEST = 10  # babies; smaller units have no result


def generate(folder: Path, seed: int = 20201218) -> None:
    """Write one file a data year. The same seed gives the same bytes."""
    dice = random.Random(seed)  # noqa: S311 - invented data, not a secret
    networks = sorted({row["neonatal_odn"] for row in read_seed("lms") if row["neonatal_odn"]})
    units = [
        (f"{town} Hospital, {name}", kind, name) for name in networks for town, kind in zip(TOWNS, LEVELS, strict=True)
    ]
    with EXAMPLE.open(encoding="utf-8", newline="") as handle:
        columns = next(csv.reader(handle))
    for year in YEARS:
        with (folder / f"nnap-{year}.csv").open("w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, columns, restval="", lineterminator="\n")
            writer.writeheader()
            for measure, (share, babies) in MEASURES.items():
                writer.writerows(_rows(dice, {"data_year": year, "measure": measure}, share, babies, units))


def _rows(
    dice: random.Random, common: dict[str, object], share: float, babies: int, units: list[tuple[str, str, str]]
) -> list[dict[str, object]]:
    """Return the rows of one measure: units, their networks, the UK. A small unit has no result but a note."""
    counts = {}
    for name, kind, _ in units:
        denominator = max(3, round(dice.gauss(babies * (2 if kind == "NICU" else 1), babies / 4)))
        counts[name] = (sum(dice.random() < share for _ in range(denominator)), denominator)
    rows = []
    for name, kind, network in units:
        row = {**common, "level": "unit", "name": name, "unit_level": kind, "network": network, "country": "England"}
        members = [counts[other] for other, level, _ in units if level == kind]
        rows.append(row | _result(*counts[name]) | {"level_mean": _percent(members)})
    for network in sorted({network for *_, network in units}):
        members = [counts[name] for name, _, own in units if own == network]
        row = {**common, "level": "network", "name": network, "country": "England"}
        rows.append(row | _result(sum(n for n, _ in members), sum(d for _, d in members)))
    return [*rows, {**common, "level": "uk", "value": _percent(list(counts.values()))}]


def _result(numerator: int, denominator: int) -> dict[str, object]:
    if denominator < FEWEST:
        return {"note": f"Fewer than {FEWEST} babies"}
    return {"numerator": numerator, "denominator": denominator, "value": _percent([(numerator, denominator)])}


def _percent(counts: list[tuple[int, int]]) -> str:
    return f"{100 * sum(n for n, _ in counts) / sum(d for _, d in counts):.1f}%"
