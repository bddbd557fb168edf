"""`perinatal withdraw`: a landed release is taken out of use, or put back."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer


def withdraw(
    release_key: Annotated[str, typer.Argument(help="The release, e.g. mbrrace/perinatal_mortality/2023.")],
    why: Annotated[str, typer.Option("--why", help="The reason, for the log.")],
    undo: Annotated[bool, typer.Option("--undo", help="Put it back into use.")] = False,
    by: Annotated[str | None, typer.Option("--by", help="Who decides; without it, who is logged in.")] = None,
) -> None:
    """Take a landed release out of use: bytes and manifest stay, the next build is without it."""
    from ingest.land import withdrawal
    from ingest.stores import Stores
    from perinatal import home

    decide = withdrawal.undo if undo else withdrawal.withdraw
    item = decide(Stores.of(home.get()), release_key, by or getpass.getuser(), why)
    print(f"{'back in use' if undo else 'withdrawn'}: {item.title} ({item.release_key}); `perinatal build` makes it so")
