"""`perinatal board`: where a trust's board report is, as PDF, and with its restricted board return."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def board(
    trust: Annotated[str, typer.Argument(help="Code of the trust, e.g. RCF.")],
    pdf: Annotated[bool, typer.Option("--pdf", help="Write it as PDF, one A4 sheet.")] = False,
    restricted: Annotated[
        bool,
        typer.Option(
            "--restricted", help="With the trust's own board return: page and PDF in the restricted folder only."
        ),
    ] = False,
    out: Annotated[Path | None, typer.Option("--out", help="Where to write the PDF; else ./board-<trust>.pdf.")] = None,
) -> None:
    """Print where the board report of a trust is: one A4 page, as HTML or PDF, public or with its board return."""
    from perinatal import home
    from publish import board_report

    if restricted and out:
        raise typer.BadParameter("--restricted and --out cannot be used together: it stays in the restricted folder")
    if out and not pdf:
        raise typer.BadParameter("--out needs --pdf")
    current = home.get().database.parent
    if restricted:
        for path in board_report.write_restricted(current, trust):
            print(path)
        return
    page = board_report.page_of(current, trust)
    if pdf:
        target = out or Path(f"board-{page.stem}.pdf")
        board_report.write_pdf(page, target)
        print(target)
    else:
        print(page)
