"""`perinatal sources …` and `perinatal quarantine …`: the list of sources, and people's decisions on refused files."""

from __future__ import annotations

import getpass
import sys
from typing import Annotated, Any

import typer

from perinatal.console import show

sources = typer.Typer(
    name="sources",
    help="List the sources: publisher, licence, cadence, how each arrives, latest release and its age.",
    invoke_without_command=True,
)
quarantine = typer.Typer(
    name="quarantine", help="Decide on the files that were refused: list, show, release, reject.", no_args_is_help=True
)

Chosen = Annotated[list[str] | None, typer.Option("--source", help="Only this source; may be repeated.")]
JsonFlag = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
Why = Annotated[str, typer.Option("--why", help="The reason, for the log.")]
Who = Annotated[str | None, typer.Option("--who", help="Who decides; without it, who is logged in.")]
Prefix = Annotated[str, typer.Argument(help="The first characters of the file's sha256.", metavar="SHA256")]
OneSource = Annotated[str | None, typer.Option("--source", help="The source, where two have the same bytes.")]


@sources.callback()
def list_sources(context: typer.Context, as_json: JsonFlag = False) -> None:
    """List each source: publisher, licence, cadence, how it arrives, last probe, latest release, age."""
    if context.invoked_subcommand is None:
        from perinatal import home
        from pipeline import report

        show(report.sources(home.get()), as_json, report.print_sources)


@sources.command()
def check(
    live: Annotated[bool, typer.Option("--live", help="Required: this asks the publishers themselves.")] = False,
    source: Chosen = None,
    as_json: JsonFlag = False,
) -> None:
    """Ask the real address of each source and print the result; nothing is landed or remembered."""
    if not live:
        raise typer.BadParameter("this asks the publishers themselves; add --live to confirm")
    from dataclasses import replace

    from ingest import registry
    from ingest.fetch import fetching as fetch
    from ingest.fetch.http import HttpClient
    from ingest.stores import FetchStores
    from perinatal import home
    from pipeline import report

    chosen = [registry.source(name) for name in source or registry.all_sources()]
    where = home.get()
    with HttpClient(replace(fetch.live_options(where.cache / "hosts"), attempts=1, total_timeout=60)) as client:
        found = [vars(item) for item in fetch.check_all(FetchStores.of(where), client, chosen)]
    show(found, as_json, report.print_rows)


@sources.command()
def seen(source: Annotated[str, typer.Argument(help="The source.")], why: Why, who: Who = None) -> None:
    """Close the alert that asks a person to look at a page: it was looked at, and there was nothing to fetch."""
    from ingest import registry
    from ingest.fetch import fetching as fetch
    from ingest.stores import FetchStores
    from perinatal import home

    closed = fetch.dismiss(FetchStores.of(home.get()), registry.source(source), who or getpass.getuser(), why)
    print(f"{source}: alert closed" if closed else f"{source}: no such alert was open")


@quarantine.command("list")
def list_quarantine(as_json: JsonFlag = False) -> None:
    """List the refused files with their first reasons."""
    from ingest.archive import quarantine as room
    from perinatal import home
    from pipeline import report

    found = [report.refused_file(item) for _, item in room.Quarantine(home.get().quarantine).reports()]
    show(found, as_json, report.print_quarantine)


@quarantine.command("show")
def show_one(prefix: Prefix, source: OneSource = None, as_json: JsonFlag = False) -> None:
    """Show one refused file: where it lies, how it begins, every reason with example rows, the commands."""
    from ingest.archive import quarantine as room
    from perinatal import home
    from pipeline import alert_report

    folder, found = room.Quarantine(home.get().quarantine).find(prefix, source)
    show({**vars(found), "folder": str(folder)}, as_json, alert_report.print_refused)


@quarantine.command()
def release(
    prefix: Prefix,
    why: Why,
    who: Who = None,
    source: OneSource = None,
    dataset: Annotated[str | None, typer.Option(help="Dataset, if the file does not say it.")] = None,
    release: Annotated[str | None, typer.Option(help="Release, if the file does not say it.")] = None,
) -> None:
    """Land a refused file after all: its breaches become warnings, the decision is logged. Exit 3 if refused again."""
    from ingest import registry
    from ingest.land import quarantine_decisions as decisions
    from ingest.land.arriving_file import Acceptance
    from ingest.stores import Stores
    from perinatal import home

    stores = Stores.of(home.get())
    _, found = stores.quarantine.find(prefix, source)
    _refuse_what_would_block(found.reasons)
    acceptance = Acceptance(who or getpass.getuser(), why)
    taken = decisions.release(stores, registry.source(found.source_id), found, acceptance, dataset, release)
    for table in taken:
        print(table.in_full, file=sys.stderr if table.what == "refused" else None)
    if any(table.what == "refused" for table in taken):
        raise SystemExit(3)


def _refuse_what_would_block(reasons: list[dict[str, Any]]) -> None:
    """Raise RefusedAtArrival where a reason is one for which the release gate is sure to block every build."""
    from expectations.arrival import blocked_at_release
    from perinatal.errors import RefusedAtArrival

    for reason in reasons:
        if rule := blocked_at_release(reason["rule"]):
            raise RefusedAtArrival(
                f"not released: {reason['message']} ({reason['rule']}). The release gate would block every build "
                f"with this file ({rule}), and nothing new would be published. Correct it and land it, or reject it"
            )


@quarantine.command()
def reject(prefix: Prefix, why: Why, who: Who = None, source: OneSource = None) -> None:
    """Reject a refused file for good: its alert closes, its bytes stay in the archive, the decision is logged."""
    from ingest.land import quarantine_decisions as decisions
    from ingest.stores import Stores
    from perinatal import home

    stores = Stores.of(home.get())
    _, found = stores.quarantine.find(prefix, source)
    decisions.reject(stores, found, who or getpass.getuser(), why)
    print(f"rejected: {found.source_id} {found.original_name} ({found.sha256[:12]})")
