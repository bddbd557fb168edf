"""Fetching from made-up publishers over real HTTP: what is new lands, what fails is told, the next run recovers."""

import io
import json
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from faulty_publishers import Fault, FaultyPublishers

from expectations import alerts
from ingest.archive import audit, quarantine, synthetic
from ingest.archive import manifest as manifests
from ingest.fetch import fetching as fetch
from ingest.fetch import probe_state
from ingest.fetch.http import HttpClient
from ingest.land import landing, withdrawal
from ingest.land import quarantine_decisions as decisions
from ingest.land.arriving_file import Acceptance, Arrival
from ingest.registry import Source
from ingest.stores import FetchStores, Stores
from perinatal.errors import PerinatalError
from perinatal.home import Home

MakeSource = Callable[..., Source]
Serve = Callable[..., tuple[FaultyPublishers, HttpClient]]

PAGE = {"kind": "page", "url": "https://madeup.example/page"}
DOWNLOAD = PAGE | {"links": "births", "download": r"\.(csv|zip)$"}


def table(year: int, births: int = 100) -> str:
    return f"Organisation,Year,Births\nA,{year},{births}\nB,{year},200\n"


def releases(home: Home) -> list[tuple[str, int]]:
    return [(item.release, item.revision) for item in manifests.LandedReleases(home.landed).all()]


def open_rules(home: Home) -> dict[str, str]:
    return {str(alert.scope): alert.breach.rule for alert in alerts.AlertLog(home.alerts).open()}


def state(home: Home, source_id: str = "madeup") -> probe_state.ProbeState:
    return probe_state.load(probe_state.ProbeStates(home.probes).path_of(source_id, synthetic=False))


# --- downloads --------------------------------------------------------------------------------------------


def test_links_are_downloaded_once(home: Home, make_source: MakeSource, make_site: Any, serve: Serve) -> None:
    source, site = make_source(probe=DOWNLOAD), make_site()
    for year in (2021, 2022):
        site.put(f"births-{year}.csv", table(year))
    site.page("births-2021.csv", "births-2022.csv", "about-us.html")
    server, client = serve()
    first = fetch.fetch(FetchStores.of(home), client, source)
    assert (first.outcome, len(first.taken), first.warnings) == ("landed", 2, ())
    assert releases(home) == [("2021", 1), ("2022", 1)]
    manifest = next(manifests.LandedReleases(home.landed).all())
    assert manifest.url == "https://madeup.example/files/births-2021.csv"
    assert manifest.etag

    server.forget()
    again = fetch.fetch(FetchStores.of(home), client, source)
    assert again.outcome == "unchanged"
    assert [hit.status for hit in server.hits()] == [304]
    assert server.count().body_bytes == 0

    site.put("births-2023.csv", table(2023))
    site.page("births-2021.csv", "births-2022.csv", "births-2023.csv")
    server.forget()
    third = fetch.fetch(FetchStores.of(home), client, source)
    assert third.to_dict()["landed"] == [f"madeup/births/2023/{first_hash(home, '2023')}"]
    assert third.to_dict()["unchanged"] == 2
    assert server.count("/madeup.example/files/births-2021.csv").body_bytes == 0


def first_hash(home: Home, release: str) -> str:
    return next(item.sha256[:12] for item in manifests.LandedReleases(home.landed).all() if item.release == release)


def test_a_file_replaced_at_its_address_is_a_revision(
    home: Home, make_source: MakeSource, make_site: Any, serve: Serve
) -> None:
    source, site = make_source(probe=DOWNLOAD), make_site()
    site.put("births.csv", table(2021))
    site.page("births.csv")
    _, client = serve()
    fetch.fetch(FetchStores.of(home), client, source)
    site.put("births.csv", table(2021, births=101))
    site.page("births.csv", text="Corrected in March")
    assert fetch.fetch(FetchStores.of(home), client, source).outcome == "revised"
    assert releases(home) == [("2021", 1), ("2021", 2)]


def test_an_earlier_file_that_comes_back_at_its_address_is_in_use_again(
    home: Home, make_source: MakeSource, make_site: Any, serve: Serve
) -> None:
    source, site = make_source(probe=DOWNLOAD), make_site()
    _, client = serve()
    found = []
    for number, births in enumerate((100, 101, 100)):
        site.put("births.csv", table(2021, births=births))
        site.page("births.csv", text=f"Version {number}")
        found.append(fetch.fetch(FetchStores.of(home), client, source).outcome)
    assert found == ["landed", "revised", "revised"]
    newest = manifests.LandedReleases(home.landed).newest("madeup", "births", "2021")
    assert newest
    assert (newest.revision, newest.is_again) == (3, True)
    assert sorted(releases(home)) == [("2021", 2), ("2021", 3)]


