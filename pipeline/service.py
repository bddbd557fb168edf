"""What the service is made of, whoever runs it: pools, queues, and Airflow's settings where it is embedded."""

from __future__ import annotations

import base64
import json
import os
import secrets
import shlex
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from ingest.registry import Source, all_sources
from perinatal import home as homes
from perinatal import settings
from perinatal.durable import OWNER_ONLY_FILE, made_with
from perinatal.home import Home
from perinatal.settings import PROJECT_ROOT
from pipeline import lineage, upgrade

WRITER_POOL = "writer"
FETCH_QUEUE, BUILD_QUEUE = "fetch", "build"  # of Celery workers; the local executor ignores them
LOOPBACK = "127.0.0.1"
USER = "admin"
TASKS_AT_ONCE = 4
# A cron without a start date waits for its next slot, so a new installation asks no publisher. Airflow would still
# run the last slot if it is younger than a tenth of the interval (weeks, for a yearly probe); two minutes are enough
# that a slot is not lost because the DAG files were read at that very moment.
SLOT_GRACE = timedelta(minutes=2)


def host_pool(source: Source) -> str:
    """Return the pool of the publisher's host, so that sources that share a host take turns."""
    host = urlsplit(source.probe.url if source.probe else source.page).hostname
    return f"host.{host}"


def pools() -> dict[str, dict[str, object]]:
    """Return every pool as `airflow pools import` reads it: one writer, one connection a host."""
    hosts = sorted({host_pool(source) for source in all_sources().values()})
    descriptions = {WRITER_POOL: "builds one edition at a time"}
    descriptions |= {pool: f"one connection to {pool.removeprefix('host.')}" for pool in hosts}
    return {name: {"slots": 1, "description": text, "include_deferred": False} for name, text in descriptions.items()}


def airflow_folder(home: Home) -> Path:
    """Return where the embedded Airflow keeps everything."""
    return home.root / "airflow"


def log_folder(home: Home) -> Path:
    """Return where Airflow writes the logs of its tasks: as its own setting says, else beside the embedded Airflow."""
    return Path(os.environ.get("AIRFLOW__LOGGING__BASE_LOG_FOLDER") or airflow_folder(home) / "logs")


def clean_command() -> list[str]:
    """Return the command that takes runs out of Airflow's database that are older than logs are kept."""
    before = datetime.now(UTC) - timedelta(days=settings.get().keep_log_days)
    stamp = before.strftime("%Y-%m-%dT%H:%M:%S+00:00")
    return ["db", "clean", "--clean-before-timestamp", stamp, "--skip-archive", "--yes"]


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, from its first moment on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8", opener=made_with(OWNER_ONLY_FILE)) as out:
        out.write(text)


def password(home: Home) -> tuple[str, bool]:
    """Return the password for Airflow's pages, and whether it was made just now."""
    path = airflow_folder(home) / "passwords.json"
    if path.exists():
        return str(json.loads(path.read_text(encoding="utf-8"))[USER]), False
    made = secrets.token_urlsafe(15)
    write_private(path, json.dumps({USER: made}))
    return made, True


def _keys(home: Home) -> dict[str, str]:
    """Return the keys that Airflow's parts trust each other by: made once, kept in a private file."""
    path = airflow_folder(home) / "keys.json"
    if not path.exists():
        fernet = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
        keys = {"fernet": fernet, "jwt": secrets.token_urlsafe(48), "session": secrets.token_urlsafe(48)}
        write_private(path, json.dumps(keys))
    found: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return found


def environment(home: Home, mode: str, port: int, portal_port: int) -> dict[str, str]:
    """Return the environment of the embedded Airflow: SQLite, local executor, loopback, nothing outside `home`.

    The short intervals let the inbox be watched within a minute of the first start (Airflow activates an asset, and
    then its watcher, only when it next looks) and a killed scheduler's task be taken up again in less than a minute. A
    task whose pipes close a moment before its process has gone is waited for until its next heartbeat is due; a running
    one is given up when as many in a row as make 15 seconds have failed, as Airflow does by default. On a crowded
    machine an answer of the API server may take longer than Airflow's 5 seconds, and the task would fail.
    """
    folder, keys = airflow_folder(home), _keys(home)
    scratch = folder / "tmp"
    scratch.mkdir(parents=True, exist_ok=True)
    address = f"http://{LOOPBACK}:{port}"
    return os.environ | {
        "PERINATAL_HOME": str(home.root),
        "PERINATAL_MODE": mode,
        "PERINATAL_PORTAL_PORT": str(portal_port),  # for the links of what the tasks say
        "PYTHONPATH": os.pathsep.join(filter(None, [str(PROJECT_ROOT), os.environ.get("PYTHONPATH")])),
        "TMPDIR": str(scratch),
        "NO_PROXY": ",".join(filter(None, [os.environ.get("NO_PROXY"), LOOPBACK])),
        "DO_NOT_TRACK": "1",
        "GX_ANALYTICS_ENABLED": "false",
        "OPENBLAS_NUM_THREADS": "1",  # the scheduler forks its tasks; threads do not survive that
        **lineage.airflow_environment(),
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT_ROOT / "dags"),
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": str(TASKS_AT_ONCE),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__FERNET_KEY": keys["fernet"],
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(folder / "passwords.json"),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder / 'airflow.db'}",
        "AIRFLOW__API__HOST": LOOPBACK,
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": address,
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__SECRET_KEY": keys["session"],
        "AIRFLOW__API_AUTH__JWT_SECRET": keys["jwt"],
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(folder / "logs"),
        "AIRFLOW__LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": str(folder / "logs" / "dag_processor"),
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "AIRFLOW__WORKERS__MAX_FAILED_HEARTBEATS": "15",
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "30",
        "AIRFLOW__SCHEDULER__PARSING_CLEANUP_INTERVAL": "5",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60",
        "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "15",
    }


def make_inbox(home: Home) -> None:
    """Make the folder of each source in the inbox, for people to drop files into."""
    for source_id in all_sources():
        (home.inbox / source_id).mkdir(parents=True, exist_ok=True)


if __name__ == "__main__":
    if sys.argv[1:] == ["state"]:
        upgrade.prepare(homes.get())
        make_inbox(homes.get())
    elif sys.argv[1:] == ["clean"]:
        print(shlex.join(clean_command()))
    elif sys.argv[1:] == ["lineage"]:
        print("\n".join(f"export {name}={shlex.quote(value)}" for name, value in lineage.airflow_environment().items()))
    else:
        print(json.dumps(pools(), indent=1))
