"""The Fingertips source as configured, against a site that serves the real metadata and a real file of values."""

import json
import shutil
from pathlib import Path

import pytest

from ingest import registry
from ingest.archive import manifest as manifests
from ingest.fetch import fetching as fetch
from ingest.fetch.http import HttpClient, HttpOptions
from ingest.fetch.probe_settings import MAX_IDS, Arrives
from ingest.sample.reference import read_seed
from ingest.sample.server import SamplePublishers
from ingest.stores import FetchStores
from perinatal.home import Home

RELEASES = Path(__file__).resolve().parents[2].parent / "shared" / "releases" / "fingertips"
pytestmark = pytest.mark.skipif(not RELEASES.is_dir(), reason=f"no real releases at {RELEASES}")
VALUES = "by_indicator_id_90284_child502_parent6.csv"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Return the folder of the API: real metadata, one real table."""
    api = tmp_path / "site" / "api"
    api.mkdir(parents=True)
    shutil.copyfile(RELEASES / "indicator_metadata_all.json", api / "indicator_metadata.json")
    shutil.copyfile(RELEASES / VALUES, api / "502_6.csv")
    (api / "api.json").write_text(json.dumps({"area_types": [6, 15, 118, 221, 223, 502]}))
    routes = [{"path": "/api/", "fingertips": "api"}]
    (tmp_path / "site" / "site.json").write_text(json.dumps({"sites": {"fingertips.phe.org.uk": {"routes": routes}}}))
    return api


def test_the_config_names_known_indicators_and_areas() -> None:
    watched = registry.source("fingertips").probe
    assert watched
    assert watched.arrives is Arrives.API
    assert watched.api
    assert watched.api.batch <= MAX_IDS
    assert set(watched.api.indicator_ids) == {int(row["indicator_id"]) for row in read_seed("fingertips_indicator")}
    areas = {area for pair in watched.api.areas for area in (pair.child, pair.parent)}
    assert areas <= {int(row["area_type_id"]) for row in read_seed("fingertips_area_type")}


def _options(server: SamplePublishers) -> HttpOptions:
    return HttpOptions(delay=0, attempts=1, stand_ins=server.stand_ins())


def test_values_and_metadata_land_and_only_changes_are_asked_for(site: Path, tmp_path: Path) -> None:
    home, source = Home(tmp_path / "home"), registry.source("fingertips")
    with SamplePublishers(site.parent.parent) as server, HttpClient(_options(server)) as client:
        first = fetch.fetch(FetchStores.of(home), client, source)
        assert first.outcome == "landed", first.warnings
        landed = {(item.dataset, item.release): item for item in manifests.LandedReleases(home.landed).all()}
        uploaded = json.loads((site / "indicator_metadata.json").read_text(encoding="utf-8"))
        date = uploaded["90284"]["DataChange"]["LastUploadedAt"][:10]
        values = landed["90284_502_6", date]
        assert (values.rows_in, values.published_on) == (6847, date)
        assert values.url
        assert "child_area_type_id=502&parent_area_type_id=6" in values.url
        assert sum(item.layout == "metadata" for item in landed.values()) == 1
        assert first.no_data == 4 * len(read_seed("fingertips_indicator")) - 1
        assert len(first.warnings) == 4

        server.forget()
        assert fetch.fetch(FetchStores.of(home), client, source).outcome == "unchanged"
        assert server.count().body_bytes == 0

        uploaded["90284"]["DataChange"]["LastUploadedAt"] = "2026-11-01T00:00:00"
        (site / "indicator_metadata.json").write_text(json.dumps(uploaded), encoding="utf-8")
        server.forget()
        fetch.fetch(FetchStores.of(home), client, source)
        asked = [hit.query for hit in server.hits() if "csv" in hit.path]
        assert [query.split("&")[0] for query in asked] == ["indicator_ids=90284"] * 4