def test_a_withdrawn_file_that_is_served_under_another_name_is_refused_aloud(
    home: Home, make_source: MakeSource, make_site: Any, serve: Serve
) -> None:
    source, site = make_source(probe=DOWNLOAD), make_site()
    _, client = serve()
    site.put("births.csv", table(2021))
    site.page("births.csv")
    fetch.fetch(FetchStores.of(home), client, source)
    withdrawal.withdraw(Stores.of(home), "madeup/births/2021", "Ann", "wrong")
    site.put("births-again.csv", table(2021))
    site.page("births-again.csv")
    assert fetch.fetch(FetchStores.of(home), client, source).outcome == "refused"
    assert [alert.breach.rule for alert in alerts.AlertLog(home.alerts).open()] == ["withdrawn_release"]


def test_a_link_may_lead_to_a_page_of_files(home: Home, make_source: MakeSource, make_site: Any, serve: Serve) -> None:
    source, site = make_source(probe=PAGE | {"links": "release-", "download": r"\.csv$"}), make_site()
    site.put("births-2021.csv", table(2021))
    site.put("release-2021.html", '<html><body><main>Of 2021 <a href="births-2021.csv">Data</a></main></body></html>')
    site.page("release-2021.html")
    server, client = serve()
    assert fetch.fetch(FetchStores.of(home), client, source).outcome == "landed"
    server.forget()
    assert fetch.fetch(FetchStores.of(home), client, source).outcome == "unchanged"
    assert server.count().requests == 1


def test_a_file_on_another_host_is_refused_until_source_yml_names_the_host(
    home: Home, make_source: MakeSource, make_site: Any, serve: Serve
) -> None:
    source, site, other = make_source(probe=DOWNLOAD), make_site(), make_site("files.example")
    address = "https://files.example/files/births-2021.csv"
    other.put("births-2021.csv", table(2021))
    (site.folder / "page.html").write_text(
        f'<html><body><main>Ours <a href="{address}">Births</a></main></body></html>'
    )
    server, client = serve()
    report = fetch.fetch(FetchStores.of(home), client, source)
    assert report.outcome == "failed"
    assert f"{address} is not on a host of this source (madeup.example); if the publisher's files" in report.message
    assert "add the host to `hosts`" in report.message
    assert open_rules(home) == {"fetch/madeup": "bad_answer"}
    assert server.count("files.example/files/births-2021.csv").requests == 0

    named = make_source("named", probe=DOWNLOAD | {"hosts": ["files.example"]})
    named = replace(named, id="madeup")
    assert fetch.fetch(FetchStores.of(home), client, named).outcome == "landed"
    assert open_rules(home) == {}


def test_a_page_on_another_host_is_named_and_not_opened(
    home: Home, make_source: MakeSource, make_site: Any, serve: Serve
) -> None:
    source = make_source(probe=PAGE | {"links": "release-", "download": r"\.csv$"})
    site, other = make_site(), make_site("share.example")
    site.put("release-2021.html", '<html><body><main>Of 2021 <a href="births-2021.csv">Data</a></main></body></html>')
    site.put("births-2021.csv", table(2021))
    other.put("release-2021.html", "<html><body><main>Tell your friends</main></body></html>")
    share = '<a href="https://share.example/files/release-2021.html">Share</a>'
    ours = '<a href="/files/release-2021.html">Of 2021</a>'
    (site.folder / "page.html").write_text(f"<html><body><main>Ours {ours} {share}</main></body></html>")
    server, client = serve()
    report = fetch.fetch(FetchStores.of(home), client, source)
    assert report.outcome == "landed"
    [line] = report.warnings
    assert line.startswith("https://share.example/files/release-2021.html: not opened, it is on another host")
    assert server.count("share.example/files/release-2021.html").requests == 0
    assert fetch.fetch(FetchStores.of(home), client, source).warnings == ()  # said once


@pytest.mark.parametrize("host", ["https://files.example", "*.example", "Files.example", "files.example/x", ""])
def test_hosts_are_names(make_source: MakeSource, host: str) -> None:
    with pytest.raises(PerinatalError, match=r"hosts.*expected a host's name"):
        make_source(probe=DOWNLOAD | {"hosts": [host]})


