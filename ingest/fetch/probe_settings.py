r"""How a source's releases are noticed and how they come in: the `probe:` block of its source.yml, typed.

    probe:
      kind: page                # page, govuk_content or fingertips_metadata; without a block, people bring the files
      url: https://…            # the page, the content API's address, or (fingertips) may be left out
      schedule: "25 5 * * 2"    # when Airflow looks
      links: "statistics-.*"    # regular expression (search) for the address or title of the links that are releases
      download: "\.csv$"        # the same for the files to download; without it a person fetches them
      files: [{url: https://…, name: a.csv}]   # fixed addresses, asked whenever something has changed

A link of a release that `download` fits is a file; any other is opened, and the links there that `download` fits are
the files. For `fingertips_metadata`: `indicator_ids`, `areas` (`{child: 502, parent: 6}`), `profile_id`, `batch`,
`base_url`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from ingest.fetch.fingertips_api import BASE_URL, MAX_IDS, ApiConfig, AreaPair, metadata_url
from ingest.fetch.probe import ProbeSpec
from ingest.registry import Source
from perinatal.errors import PerinatalError

COMMON: Final = {"kind", "url", "schedule", "files"}
KEYS: Final = {
    "page": COMMON | {"links", "download"},
    "govuk_content": COMMON | {"links", "download"},
    "fingertips_metadata": COMMON | {"indicator_ids", "areas", "profile_id", "batch", "base_url"},
}


class Arrives(StrEnum):
    """How a source's releases come in, in words for people."""

    API = "by API"
    DOWNLOAD = "by download"
    WATCHED = "by hand; its page is watched"
    BY_HAND = "by hand"


@dataclass(frozen=True)
class Watch:
    """What to ask a publisher, and what to do with what is found.

    `download` tells files among links ("" where a person fetches them), `api` is there for `fingertips_metadata`
    alone, `files` are fixed addresses (address → file name).
    """

    spec: ProbeSpec
    download: str
    api: ApiConfig | None
    files: dict[str, str]

    @property
    def arrives(self) -> Arrives:
        """Return how releases come in."""
        if self.api:
            return Arrives.API
        return Arrives.DOWNLOAD if self.download or self.files else Arrives.WATCHED


def arrives(source: Source) -> Arrives:
    """Return how a source's releases come in."""
    watch = of(source)
    return watch.arrives if watch else Arrives.BY_HAND


def of(source: Source) -> Watch | None:
    """Return what a source's `probe:` block asks for; None where nothing is asked of the publisher."""
    raw = source.probe
    if not raw:
        return None
    try:
        unknown = sorted(raw.keys() - KEYS[raw["kind"]])
        if unknown:
            raise _wrong(source, f"{raw['kind']} knows no {', '.join(unknown)}")
        files = {str(item["url"]): str(item["name"]) for item in raw.get("files", ())}
        if raw["kind"] == "fingertips_metadata":
            return _api(raw, files)
        download, links = raw.get("download", ""), raw.get("links", "")
        re.compile(download)
        return Watch(ProbeSpec(raw["kind"], raw["url"], links or download), download, None, files)
    except KeyError as error:
        raise _wrong(source, f"{error} is missing or unknown; the kinds are {', '.join(KEYS)}") from None
    except (TypeError, ValueError, AttributeError, re.error) as error:
        raise _wrong(source, str(error)) from None


def _api(raw: dict[str, Any], files: dict[str, str]) -> Watch:
    ids = tuple(dict.fromkeys(int(indicator) for indicator in raw["indicator_ids"]))
    areas = tuple(AreaPair(int(pair["child"]), int(pair["parent"])) for pair in raw["areas"])
    profile = raw.get("profile_id")
    batch = min(int(raw.get("batch", MAX_IDS)), MAX_IDS)
    config = ApiConfig(ids, areas, profile and int(profile), raw.get("base_url", BASE_URL), batch)
    spec = ProbeSpec("fingertips_metadata", raw.get("url") or metadata_url(config), indicator_ids=ids)
    return Watch(spec, "", config, files)


def _wrong(source: Source, what: str) -> PerinatalError:
    return PerinatalError(f"{source.folder / 'source.yml'}: probe: {what}")
