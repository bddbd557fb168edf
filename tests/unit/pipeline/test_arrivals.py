"""What waits for the next edition is looked up: landed, and not in the one that stands."""

import json
from pathlib import Path

from ingest.land import landing
from ingest.land.arriving_file import Arrival
from ingest.registry import Source
from ingest.stores import Stores
from perinatal.home import Home
from pipeline.arrivals import unpublished
from publish import edition
from publish.edition import Editions


def publish(home: Home, **facts: object) -> None:
    folder = home.editions / "20261128T020000-aaaaaaaa"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / edition.INFO).write_text(json.dumps({"edition_id": folder.name, **facts}))
    (folder / edition.DATABASE).touch()
    Editions.of(home).point_current(folder)


def test_a_file_that_came_again_waits_although_its_key_is_in_the_edition(
    home: Home, demo: Source, tmp_path: Path
) -> None:
    keys = []
    for events in (1, 2, 1):
        file = tmp_path / "counts-2024.csv"
        file.write_text(f"Code,Events\na,{events}\n")
        item = landing.land(Stores.of(home), file, Arrival(demo, file.name)).manifest
        keys.append(item.release_key)
    publish(home, releases=sorted(set(keys)))
    [waiting] = unpublished(home, {"demo"})
    assert waiting.releases == ("counts 2024 (revision 3)",)
    publish(home, releases=sorted(set(keys)), landed_again={item.release_key: item.fetched_at})
    assert unpublished(home, {"demo"}) == ()