def test_govuk_attachments_are_downloaded(home: Home, make_source: MakeSource, make_site: Any, serve: Serve) -> None:
    url = "https://madeup.example/api/content/births"
    source, site = make_source(probe={"kind": "govuk_content", "url": url, "download": r"\.csv$"}), make_site()
    site.put("births.csv", table(2021))
    site.routes.append({"path": "/api/content/", "govuk": "content"})
    site.write_routes()
    (site.folder / "content").mkdir()
    attachments = [
        {"title": "Births", "url": "https://madeup.example/files/births.csv"},
        {"title": "A letter", "url": "https://madeup.example/files/letter.pdf"},
    ]
    document = {"public_updated_at": "2026-01-01", "details": {"attachments": attachments}}
    (site.folder / "content" / "births.json").write_text(json.dumps(document))
    server, client = serve()
    assert fetch.fetch(FetchStores.of(home), client, source).outcome == "landed"
    assert server.count("/madeup.example/files/letter.pdf").requests == 0


def test_fixed_addresses_are_asked_every_time(
    home: Home, make_source: MakeSource, make_site: Any, serve: Serve
) -> None:
    files = [{"url": "https://madeup.example/files/latest", "name": "births.csv"}]
    source, site = make_source(probe=PAGE | {"files": files}), make_site()
    site.put("latest", table(2021))
    server, client = serve()
    assert fetch.fetch(FetchStores.of(home), client, source).outcome == "landed"
    assert next(manifests.LandedReleases(home.landed).all()).original_name == "births.csv"
    site.put("latest", table(2022))
    assert fetch.fetch(FetchStores.of(home), client, source).outcome == "landed"
    server.forget()
    assert fetch.fetch(FetchStores.of(home), client, source).outcome == "unchanged"
    assert server.count().body_bytes == 0


def test_a_zip_with_several_tables_lands_table_by_table(
    home: Home, make_source: MakeSource, make_site: Any, serve: Serve
) -> None:
    source, site = make_source(probe=DOWNLOAD), make_site()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for year in (2021, 2022):
            archive.writestr(f"data/births-{year}.csv", table(year))
        archive.writestr("readme.txt", "Read me")
    site.put("births.zip", packed.getvalue())
    site.page("births.zip")
    _, client = serve()
    found = fetch.fetch(FetchStores.of(home), client, source)
    assert [taken.what for taken in found.taken] == ["landed", "landed"]
    assert "readme.txt" in found.taken[-1].message
    assert len({item.container for item in manifests.LandedReleases(home.landed).all()}) == 1
    assert fetch.fetch(FetchStores.of(home), client, source).outcome == "unchanged"


def test_the_same_content_in_other_bytes_is_fetched_once(
    home: Home, make_source: MakeSource, make_site: Any, serve: Serve
) -> None:
    source, site = make_source(probe=DOWNLOAD), make_site()
    site.put("births.csv", table(2021))
    site.page("births.csv")
    server, client = serve()
    fetch.fetch(FetchStores.of(home), client, source)
    site.put("births.csv", table(2021).replace("A,2021,100", '"A",2021,100'))
    site.page("births.csv", text="Exported anew")
    assert [taken.what for taken in fetch.fetch(FetchStores.of(home), client, source).taken] == ["unchanged"]
    server.forget()
    assert fetch.fetch(FetchStores.of(home), client, source).outcome == "unchanged"
    assert [hit.status for hit in server.hits()] == [304]


def test_one_dead_link_does_not_stop_the_rest(
    home: Home, make_source: MakeSource, make_site: Any, serve: Serve
) -> None:
    source, site = make_source(probe=DOWNLOAD), make_site()
    site.put("births-2022.csv", table(2022))
    site.page("births-2021.csv", "births-2022.csv")
    server, client = serve()
    first = fetch.fetch(FetchStores.of(home), client, source)
    assert first.outcome == "failed"
    assert releases(home) == [("2022", 1)]
    assert open_rules(home) == {"fetch/madeup": "bad_answer"}
    assert "answers 404" in first.message
    site.put("births-2021.csv", table(2021))
    server.forget()
    assert fetch.fetch(FetchStores.of(home), client, source).outcome == "landed"
    assert server.count("/madeup.example/files/births-2022.csv").body_bytes == 0
    assert open_rules(home) == {}


