"""Synthetic MBRRACE-UK releases in the viewer's exact layout, with its quirks. No number is about a real organisation.

Quirks: counts below 3 masked as -1 with category 0, stillbirths and neonatal deaths together and extended perinatal
apart; the excluding-anomalies file masks more; interval as text; RegionName empty until the newest year; STP and ICB
always empty; networks blank for some; doubled and trailing spaces in names; Scottish, Welsh, Northern Irish and Crown
rows; two English providers without an ODS code; a merger between years. Calibrated to the published UK rates of 2023:
3.2 stillbirths, 1.63 neonatal and 4.84 extended perinatal deaths per 1,000.
"""

from __future__ import annotations

import csv
import random
from pathlib import Path

from ingest.sample.reference import read_seed

YEARS = (2020, 2021, 2022, 2023, 2024)
EXTENDED_RATE, NEONATAL_SHARE, ANOMALY_SHARE = 4.84, 1.63 / 4.84, 0.22
BANDS = {
    0: "Suppressed due to small numbers",
    2: "Over 15% lower",
    3: "5 to 15% lower",
    4: "Within 5%",
    5: "Over 5% higher",
}
GROUPS = {
    1: ("Level 3 NICU & neonatal surgery", 6500, 1.25),
    2: ("Level 3 NICU", 5200, 1.05),
    3: ("4,000 or more births", 4900, 0.88),
    4: ("2,000-3,999 births", 2900, 0.85),
    5: ("Under 2,000 births", 1400, 0.80),
}
ELSEWHERE = [
    (3, "Swansea Bay University Health Board", "Wales"),
    (40, "Cardiff and Vale University Health Board", "Wales"),
    (128, "NHS Ayrshire & Arran", "Scotland"),
    (138, "NHS Lothian", "Scotland"),
    (140, "NHS Shetland", "Scotland"),
    (17, "Belfast Health and Social Care Trust", "Northern Ireland"),
    (272, "Western Health and Social Care Trust", "Northern Ireland"),
    (98, "Manx Care", "Crown Dependencies"),
]
MEASURES = ("Stillbirth", "NeonatalDeath", "PerinatalDeath")


def generate(folder: Path, seed: int = 20201218) -> None:
    """Write two files a year into `folder`, under the publisher's file names. The same seed gives the same bytes."""
    dice = random.Random(seed)  # noqa: S311 - invented data, not a secret
    organisations = _organisations(dice)
    for year in YEARS:
        births = [_births(dice, group) for *_, group in organisations]
        deaths = [_deaths(dice, number, group) for number, (*_, group) in zip(births, organisations, strict=True)]
        for excluding in (False, True):
            infix = "-excluding-congenital-anomalies" if excluding else ""
            rows = [_counts(number, found, excluding) for number, found in zip(births, deaths, strict=True)]
            path = folder / f"perinatal-mortality-rates{infix}-{year}-trusthealth-board.csv"
            _write(path, year, organisations, rows)


def _organisations(dice: random.Random) -> list[tuple[int, str, str, str, int]]:
    """Return (MBRRACE number, name, country, network, comparator group) for the sample's organisations."""
    networks = {row["trust_code"]: row["neonatal_odn"] for row in read_seed("trust_detail")}
    known = [
        (
            int(row["mbrrace_organisation_code"]),
            row["organisation_name"],
            "England",
            networks.get(row["ods_code"], ""),
        )
        for row in read_seed("mbrrace_organisation")
    ]
    known += [(code, name, country, country) for code, name, country in ELSEWHERE]
    small = {140, 296, 295, 98}
    return [
        (*row, 5 if row[0] in small else dice.choices((1, 2, 3, 4, 5), (22, 22, 28, 37, 14))[0])
        for row in sorted(known)
    ]


def _births(dice: random.Random, group: int) -> int:
    return max(180, round(dice.gauss(GROUPS[group][1], GROUPS[group][1] * 0.15)))


def _deaths(dice: random.Random, births: int, group: int) -> tuple[int, int, int, int]:
    """Return stillbirths and neonatal deaths, and how many of each are due to congenital anomalies."""
    expected = births * EXTENDED_RATE * GROUPS[group][2] / 1000
    found = sum(dice.random() < expected / births for _ in range(births))
    neonatal = sum(dice.random() < NEONATAL_SHARE for _ in range(found))
    still = found - neonatal
    return (
        still,
        neonatal,
        sum(dice.random() < ANOMALY_SHARE * 0.5 for _ in range(still)),
        sum(dice.random() < ANOMALY_SHARE * 1.5 for _ in range(neonatal)),
    )


