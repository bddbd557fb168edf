"""The live Fingertips API: which indicators have new data, and their rows in polite batches.

The server drops ids beyond the hundredth without a word, answers 200 with a header alone where an indicator
has no data for an area type, 400 in plain text for an empty required value and 500 in plain text for an area
type that it does not know. Every request becomes one `ApiAnswer`; the file as served stays as it is.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final, cast
from urllib.parse import urlencode

from ingest.fetch.http import LATER, BadResponse, Fetched, HttpClient, HttpError, PublisherUnavailable
from ingest.fetch.probe_settings import MAX_IDS, ApiConfig, AreaPair

FIRST_COLUMN: Final = "Indicator ID"


@dataclass(frozen=True)
class ApiRequest:
    """One request of a plan: at most `MAX_IDS` indicators for one pair of area types."""

    indicator_ids: tuple[int, ...]
    area: AreaPair
    url: str


class Outcome(StrEnum):
    """What came of a request: rows, a header alone, or nothing usable."""

    DATA = "data"
    NO_DATA = "no data for this area type"
    FAILED = "failed"


@dataclass(frozen=True)
class ApiAnswer:
    """One request and what came of it.

    `fetched` is the file as served (the caller's to move or delete; there too if it is not usable), `rows`
    counts rows by indicator id, `without_data` are the ids that have none at this area type, `message` is for
    people.
    """

    request: ApiRequest
    outcome: Outcome
    message: str
    fetched: Fetched | None = None
    rows: Mapping[int, int] = field(default_factory=dict)
    without_data: tuple[int, ...] = ()
    error: HttpError | None = None


def upload_dates(content: bytes, url: str) -> dict[int, str]:
    """Read `indicator_metadata` JSON: indicator id → `LastUploadedAt` ("" where nothing was ever uploaded).

    Raises BadResponse for anything but that document.
    """
    try:
        document = json.loads(content)
        return {
            int(key): str((entry.get("DataChange") or {}).get("LastUploadedAt") or "")
            for key, entry in document.items()
        }
    except (ValueError, AttributeError, RecursionError) as error:
        what = f"sent no indicator metadata ({type(error).__name__})"
        raise BadResponse(url, what, LATER, reason="not_metadata") from None


def changed_ids(wanted: Iterable[int], dates: Mapping[int, str], known: Mapping[str, str]) -> tuple[int, ...]:
    """Return the wanted indicators whose upload date is not the known one, in order, each once."""
    return tuple(
        indicator
        for indicator in dict.fromkeys(wanted)
        if indicator in dates and known.get(str(indicator)) != dates[indicator]
    )


def plan(config: ApiConfig, indicator_ids: Iterable[int]) -> list[ApiRequest]:
    """Return the requests for these indicators: batches × pairs of area types."""
    ids, size = tuple(dict.fromkeys(indicator_ids)), min(config.batch, MAX_IDS)
    batches = [ids[start : start + size] for start in range(0, len(ids), size)]
    return [ApiRequest(batch, area, _url(config, batch, area)) for area in config.areas for batch in batches]


def fetch_indicators(
    client: HttpClient, config: ApiConfig, indicator_ids: Iterable[int], folder: Path
) -> Iterator[ApiAnswer]:
    """Ask for these indicators, request by request, files into `folder`; yields one answer a request.

    A failed request does not stop the others, unless the host itself is down: then the rest fails unasked.
    """
    down: PublisherUnavailable | None = None
    for request in plan(config, indicator_ids):
        if down is not None:
            yield _failed(request, down)
            continue
        try:
            fetched = cast(Fetched, client.fetch(request.url, folder))
        except HttpError as error:
            # 500 is also how the server says "no such area type": the others may still be answered
            if isinstance(error, PublisherUnavailable) and error.host_is_down:
                down = error
            yield _failed(request, error)
        else:
            yield _judged(request, fetched)


def _url(config: ApiConfig, batch: tuple[int, ...], area: AreaPair) -> str:
    query = {
        "indicator_ids": ",".join(map(str, batch)),
        "child_area_type_id": str(area.child),
        "parent_area_type_id": str(area.parent),
    }
    if config.profile_id is not None:
        query["profile_id"] = str(config.profile_id)
    return f"{config.base_url}all_data/csv/by_indicator_id?{urlencode(query, safe=',')}"


def _failed(request: ApiRequest, error: HttpError, fetched: Fetched | None = None) -> ApiAnswer:
    return ApiAnswer(request, Outcome.FAILED, f"{_about(request)}: {error}", fetched, error=error)


def _judged(request: ApiRequest, fetched: Fetched) -> ApiAnswer:
    """Say what a served file holds."""
    try:
        rows = _rows_by_indicator(fetched.path, request)
    except BadResponse as error:
        return _failed(request, error, fetched)
    without = tuple(indicator for indicator in request.indicator_ids if not rows.get(indicator))
    outcome = Outcome.DATA if rows else Outcome.NO_DATA
    message = f"{_about(request)}: {sum(rows.values()):,} rows" if rows else f"{_about(request)}: {outcome}"
    if rows and without:
        message += f"; no data for indicators {', '.join(map(str, without))}"
    return ApiAnswer(request, outcome, message, fetched, rows, without)


def _rows_by_indicator(path: Path, request: ApiRequest) -> dict[int, int]:
    """Count the rows of each indicator. Raises BadResponse where the file is not the table asked for."""
    counts: Counter[str] = Counter()
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as handle:
            reader = csv.reader(handle)
            header = next(reader, [])
            if header[:1] != [FIRST_COLUMN]:
                what = f"sent no indicator table (it starts with {(header or ['nothing'])[0][:60]!r})"
                raise BadResponse(request.url, what, LATER, reason="not_a_table")
            counts.update(row[0] for row in reader if row)
    except csv.Error as error:
        what = f"sent a damaged table ({error})"
        raise BadResponse(request.url, what, LATER, reason="damaged_table") from None
    strangers = counts.keys() - set(map(str, request.indicator_ids))
    if strangers:
        what = f"sent rows of indicators that were not asked for ({', '.join(sorted(strangers)[:5])})"
        raise BadResponse(request.url, what, LATER, reason="other_indicators")
    return {int(indicator): count for indicator, count in sorted(counts.items())}


def _about(request: ApiRequest) -> str:
    ids = ", ".join(map(str, request.indicator_ids[:3])) + (" …" if len(request.indicator_ids) > 3 else "")
    return f"indicators {ids}, area type {request.area.child} in {request.area.parent}"
