"""`perinatal engines …`: what can run the models, and whether they come to the same."""

from __future__ import annotations

import typer

app = typer.Typer(help="What runs the models of a build: DuckDB or Spark.", no_args_is_help=True)


@app.command()
def compare() -> None:
    """Make the models of everything landed on DuckDB and on Spark, print what differs. Exit 1 where anything does."""
    from perinatal import home
    from pipeline import engines

    found = engines.compare(home.get())
    for line in engines.report(found):
        print(line)
    if not all(table.is_equal for table in found):
        raise SystemExit(1)
