"""`perinatal backup DIR`, `perinatal restore BACKUP`: an installation in another folder, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from perinatal.console import say
from perinatal.errors import Damaged
from pipeline.commands.concluding import conclude


def backup(
    into: Annotated[Path, typer.Argument(help="Folder for backups, outside the state folder.", metavar="DIR")],
) -> None:
    """Back up archive, landed releases, decisions, alerts, quarantine and inbox; editions are built again from them."""
    from perinatal import home
    from pipeline import backup as backups

    saved = backups.backup(home.get(), into)
    print(f"{saved.folder}: {saved.files} file(s), {saved.linked} of them linked to the backup before")


def restore(
    folder: Annotated[Path, typer.Argument(help="One backup, as `perinatal backup` printed it.", metavar="BACKUP")],
    build: Annotated[bool, typer.Option(help="Build the edition and compare it with that of the backup.")] = True,
) -> None:
    """Bring a backup into the empty folder that PERINATAL_HOME names, build its edition, compare it table by table."""
    from perinatal import home
    from pipeline import backup as backups
    from pipeline import steps

    where = home.named()
    record = backups.restore(where, folder)
    print(f"{len(record.files)} file(s) restored into {where.root}, each with its sha256")
    if not build or record.edition_id is None:
        return
    built = steps.build(where)
    print(built.message)
    conclude(built)
    differ = backups.differing(record, where.database)
    if differ is None:
        say(f"not compared with {record.edition_id}: it was made by another version of this program")
    elif differ:
        raise Damaged(f"{len(differ)} table(s) differ from {record.edition_id}: {', '.join(differ[:5])}")
    else:
        print(f"{len(record.content)} table(s) hold what they held in {record.edition_id}")