def test_a_host_that_is_down_is_not_asked_again_in_the_same_run(
    home: Home, make_source: MakeSource, make_site: Any, serve: Serve
) -> None:
    source, site = make_source(probe=DOWNLOAD), make_site()
    names = [f"births-{year}.csv" for year in range(2010, 2020)]
    site.page(*names)
    server, client = serve()
    for name in names:
        server.fault(f"madeup.example/files/{name}", Fault("status", status=503))
    assert fetch.fetch(FetchStores.of(home), client, source).outcome == "failed"
    assert server.count().requests == 1 + 2  # the page, and one file with its second try


@pytest.mark.parametrize("kind", ["reset", "wrong_length"])
def test_a_file_that_always_comes_broken_does_not_keep_the_others_away(
    home: Home, make_source: MakeSource, make_site: Any, serve: Serve, kind: Any
) -> None:
    source, site = make_source(probe=DOWNLOAD), make_site()
    for year in (2021, 2022):
        site.put(f"births-{year}.csv", table(year))
    site.page("births-2021.csv", "births-2022.csv")
    server, client = serve()
    server.fault("madeup.example/files/births-2021.csv", Fault(kind, after=10))
    assert fetch.fetch(FetchStores.of(home), client, source).outcome == "failed"
    assert releases(home) == [("2022", 1)]


FAULTS = [
    Fault("status", status=500),
    Fault("status", status=503, retry_after=1),
    Fault("reset", after=10),
    Fault("stall", after=10),
    Fault("hang"),
    Fault("wrong_length"),
    Fault("html"),
    Fault("header"),
    Fault("redirect_ring"),
    Fault("redirect_scheme"),
    Fault("gzip_bomb"),
    Fault("endless"),
]


def everywhere(whole: str, front: str) -> list[Any]:
    """Every fault at one place, and some at another: most are the same to the client wherever they happen."""
    places = [(whole, fault) for fault in FAULTS]
    places += [(front, fault) for fault in FAULTS if fault.kind in ("status", "html", "header", "endless")]
    return [pytest.param(place, fault, id=f"{place}-{fault.kind}-{fault.status}") for place, fault in places]


@pytest.mark.parametrize(("place", "fault"), everywhere("files/births-2021.csv", "page"))
def test_a_broken_publisher_is_told_and_the_next_run_recovers(
    home: Home, make_source: MakeSource, make_site: Any, serve: Serve, fault: Fault, place: str
) -> None:
    broken, sound = (
        make_source("broken", DOWNLOAD | {"url": "https://broken.example/page"}),
        make_source("sound", DOWNLOAD | {"url": "https://sound.example/page"}),
    )
    for host in ("broken.example", "sound.example"):
        site = make_site(host)
        site.put("births-2021.csv", table(2021))
        site.page("births-2021.csv")
    server, client = serve()
    server.fault(f"broken.example/{place}", fault)
    reports = {report.source_id: report for report in fetch.fetch_all(FetchStores.of(home), client, [broken, sound])}
    assert reports["sound"].outcome == "landed"
    is_news_alone = place == "page" and fault.kind in ("html", "header")  # a page without our links is no failure
    if not is_news_alone:
        assert reports["broken"].outcome in ("failed", "refused")
        assert reports["broken"].warnings
        assert any("broken" in scope for scope in open_rules(home))
    server.fault(f"broken.example/{place}", None)
    reports = {report.source_id: report for report in fetch.fetch_all(FetchStores.of(home), client, [broken, sound])}
    assert reports["sound"].outcome == "unchanged"
    assert ("2021", 1) in [
        (m.release, m.revision) for m in manifests.LandedReleases(home.landed).all() if m.source_id == "broken"
    ]
    assert open_rules(home) == {}
    assert list(quarantine.Quarantine(home.quarantine).reports()) == []
    assert list(home.archive.glob(".incoming-*")) == []


