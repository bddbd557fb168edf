"""`perinatal storage …`: the shared store of several machines (setting PERINATAL_STORAGE_URL)."""

from __future__ import annotations

import typer

from perinatal.errors import Damaged, PerinatalError

app = typer.Typer(help="Share archive, landed releases and editions through object storage.", no_args_is_help=True)


def _required() -> None:
    from perinatal import settings

    if not settings.get().storage_url:
        raise PerinatalError("PERINATAL_STORAGE_URL is not set: name the shared store, e.g. s3://bucket/perinatal")


@app.command()
def sync() -> None:
    """Share what is landed and published here, land what others have shared. Fetching and building do it anyway.

    Exit 1 where a release is damaged; all others are shared and landed.
    """
    from perinatal import home
    from pipeline import shared_store as storage

    _required()
    exchanged, shared = storage.exchange(home.get()), storage.share_edition(home.get())
    print(
        f"{exchanged.up} release(s) shared, {exchanged.down} landed from the store; edition shared: {shared or 'none'}"
    )
    if exchanged.problems:
        raise Damaged("; ".join(exchanged.problems))


@app.command()
def take() -> None:
    """Make the newest sound edition of the store the current one here: for machines that only read.

    Exit 1 where one was refused that is newer, or whose id is none.
    """
    from perinatal import home
    from pipeline import shared_store as storage

    _required()
    print(f"current edition: {storage.take_edition(home.get()) or 'as before, nothing newer is shared'}")
