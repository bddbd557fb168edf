r"""How a source's releases are noticed and how they come in: the `probe:` block of its source.yml, typed.

    probe:
      kind: page                # page, govuk_content or fingertips_metadata; without a block, people bring the files
      url: https://…            # the page, the content API's address, or (fingertips) may be left out
      schedule: "25 5 * * 2"    # when Airflow looks
      links: "statistics-.*"    # regular expression (search) for the address or title of the links that are releases
      download: "\.csv$"        # the same for the files to download; without it a person fetches them
      files: [{url: https://…, name: a.csv}]   # fixed addresses, asked whenever something has changed
      hosts: [files.example.org]   # where else links and redirects may lead (see `ingest/fetch/hosts.py`)

A link of a release that `download` fits is a file; any other is opened, and the links there that `download` fits are
the files. For `fingertips_metadata`: `indicator_ids`, `areas` (`{child: 502, parent: 6}`), `profile_id`, `batch`,
`base_url`.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from perinatal.errors import PerinatalError
from perinatal.records import Record

FINGERTIPS_URL: Final = "https://fingertips.phe.org.uk/api/"
MAX_IDS: Final = 100  # indicators that the Fingertips API answers in one request
ProbeKind = Literal["fingertips_metadata", "page", "govuk_content"]


class Arrives(StrEnum):
    """How a source's releases come in, in words for people."""

    API = "by API"
    DOWNLOAD = "by download"
    WATCHED = "by hand; its page is watched"
    BY_HAND = "by hand"


@dataclass(frozen=True)
class ProbeSpec:
    """What to ask.

    `url` is the page, the content API address or the indicator metadata address. `links` is a regular
    expression for the address or title of links and attachments that are releases; "" watches no links of a
    page and all attachments of the content API. `indicator_ids` are for `fingertips_metadata`.
    """

    kind: ProbeKind
    url: str
    links: str = ""
    indicator_ids: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        try:
            re.compile(self.links)
        except re.error as error:
            line = f"probe of {self.url}: {self.links!r} is no regular expression ({error}); correct source.yml"
            raise PerinatalError(line) from None

    @property
    def key(self) -> str:
        """Return a short hash: a token made for another question must not count as an answer to this one."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:12]


class AreaPair(Record):
    """Which areas to ask for: area type ids of the areas and of the parents that they are grouped by."""

    child: int
    parent: int


@dataclass(frozen=True)
class ApiConfig:
    """What to ask the Fingertips API for. `profile_id` narrows to a profile's view of an indicator."""

    indicator_ids: tuple[int, ...]
    areas: tuple[AreaPair, ...]
    profile_id: int | None = None
    base_url: str = FINGERTIPS_URL
    batch: int = MAX_IDS

    @property
    def metadata_url(self) -> str:
        """Return the address of the metadata of all indicators."""
        return f"{self.base_url}indicator_metadata/all?include_definition=no"


def _host(text: str) -> str:
    """Return a host's name, with a port if need be. Raises ValueError for a web address or a pattern."""
    if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d+)?", text):
        raise ValueError("expected a host's name in small letters, such as files.example.org")
    return text


def _expression(text: str) -> str:
    """Return a regular expression as it is written. Raises ValueError where it is none."""
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"expected a regular expression ({error})") from None
    return text


class FixedFile(Record):
    """A file with an address that does not change."""

    url: str
    name: str


class _Block(Record):
    """What every `probe:` block may say."""

    schedule: str | None = None
    fixed_files: tuple[FixedFile, ...] = Field((), alias="files")
    hosts: tuple[Annotated[str, AfterValidator(_host)], ...] = ()

    @property
    def files(self) -> dict[str, str]:
        """Return the fixed files: address → file name."""
        return {file.url: file.name for file in self.fixed_files}


class PageWatch(_Block):
    """A page (or a document of GOV.UK's content API) to look at. `download` tells files among its links."""

    kind: Literal["page", "govuk_content"]
    url: str
    links: Annotated[str, AfterValidator(_expression)] = ""
    download: Annotated[str, AfterValidator(_expression)] = ""
    api: None = None

    @property
    def spec(self) -> ProbeSpec:
        """Return what to ask the publisher."""
        return ProbeSpec(self.kind, self.url, self.links or self.download)

    @property
    def arrives(self) -> Arrives:
        """Return how releases come in."""
        return Arrives.DOWNLOAD if self.download or self.files else Arrives.WATCHED


class ApiWatch(_Block):
    """Indicators to ask the Fingertips API for."""

    kind: Literal["fingertips_metadata"]
    indicator_ids: tuple[int, ...]
    areas: tuple[AreaPair, ...]
    profile_id: int | None = None
    batch: int = MAX_IDS
    base_url: str = FINGERTIPS_URL
    metadata_at: str | None = Field(None, alias="url")

    @property
    def api(self) -> ApiConfig:
        """Return what to ask the API for, each indicator once."""
        ids = tuple(dict.fromkeys(self.indicator_ids))
        return ApiConfig(ids, self.areas, self.profile_id, self.base_url, self.batch)

    @property
    def download(self) -> str:
        """Return the expression for links that are files: an API has none."""
        return ""

    @property
    def url(self) -> str:
        """Return the address of the metadata, where a change is seen."""
        return self.metadata_at or self.api.metadata_url

    @property
    def spec(self) -> ProbeSpec:
        """Return what to ask the publisher."""
        return ProbeSpec(self.kind, self.url, indicator_ids=self.api.indicator_ids)

    @property
    def arrives(self) -> Arrives:
        """Return how releases come in."""
        return Arrives.API


Watch = Annotated[PageWatch | ApiWatch, Field(discriminator="kind")]