def test_a_refused_file_waits_for_a_decision(home: Home, make_source: MakeSource, make_site: Any, serve: Serve) -> None:
    source, site = make_source(probe=DOWNLOAD), make_site()
    site.put("births.csv", table(2021, births=-5))
    site.page("births.csv")
    server, client = serve()
    assert fetch.fetch(FetchStores.of(home), client, source).outcome == "refused"
    server.forget()
    again = fetch.fetch(FetchStores.of(home), client, source)
    assert again.outcome == "refused"
    assert server.count("/madeup.example/files/births.csv").body_bytes == 0
    assert open_rules(home) == {"arrival/madeup/births/2021": "births__range"}

    _, report = quarantine.Quarantine(home.quarantine).find("")
    taken = decisions.release(Stores.of(home), source, report, Acceptance("Ann", "the publisher confirms it"))
    assert [table.what for table in taken] == ["landed"]
    manifest = next(manifests.LandedReleases(home.landed).all())
    assert manifest.url == "https://madeup.example/files/births.csv"
    accepted = [check for check in manifest.checks if not check["success"]]
    assert [check["severity"] for check in accepted] == ["warn"]
    assert "accepted by Ann: the publisher confirms it" in accepted[0]["message"]
    assert fetch.fetch(FetchStores.of(home), client, source).outcome == "unchanged"
    assert fetch.fetch(FetchStores.of(home), client, source).message == "nothing new (not modified)"
    logged = home.decisions.read_text().splitlines()
    assert [json.loads(line)["decision"] for line in logged] == ["released"]


def test_a_rejected_file_is_settled(home: Home, make_source: MakeSource, make_site: Any, serve: Serve) -> None:
    source, site = make_source(probe=DOWNLOAD), make_site()
    site.put("births.csv", table(2021, births=-5))
    site.page("births.csv")
    _, client = serve()
    fetch.fetch(FetchStores.of(home), client, source)
    _, report = quarantine.Quarantine(home.quarantine).find("")
    decisions.reject(Stores.of(home), report, "Ann", "a test file of theirs")
    assert open_rules(home) == {}
    assert (home.archive / report.sha256[:2] / report.sha256).exists()
    assert audit.AuditLog(home.decisions).decided("rejected") == {report.sha256}
    found = fetch.fetch(FetchStores.of(home), client, source)
    assert (found.outcome, [taken.what for taken in found.taken]) in [("unchanged", []), ("unchanged", ["unchanged"])]
    assert list(quarantine.Quarantine(home.quarantine).reports()) == []


def test_what_was_removed_is_asked_again(home: Home, make_source: MakeSource, make_site: Any, serve: Serve) -> None:
    source, site = make_source(probe=DOWNLOAD), make_site()
    site.put("births.csv", table(2021))
    site.page("births.csv")
    _, client = serve()
    fetch.fetch(FetchStores.of(home), client, source)
    shutil.rmtree(home.landed)
    assert fetch.fetch(FetchStores.of(home), client, source).outcome == "landed"


# --- by hand ----------------------------------------------------------------------------------------------


def land_by_hand(home: Home, source: Source, year: int) -> None:
    path = home.root.parent / f"births-{year}.csv"
    path.write_text(table(year))
    landing.land(Stores.of(home), path, Arrival(source, path.name))


def test_a_person_is_called_until_something_is_landed(
    home: Home, make_source: MakeSource, make_site: Any, serve: Serve
) -> None:
    source, site = make_source(probe=PAGE | {"links": "births"}), make_site()
    site.page("births-2021.csv")
    server, client = serve()
    first = fetch.fetch(FetchStores.of(home), client, source)
    assert first.outcome == "needs_person"
    server.forget()
    second = fetch.fetch(FetchStores.of(home), client, source)
    assert second.outcome == "needs_person"
    assert server.count().body_bytes == 0
    (alert,) = alerts.AlertLog(home.alerts).open()
    assert alert.breach.rule == "new_release_by_hand"
    assert "https://madeup.example/page" in alert.breach.message
    assert str(home.inbox / "madeup") in alert.breach.remedy

    land_by_hand(home, source, 2021)
    assert fetch.fetch(FetchStores.of(home), client, source).outcome == "unchanged"
    assert open_rules(home) == {}

    site.page("births-2021.csv", "births-2022.csv")
    third = fetch.fetch(FetchStores.of(home), client, source)
    assert third.outcome == "needs_person"
    assert "births-2022.csv" in third.message
    land_by_hand(home, source, 2022)
    assert fetch.fetch(FetchStores.of(home), client, source).outcome == "unchanged"


def test_who_landed_before_the_page_was_looked_at_is_not_called(
    home: Home, make_source: MakeSource, make_site: Any, serve: Serve
) -> None:
    source, site = make_source(probe=PAGE), make_site()
    land_by_hand(home, source, 2021)
    _, client = serve()
    assert fetch.fetch(FetchStores.of(home), client, source).outcome == "unchanged"
    land_by_hand(home, source, 2022)
    site.page(text="Now with 2022")
    assert fetch.fetch(FetchStores.of(home), client, source).outcome == "unchanged"