def _counts(births: int, deaths: tuple[int, int, int, int], excluding: bool) -> dict[str, int]:
    still, neonatal, still_anomaly, neonatal_anomaly = deaths
    if excluding:
        births -= still_anomaly + neonatal_anomaly
        still, neonatal = still - still_anomaly, neonatal - neonatal_anomaly
    return {
        "births": births,
        "live": births - still,
        "Stillbirth": still,
        "NeonatalDeath": neonatal,
        "PerinatalDeath": still + neonatal,
    }


def _band(rate: float, average: float) -> int:
    ratio = rate / average
    return 2 if ratio < 0.85 else 3 if ratio < 0.95 else 4 if ratio <= 1.05 else 5


def _text(number: float) -> str:
    return f"{round(number, 2):g}"


def _write(
    path: Path, year: int, organisations: list[tuple[int, str, str, str, int]], rows: list[dict[str, int]]
) -> None:
    regions = {row["trust_code"]: row["nhs_region"] for row in read_seed("trust")}
    codes = {int(row["mbrrace_organisation_code"]): row["ods_code"] for row in read_seed("mbrrace_organisation")}
    averages = _averages(organisations, rows)
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(_header())
        for (code, name, country, network, group), row in zip(organisations, rows, strict=True):
            if code == 151 and year >= 2024:
                continue  # North Middlesex has merged into Royal Free
            region = regions.get(codes.get(code, ""), "") if year == max(YEARS) else ""
            spelled = name + " " if code % 37 == 0 else name.replace(" NHS", "  NHS") if code % 41 == 0 else name
            line = [
                year,
                code,
                spelled,
                country,
                region,
                "",
                "",
                "" if code % 29 == 0 else network,
                -1.5,
                52.5,
            ]
            writer.writerow([*line, row["births"], *_measures(row, averages[group])])


def _header() -> list[str]:
    head = [
        "ReportYear",
        "OrganisationCode",
        "OrganisationName",
        "CountryName",
        "RegionName",
        "SustainabilityAndTransformationPartnershipName",
        "IntegratedCareBoardName",
        "NeonatalNetworkName",
        "Longitude",
        "Latitude",
        "TotalBirths",
    ]
    for measure in MEASURES:
        head += ["TotalLiveBirths"] if measure == "NeonatalDeath" else []
        head += [
            f"Total{measure}s",
            f"Crude{measure}Rate",
            f"Crude{measure}CategoryID",
            f"Crude{measure}CategoryName",
        ]
        head += [f"Stabilised{measure}{part}" for part in ("Rate", "CategoryID", "CategoryName", "CI")]
    head += ["ComparatorGroupID", "ComparatorGroupName"]
    return head + [f"GroupAverage{measure}Rate" for measure in MEASURES]


def _averages(
    organisations: list[tuple[int, str, str, str, int]], rows: list[dict[str, int]]
) -> dict[int, tuple[int, dict[str, float]]]:
    """Return for each comparator group its average rates, per 1,000."""
    averages = {}
    for group in GROUPS:
        members = [row for (*_, own), row in zip(organisations, rows, strict=True) if own == group]
        averages[group] = (
            group,
            {m: 1000 * sum(r[m] for r in members) / sum(r[_base(m)] for r in members) for m in MEASURES},
        )
    return averages


def _base(measure: str) -> str:
    return "live" if measure == "NeonatalDeath" else "births"


def _measures(row: dict[str, int], group: tuple[int, dict[str, float]]) -> list[object]:
    """Return the measure columns, masked by the publisher's rule, and the comparator columns."""
    masked = {
        "Stillbirth": min(row["Stillbirth"], row["NeonatalDeath"]) < 3,
        "NeonatalDeath": min(row["Stillbirth"], row["NeonatalDeath"]) < 3,
        "PerinatalDeath": row["PerinatalDeath"] < 3,
    }
    cells: list[object] = []
    for measure in MEASURES:
        average = group[1][measure]
        rate = 1000 * row[measure] / row[_base(measure)]
        cells += [row["live"]] if measure == "NeonatalDeath" else []
        if masked[measure]:
            cells += [-1, -1, 0, BANDS[0]]
        else:
            cells += [row[measure], _text(rate), _band(round(rate, 2), round(average, 2)), ""]
            cells[-1] = BANDS[cells[-2]]  # type: ignore[index]
        # stabilised: shrunk half way to the group's average
        stable = (rate + average) / 2
        cells += [_text(stable), _band(stable, average), BANDS[_band(stable, average)]]
        cells.append(f"{stable * 0.75:.2f} to {stable * 1.35:.2f}")
    return [*cells, group[0], GROUPS[group[0]][0], *(_text(group[1][measure]) for measure in MEASURES)]
