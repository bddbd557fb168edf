"""The `perinatal` command. Each command is one call into the rooms; heavy libraries are imported where used."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer

from perinatal.console import ABOUT, say, show
from perinatal.errors import PerinatalError
from perinatal.errors_in_words import in_words
from pipeline.commands import alerts as cli_alerts
from pipeline.commands import backup as cli_backup
from pipeline.commands import bench as cli_bench
from pipeline.commands import board as cli_board
from pipeline.commands import engines as cli_engines
from pipeline.commands import sources as cli_sources
from pipeline.commands import storage as cli_storage
from pipeline.commands import themes as cli_themes
from pipeline.commands import withdrawals as cli_withdrawals
from pipeline.commands.concluding import conclude, conclude_damage

if TYPE_CHECKING:
    from perinatal.home import Home
    from pipeline.arrivals import Arrivals

app = typer.Typer(
    name="perinatal",
    help="The national picture of maternity and neonatal safety: fetch, land, build, query.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

app.add_typer(cli_alerts.app)
app.add_typer(cli_sources.sources)
app.add_typer(cli_sources.quarantine)
app.add_typer(cli_themes.app, name="themes")
app.add_typer(cli_storage.app, name="storage")
app.add_typer(cli_engines.app, name="engines")

state = {"debug": False}

Format = Literal["table", "csv", "json"]
JsonFlag = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]


@app.callback()
def options(
    context: typer.Context, debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False
) -> None:
    """Set the options that hold for every command."""
    state["debug"] = debug
    # each line of JSON says which run it is of: this command, when and as which process
    ABOUT.set({**ABOUT.get(), "run": f"{context.invoked_subcommand}-{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}"})


def fail(error: Exception | str, code: int) -> NoReturn:
    """End with one line on standard error."""
    say("perinatal: " + " ".join(str(error).split()), level="error")
    raise SystemExit(code)


def main() -> None:
    """Run the command line: any error is one clear line, unless --debug asks for the traceback."""
    try:
        app()
    except PerinatalError as error:
        if state["debug"]:
            raise
        fail(error, error.exit_code)
    except KeyboardInterrupt:
        fail("stopped by Ctrl-C; nothing incomplete was published", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:
        if state["debug"]:
            raise
        fail(
            in_words(error) or f"unexpected {type(error).__name__}: {error} (run `perinatal --debug …` for details)", 1
        )


def home() -> Home:
    """Return the state folder that the settings name."""
    from perinatal import home as homes

    return homes.get()


def _mode(sample: bool, live: bool) -> str:
    from perinatal import settings

    if sample and live:
        raise typer.BadParameter("--sample and --live cannot be used together")
    return "sample" if sample else "live" if live else settings.get().mode


Sample = Annotated[bool, typer.Option("--sample", help="The bundled synthetic releases.")]
Live = Annotated[bool, typer.Option("--live", help="Ask the publishers themselves.")]
Sources = Annotated[list[str] | None, typer.Option("--source", help="Only this source; may be repeated.")]


@app.command()
def refresh(sample: Sample = False, live: Live = False, source: Sources = None) -> None:
    """Fetch and build in one go, then print the national picture."""
    from pipeline import report, steps

    where, mode, sources = home(), _mode(sample, live), source or ()
    arrived = _fetch(where, mode, sources)
    _warn(arrived)
    built = steps.build(where)
    if built.edition is None:
        print(built.message)
    else:
        report.national_picture(built, built.edition)
    conclude(built)
    conclude_damage(arrived)


@app.command()
def fetch(sample: Sample = False, live: Live = False, source: Sources = None, as_json: JsonFlag = False) -> None:
    """Land the inbox, then ask each publisher for news and land it. Problems are warnings and alerts; exit 0.

    Exit 1 where releases in the shared store are damaged; all else is landed.
    """
    from pipeline import report

    arrived = _fetch(home(), _mode(sample, live), source or ())
    _warn(arrived)
    show(report.fetched(*arrived), as_json, report.print_fetched)
    conclude_damage(arrived)


def _fetch(where: Home, mode: str, sources: Sequence[str]) -> tuple[Arrivals, Arrivals]:
    """Land the inbox, then ask the publishers; returns the result of each."""
    from pipeline import arrivals, steps

    if mode == "sample":
        arrivals.drop_samples(where, sources)
    return steps.land_inbox(where, sources), steps.fetch(where, mode, sources)


def _warn(arrived: tuple[Arrivals, Arrivals]) -> None:
    for line in [line for part in arrived for line in part.warnings]:
        say(f"warning: {line}", level="warning")


@app.command()
def land(
    files: Annotated[list[Path], typer.Argument(help="Files that a person has downloaded.", metavar="FILE…")],
    source: Annotated[str, typer.Option("--source", help="Who published them, e.g. mbrrace.")],
    dataset: Annotated[str | None, typer.Option(help="Dataset, if name and content do not say it.")] = None,
    release: Annotated[str | None, typer.Option(help="Release, if name and content do not say it.")] = None,
    published_on: Annotated[str | None, typer.Option(help="Publication date, YYYY-MM-DD.")] = None,
    sheet: Annotated[str | None, typer.Option(help="Sheet of a workbook, if several could be meant.")] = None,
) -> None:
    """Land files that a person downloaded. Exit 3 if any was refused; the others are landed all the same."""
    from datetime import date

    from ingest import registry
    from ingest.land.arriving_file import Arrival, require_file
    from pipeline import steps

    if published_on:
        try:
            date.fromisoformat(published_on)
        except ValueError:
            raise typer.BadParameter(f"--published-on {published_on!r}: expected YYYY-MM-DD") from None
    publisher = registry.source(source)
    for file in files:
        require_file(file)
    arrivals = [
        (file, Arrival(publisher, file.name, dataset, release, published_on=published_on, sheet=sheet, path=str(file)))
        for file in files
    ]
    landed = steps.land_files(home(), arrivals)
    for table in landed.taken:
        if table.what != "refused":
            print(table.message)
    conclude(landed)


@app.command()
def build(
    force: Annotated[bool, typer.Option(help="Build even if nothing is new, and make every file.")] = False,
    sign: Annotated[
        str | None,
        typer.Option(help="Your name: publish an edition that was held because headlines or many verdicts changed."),
    ] = None,
    engine: Annotated[
        Literal["duckdb", "spark"] | None, typer.Option(help="What runs the models; else PERINATAL_ENGINE.")
    ] = None,
) -> None:
    """Build every landed release into a candidate, gate it, publish an edition. Exit 3 if the gate blocks.

    Exit 1 where releases in the shared store are damaged; the edition is made of all others.
    """
    from perinatal import settings as typed
    from pipeline import steps

    if engine:
        typed.choose(engine=engine)
    built = steps.build(home(), force=force, signed_by=sign)
    print(built.message + (f". {built.edition}" if built.changed else ""))
    conclude(built)


@app.command()
def status(as_json: JsonFlag = False) -> None:
    """Show the current edition, each source's latest release and its age, open alerts."""
    from pipeline import report

    show(report.status(home()), as_json, report.print_status)


