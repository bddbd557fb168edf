"""What is landed, as the warehouse takes it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields

from expectations.results import Result
from ingest.archive.manifest import LandedReleases, Manifest
from ingest.registry import all_sources
from warehouse.corrections import load
from warehouse.landed import LandedRelease, Layout, WarnedRows


def layouts() -> list[Layout]:
    """Return every layout of every source, also those in which nothing is landed."""
    return [
        Layout(source.id, name, columns)
        for source in all_sources().values()
        for name, columns in source.columns.items()
    ]


def release_of(landed: LandedReleases, item: Manifest) -> LandedRelease:
    """Return one landed revision with its rows and the corrections of its source that concern it."""
    source = all_sources()[item.source_id]
    known = {name: getattr(item, name) for name in COMMON}
    results = [Result.read(check) for check in item.checks]
    return LandedRelease(
        **known
        | {
            "fetched_at": item.fetched_at.removesuffix("+00:00"),
            "has_arrival_warning": any(result.failed and result.severity == "warn" for result in results),
            "warned_rows": tuple(
                WarnedRows(result.rule, first, last) for result in results for first, last in result.warned_rows
            ),
            "scope": source.datasets[item.layout].scope,
            **source.calendar(item.layout)._asdict(),
            "rows": landed.rows_of(item),
            "corrections": tuple(
                c for c in load(source.folder) if (c.dataset, c.release) == (item.dataset, item.release)
            ),
        }
    )


COMMON = {field.name for field in fields(LandedRelease)} & {*dir(Manifest), *(field.name for field in fields(Manifest))}


def releases(landed: LandedReleases, items: Iterable[Manifest]) -> list[LandedRelease]:
    """Return landed revisions as a build takes them."""
    return [release_of(landed, item) for item in items]
