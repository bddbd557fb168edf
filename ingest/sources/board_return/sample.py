"""Synthetic board returns by template: two trusts' invented months. Restricted like real ones."""

import random
from pathlib import Path

from ingest.sample import template

MONTHS = ("2026-08", "2026-09")
TRUSTS = 2
COUNTS = {"serious_incidents": 1.2, "incidents_moderate_harm_or_above": 5.0, "external_concerns": 0.4}
SHARES = {"midwife_fill_rate": 0.93, "one_to_one_care_in_labour": 0.97, "board_continuity_of_carer": 0.18}
ELEMENTS = 6


def generate(folder: Path, seed: int = 20201218) -> None:
    """Write one file a trust and month."""
    dice = random.Random(seed)  # noqa: S311 - invented data, not a secret
    for code, name in template.maternity_trusts()[:TRUSTS]:
        for month in MONTHS:
            common = {"source": "board_return", "dataset": code.lower(), "release": month, "level": "trust"}
            common |= {"organisation_name": name, "organisation_code": code, "period": month}
            path = folder / f"board-return-{code.lower()}-{month}.csv"
            template.write("observations", path, common, _month(dice))


def _month(dice: random.Random) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = [
        {"indicator": name, "value": min(9, int(dice.expovariate(1 / mean))), "unit": "count"}
        for name, mean in COUNTS.items()
    ]
    rows += [
        _share(name, round(base * share), base) for name, share in SHARES.items() for base in [dice.randint(300, 600)]
    ]
    done = [dice.random() < 0.7 for _ in range(ELEMENTS)]
    rows.append(_share("sblcb_implementation", 40 + sum(done) * 5, 70))
    return rows + [
        {"indicator": f"sblcb_element_{number}", "value": "Pass" if met else "Fail", "unit": "status"}
        for number, met in enumerate(done, start=1)
    ]


def _share(indicator: str, numerator: int, denominator: int) -> dict[str, object]:
    value = round(100 * numerator / denominator, 1)
    return {
        "indicator": indicator,
        "numerator": numerator,
        "denominator": denominator,
        "value": value,
        "unit": "%",
    }