# SQL may begin with a comment, which looks like an option that is not known
@app.command(context_settings={"ignore_unknown_options": True})
def query(
    sql: Annotated[
        str | None, typer.Argument(help="SQL on reference, core, marts, quality; - reads it from standard input.")
    ] = None,
    file: Annotated[Path | None, typer.Option("--file", "-f", help="File that holds the SQL.")] = None,
    form: Annotated[Format, typer.Option("--format", help="How to print.")] = "table",
) -> None:
    """Ask the current edition, read-only."""
    from pipeline import report

    report.query(home(), _asked(sql, file), form)


def _asked(sql: str | None, file: Path | None) -> str:
    """Return the SQL of an argument, a file or standard input. Raises PerinatalError for a file that cannot be read."""
    if (sql is None) == (file is None):
        raise typer.BadParameter("give either the SQL or -f FILE")
    if file is None:
        return sys.stdin.read() if sql == "-" else str(sql)
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise PerinatalError(f"{file} cannot be read ({error}): give the path of a text file that holds SQL") from None


@app.command()
def pack(
    lms: Annotated[str, typer.Argument(help="Code of the local maternity system, e.g. QE1, or its whole name.")],
    out: Annotated[Path | None, typer.Option(help="Folder to write into; else ./perinatal-<LMS>.")] = None,
) -> None:
    """Write the pack of an LMS: workbook, CSV, Parquet, dictionary, changes, and its trusts' board reports as PDF."""
    from publish import board_report, packs

    database = home().database
    folder = packs.write(database, lms, out or Path(f"perinatal-{lms.strip()}"))
    board_report.write_of_lms(database.parent, lms, folder / "board")
    print(folder)


