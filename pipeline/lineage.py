"""OpenLineage: which tables dbt made from which, and which tasks ran, to a file or an address; off unless it is set.

Airflow's own provider sends the events of its DAGs and tasks, OpenLineage's reader of dbt's results those of models and
tests. Both get the same transport from here. What cannot be sent stops no build.
"""

from __future__ import annotations

import json
import os
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from perinatal import settings
from perinatal.console import say
from perinatal.errors import PerinatalError
from warehouse import dbt

NAMESPACE = "perinatal"
PRODUCER = "https://openlineage.io/perinatal-insights"
PARENT = "OPENLINEAGE_PARENT_ID"  # namespace/job/run of the task that called dbt; the name is OpenLineage's
SECONDS = 5  # that an address may take for an event


def transport() -> dict[str, Any] | None:
    """Return OpenLineage's transport for PERINATAL_LINEAGE_URL; None where it is not set."""
    url = settings.get().lineage_url
    if not url:
        return None
    parts = urlsplit(url)
    if parts.scheme == "file":
        path = Path(unquote(parts.path))
        if not path.parent.is_dir():
            raise PerinatalError(f"PERINATAL_LINEAGE_URL: the folder {path.parent} does not exist")
        return {"type": "file", "log_file_path": str(path), "append": True}
    return {"type": "http", "url": f"{parts.scheme}://{parts.netloc}", "endpoint": _endpoint(url), "timeout": SECONDS}


def _endpoint(url: str) -> str:
    return urlsplit(url).path.strip("/") or "api/v1/lineage"


def airflow_environment() -> dict[str, str]:
    """Return the settings that turn Airflow's provider on; none where no lineage is asked for."""
    found = transport()
    if found is None:
        return {}
    return {"AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps(found), "AIRFLOW__OPENLINEAGE__NAMESPACE": NAMESPACE}


def send_models(target: Path) -> None:
    """Send an event for the start and the end of each model and test that dbt has just run, by its results."""
    found = transport()
    if found is None or not (target / dbt.RESULTS).exists():
        return
    from openlineage.client import OpenLineageClient

    try:
        with closing(OpenLineageClient(config={"transport": found})) as client:
            events = _events(target)
            for event in events:
                client.emit(event)
    except Exception as error:  # each transport has errors of its own
        say(f"lineage was not sent ({type(error).__name__}: {error}); the build goes on")
        return
    say(f"{len(events)} lineage event(s) of dbt sent")


def _events(target: Path) -> list[Any]:
    from openlineage.common.provider.dbt import DbtLocalArtifactProcessor, ParentRunMetadata

    reader = DbtLocalArtifactProcessor(
        producer=PRODUCER,
        job_namespace=NAMESPACE,
        project_dir=str(dbt.PROJECT),
        target_path=str(target.absolute()),
        skip_errors=True,
    )
    parent = os.environ.get(PARENT, "").split("/")
    if len(parent) == 3:
        reader.dbt_run_metadata = ParentRunMetadata(job_namespace=parent[0], job_name=parent[1], run_id=parent[2])
    return list(reader.parse().events())