def test_a_page_that_is_itself_again_has_no_news(
    home: Home, make_source: MakeSource, make_site: Any, serve: Serve
) -> None:
    source, _ = make_source(probe=PAGE), make_site()
    land_by_hand(home, source, 2021)
    server, client = serve()
    fetch.fetch(FetchStores.of(home), client, source)
    server.fault("madeup.example/page", Fault("html"))
    assert fetch.fetch(FetchStores.of(home), client, source).outcome == "needs_person"
    server.fault("madeup.example/page", None)
    assert fetch.fetch(FetchStores.of(home), client, source).outcome == "unchanged"
    assert open_rules(home) == {}


def test_a_call_can_be_dismissed(home: Home, make_source: MakeSource, make_site: Any, serve: Serve) -> None:
    source, site = make_source(probe=PAGE), make_site()
    _, client = serve()
    assert not fetch.dismiss(FetchStores.of(home), source, "Ann", "nothing to see")
    fetch.fetch(FetchStores.of(home), client, source)
    assert fetch.dismiss(FetchStores.of(home), source, "Ann", "only the wording")
    assert open_rules(home) == {}
    assert fetch.fetch(FetchStores.of(home), client, source).outcome == "unchanged"
    (entry,) = [json.loads(line) for line in home.decisions.read_text().splitlines()]
    assert (entry["who"], entry["decision"], entry["why"]) == ("Ann", "dismissed", "only the wording")
    site.page(text="New wording")
    assert fetch.fetch(FetchStores.of(home), client, source).outcome == "needs_person"


# --- an API -----------------------------------------------------------------------------------------------

API = {
    "kind": "fingertips_metadata",
    "base_url": "https://api.example/api/",
    "indicator_ids": [101, 102, 103],
    "areas": [{"child": 502, "parent": 6}, {"child": 15, "parent": 15}],
}
API_PARSE = """
import re
from ingest.registry import Identity


def recognise(sample):
    found = re.search(r"child(\\d+)_parent(\\d+)_(\\d{4}-\\d\\d-\\d\\d)", sample.name)
    return Identity(f"{len(sample.rows)}_{found[1]}_{found[2]}", found[3], layout="births") if found else None
"""
API_COLUMNS = """*,indicator_id,Indicator ID,integer,yes,no,1,,,,block,,Number
*,value,Value,number,yes,yes,0,,,,block,,Value
"""


class Api:
    def __init__(self, root: Any) -> None:
        self.folder = root / "api.example" / "api"
        self.folder.mkdir(parents=True)
        routes = {"api.example": {"routes": [{"path": "/api/", "fingertips": "api"}]}}
        (self.folder.parent / "site.json").write_text(json.dumps({"sites": routes}))
        self.types(15, 6, 502)
        self.dates("2026-01-01", "2026-01-01", "2026-02-02")
        self.rows("502_6", 101, 102, 103)
        self.rows("15_15", 102)

    def types(self, *ids: int) -> None:
        (self.folder / "api.json").write_text(json.dumps({"area_types": ids}))

    def dates(self, *dates: str) -> None:
        entries = {str(101 + i): {"DataChange": {"LastUploadedAt": d + "T10:00:00"}} for i, d in enumerate(dates)}
        (self.folder / "indicator_metadata.json").write_text(json.dumps(entries))

    def rows(self, pair: str, *ids: int, value: float = 1.5) -> None:
        lines = "".join(f"{i},{value}\n" for i in ids)
        (self.folder / f"{pair}.csv").write_text(f"Indicator ID,Value\n{lines}")


@pytest.fixture
def api(tmp_path: Any) -> Api:
    return Api(tmp_path / "sites")


@pytest.fixture
def api_source(make_source: MakeSource) -> Source:
    return make_source("madeup", API, parse=API_PARSE, columns=API_COLUMNS)


def asked(server: FaultyPublishers) -> list[str]:
    return [hit.query.split("&")[0].removeprefix("indicator_ids=") for hit in server.hits() if "csv" in hit.path]