@app.command()
def notify(
    digest: Annotated[bool, typer.Option("--digest", help="Warnings too, in one message a channel.")] = False,
) -> None:
    """Send alerts not sent yet to PERINATAL_ALERT_URLS and PERINATAL_LMS_ALERT_URLS. Exit 1 if an address fails."""
    from pipeline import steps

    notified = steps.notify(home(), digest=digest)
    for sent in notified.sent:
        failed = ", FAILED (will be tried again)" if sent.failed else ""
        print(f"{sent.channel}: {sent.alerts} alert(s) in {sent.messages} message(s), {sent.waiting} waiting{failed}")
    conclude(notified)


@app.command()
def verify() -> None:
    """Re-hash the archive and compare it with the manifests. Exit 1 if anything is damaged or missing."""
    from pipeline import steps

    found = steps.verify(home())
    conclude(found)
    print(found.message)


@app.command()
def portal(
    port: Annotated[int | None, typer.Option(help="Loopback port; else PERINATAL_PORTAL_PORT.")] = None,
) -> None:
    """Serve the current edition's pages and downloads on loopback; /healthz and /metrics for monitoring."""
    from perinatal import settings as typed
    from pipeline import metrics
    from publish import serve
    from publish.edition import Editions

    where = home()
    serve.serve(Editions.of(where), port or typed.get().portal_port, metrics.answers(where))


@app.command()
def up(
    sample: Sample = False,
    live: Live = False,
    port: Annotated[int | None, typer.Option(help="Airflow's loopback port; else PERINATAL_AIRFLOW_PORT.")] = None,
    portal_port: Annotated[int | None, typer.Option(help="The portal's; else PERINATAL_PORTAL_PORT.")] = None,
) -> None:
    """Run everything: Airflow with every DAG on, the inbox watched, the portal beside it. Ctrl-C stops it all.

    Without --sample or --live, PERINATAL_MODE says which publishers are asked; its default, `inbox`, asks none.
    """
    from perinatal import settings as typed
    from pipeline import up as service

    options = typed.get()
    service.run(home(), _mode(sample, live), port or options.airflow_port, portal_port or options.portal_port)


@app.command()
def settings(as_json: JsonFlag = False) -> None:
    """List every setting: its value, its environment variable, what it does."""
    from perinatal import settings as typed

    values = typed.get()
    rows = [
        {
            "setting": f"PERINATAL_{name.upper()}",
            "value": typed.shown(name, getattr(values, name)),
            "default": str(info.default),
            "description": info.description,
        }
        for name, info in typed.Settings.model_fields.items()
    ]
    from pipeline import report

    show(rows, as_json, report.print_rows)


@app.command()
def stats(
    kind: Annotated[
        Literal["rate", "proportion", "ratio", "funnel", "spc", "trend", "sii"], typer.Argument(help="Which statistic.")
    ],
    file: Annotated[Path, typer.Argument(help="CSV with the columns of docs/stats-command.md.", metavar="FILE.csv")],
    multiplier: Annotated[float | None, typer.Option(help="Per how many, e.g. 1000.")] = None,
) -> None:
    """Compute the statistics of docs/methods.md on a CSV; CSV on standard output."""
    from warehouse import statistics

    statistics.main(kind, file, multiplier, out=sys.stdout)


app.command()(cli_backup.backup)
app.command()(cli_backup.restore)
app.command()(cli_themes.brief)
app.command()(cli_bench.bench)
app.command()(cli_board.board)
app.command()(cli_withdrawals.withdraw)


if __name__ == "__main__":
    main()
