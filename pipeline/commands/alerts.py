"""`perinatal alerts …`: what stands open, one alert in full, and accepting one until a day."""

from __future__ import annotations

import getpass
from datetime import date
from typing import Annotated, Any

import typer

from perinatal.console import show

app = typer.Typer(
    name="alerts",
    help="List data-quality alerts; show one in full; accept one until a day.",
    invoke_without_command=True,
)

JsonFlag = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
AlertId = Annotated[str, typer.Argument(help="The alert's id, or its first characters.", metavar="ID")]


@app.callback()
def list_alerts(
    context: typer.Context,
    as_json: JsonFlag = False,
    everything: Annotated[bool, typer.Option("--all", help="Closed ones too.")] = False,
) -> None:
    """Show open and, apart, accepted alerts (with --all or --json closed ones too)."""
    if context.invoked_subcommand is not None:
        return
    from pipeline import alert_report

    found = [alert.to_dict() for alert in _log().all() if everything or as_json or alert.state != "closed"]
    show(found, as_json, alert_report.print_alerts)


@app.command("show")
def show_one(alert_id: AlertId, as_json: JsonFlag = False) -> None:
    """Show one alert: what is wrong, where, why it matters, what to do, and the commands for it."""
    from perinatal import home
    from pipeline import alert_report

    show(alert_report.details(home.get(), _log().find(alert_id)), as_json, alert_report.print_alert)


@app.command()
def accept(
    alert_id: AlertId,
    why: Annotated[str, typer.Option("--why", help="The reason, for the log.")],
    until: Annotated[str, typer.Option("--until", help="The last day that it holds, YYYY-MM-DD.")],
    by: Annotated[str | None, typer.Option("--by", help="Who accepts; without it, who is logged in.")] = None,
) -> None:
    """Accept an alert until a day. It comes back after that day, or when it grows; the decision is in the log."""
    log = _log()
    alert = log.find(alert_id)
    log.accept(alert, by or getpass.getuser(), why, _day(until))
    print(f"accepted until {until}: {alert.breach.message}")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"--until {text!r}: expected YYYY-MM-DD") from None


def _log() -> Any:
    from expectations.alerts import AlertLog
    from perinatal import home

    return AlertLog(home.get().alerts)