def test_only_indicators_with_a_new_upload_are_asked_for(
    home: Home, api: Api, api_source: Source, serve: Serve
) -> None:
    server, client = serve()
    first = fetch.fetch(FetchStores.of(home), client, api_source)
    assert asked(server) == ["101,102", "103", "101,102", "103"]
    assert (first.outcome, first.no_data) == ("landed", 2)
    assert first.warnings == ("no data for area type 15 in 15: 2 indicator(s) (101, 103)",)
    landed = {item.original_name: item for item in manifests.LandedReleases(home.landed).all()}
    assert set(landed) == {
        "by_indicator_id_101_102_child502_parent6_2026-01-01.csv",
        "by_indicator_id_103_child502_parent6_2026-02-02.csv",
        "by_indicator_id_101_102_child15_parent15_2026-01-01.csv",
    }
    assert {item.published_on for item in landed.values()} == {"2026-01-01", "2026-02-02"}

    server.forget()
    assert fetch.fetch(FetchStores.of(home), client, api_source).outcome == "unchanged"
    assert [hit.status for hit in server.hits()] == [304]

    api.dates("2026-01-01", "2026-03-03", "2026-02-02")
    api.rows("502_6", 101, 102, 103, value=2)
    server.forget()
    assert fetch.fetch(FetchStores.of(home), client, api_source).outcome == "landed"
    assert asked(server) == ["102", "102"]


def test_what_failed_is_asked_again_and_nothing_else(home: Home, api: Api, api_source: Source, serve: Serve) -> None:
    api.types(502, 6)
    server, client = serve()
    first = fetch.fetch(FetchStores.of(home), client, api_source)
    assert first.outcome == "failed"
    assert "An unexpected error occurred" in first.message
    assert open_rules(home) == {"fetch/madeup": "publisher_unavailable"}
    assert len(releases(home)) == 2
    api.types(502, 6, 15)
    server.forget()
    assert fetch.fetch(FetchStores.of(home), client, api_source).outcome == "landed"
    assert asked(server) == ["101,102", "103"]
    assert {hit.query.split("&")[1] for hit in server.hits() if hit.query.count("&") > 1} == {"child_area_type_id=15"}
    assert open_rules(home) == {}


@pytest.mark.parametrize(("place", "fault"), everywhere("all_data/csv/by_indicator_id", "indicator_metadata/all"))
def test_a_broken_api_recovers_by_itself(
    home: Home, api: Api, api_source: Source, serve: Serve, fault: Fault, place: str
) -> None:
    server, client = serve(total_timeout=1.5)
    server.fault(f"api.example/api/{place}", replace(fault, rename="[no JSON"))
    assert fetch.fetch(FetchStores.of(home), client, api_source).outcome == "failed"
    assert set(open_rules(home)) == {"fetch/madeup"}
    server.fault(f"api.example/api/{place}", None)
    assert fetch.fetch(FetchStores.of(home), client, api_source).outcome == "landed"
    assert len(releases(home)) == 3
    assert open_rules(home) == {}
    assert list(home.archive.glob(".incoming-*")) == []


def test_a_new_kind_of_area_is_asked_for_all_indicators(home: Home, api: Api, api_source: Source, serve: Serve) -> None:
    server, client = serve()
    narrow = api_source.probe.model_copy(update={"areas": api_source.probe.areas[:1]})
    fetch.fetch(FetchStores.of(home), client, replace(api_source, probe=narrow))
    server.forget()
    assert fetch.fetch(FetchStores.of(home), client, api_source).outcome == "landed"
    assert asked(server) == ["101,102", "103"]


def test_an_indicator_that_was_never_uploaded_is_asked_for_once(
    home: Home, api: Api, api_source: Source, serve: Serve
) -> None:
    entries = {str(i): {"DataChange": {"LastUploadedAt": None}} for i in (101, 102, 103)}
    (api.folder / "indicator_metadata.json").write_text(json.dumps(entries))
    api.rows("502_6")
    api.rows("15_15")
    server, client = serve()
    assert fetch.fetch(FetchStores.of(home), client, api_source).outcome == "no_data"
    server.forget()
    assert fetch.fetch(FetchStores.of(home), client, api_source).outcome == "unchanged"
    assert asked(server) == []


def test_batches_are_no_larger_than_asked_for(home: Home, api: Api, api_source: Source, serve: Serve) -> None:
    server, client = serve()
    single = api_source.probe.model_copy(update={"batch": 1})
    fetch.fetch(FetchStores.of(home), client, replace(api_source, probe=single))
    assert asked(server) == ["101", "102", "103"] * 2


# --- whatever goes wrong ----------------------------------------------------------------------------------


