"""Synthetic results of the Maternity Incentive Scheme by template: which trust passed is invented.

The national numbers of trusts with all ten actions are near the published ones: 75 of 132, 116 of 130, 102 of 120.
"""

import random
from pathlib import Path

from ingest.sample import template

NATIONAL = {"2018-19": ("2018/19", 75, 132), "2019-20": ("2019/20", 116, 130)}
SHARE_WITH_ALL_TEN = 102 / 120


def generate(folder: Path, seed: int = 20201218) -> None:
    """Write the national result of two early years, and results by trust and action of a late one."""
    dice = random.Random(seed)  # noqa: S311 - invented data, not a secret
    for release, (period, passed, trusts) in NATIONAL.items():
        _write(folder, release, [_national(period, passed, trusts)])
    rows = [row for code, name in template.maternity_trusts() for row in _trust(dice, code, name)]
    codes = {row["organisation_code"] for row in rows}
    failed = {row["organisation_code"] for row in rows if row["value"] != "Pass"}
    _write(folder, "2024-25", [_national("2024/25", len(codes - failed), len(codes)), *rows])


def _write(folder: Path, release: str, rows: list[dict[str, object]]) -> None:
    common = {"source": "mis", "dataset": "results", "release": release}
    template.write("observations", folder / f"mis-results-{release}.csv", common, rows)


def _national(period: str, passed: int, trusts: int) -> dict[str, object]:
    return {
        "indicator": "mis_all_ten_actions",
        "level": "england",
        "period": period,
        "numerator": passed,
        "denominator": trusts,
        "value": round(100 * passed / trusts),
        "unit": "%",
    }


def _trust(dice: random.Random, code: str, name: str) -> list[dict[str, object]]:
    """Return ten results; a trust that fails mostly fails one or two actions."""
    failing = set() if dice.random() < SHARE_WITH_ALL_TEN else set(dice.sample(range(1, 11), dice.choice((1, 1, 2, 4))))
    return [
        {
            "indicator": f"mis_safety_action_{action}",
            "organisation_name": name,
            "organisation_code": code,
            "level": "trust",
            "period": "2024/25",
            "value": "Fail" if action in failing else "Pass",
            "unit": "status",
        }
        for action in range(1, 11)
    ]
