"""The three ways in which a probe's news is dealt with: a person is called, files are downloaded, an API is asked.

Each route leaves in the state what must not be asked again. Whatever is not dealt with is found again by the next
run, so nothing needs to be repeated, or remembered, by anybody.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from itertools import groupby
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from expectations import alerts
from ingest.fetch.fingertips_api import ApiAnswer, fetch_indicators
from ingest.fetch.fingertips_api import Outcome as ApiOutcome
from ingest.fetch.http import (
    ADD_HOST,
    NOTHING_SEEN,
    Document,
    Fetched,
    HttpClient,
    HttpError,
    NotModified,
    PublisherUnavailable,
    Validators,
    host_of,
)
from ingest.fetch.probe import Finding, ProbeResult, links_of, probe
from ingest.fetch.probe_settings import ApiConfig, AreaPair, Arrives, Watch
from ingest.fetch.probe_state import ProbeState
from ingest.land import intake
from ingest.land import quarantine_decisions as decisions
from ingest.land.arriving_file import Arrival
from ingest.registry import Source
from ingest.stores import FetchStores
from perinatal import dropped_files
from perinatal.errors import PerinatalError

UNAVAILABLE: Final = "publisher_unavailable"
BAD_ANSWER: Final = "bad_answer"
BY_HAND: Final = "new_release_by_hand"


@dataclass
class Job:
    """One run for one source: what it works with, and what came of it.

    `taken`: what became of each table; `unchanged` counts answers without news, `refused` those whose file still waits
    in quarantine (`alerted`: the scopes of their alerts); `empty`: indicators that have no data for a kind of area;
    `news` is the probe's answer in words; `breaches` become alerts, `warnings` are other lines that people should read.
    `keep` saves the state.
    """

    stores: FetchStores
    client: HttpClient
    source: Source
    watch: Watch
    state: ProbeState
    keep: Callable[[], None]
    synthetic: bool = False
    taken: list[intake.Taken] = field(default_factory=list)
    unchanged: int = 0
    empty: dict[AreaPair, list[int]] = field(default_factory=dict)
    refused: int = 0
    alerted: set[str] = field(default_factory=set)
    breaches: list[alerts.Breach] = field(default_factory=list)
    news: str = "nothing new"
    warnings: list[str] = field(default_factory=list)
    down: set[str] = field(default_factory=set)

    @property
    def no_data(self) -> int:
        """How many indicators had no data, counted for each kind of area."""
        return sum(map(len, self.empty.values()))

    @cached_property
    def accounted(self) -> frozenset[str]:
        """Hashes of what was landed, refused or decided on before this run."""
        return intake.accounted(self.stores)

    @cached_property
    def in_quarantine(self) -> frozenset[str]:
        """Hashes of what was in quarantine before this run."""
        return intake.waiting(self.stores)

    @cached_property
    def rejected(self) -> frozenset[str]:
        """Hashes of what a person has rejected."""
        return self.stores.audit.decided("rejected")

    def fail(self, error: HttpError) -> None:
        """Note that a publisher failed; a host that is down is not asked again in this run."""
        rule = BAD_ANSWER
        if isinstance(error, PublisherUnavailable):
            rule = UNAVAILABLE
            if error.host_is_down:
                self.down.add(error.host)
        message = str(error) if error.url in str(error) else f"{error} <{error.url}>"
        self.breaches.append(alerts.Breach(rule, "warn", message, remedy=f"The next run asks again for {error.url}."))

    def as_before(self, name: str, sha256: str) -> bool:
        """Note that a file has not changed; it may be in quarantine still, and then a person has to decide."""
        if sha256 in self.in_quarantine:
            self.refused += 1
            self.alerted |= intake.alerted(self.stores, sha256)
            self.warnings.append(
                f"{name}: as it was when it was refused; a person has to decide (perinatal quarantine)"
            )
            return False
        self.unchanged += 1
        return True

    def has(self, known: dict[str, Any]) -> bool:
        """Tell whether what a file became is still there: else it must be asked for as if it were new."""
        return "kept_as" in known and self.accounted.issuperset(known["kept_as"])

    def land(self, fetched: Fetched, name: str, published_on: str | None = None) -> list[intake.Taken]:
        """Archive and land a downloaded file; returns what became of each table in it."""
        archived = self.stores.archive.adopt(fetched.path, fetched.sha256, fetched.size)
        if archived.sha256 in self.rejected:
            rejected = f"{name}: these bytes were rejected by a person"
            taken = [intake.Taken("unchanged", name, archived.sha256, rejected, kept_as=archived.sha256)]
            self.warnings.append(rejected)
        else:
            arrival = Arrival(
                self.source,
                name,
                url=fetched.url,
                etag=fetched.etag,
                published_on=published_on,
                is_synthetic=self.synthetic,
            )
            taken = intake.take(self.stores, archived, arrival)
        self.taken += taken
        return taken


def _nothing_refused(taken: list[intake.Taken]) -> bool:
    return all(table.what != "refused" for table in taken)


# --- a person is called -----------------------------------------------------------------------------------


def call_a_person(job: Job) -> None:
    """Watch a page whose files cannot be fetched: news stand until somebody has landed something since.

    The page is always held against how it was when all was dealt with. So a page that was broken for a day and is
    itself again has no news.
    """
    state, landed = job.state, _count_landed(job)
    result = probe(job.client, job.watch.spec, _with_validators(state.token, state.latest or state.token))
    job.news = result.message
    if result.answered and result.changed:
        since = state.waiting["since"] if state.waiting else _now()
        links = [vars(link) for link in result.findings]
        state.latest, state.waiting = result.token, {"since": since, "message": result.message, "links": links}
    elif result.answered:
        state.token, state.latest, state.waiting = result.token, {}, None
    if state.waiting and landed > state.releases:
        state.token, state.latest, state.waiting = state.latest, {}, None
    if state.waiting:
        job.breaches.append(_call(job))
    else:
        state.releases = landed
        job.unchanged += 1


def _count_landed(job: Job) -> int:
    return sum(item.is_synthetic == job.synthetic for item in job.stores.landed.history(job.source.id))


def _with_validators(token: dict[str, Any], newest: dict[str, Any]) -> dict[str, Any]:
    """Return a token to compare with, and the validators of the newest answer."""
    return token | {name: newest.get(name) for name in ("spec", "etag", "last_modified")}


def _call(job: Job) -> alerts.Breach:
    waiting = job.state.waiting or {}
    inbox = job.stores.inbox / job.source.id
    return alerts.Breach(
        BY_HAND,
        "warn",
        f"{job.source.publisher}: {job.watch.spec.url} has news ({waiting['message']}) that a person must fetch",
        count=max(1, len(waiting["links"])),
        sample_rows=waiting["links"][:5],
        remedy=f"Download it from {job.source.page} and drop it in {inbox}; if there is nothing to download: "
        f"`perinatal sources seen {job.source.id} --why …`.",
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


# --- files are downloaded ---------------------------------------------------------------------------------


def download(job: Job) -> None:
    """Fetch the files that a page links to, where it has news, and those at fixed addresses."""
    state = job.state
    is_whole = all(map(job.has, state.files.values()))
    result = probe(job.client, job.watch.spec, state.token if is_whole else None)
    job.news = result.message
    wanted, done = _file_links(job, result) if result.changed else ({}, True)
    wanted |= job.watch.files
    for url, name in wanted.items():
        done = _download(job, url, name) and done
    job.unchanged += not wanted
    if done:
        state.token = result.token


def _file_links(job: Job, result: ProbeResult) -> tuple[dict[str, str], bool]:
    """Return address → name of the files that a changed page leads to, and whether all of its links could be followed.

    A link that is a file itself is asked again too (it may have been replaced); a page of files is opened when its
    link is new. A page on another host (often one to share a link) is named and left; a file there is refused, loudly.
    """
    found: dict[str, str] = {}
    done, new = True, {link.id for link in result.findings}
    for link in dict.fromkeys((*result.findings, *result.links)):
        if _is_file(job, link):
            found[link.url] = _name_in(link.url)
        elif link.id in new and not job.client.may_ask(link.url):
            job.warnings.append(f"{link.url}: not opened, it is on another host than this source's; {ADD_HOST}")
        elif link.id in new and host_of(link.url) not in job.down:
            try:
                document = job.client.read(link.url)
                opened = links_of(document, job.watch.download) if isinstance(document, Document) else ()
                found |= {inner.url: _name_in(inner.url) for inner in opened}
            except HttpError as error:
                job.fail(error)
                done = False
    return found, done and not job.down


def _is_file(job: Job, link: Finding) -> bool:
    return any(re.search(job.watch.download, text) for text in (link.url, link.title))


def _name_in(url: str) -> str:
    """Return the last part of an address's path as a file name; two parts where the last is no file's name.

    Reports that are web pages are often called the same, below a folder of their own.
    """
    parts = [part for part in unquote(urlsplit(url).path).split("/") if part] or [host_of(url)]
    return dropped_files.usable_name(parts[-1] if "." in parts[-1] else "-".join(parts[-2:]))


def _download(job: Job, url: str, name: str) -> bool:
    """Fetch one file if it has changed, and land it; returns whether there is nothing left to do about it."""
    if host_of(url) in job.down:
        return False
    known = job.state.files.get(url, {})
    earlier = known.get("sha256", "")
    seen = Validators(known["etag"], known["last_modified"]) if job.has(known) else NOTHING_SEEN
    try:
        fetched = job.client.fetch(url, job.stores.archive.root, seen)
    except HttpError as error:
        job.fail(error)
        return False
    if isinstance(fetched, NotModified):
        return job.as_before(name, earlier)
    answered = {"etag": fetched.etag, "last_modified": fetched.last_modified, "sha256": fetched.sha256}
    if fetched.sha256 == earlier and job.has(known) and earlier not in job.in_quarantine:
        # a site that cannot say "not modified"; what it gave before may have been replaced or withdrawn since
        job.stores.archive.adopt(fetched.path, fetched.sha256, fetched.size)
        job.state.files[url] = known | answered
        job.keep()
        return job.as_before(name, earlier)
    taken = job.land(fetched, name)
    job.state.files[url] = answered | {"kept_as": [table.kept_as for table in taken]}
    job.keep()
    done = _nothing_refused(taken)
    if done and earlier in job.in_quarantine and earlier != fetched.sha256:
        decisions.supersede(job.stores, job.source.id, earlier, f"the publisher has mended {url}")
    return done


# --- an API is asked --------------------------------------------------------------------------------------


def ask_api(job: Job) -> None:
    """Fetch the indicators whose upload date has changed, for each kind of area that does not have that upload yet."""
    config, state = _config(job), job.state
    result = probe(job.client, job.watch.spec, _api_token(job, config))
    state.token = result.token
    job.news = result.message
    job.warnings += result.warnings
    dates = {int(indicator): date for indicator, date in result.token["dates"].items()}
    asked = False
    for area in config.areas:
        due = [i for i in config.indicator_ids if i in dates and not _is_done(job, area, i, dates[i])]
        for _, ids in groupby(sorted(due, key=lambda i: (dates[i][:10], i)), key=lambda i: dates[i][:10]):
            if not job.down:
                asked = True
                _ask_for(job, replace(config, areas=(area,)), {i: dates[i] for i in ids})
    _tell_of_no_data(job)
    for url, name in job.watch.files.items():
        if (asked or not job.has(state.files.get(url, {}))) and not _download(job, url, name):
            state.files.pop(url, None)
    if not asked:
        job.unchanged += 1


def _config(job: Job) -> ApiConfig:
    if job.watch.api is None:
        raise PerinatalError(f"{job.source.id}: its probe is no API")
    return job.watch.api


def _api_token(job: Job, config: ApiConfig) -> dict[str, Any]:
    """Return the last token with the dates of what is done for every kind of area.

    While anything is not, the publisher may not answer "not modified": its answer would not say what is missing.
    """
    token = dict(job.state.token)
    newest: dict[str, str] = token.get("dates", {})
    done = {i: date for i, date in newest.items() if all(_is_done(job, area, int(i), date) for area in config.areas)}
    if done != newest:
        token |= {"etag": None, "last_modified": None}
    return token | {"dates": done}


def _is_done(job: Job, area: AreaPair, indicator: int, date: str) -> bool:
    """Tell whether this upload is landed (or known to be empty) for a kind of area, and is still there."""
    known = job.state.parts.get(_key(area), {}).get(str(indicator))
    return known is not None and known[0] == date and job.accounted.issuperset(known[1:])


def _key(area: AreaPair) -> str:
    return f"{area.child}/{area.parent}"


def _ask_for(job: Job, config: ApiConfig, dates: dict[int, str]) -> None:
    """Fetch indicators that were uploaded on one day, for one kind of area: so a file has one publication date."""
    day = min(dates.values())[:10]
    for answer in fetch_indicators(job.client, config, dates, job.stores.archive.root):
        taken = _landed(job, answer, day)
        if answer.fetched is not None:
            answer.fetched.path.unlink(missing_ok=True)
        if taken is None or not _nothing_refused(taken):
            continue
        kept_as = [table.kept_as for table in taken]
        part = job.state.parts.setdefault(_key(answer.request.area), {})
        part |= {str(indicator): [dates[indicator], *kept_as] for indicator in answer.request.indicator_ids}
        job.empty.setdefault(answer.request.area, []).extend(answer.without_data)
        if taken:
            job.keep()


def _landed(job: Job, answer: ApiAnswer, day: str) -> list[intake.Taken] | None:
    """Land one answer; nothing came of one without data, and None is for one that failed."""
    if answer.error is not None:
        job.fail(answer.error)
        return None
    if answer.outcome is ApiOutcome.NO_DATA or answer.fetched is None:
        return []
    return job.land(answer.fetched, _api_name(answer, day), day or None)


def _tell_of_no_data(job: Job) -> None:
    """Say which indicators have no data for which kind of area: an answer without rows is not a success."""
    for area, ids in job.empty.items():
        if ids:
            some = ", ".join(map(str, sorted(ids)[:8])) + (" …" if len(ids) > 8 else "")
            job.warnings.append(
                f"no data for area type {area.child} in {area.parent}: {len(ids)} indicator(s) ({some})"
            )


def _api_name(answer: ApiAnswer, day: str) -> str:
    """Return a file name that says what was asked: indicators, kinds of area, day of the upload."""
    ids, area = answer.request.indicator_ids, answer.request.area
    which = "_".join(map(str, ids)) if len(ids) <= 6 else f"{ids[0]}_and_{len(ids) - 1}_more"
    dated = f"_{day}" if day else ""
    return f"by_indicator_id_{which}_child{area.child}_parent{area.parent}{dated}.csv"


ROUTES: Final[dict[Arrives, Callable[[Job], None]]] = {
    Arrives.WATCHED: call_a_person,
    Arrives.DOWNLOAD: download,
    Arrives.API: ask_api,
}