def test_an_unexpected_error_in_one_source_stays_there(
    home: Home, make_source: MakeSource, make_site: Any, serve: Serve
) -> None:
    bad = "def recognise(sample):\n    raise ZeroDivisionError('a bug')\n"
    wrong, sound = make_source("wrong", DOWNLOAD, parse=bad), make_source("sound", DOWNLOAD)
    site = make_site()
    site.put("births.csv", table(2021))
    site.page("births.csv")
    _, client = serve()
    reports = {report.source_id: report for report in fetch.fetch_all(FetchStores.of(home), client, [wrong, sound])}
    assert reports["sound"].outcome == "landed"
    assert reports["wrong"].message == "wrong: unexpected ZeroDivisionError: a bug"
    assert open_rules(home) == {"fetch/wrong": "not_processed"}


def test_a_damaged_state_is_named(home: Home, make_source: MakeSource, make_site: Any, serve: Serve) -> None:
    source, _ = make_source(probe=PAGE), make_site()
    path = probe_state.ProbeStates(home.probes).path_of("madeup", synthetic=False)
    path.parent.mkdir(parents=True)
    path.write_text('{"token": ')
    _, client = serve()
    found = fetch.fetch(FetchStores.of(home), client, source)
    assert found.outcome == "failed"
    assert str(path) in found.message
    assert path.read_text() == '{"token": '


def test_sample_publishers_have_a_state_of_their_own(
    home: Home, make_source: MakeSource, make_site: Any, serve: Serve
) -> None:
    source, site = make_source(probe=DOWNLOAD), make_site()
    site.put("births.csv", table(2021))
    site.page("births.csv")
    _, client = serve()
    assert fetch.fetch(FetchStores.of(home), client, source, synthetic=True).outcome == "landed"
    (manifest,) = manifests.LandedReleases(home.landed).all()
    assert manifest.is_synthetic
    assert manifest.sha256 in synthetic.SyntheticHashes(home.synthetic).known()
    assert state(home).token == {}


def test_check_is_honest_and_leaves_nothing(home: Home, make_source: MakeSource, make_site: Any, serve: Serve) -> None:
    away = make_source("away", PAGE | {"url": "https://127.0.0.1:1/page"})
    by_hand = make_source("by_hand")
    source, site = make_source(probe=PAGE), make_site()
    other_site = make_site("by_hand.example")
    server, client = serve(attempts=1)
    found = {
        item.source_id: item.found for item in fetch.check_all(FetchStores.of(home), client, [source, away, by_hand])
    }
    assert found == {"madeup": "reachable", "away": "not reachable from here", "by_hand": "reachable"}
    server.fault("madeup.example/page", Fault("status", status=403))
    assert fetch.check(FetchStores.of(home), client, source).found == "refused"
    assert not home.probes.exists()
    server.fault("madeup.example/page", None)
    fetch.fetch(FetchStores.of(home), client, source)
    fetch.dismiss(FetchStores.of(home), source, "Ann", "seen")
    assert fetch.check(FetchStores.of(home), client, source).found == "reachable"
    site.page(text="News")
    assert fetch.check(FetchStores.of(home), client, source).found == "changed"
    assert other_site.folder.is_dir()


@pytest.mark.parametrize(
    ("probe", "says"),
    [
        ({"kind": "pigeon", "url": "x"}, "'pigeon'"),
        ({"kind": "page"}, "field probe.page.url: is missing"),
        (PAGE | {"dowload": "x"}, "field probe.page.dowload: is not a known field"),
        (PAGE | {"download": "("}, "field probe.page.download: expected a regular expression (missing )"),
        (
            {"kind": "fingertips_metadata", "indicator_ids": ["a"], "areas": []},
            "field probe.fingertips_metadata.indicator_ids.0: Input should be a valid integer",
        ),
    ],
)
def test_a_wrong_probe_is_named_with_its_file(make_source: MakeSource, probe: dict[str, Any], says: str) -> None:
    with pytest.raises(PerinatalError, match=r"source\.yml: field probe") as error:
        make_source(probe=probe)
    assert says in str(error.value)


def test_looking_changes_nothing(home: Home, make_source: MakeSource, make_site: Any, serve: Serve) -> None:
    source, site = make_source(probe=DOWNLOAD), make_site()
    site.put("births.csv", table(2021))
    site.page("births.csv")
    _, client = serve()
    assert fetch.look(FetchStores.of(home), client, source)["changed"]
    assert not home.probes.exists()
    fetch.fetch(FetchStores.of(home), client, source)
    assert fetch.look(FetchStores.of(home), client, source) == {
        "source": "madeup",
        "changed": False,
        "message": "nothing new (not modified)",
    }
