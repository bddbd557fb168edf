"""From archived bytes to typed rows: clean UTF-8 CSV as it lies, anything else through a normalised copy."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

from expectations.columns import Column, header_key
from ingest.land import advice, decode
from ingest.land.arriving_file import Arrival
from ingest.land.csv_text import CsvInfo
from ingest.land.header import first_rows, has_one_header
from ingest.land.identify import completed, identify
from ingest.land.known_header import finder, places_of
from ingest.land.masking import mask_names
from ingest.land.normalise import normalise_to_utf8_csv
from ingest.land.sniff import TABLES, Kind, sniff
from ingest.land.unreadable import Unreadable
from ingest.land.workbooks import WhichSheet
from ingest.registry import Identity, Source
from perinatal import settings
from perinatal.dropped_files import Unusable

# Great Expectations has one context a process, and DuckDB's memory limit is meant for one landing
ONE_AT_A_TIME = threading.Lock()


def typed_rows(path: Path, arrival_: Arrival, work: Path, rows: Path) -> tuple[Identity, decode.Decoded]:
    """Type the table into `rows`: clean UTF-8 CSV as it lies, anything else through a normalised copy.

    What looks clean at its start and is not further down goes through the copy too, which tells exactly what is
    wrong and where. What is no table at all becomes one by the parser's own `to_csv`, where it has one.
    """
    source, copy = arrival_.source, work / "table.csv"
    to_csv = getattr(source.parser, "to_csv", None)
    if to_csv is not None and sniff(path) not in TABLES:
        to_csv(path, copy, arrival_.name)
        found = _identified_rows(copy, arrival_, rows, separator="")
        copy.unlink()
        return found
    if starts_with_header(path, source):
        try:
            identity, decoded = _identified_rows(path, arrival_, rows)
        except Unreadable as error:
            if error.reason != "unreadable_rows":
                raise
        else:
            if not decoded.malformed:
                return identity, decoded
    found = _rows_of_copy(path, arrival_, copy, rows)
    copy.unlink()
    return found


def starts_with_header(path: Path, source: Source) -> bool:
    """Tell whether a file can be read as it lies: plain CSV with one header, in the first line, with known names."""
    if not decode.is_plain_csv(path):
        return False
    find, rows = finder(source), first_rows(path)
    found = find(rows)
    return found.index == 0 and found.known > 0 and not find(rows[1:]).is_whole and has_one_header(path)


def _rows_of_copy(path: Path, arrival_: Arrival, copy: Path, rows: Path) -> tuple[Identity, decode.Decoded]:
    """Type the table of a normalised copy, errors and lines set aside told by their lines in the file itself."""
    source = arrival_.source
    try:
        table = normalise_to_utf8_csv(path, copy, sheet=arrival_.sheet, find=finder(source))
    except WhichSheet as error:
        raise Unusable(error.reason, f"{error}{advice.of_sheets(arrival_, error)}") from None
    try:
        found = identify(copy, arrival_, table.above)  # whose file it is comes before how its text is encoded
        _check_encoding(table, source)
        _check_end(table, source.columns[found.contract])
        identity, decoded = _identified_rows(copy, arrival_, rows, above=table.above, separator=table.separator)
    except Unreadable as error:
        error.sheet, error.header_line = table.sheet, table.header_line
        raise
    return identity, replace(
        decoded,
        malformed=[(line + table.header_line - 1, why) for line, why in decoded.malformed],
        sheet=table.sheet,
        header_line=table.header_line,
        notes=table.notes,
    )


def _check_encoding(table: CsvInfo, source: Source) -> None:
    """Raise Unreadable for a text in an encoding that the source does not publish."""
    if table.kind is Kind.CSV and table.encoding not in source.encodings:
        raise Unreadable(
            "wrong_encoding",
            f"the text is encoded as {table.encoding}; {source.id} publishes {' or '.join(source.encodings)}",
        )


def _check_end(table: CsvInfo, columns: tuple[Column, ...]) -> None:
    """Raise Unreadable for a text without a final line end whose last cell is a number or date, and so may be cut."""
    if table.open_end is None:
        return
    places = places_of([header_key(name) for name in table.columns], columns)
    for column in columns:
        if column.holds_digits and table.open_end.place in places.get(column.name, ()):
            what = f"the file ends without a line end in column {column.published_names[0]}, whose cell may be cut off"
            remedy = "fetch it again; where it is whole, add a line end after the last line"
            raise Unreadable("truncated", f"{what}; {remedy}", line=table.open_end.line - table.header_line + 1)


def _identified_rows(
    csv_path: Path,
    arrival_: Arrival,
    rows: Path,
    above: tuple[str, ...] = (),
    separator: str = ",",
) -> tuple[Identity, decode.Decoded]:
    identity = identify(csv_path, arrival_, above)
    if not arrival_.source.holds_prose(identity.contract):
        return _to_parquet(csv_path, arrival_, identity, rows, separator)
    masked = rows.with_name("masked.csv")
    mask_names(csv_path, masked, arrival_.source.columns[identity.contract])
    # what names the dataset may hold a name of a person too
    found = _to_parquet(masked, arrival_, identify(masked, arrival_, above), rows, separator=separator)
    masked.unlink()
    return found


def _to_parquet(
    csv_path: Path,
    arrival_: Arrival,
    identity: Identity,
    rows: Path,
    separator: str = ",",
) -> tuple[Identity, decode.Decoded]:
    options = settings.get()
    try:
        decoded = decode.to_parquet(
            csv_path,
            arrival_.source,
            identity.contract,
            rows,
            options.landing_memory_limit,
            options.threads,
            separator,
        )
    except Unreadable as error:
        error.identity = identity
        raise
    return completed(identity, arrival_, rows), decoded
