"""Which dataset and release a file is: what a person said, else what its source recognises in name and content."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ingest.archive.manifest import Manifest
from ingest.land import advice
from ingest.land.arriving_file import FOLDER_NAME, Arrival
from ingest.land.header import read_header, read_sample
from ingest.land.known_header import fits_of
from ingest.land.unreadable import Unreadable
from ingest.registry import Identity, Sample


def identify(csv_path: Path, arrival_: Arrival, above: tuple[str, ...] = ()) -> Identity:
    """Tell dataset and release: what the person said, else what the source's parser recognises.

    `above` are the texts above the header.
    """
    found_header, head = read_header(csv_path), read_sample(csv_path)
    if not head:
        what = f"{advice.taken_for_header(found_header)}; there are no rows below the header"
        raise Unreadable("no_rows", f"{what}; download the file again", line=1, columns=len(found_header))
    sample = Sample(arrival_.name, found_header, head, arrival_.dataset, arrival_.release, above)
    source, seen = arrival_.source, arrival_.source.recognise(sample)
    dataset = arrival_.dataset or (seen.dataset if seen else "")
    release = arrival_.release or (seen.release if seen else "")
    if not (dataset and release) and not (seen and source.completes):
        what = f"{advice.taken_for_header(found_header)}; neither name nor content tell what it is"
        advised = advice.unrecognised(arrival_, sample)
        raise Unreadable("not_recognised", f"{what}: {advised}", line=1, columns=len(found_header))
    found = replace(seen, dataset=dataset, release=release) if seen else Identity(dataset, release)
    _check_dataset(arrival_, found, seen, found_header)
    if seen and arrival_.release and seen.release not in ("", arrival_.release) and seen.dataset in ("", dataset):
        raise Unreadable(
            "release_contradicted",
            f"--release {arrival_.release} was given, but the content is of {seen.release}; "
            f"{advice.to_land(arrival_, source, release=seen.release)}",
        )
    published_on = arrival_.published_on or (seen.published_on if seen else None)
    return replace(found, published_on=published_on)


def _check_dataset(arrival_: Arrival, found: Identity, seen: Identity | None, header: list[str]) -> None:
    """Raise Unreadable for a dataset that the source does not have, or that has another header, with the right one."""
    source, layout = arrival_.source, found.contract if found.contract in arrival_.source.datasets else None
    names = source.dataset_names(layout)
    release = (seen.release if seen else None) or arrival_.release
    if layout and (not names or found.dataset in names or arrival_.dataset is None):  # the parser's own names stand
        whole = [fit.layout for fit in fits_of(header, source) if fit.is_whole]
        if layout in whole or not any(name in names for name in whole):
            return
        what = f"the header is that of {whole[0]!r}, not of {layout!r}"
        instead = advice.to_land(arrival_, source, dataset=whole[0], release=release)
        raise Unreadable("other_layout", f"{what}; {instead}", line=1, columns=len(header))
    right = seen.dataset if seen and seen.dataset in names else advice.closest(found.dataset, names)
    raise Unreadable(
        "unknown_dataset",
        f"source {source.id} has no dataset {found.dataset!r}; there are: {', '.join(names or source.datasets)}; "
        f"for example {advice.to_land(arrival_, source, dataset=right, release=release)}",
    )


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
    try:
        said = arrival_.source.recognise(Sample(arrival_.name, header, [blank], arrival_.dataset, arrival_.release))
    except Unreadable:
        return None  # the rows would have to say it
    if said is None or not (said.dataset and said.release):
        return None
    return (
        None if (said.dataset, said.release) == (landed.dataset, landed.release) else f"{said.dataset} {said.release}"
    )
