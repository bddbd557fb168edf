"""What to do with a file that is not recognised: the command (or the note for the inbox) that would land it."""

from __future__ import annotations

import difflib
import json
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from ingest import registry
from ingest.land.arriving_file import Arrival
from ingest.land.known_header import Fit, fit_of
from ingest.registry import Identity, Sample, Source
from perinatal.errors import PerinatalError
from perinatal.printable import listed, printable

if TYPE_CHECKING:
    from ingest.land.workbooks import WhichSheet

ENOUGH_KNOWN = 2  # names of a header that make a layout worth naming


def taken_for_header(header: list[str]) -> str:
    """Say what was taken for the header."""
    count = f", {len(header)} columns" if len(header) > 1 else ""
    return f"was taken for the header ({listed(header) or 'blank'}{count})"


def to_land(arrival: Arrival, source: Source, **said: str | None) -> str:
    """Return the command that lands a file as what is said of it; for the inbox, the note to drop beside it."""
    known = {"dataset": arrival.dataset, "release": arrival.release, "sheet": arrival.sheet} | said
    words = {name: word for name, word in known.items() if word}
    if arrival.path is None:
        return _note(arrival, source, words)
    unpacked = arrival.name if arrival.container else arrival.path
    words |= {"published-on": arrival.published_on} if arrival.published_on else {}
    options = " ".join(f"--{name} {shlex.quote(word)}" for name, word in words.items())
    before = "unpack the zip, then " if arrival.container else ""
    return f"{before}`{f'perinatal land {shlex.quote(unpacked)} --source {source.id} {options}'.strip()}`"


def _note(arrival: Arrival, source: Source, words: dict[str, str]) -> str:
    if not words:
        return f"drop it into inbox/{source.id}/"
    # one note is about one file: others of its name may wait in quarantine, or come later
    words = words | ({"sha256": arrival.sha256[:12]} if arrival.sha256 else {})
    note = f"{printable(arrival.name)}.yml"
    return f"drop a note {note!r} into inbox/{source.id}/ that says `{json.dumps(words, ensure_ascii=False)}`"


def told(arrival: Arrival, source: Source, sample: Sample) -> tuple[Identity | None, dict[str, str]]:
    """Return what a source's parser recognises, and what a person must say beside it, by examples that would do."""
    seen = source.recognise(sample)
    layout = _layout(source, sample, seen)
    said: dict[str, str] = {}
    if not (sample.dataset or (seen and (seen.dataset or source.completes))):
        said["dataset"] = closest(arrival.name, source.dataset_names(layout))
    if not (sample.release or (seen and (seen.release or source.completes))):
        said["release"] = source.releases(layout).example if layout else ""
    return seen, said


def _layout(source: Source, sample: Sample, seen: Identity | None) -> str | None:
    """Return the layout of a file as far as it is known: as recognised, else by its header."""
    names = (seen.layout, seen.dataset) if seen else ()
    fit = fit_of(sample.header, source)
    return next((name for name in (*names, fit.layout if fit else None) if name in source.datasets), None)


def unrecognised(arrival: Arrival, sample: Sample) -> str:
    """Return why a file is not recognised, and what to do: say more, name another source, or mind the header."""
    source = arrival.source
    fit = fit_of(sample.header, source)
    seen, said = told(arrival, source, sample)
    if not seen and (other := _known_elsewhere(arrival, sample)):
        return f"it is no file of {source.id}; {other}"
    if seen or (fit and fit.is_whole):
        return _say_more(source, arrival, sample, said)
    nearest, of = _nearest(sample, source)
    if nearest and of:
        return f"{_difference(nearest, of)}; correct the header, or download the file again"
    return "no source has a layout like it (`perinatal sources` lists them)"


def of_sheets(arrival: Arrival, which: WhichSheet) -> str:
    """Return the commands that take one of several sheets with a known header."""
    commands: list[str] = []
    for name, header in which.heads.items():
        rows = [dict(zip(header.cells, row, strict=False)) for row in which.first_rows[name][header.index + 1 :]]
        sample = Sample(arrival.name, header.cells, rows, arrival.dataset, arrival.release)
        try:
            _, said = told(arrival, arrival.source, sample)
        except PerinatalError:
            continue  # its header, but not its rows
        commands.append(to_land(arrival, arrival.source, **said, sheet=name))
    return f"; say which: {' or '.join(commands)}" if commands else ""


def _say_more(source: Source, arrival: Arrival, sample: Sample, said: dict[str, str]) -> str:
    """Return what a person must say, with the values that there are, and a command by way of example."""
    fit = fit_of(sample.header, source)
    about = f"its header is that of {source.id} {fit.layout!r}; " if fit and fit.is_whole else ""
    layout = _layout(source, sample, None)
    choices = [f"datasets: {', '.join(source.dataset_names(layout))}"] if "dataset" in said else []
    if "release" in said and layout and source.releases(layout).text:
        choices.append(f"release: {source.releases(layout).text}")
    example = f", for example {to_land(arrival, source, **said)}" if all(said.values()) else ""
    values = f" ({'; '.join(choices)})" if choices else ""
    return f"{about}say {' and '.join(f'--{name}' for name in said)}{values}{example}"


def _known_elsewhere(arrival: Arrival, sample: Sample) -> str:
    """Return how to land a file that another source knows; blank where none does."""
    anew = replace(arrival, dataset=None, release=None)
    for source in registry.all_sources().values():
        fit = fit_of(sample.header, source)
        if source.id == arrival.source.id or fit is None or not fit.is_whole:
            continue
        try:
            seen, said = told(anew, source, replace(sample, dataset=None, release=None))
        except PerinatalError:
            continue  # its header, but not its rows
        if seen and all(said.values()):
            return f"{source.id} knows it: {to_land(anew, source, **said)}"
    return ""


def _nearest(sample: Sample, own: Source) -> tuple[Fit | None, Source | None]:
    """Return the nearest layout of any source, its own where others are no nearer."""
    sources = sorted(registry.all_sources().values(), key=lambda source: source.id != own.id)
    fits = [(fit, source) for source in sources if (fit := fit_of(sample.header, source))]
    fit, source = max(fits, key=lambda one: len(one[0].places) - len(one[0].missing), default=(None, None))
    return (fit, source) if fit and len(fit.places) >= ENOUGH_KNOWN else (None, None)


def _difference(fit: Fit, source: Source) -> str:
    parts = [f"{what} {listed(names)}" for what, names in (("missing", fit.missing), ("not known", fit.extra)) if names]
    differs = "; ".join(parts) or "columns stand twice"
    return f"the nearest known layout is {fit.layout!r} of {source.id}: {differs}"


def closest(name: str, choices: tuple[str, ...]) -> str:
    """Return the choice most like a name, to have an example that may well be right."""
    return max(choices, key=lambda one: difflib.SequenceMatcher(None, one, name.lower()).ratio(), default="")
