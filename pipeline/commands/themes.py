"""`perinatal themes …` and `perinatal brief`: coding, its evaluation, its review by people, and the briefing."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from insights.decisions import DecisionFile
    from insights.questions import Question

app = typer.Typer(help="Code findings to themes, measure the coding, review it.", no_args_is_help=True)

Theme = Annotated[str | None, typer.Option("--theme", help="Only this theme, e.g. C01.")]


@app.command()
def code(
    file: Annotated[Path, typer.Argument(help="CSV with the columns finding_id, text.", metavar="FILE.csv")],
) -> None:
    """Code a CSV of findings; finding_id, theme_id, score, evidence, coded_by as CSV on standard output."""
    from insights.coding import code_file
    from perinatal import home

    code_file(file, sys.stdout, home.get().theme_decisions)


@app.command()
def evaluate(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")] = False,
    labels: Annotated[
        Path | None,
        typer.Option(
            "--labels", help="CSV of passages coded by two people: finding_id, source, text, themes_a, themes_b."
        ),
    ] = None,
) -> None:
    """Measure the coding on the held-out synthetic texts, or on passages that two people coded."""
    from insights.evaluate import main

    main(sys.stdout, json=as_json, labels=labels)


@app.command()
def review(
    theme: Theme = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many questions.")] = None,
    reviewer: Annotated[str, typer.Option(help="Your name; it is kept with every decision.")] = "",
    export: Annotated[Path | None, typer.Option("--export", help="Write the questions as a sheet to fill in.")] = None,
    import_: Annotated[Path | None, typer.Option("--import", help="Take a sheet that was filled in.")] = None,
) -> None:
    """Decide on codes of the current edition, the most uncertain first; what you decide wins from the next build on."""
    from insights import review_sheets
    from insights.decisions import DecisionFile
    from perinatal import home

    if export and import_:
        raise typer.BadParameter("--export and --import cannot be used together")
    where, today = home.get(), date.today()
    decisions = DecisionFile(where.theme_decisions)
    if import_:
        taken = review_sheets.take_sheet(decisions, import_, today, reviewer)
        print(
            f"{taken.new} decision(s) kept, {taken.known} known already, {taken.undecided} row(s) undecided. "
            "They hold from the next `perinatal build` on."
        )
        return
    if export is None and not sys.stdin.isatty():
        raise typer.BadParameter("a review needs a terminal; without one use --export FILE.csv, then --import FILE.csv")
    questions, places = review_sheets.questions(where.database, decisions, limit, theme and theme.upper())
    if export:
        print(f"{review_sheets.write_sheet(questions, places, export)} question(s) written to {export}")
        return
    _ask(decisions, reviewer, today, questions, places)


@app.command()
def agreement(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")] = False,
) -> None:
    """Say how far reviewers agree: the codes on which they do not, then each theme with κ, who and when."""
    from insights.decisions import DecisionFile
    from insights.review_report import write
    from perinatal import home

    write(DecisionFile(home.get().theme_decisions).read(), sys.stdout, json=as_json)


def _ask(
    decisions: DecisionFile, reviewer: str, today: date, questions: list[Question], places: dict[str, str]
) -> None:
    from insights.session import Session

    if not questions:
        print("nothing to decide")
        return
    while not reviewer.strip():
        reviewer = typer.prompt("Your name, to be kept with every decision")
    kept = Session(reviewer.strip(), today.isoformat(), decisions.keep_one, input, print).run(questions, places)
    print(f"{kept} decision(s) kept in {decisions.path}. They hold from the next `perinatal build` on.")


def brief(
    theme: Annotated[str | None, typer.Option("--theme", help="On one theme, e.g. C01.")] = None,
    lms: Annotated[str | None, typer.Option("--lms", help="For one LMS: its code or name.")] = None,
    national: Annotated[
        bool, typer.Option("--national", help="The national report: two to four pages, with what is new.")
    ] = False,
    out: Annotated[Path, typer.Option("--out", help="Where to write it.")] = Path("brief.html"),
) -> None:
    """Write a summary as HTML that prints well: two pages on all, one theme or one LMS, or the national report."""
    from insights.brief import write, write_national
    from perinatal import home

    if sum(map(bool, (theme, lms, national))) > 1:
        raise typer.BadParameter("--theme, --lms and --national cannot be used together")
    if national:
        write_national(home.get().database, out)
    else:
        write(home.get().database, out, theme=theme, lms=lms)
    print(out)
