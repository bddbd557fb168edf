"""The sample publishers answer as the real sites do."""

import gzip
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from faulty_publishers import Fault, FaultyPublishers

from ingest.sample.server import Count, SamplePublishers
from perinatal.errors import PerinatalError

API = "fingertips.phe.org.uk/api/"
BY_ID = API + "all_data/csv/by_indicator_id"
FILE = "files.example/downloads/a.csv"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    api = tmp_path / "fingertips" / "api"
    api.mkdir(parents=True)
    (api / "api.json").write_text(
        json.dumps(
            {
                "area_types": [15, 6, 502, 221],
                "groups": {"1938133222": [101, 102]},
                "profiles": {"105": [101]},
            }
        )
    )
    (api / "indicator_metadata.json").write_text(
        json.dumps({"101": {"IID": 101, "DataChange": {"LastUploadedAt": "2026-01-01T00:00:00"}}})
    )
    rows = "".join(f"{i},Name {i},E1\n" for i in range(101, 221))
    (api / "502_6.csv").write_text("Indicator ID,Indicator Name,Area Code\n" + rows)
    (tmp_path / "fingertips" / "site.json").write_text(
        json.dumps({"sites": {"fingertips.phe.org.uk": {"routes": [{"path": "/api/", "fingertips": "api"}]}}})
    )
    other = tmp_path / "other"
    (other / "files").mkdir(parents=True)
    (other / "files" / "a.csv").write_text("h1,h2\n" + "1,2\n" * 1000)
    (other / "page.html").write_text("<html><body><a href='downloads/a.csv'>a</a></body></html>")
    (other / "content" / "government").mkdir(parents=True)
    (other / "content" / "government" / "x.json").write_text('{"public_updated_at": "2026-01-01"}')
    routes = {
        "files.example": {
            "routes": [
                {"path": "/page", "file": "page.html"},
                {"path": "/downloads/", "folder": "files"},
                {"path": "/packed/", "folder": "files", "gzip": True},
                {
                    "path": "/broken",
                    "file": "page.html",
                    "fault": {"kind": "status", "status": 503, "times": 1},
                },
            ]
        },
        "www.gov.uk": {"routes": [{"path": "/api/content/", "govuk": "content"}]},
    }
    (other / "site.json").write_text(json.dumps({"sites": routes}))
    (tmp_path / "secret.txt").write_text("outside")
    return tmp_path


@pytest.fixture
def server(root: Path) -> Iterator[FaultyPublishers]:
    with FaultyPublishers(root) as running:
        yield running


def get(server: FaultyPublishers, path: str, **headers: str) -> requests.Response:
    return requests.get(server.url(path), headers=headers, timeout=5, allow_redirects=False)


def test_static_files_have_validators_and_ranges(server: FaultyPublishers) -> None:
    whole = get(server, FILE)
    assert whole.status_code == 200
    assert whole.headers["Content-Type"] == "text/csv"
    etag, modified = whole.headers["ETag"], whole.headers["Last-Modified"]
    assert get(server, FILE, **{"If-None-Match": etag}).status_code == 304
    assert get(server, FILE, **{"If-None-Match": f'"x", W/{etag}'}).status_code == 304
    assert get(server, FILE, **{"If-Modified-Since": modified}).status_code == 304
    assert get(server, FILE, **{"If-None-Match": '"x"', "If-Modified-Since": modified}).status_code == 200
    part = get(server, FILE, **{"Range": "bytes=4000-", "If-Range": etag})
    assert (part.status_code, part.content) == (206, whole.content[4000:])
    assert part.headers["Content-Range"] == f"bytes 4000-{len(whole.content) - 1}/{len(whole.content)}"
    assert get(server, FILE, **{"Range": "bytes=0-9"}).content == whole.content[:10]
    assert get(server, FILE, **{"Range": "bytes=4000-", "If-Range": '"old"'}).status_code == 200
    assert get(server, FILE, **{"Range": "bytes=99999-"}).status_code == 416


