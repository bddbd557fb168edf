"""Which dataset and release a file is: what a person said, else what its source recognises in name and content."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ingest.archive.manifest import Manifest
from ingest.land.arriving_file import FOLDER_NAME, Arrival
from ingest.land.header import read_header, read_sample
from ingest.land.unreadable import Unreadable
from ingest.registry import Identity, Sample


def identify(csv_path: Path, arrival_: Arrival, above: tuple[str, ...] = ()) -> Identity:
    """Tell dataset and release: what the person said, else what the source's parser recognises.

    `above` are the texts above the header.
    """
    found_header, head = read_header(csv_path), read_sample(csv_path)
    if not head:
        raise Unreadable("no_rows", "there are no rows below the header; download the file again")
    sample = Sample(arrival_.name, found_header, head, arrival_.dataset, arrival_.release, above)
    seen = arrival_.source.recognise(sample)
    dataset = arrival_.dataset or (seen.dataset if seen else None)
    release = arrival_.release or (seen.release if seen else None)
    if dataset is None or release is None:
        missing = " and ".join(n for n, v in (("--dataset", dataset), ("--release", release)) if v is None)
        raise Unreadable(
            "not_recognised",
            f"neither name nor content tell what it is; say {missing} "
            f"(datasets: {', '.join(arrival_.source.datasets)})",
        )
    found = replace(seen, dataset=dataset, release=release) if seen else Identity(dataset, release)
    if found.contract not in arrival_.source.datasets:
        raise Unreadable(
            "unknown_dataset",
            f"source {arrival_.source.id} has no dataset {dataset!r}; there are: {', '.join(arrival_.source.datasets)}",
        )
    if seen and arrival_.release and seen.release not in ("", arrival_.release) and seen.dataset == dataset:
        raise Unreadable(
            "release_contradicted",
            f"--release {arrival_.release} was given, but the content is of {seen.release}",
        )
    published_on = arrival_.published_on or (seen.published_on if seen else None)
    return replace(found, published_on=published_on)


def completed(identity: Identity, arrival_: Arrival, rows: Path) -> Identity:
    """Let the source's parser say what only the whole table tells; what a person said stands."""
    whole = arrival_.source.complete(identity, arrival_.name, rows)
    whole = replace(whole, dataset=arrival_.dataset or whole.dataset, release=arrival_.release or whole.release)
    for what, name in (("dataset", whole.dataset), ("release", whole.release)):
        if not FOLDER_NAME.fullmatch(name):
            raise Unreadable("unsafe_name", f"{name[:80]!r} cannot be the name of a {what}; say --{what} NAME")
    return whole


def said_by_the_name(arrival_: Arrival, landed: Manifest) -> str | None:
    """Return what a file's name alone says that it is, where its bytes are landed as something else."""
    header = [column.published_names[0] for column in arrival_.source.columns[landed.layout]]
    blank = dict.fromkeys(header, "")
    said = arrival_.source.recognise(Sample(arrival_.name, header, [blank], arrival_.dataset, arrival_.release))
    if said is None or not (said.dataset and said.release):
        return None
    return (
        None if (said.dataset, said.release) == (landed.dataset, landed.release) else f"{said.dataset} {said.release}"
    )
