"""The live Fingertips client against an API that answers as the real one."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from faulty_publishers import Fault, FaultyPublishers

from ingest.fetch.fingertips_api import (
    ApiAnswer,
    Outcome,
    changed_ids,
    fetch_indicators,
    plan,
    upload_dates,
)
from ingest.fetch.http import BadResponse, HttpClient, HttpOptions, PublisherUnavailable
from ingest.fetch.probe_settings import ApiConfig, AreaPair

UTLA, ICB, UNKNOWN = AreaPair(child=502, parent=6), AreaPair(child=221, parent=15), AreaPair(child=9999, parent=6)
ROWS = "fingertips.phe.org.uk/api/all_data/csv/by_indicator_id"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FaultyPublishers]:
    root = tmp_path / "site"
    api = root / "api"
    api.mkdir(parents=True)
    (api / "api.json").write_text(json.dumps({"area_types": [6, 15, 221, 502]}))
    rows = "".join(f'{i},"Name, {i}",E1\n{i},"Name, {i}",E2\n' for i in range(1, 251))
    (api / "502_6.csv").write_text("Indicator ID,Indicator Name,Area Code\n" + rows)
    routes = [{"path": "/api/", "fingertips": "api"}]
    (root / "site.json").write_text(json.dumps({"sites": {"fingertips.phe.org.uk": {"routes": routes}}}))
    with FaultyPublishers(root) as running:
        yield running


def ask(server: FaultyPublishers, folder: Path, ids: range, *areas: AreaPair, **options: int) -> list[ApiAnswer]:
    http_options = HttpOptions(stand_ins=server.stand_ins(), delay=0, attempts=2, backoff=0.01, read_timeout=1)
    config = ApiConfig(tuple(ids), areas, **options)
    with HttpClient(http_options) as client:
        return list(fetch_indicators(client, config, config.indicator_ids, folder))


def test_more_than_a_hundred_ids_go_in_batches_and_none_is_lost(server: FaultyPublishers, tmp_path: Path) -> None:
    answers = ask(server, tmp_path, range(1, 251), UTLA, batch=1000)
    assert [len(answer.request.indicator_ids) for answer in answers] == [100, 100, 50]
    assert {i: n for answer in answers for i, n in answer.rows.items()} == dict.fromkeys(range(1, 251), 2)
    assert answers[0].message == "indicators 1, 2, 3 …, area type 502 in 6: 200 rows"


def test_the_file_stays_as_served(server: FaultyPublishers, tmp_path: Path) -> None:
    [answer] = ask(server, tmp_path, range(7, 8), UTLA)
    assert answer.fetched is not None
    assert answer.fetched.path.read_bytes() == (
        b'Indicator ID,Indicator Name,Area Code\n7,"Name, 7",E1\n7,"Name, 7",E2\n'
    )
    assert answer.fetched.url == answer.request.url


def test_a_header_alone_is_no_data_for_this_area_type(server: FaultyPublishers, tmp_path: Path) -> None:
    [answer] = ask(server, tmp_path, range(1, 3), ICB)
    assert answer.outcome is Outcome.NO_DATA
    assert answer.message == "indicators 1, 2, area type 221 in 15: no data for this area type"
    assert answer.without_data == (1, 2)


def test_indicators_without_rows_are_named_beside_those_with(server: FaultyPublishers, tmp_path: Path) -> None:
    [answer] = ask(server, tmp_path, range(249, 253), UTLA)
    assert (answer.outcome, answer.without_data) == (Outcome.DATA, (251, 252))
    assert answer.message.endswith("4 rows; no data for indicators 251, 252")


def test_a_bad_area_type_fails_alone_with_the_servers_words(server: FaultyPublishers, tmp_path: Path) -> None:
    bad, good = ask(server, tmp_path, range(1, 3), UNKNOWN, UTLA)
    assert bad.outcome is Outcome.FAILED
    assert 'it says "An unexpected error occurred"' in bad.message
    assert good.outcome is Outcome.DATA


def test_a_host_that_is_down_is_not_asked_again_and_again(server: FaultyPublishers, tmp_path: Path) -> None:
    server.fault(ROWS, Fault("status", status=503))
    answers = ask(server, tmp_path, range(1, 251), UTLA)
    assert [answer.outcome for answer in answers] == [Outcome.FAILED] * 3
    assert all(isinstance(answer.error, PublisherUnavailable) for answer in answers)
    assert server.count(ROWS).requests == 2  # the tries of the first request


@pytest.mark.parametrize(("fault", "reason"), [(Fault("html"), "not_a_table"), (Fault("header"), "not_a_table")])
def test_something_else_than_the_table_fails_and_is_kept(
    server: FaultyPublishers, tmp_path: Path, fault: Fault, reason: str
) -> None:
    server.fault(ROWS, fault)
    [answer] = ask(server, tmp_path, range(1, 2), UTLA)
    assert isinstance(answer.error, BadResponse)
    assert answer.error.reason == reason
    assert answer.fetched is not None
    assert answer.fetched.path.exists()  # for quarantine


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("Indicator ID,x\n5,stranger\n", "other_indicators"),
        ("Indicator ID,x\nfive,stranger\n", "other_indicators"),
        ("Indicator ID,x\n1," + "y" * 200_000 + "\n", "damaged_table"),
        ("", "not_a_table"),
    ],
)
def test_tables_that_were_not_asked_for(server: FaultyPublishers, tmp_path: Path, body: str, reason: str) -> None:
    server.fault(ROWS, Fault("other_body", body=body.encode()))
    [answer] = ask(server, tmp_path, range(1, 2), UTLA)
    assert isinstance(answer.error, BadResponse)
    assert answer.error.reason == reason


def test_only_changed_indicators_are_asked_for() -> None:
    dates = {1: "2026-01-01", 2: "2026-01-01", 3: ""}
    assert changed_ids((1, 2, 3, 3, 4), dates, {}) == (1, 2, 3)
    assert changed_ids((1, 2, 3, 4), dates, {"1": "2026-01-01", "2": "2025-01-01", "3": ""}) == (2,)


def test_the_plan_covers_batches_and_areas_with_the_profile() -> None:
    requests = plan(ApiConfig((1, 2, 3), (UTLA, ICB), profile_id=105, batch=2), (1, 2, 3, 1))
    assert [request.indicator_ids for request in requests] == [(1, 2), (3,), (1, 2), (3,)]
    assert requests[0].url == (
        "https://fingertips.phe.org.uk/api/all_data/csv/by_indicator_id"
        "?indicator_ids=1,2&child_area_type_id=502&parent_area_type_id=6&profile_id=105"
    )
    assert plan(ApiConfig((), (UTLA,)), ()) == []


def test_upload_dates_of_the_real_metadata() -> None:
    path = Path(__file__).parents[4] / "shared/releases/fingertips/indicator_metadata_all.json"
    if not path.exists():
        pytest.skip("the real releases are not beside the project")
    dates = upload_dates(path.read_bytes(), ApiConfig((), ()).metadata_url)
    assert len(dates) == 1587
    assert dates[108] == "2024-10-07T17:11:02"
    assert sum(date == "" for date in dates.values()) == 8
