"""What a build is measured by, each in a process of its own: `python -m perinatal.bench.builder land|build|dbt …`.

`land ROWS`: makes releases of so many rows, and lands each. `build`: builds and publishes, imports apart.
`dbt`: `dbt build` of the same project on the same landed releases, and nothing else.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from time import monotonic


def land(rows: int) -> dict[str, float]:
    """Make synthetic releases and land each, keeping no file beside the archive; says the rows."""
    from ingest import landing, registry
    from perinatal import home
    from perinatal.bench import scaled

    where, landed = home.get(), 0
    where.cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=where.cache) as folder:
        for made in scaled.releases(Path(folder), rows):
            arrival = landing.Arrival(registry.source(made.source_id), made.path.name, is_synthetic=True)
            landed += landing.land(where, made.path, arrival).manifest.rows_in
            made.path.unlink()
    return {"rows": landed}


def build() -> dict[str, float]:
    """Build everything landed; says the seconds, with the imports of Great Expectations before them."""
    import great_expectations  # noqa: F401

    from ingest import manifest
    from perinatal import home, pipeline

    start = monotonic()
    pipeline.build(home.get(), force=True)
    return {"seconds": monotonic() - start, "rows": sum(item.rows_in for item in manifest.in_use(home.get()))}


def dbt() -> dict[str, float]:
    """Run `dbt build` alone; says the seconds."""
    from ingest import manifest
    from perinatal import home
    from publish import warehouse

    where = home.get()
    where.build.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=where.build) as folder:
        start = monotonic()
        warehouse.build(where, Path(folder), manifest.in_use(where))
        return {"seconds": monotonic() - start}


def main() -> None:
    """Do what is asked and say how it went."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    what, *arguments = sys.argv[1:]
    said = land(int(arguments[0])) if what == "land" else {"build": build, "dbt": dbt}[what]()
    print(json.dumps(said))


if __name__ == "__main__":
    main()