def test_pages_and_gzip(server: FaultyPublishers) -> None:
    assert get(server, "files.example/page").headers["Content-Type"] == "text/html; charset=utf-8"
    packed = get(server, "files.example/packed/a.csv", **{"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.content == get(server, FILE).content
    tag = packed.headers["ETag"]
    assert get(server, "files.example/packed/a.csv", **{"If-None-Match": tag}).status_code == 304
    assert server.hits("files.example/packed/a.csv")[0].body_bytes == len(gzip.compress(packed.content, mtime=0))


def test_nothing_outside_the_folder_is_served(server: FaultyPublishers) -> None:
    for path in (
        "files.example/downloads/%2e%2e/%2e%2e/secret.txt",
        "files.example/downloads/none.csv",
        "nowhere",
    ):
        assert get(server, path).status_code == 404


def test_requests_and_bytes_are_counted(server: FaultyPublishers) -> None:
    etag = get(server, FILE).headers["ETag"]
    get(server, FILE, **{"If-None-Match": etag})
    assert server.count(FILE) == Count(requests=2, bodies=1, body_bytes=4006)
    assert [hit.status for hit in server.hits(FILE)] == [200, 304]
    server.forget()
    assert server.count() == Count(0, 0, 0)


def test_fingertips_status_codes(server: FaultyPublishers) -> None:
    good = "?indicator_ids=101,102&child_area_type_id=502&parent_area_type_id=6"
    assert get(server, BY_ID + good).text.splitlines()[1:] == ["101,Name 101,E1", "102,Name 102,E1"]
    empty = get(server, BY_ID + "?indicator_ids=&child_area_type_id=502&parent_area_type_id=6")
    assert (empty.status_code, empty.headers["Content-Type"]) == (400, "text/plain")
    assert get(server, BY_ID + "?indicator_ids=101").status_code == 400
    bad = get(server, BY_ID + "?indicator_ids=101&child_area_type_id=9999&parent_area_type_id=6")
    assert (bad.status_code, bad.headers["Content-Type"]) == (500, "text/plain")
    nothing = get(server, BY_ID + "?indicator_ids=101&child_area_type_id=221&parent_area_type_id=15")
    assert (nothing.status_code, nothing.text) == (200, "Indicator ID,Indicator Name,Area Code\n")
    assert get(server, API + "indicator_metadata/all?include_definition=no").json()["101"]["IID"] == 101
    assert get(server, API + "elsewhere").status_code == 404


def test_fingertips_drops_ids_beyond_the_hundredth(server: FaultyPublishers) -> None:
    ids = ",".join(str(i) for i in range(101, 221))
    answer = get(server, f"{BY_ID}?indicator_ids={ids}&child_area_type_id=502&parent_area_type_id=6")
    assert len(answer.text.splitlines()) == 1 + 100


def test_fingertips_groups_and_profiles(server: FaultyPublishers) -> None:
    areas = "&child_area_type_id=502&parent_area_type_id=6"
    group = get(server, API + "all_data/csv/by_group_id?group_id=1938133222" + areas)
    assert len(group.text.splitlines()) == 3
    profile = get(server, API + "all_data/csv/by_profile_id?profile_id=105" + areas)
    assert len(profile.text.splitlines()) == 2


def test_govuk_content(server: FaultyPublishers) -> None:
    assert get(server, "www.gov.uk/api/content/government/x").json() == {"public_updated_at": "2026-01-01"}
    assert get(server, "www.gov.uk/api/content/government/y").status_code == 404


def test_faults_wear_off_and_can_be_taken_back(server: FaultyPublishers) -> None:
    assert [get(server, "files.example/broken").status_code for _ in range(2)] == [503, 200]
    server.fault(FILE, Fault("status", status=429, retry_after=3))
    refused = get(server, FILE)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "3")
    server.fault(FILE, None)
    assert get(server, FILE).status_code == 200


def test_faults_that_spoil_the_body(server: FaultyPublishers) -> None:
    server.fault(FILE, Fault("html"))
    assert get(server, FILE).text.startswith("<!DOCTYPE html>")
    server.fault(FILE, Fault("header"))
    assert get(server, FILE).text.startswith("Renamed column,h2\n1,2\n")


def test_stand_ins_name_every_site(server: FaultyPublishers) -> None:
    assert set(server.stand_ins()) == {
        "https://files.example",
        "https://fingertips.phe.org.uk",
        "https://www.gov.uk",
    }
    assert server.stand_ins()["https://www.gov.uk"] == f"{server.base_url}/www.gov.uk"


def test_stopping_does_not_wait_for_hanging_answers(root: Path) -> None:
    server = FaultyPublishers(root)
    with server:
        server.fault(FILE, Fault("hang"))
        with pytest.raises(requests.Timeout):
            requests.get(server.url(FILE), timeout=0.2)
        started = time.monotonic()
    assert time.monotonic() - started < 2


def test_a_broken_route_table_is_named(tmp_path: Path) -> None:
    (tmp_path / "site.json").write_text('{"sites": {"a.example": {"routes": [{"path": "/x"}]}}}')
    with pytest.raises(PerinatalError, match=r"site\.json: not a route table"):
        SamplePublishers(tmp_path)
