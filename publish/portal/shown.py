"""What a page shows, as a key: everything that its template is given, and what it may look up besides.

A template sees its context and the few names of `Common`, `LookedUp`, `OwnAnswers` and `OriginPages`, nothing else of
the edition. What is small and the same everywhere is part of every key. What a page looks up by a release or an
indicator is part of its key for those that its context names, and by an organisation for its own. A page that asks for
more shows what its key leaves out: it gets no key, and is made in each edition.
"""

from __future__ import annotations

import io
import pickle
import re
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import Any

from perinatal.shipped import digest_of
from publish.portal.answers import Answers
from publish.portal.lookup import Lookup
from publish.portal.model import Record, Value
from publish.portal.origins import Origins

Organisation = tuple[str, str]  # level, code
TEXT = re.compile(rb"\x00([A-Za-z0-9_]+)")  # a text stands behind its length, whose last byte is zero
UNORDERED = (b"__builtin__\nset\n", b"__builtin__\nfrozenset\n")


class _Everything(Container[Any]):
    """Holds whatever is asked for."""

    def __contains__(self, _: object) -> bool:
        return True


@dataclass
class Held:
    """The releases, indicators and organisations that the key of the page under way covers."""

    releases: Container[str] = field(default_factory=_Everything)
    indicators: Container[str] = field(default_factory=_Everything)
    organisations: Container[Organisation] = field(default_factory=_Everything)
    beyond: list[str] = field(default_factory=list)  # what the page has asked for besides

    def release(self, release_key: str) -> None:
        """Note that the page shows a release."""
        if release_key not in self.releases:
            self.beyond.append(f"release {release_key}")

    def indicator(self, indicator_id: str) -> None:
        """Note that the page shows an indicator."""
        if indicator_id not in self.indicators:
            self.beyond.append(f"indicator {indicator_id}")

    def organisation(self, organisation: Organisation) -> None:
        """Note that the page shows what an organisation has answered."""
        if organisation not in self.organisations:
            self.beyond.append(f"answers of {' '.join(organisation)}")


@dataclass(frozen=True)
class Common:
    """What every page may say of the edition; part of every key."""

    is_synthetic: bool
    has_briefs: bool
    warnings: Mapping[str, str]
    faults: list[str]
    lms: list[Record]
    trusts: Mapping[str, Record]
    letters: Mapping[str, str]
    publishers: Mapping[str, str]

    @classmethod
    def of(cls, lookup: Lookup) -> Common:
        """Return what is common to the pages of an edition."""
        edition = lookup.edition
        return cls(
            edition.facts.is_synthetic,
            edition.facts.has_briefs,
            edition.warnings,
            sorted(edition.faults),
            edition.lms,
            edition.trusts,
            lookup.letters,
            lookup.publishers,
        )


class LookedUp:
    """The names and addresses that templates look up."""

    def __init__(self, lookup: Lookup, held: Held) -> None:
        self._lookup = lookup
        self._held = held
        self.letters = lookup.letters
        self.indicator_page = lookup.indicator_page
        self.has_page = lookup.has_page

    def has_indicator(self, indicator_id: str) -> bool:
        """Whether the edition knows an indicator."""
        return indicator_id in self._lookup.edition.indicators

    def indicator_name(self, indicator_id: str) -> str:
        """Return an indicator's name."""
        self._about(indicator_id)
        return self._lookup.indicator_name(indicator_id)

    def publisher(self, source_id: str, indicator_id: str | None = None) -> str:
        """Return the short name of a source's publisher, or of an indicator's own."""
        self._about(indicator_id)
        return self._lookup.publisher(source_id, indicator_id)

    def letters_of(self, row: Value | Record) -> str:
        """Return the letters of the publisher of a shown figure."""
        get = row.get if isinstance(row, dict) else lambda name: getattr(row, name)
        self._about(get("indicator_id"))
        return self._lookup.letters_of(str(get("source_id")), get("indicator_id"))

    def unit(self, indicator_id: str) -> str | None:
        """Return an indicator's unit."""
        return self._about(indicator_id).get("unit")

    def _about(self, indicator_id: str | None) -> Record:
        about = self._lookup.edition.indicators.get(indicator_id or "", {})
        if indicator_id and about:
            self._held.indicator(indicator_id)
        return about

    def has_release(self, release_key: str | None) -> bool:
        """Whether the edition holds a release."""
        return release_key in self._lookup.edition.releases

    def release_page(self, release_key: str) -> str:
        """Return the page of a release, from the root."""
        self._held.release(release_key)
        return self._lookup.release_page(release_key)

    def release_name(self, release_key: str) -> str:
        """Return a release in words."""
        self._held.release(release_key)
        return self._lookup.release_name(release_key)


