"""Where state lies under `PERINATAL_HOME`: the one place that knows the folders of CONTRACT.md."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from perinatal.errors import PerinatalError


@dataclass(frozen=True)
class Home:
    """Paths under one `PERINATAL_HOME`. Nothing is created until it is needed."""

    root: Path

    @property
    def archive(self) -> Path:
        """Every file as published, by the sha256 of its bytes, for ever."""
        return self.root / "archive"

    @property
    def landed(self) -> Path:
        """`<source>/<dataset>/<release>/<revision>/` with rows.parquet and manifest.json."""
        return self.root / "landed"

    @property
    def quarantine(self) -> Path:
        """`<source>/<sha256>/`: refused files with their report."""
        return self.root / "quarantine"

    @property
    def inbox(self) -> Path:
        """`<source>/`: where people drop files."""
        return self.root / "inbox"

    @property
    def theme_inbox(self) -> Path:
        """`themes/` in the inbox: sheets with decisions on codes, which the build takes."""
        return self.inbox / "themes"

    @property
    def theme_decisions(self) -> Path:
        """What people have decided on codes of findings; it only grows."""
        return self.root / "themes" / "decisions.csv"

    @property
    def build(self) -> Path:
        """`<run_id>/`: candidates, removed after publishing."""
        return self.root / "build"

    @property
    def editions(self) -> Path:
        """`<edition_id>/`: published editions."""
        return self.root / "editions"

    @property
    def current(self) -> Path:
        """Symbolic link to the published edition, replaced by one atomic rename."""
        return self.root / "current"

    @property
    def alerts(self) -> Path:
        """Append-only alert log."""
        return self.root / "alerts"

    @property
    def probes(self) -> Path:
        """`live/<source>.json`, `sample/<source>.json`: what each publisher said last."""
        return self.root / "probes"

    @property
    def decisions(self) -> Path:
        """Append-only log of what people decided: who, when, why."""
        return self.root / "decisions.jsonl"

    @property
    def synthetic(self) -> Path:
        """Hashes of all bytes that a sample generator has made here, one a line: never taken for real."""
        return self.root / "synthetic.txt"

    @property
    def metrics(self) -> Path:
        """Return the gauges in Prometheus' text format, as the last step left them; nginx serves it."""
        return self.root / "metrics.prom"

    @property
    def cache(self) -> Path:
        """Things that may be deleted at any time (dbt's parse cache, sample sites)."""
        return self.root / "cache"

    @property
    def observations(self) -> Path:
        """`<hash>/`: observations of a release that builds keep for later ones; may be deleted at any time too."""
        return self.cache / "observations"

    @property
    def restoring(self) -> Path:
        """Stands, with the name of the backup in it, until all of a backup is there: only a part of it may be."""
        return self.root / ".restoring"

    @property
    def database(self) -> Path:
        """Return the DuckDB file of the current edition, resolved so that a reader keeps one edition."""
        # asked of the link itself: what it names may be pruned while we look
        if not self.current.is_symlink():
            raise PerinatalError(
                f"no edition is published in {self.root}: run `perinatal refresh --sample`, "
                "or land files and run `perinatal build`"
            )
        return self.current.resolve() / "perinatal.duckdb"


def named() -> Home:
    """Return the home that the settings name, whatever is in it: to name places, and to restore into it."""
    from perinatal import settings

    return Home(settings.get().home.expanduser().absolute())


def get() -> Home:
    """Return the home that the settings name, for every command and task that works with what is in it.

    Raises PerinatalError where only a part of a backup is there, or a newer program has written to it.
    """
    from perinatal import state_version

    found = named()
    _require_restored(found)
    state_version.require_known(found.root)
    return found


def _require_restored(home: Home) -> None:
    try:
        backup = home.restoring.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return
    raise PerinatalError(
        f"{home.root} holds only part of the backup {backup}: its restore was cut off, or is running. If it is not "
        "running, run `perinatal restore` with that backup again; nothing else works with this folder before"
    )
