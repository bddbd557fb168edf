"""What the page on data quality shows: newest releases and whether the next is late, rules by release, gaps by LMS."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from publish.portal.lookup import Lookup
from publish.portal.model import Edition, Record


def context(lookup: Lookup, missing: Sequence[Record]) -> dict[str, Any]:
    """Return the context of the page; `missing` are the trusts that newest figures leave out."""
    edition = lookup.edition
    suites = Counter(check["suite"] for check in edition.checks)
    met = Counter(check["suite"] for check in edition.checks if check["success"])
    return {
        "newest": newest_releases(edition),
        "missing": missing,
        "open_alerts": _by_rule(edition, (alert for alert in edition.alerts if alert["state"] == "open")),
        "accepted_alerts": [alert for alert in edition.alerts if alert["state"] == "accepted"],
        "failed": _by_rule(edition, (check for check in edition.checks if not check["success"])),
        "suites": [{"name": name, "checks": count, "met": met[name]} for name, count in sorted(suites.items())],
        "lms_names": {row["lms_code"]: row["lms_name"] for row in edition.lms},
        "by_lms": [_completeness_of(lookup, lms, missing) for lms in edition.lms],
    }


def _by_rule(edition: Edition, found: Iterable[Record]) -> list[Record]:
    """Return alerts or checks by their rule, each with the releases that it is about."""
    groups: dict[tuple[str, str], list[Record]] = {}
    for row in found:
        groups.setdefault((row["rule"], row["severity"]), []).append(row)
    return [
        {
            "any": rows[0],
            "rows": rows,
            "releases": sorted({key for row in rows for key in releases_of(edition, row)}),
        }
        for rows in groups.values()
    ]


def releases_of(edition: Edition, row: Record) -> list[str]:
    """Return the release that an alert or check names: by its key, or an arrival's by source, dataset, release."""
    if row["release_key"]:
        return [row["release_key"]] if row["release_key"] in edition.releases else []
    named = str(row.get("scope") or "").removeprefix("arrival/") + "/"
    return [key for key in edition.releases if key.startswith(named)]


def _completeness_of(lookup: Lookup, lms: Record, missing: Iterable[Record]) -> Record:
    values = [value for value in lookup.by_organisation["lms", lms["lms_code"]] if value.is_current]
    return {
        "lms_code": lms["lms_code"],
        "lms_name": lms["lms_name"],
        "values": len(values),
        "incomplete": sum(value.is_incomplete for value in values),
        "missing": len({row["trust_code"] for row in missing if row["lms_code"] == lms["lms_code"]}),
    }


def newest_releases(edition: Edition) -> list[Record]:
    """Return the newest release of each dataset, with whether the next one is late on the day of the edition."""
    newest: dict[tuple[str, str], Record] = {}
    for release in edition.releases.values():
        if not release["health"] or release["is_superseded"]:
            continue
        key = (release["source_id"], release["dataset"])
        if key not in newest or _age(newest[key]) < _age(release):
            newest[key] = release
    today = date.fromisoformat(edition.facts.published_at[:10])
    return [release | {"late": _lateness(release, today)} for _, release in sorted(newest.items())]


def _age(release: Record) -> tuple[date, str]:
    return (release["health"]["latest_period_end"] or date.min, release["release"])


def _lateness(release: Record, today: date) -> tuple[str, str]:
    due = release["health"]["next_due"]
    if due is None or today <= due:
        return ("Not due yet", "tag-grey")
    return ("Late", "tag-amber") if today >= release["health"]["late_from"] else ("Due", "tag-grey")