class OriginPages:
    """The addresses of the rows that figures come from."""

    def __init__(self, origins: Origins, held: Held) -> None:
        self._origins = origins
        self._held = held

    def page(self, row: Value | Record) -> str:
        """Return the address of a shown figure's row, from the root."""
        self._held.release(row["release_key"] if isinstance(row, dict) else row.release_key)
        return self._origins.page(row)


class OwnAnswers:
    """What the organisation of the page has answered."""

    def __init__(self, answers: Answers, held: Held) -> None:
        self._answers = answers
        self._held = held

    def of(self, level: str, code: str) -> list[Record]:
        """Return everything that an organisation has answered."""
        self._held.organisation((level, code))
        return self._answers.of(level, code)

    def beside(self, value: Value) -> list[Record]:
        """Return what an organisation has answered to this figure."""
        self.of(value.level, value.code)
        return self._answers.beside(value)


class Shown:
    """Makes the keys of the pages of an edition."""

    def __init__(self, lookup: Lookup, origins: Origins, answers: Answers) -> None:
        self.held = Held()
        self.common = Common.of(lookup)
        self.look_up = LookedUp(lookup, self.held)
        self.origins = OriginPages(origins, self.held)
        self.answers = OwnAnswers(answers, self.held)
        self._answers = answers
        self._values: dict[int, str] = {}
        self._everywhere = digest_of([self._content(self.common)])
        self._releases = {key: digest_of([self._content(said)]) for key, said in _of_releases(lookup, origins).items()}
        known = sorted(self._releases, key=len, reverse=True)
        self._named = re.compile(b"|".join(re.escape(key.encode()) for key in known) or b"(?!)")
        self._indicators = {
            name.encode(): (name, about["indicator_name"], about["unit"], about.get("publisher"))
            for name, about in lookup.edition.indicators.items()
        }
        self._begun: dict[bytes, list[bytes]] = {}
        self._kept = lookup.edition  # holds the values whose place in memory is a name in `_values`

    def key(self, template: str, section: str, organisation: Organisation | None, context: Mapping[str, Any]) -> str:
        """Return the key of a page; until the next one, its template may look up what this key covers."""
        answered = self._content(self._answers.of(*organisation)) if organisation else b""
        content = self._content(context) + answered
        named = sorted({found.decode() for found in self._named.findall(content)})
        indicators = [self._indicators[name] for name in self._indicators_in(content)]
        self.held.releases = named
        self.held.indicators = {name for name, *_ in indicators}
        self.held.organisations = [organisation] if organisation else []
        self.held.beyond = []
        releases = [self._releases[key] for key in named]
        return digest_of([repr((template, section, self._everywhere, releases, indicators)).encode(), content])

    def _indicators_in(self, content: bytes) -> list[bytes]:
        """Return the indicators that texts of a content name; what follows a text may look like more of it."""
        named = set[bytes]()
        for word in set(TEXT.findall(content)):
            if word not in self._begun:
                starts = (word[:size] for size in range(1, len(word) + 1))
                self._begun[word] = [start for start in starts if start in self._indicators]
            named.update(self._begun[word])
        return sorted(named)

    def _content(self, shown: Any) -> bytes:
        """Return anything as bytes that depend on its content alone."""
        found = io.BytesIO()
        writer = _Writer(found, self._values)
        writer.dump(shown)
        content = found.getvalue()
        if any(mark in content for mark in UNORDERED):
            raise TypeError("a page is given a set, whose order differs from run to run: give it a sorted list")
        return content


class _Writer(pickle.Pickler):
    """Writes objects without references between them: equal ones give equal bytes, wherever else they stand too."""

    def __init__(self, file: io.BytesIO, values: dict[int, str]) -> None:
        super().__init__(file, protocol=2)
        self.fast = True
        self._values = values

    def reducer_override(self, shown: Any) -> Any:
        """Write a value, which stands on many pages, as a hash that is made once, with its release and indicator."""
        if not isinstance(shown, Value):
            return NotImplemented
        if id(shown) not in self._values:
            content = io.BytesIO()
            _Writer(content, self._values).dump([getattr(shown, name) for name in Value.__slots__])
            self._values[id(shown)] = digest_of([content.getvalue()])
        return tuple, ([self._values[id(shown)], shown.release_key, shown.indicator_id],)


def _of_releases(lookup: Lookup, origins: Origins) -> dict[str, Any]:
    """Return what pages may say of each release: its page, its name, and where each of its figures has its row."""
    names = {key: (lookup.release_page(key), lookup.release_name(key)) for key in lookup.edition.releases}
    addresses = origins.addresses()
    return {key: (name, addresses.get(key, [])) for key, name in names.items()}
