"""What the command line shows of alerts and of refused files: what is wrong, where, why it matters, what to do."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

from expectations.alerts import Alert, Breach, accept_command, look_commands
from ingest.archive import quarantine
from ingest.archive.manifest import LandedReleases
from perinatal.home import Home
from perinatal.printable import one_line
from pipeline.report import print_rows

LIST = ("alert_id", "severity", "scope", "rule", "message", "opened_at")
ACCEPTED = ("alert_id", "severity", "scope", "rule", "accepted_by", "accepted_until", "accepted_why")
FIRST_LINES = 6  # of a refused file: its header and the first rows
LINE_LENGTH = 300


def print_alerts(found: list[dict[str, Any]]) -> None:
    """Print alerts for people: those that are open, then those that somebody has accepted, then closed ones."""
    by_state = {state: [row for row in found if row["state"] == state] for state in ("open", "accepted", "closed")}
    if by_state["open"]:
        print_rows([{name: row[name] for name in LIST} for row in by_state["open"]])
        print("\n`perinatal alerts show ID` shows one in full, with what to do.")
    else:
        print("no open alerts")
    if by_state["accepted"]:
        print("\nAccepted:")
        print_rows([{name: row[name] for name in ACCEPTED} for row in by_state["accepted"]])
    if by_state["closed"]:
        print("\nClosed:")
        print_rows([{name: row[name] for name in (*LIST, "closed_at")} for row in by_state["closed"]])


def details(home: Home, alert: Alert) -> dict[str, Any]:
    """Return one alert with the file that it is about and the commands for it."""
    refused = _refused(home, alert)
    return {
        **alert.to_dict(),
        "file": refused.original_name if refused else _landed_file(home, alert),
        "commands": _commands(alert, refused),
    }


def _refused(home: Home, alert: Alert) -> quarantine.Report | None:
    """Return the quarantined file that an alert is about."""
    if alert.scope.kind != "arrival" or alert.breach.severity != "block":
        return None
    for _, report in quarantine.Quarantine(home.quarantine).reports():
        named = (report.source_id, report.dataset, report.release) if report.dataset and report.release else None
        if alert.scope.parts in (named, (report.source_id, report.original_name)):
            return report
    return None


def _landed_file(home: Home, alert: Alert) -> str | None:
    release = alert.scope.release
    landed = LandedReleases(home.landed).newest(*release) if release else None
    return landed.original_name if landed else None


def _commands(alert: Alert, refused: quarantine.Report | None) -> list[str]:
    if alert.state == "closed":
        return []
    if refused:
        found = [f"perinatal quarantine show {refused.sha256[:12]}"]
    else:
        found = look_commands(alert.scope, alert.breach.rule)
    return [*found, accept_command(alert.alert_id)]


def print_alert(found: dict[str, Any]) -> None:
    """Print one alert for people."""
    print(f"{found['message']}\n")
    parts = {
        "Severity": found["severity"],
        "State": _state(found),
        "Where": found["scope"],
        "File": found["file"],
        "Release": found["release_key"],
        "Standard": found["rule"],
        "Why it matters": found["why"],
        "What to do": found["remedy"],
        "Affects": ", ".join(found["affected_marts"]),
        "LMSs": ", ".join(found["affected_lms"]),
        "Open since": found["opened_at"],
    }
    for name, text in parts.items():
        if text:
            print(f"{name + ':':16}{text}")
    if found["sample_rows"]:
        print(f"\nExamples, of {found['count']:,}:")
        print_rows(found["sample_rows"])
    if found["commands"]:
        print("\nCommands:\n" + "\n".join(f"  {command}" for command in found["commands"]))


def _state(found: dict[str, Any]) -> str:
    if found["state"] != "accepted":
        return str(found["state"])
    return f"accepted by {found['accepted_by']} until {found['accepted_until']}: {found['accepted_why']}"


def print_refused(found: dict[str, Any]) -> None:
    """Print one quarantined file for people: its first lines, each reason with examples, and the commands."""
    print(f"{found['source_id']}: {found['original_name']}, arrived {found['arrived_at']}")
    print(f"sha256 {found['sha256']}\n{found['folder']}")
    lines = first_lines(Path(found["folder"]))
    if lines:
        print("\nThe file begins:\n" + "\n".join(f"  {line}" for line in lines))
    for reason in map(Breach.read, found["reasons"]):
        print(f"\n{reason.rule}: {reason.message}")
        for text in filter(None, (reason.why, reason.remedy)):
            print(f"  {text}")
        if reason.sample_rows:
            print_rows(reason.sample_rows)
    short = found["sha256"][:12]
    print(
        f"\nCommands:\n  perinatal quarantine release {short} --why '…'  (land it all the same, with warnings)"
        f"\n  perinatal quarantine reject {short} --why '…'  (leave it out for good)"
    )


def first_lines(folder: Path) -> list[str]:
    """Return the header and first rows of a refused text file; nothing for what is no text."""
    kept = next((path for path in sorted(folder.iterdir()) if path.name != quarantine.REPORT), None)
    if kept is None:
        return []
    with kept.open("rb") as handle:
        raw = list(islice(handle, FIRST_LINES))
    if any(b"\0" in line for line in raw):
        return []
    return [one_line(line.decode("utf-8", "replace"))[:LINE_LENGTH] for line in raw]
