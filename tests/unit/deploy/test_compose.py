"""The team server's files, as far as they can be judged without a Docker engine."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from perinatal.settings import Settings
from pipeline import service
from pipeline.preload import SIGN_OF_LIFE
from publish import policy, serve

REPO = Path(__file__).resolve().parents[3]
COMPOSE = REPO / "docker-compose.yml"
DOCKERFILE = (REPO / "Dockerfile").read_text(encoding="utf-8")
EXAMPLE = (REPO / ".env.example").read_text(encoding="utf-8")
SECRETS = {
    "POSTGRES_PASSWORD",
    "REDIS_PASSWORD",
    "AIRFLOW_JWT_SECRET",
    "AIRFLOW_SESSION_SECRET",
    "AIRFLOW_FERNET_KEY",
    "AIRFLOW_ADMIN_PASSWORD",
}
VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)(:?[-?][^}]*)?\}")
PINNED = re.compile(r"[\w./-]+:v?\d+\.\d+(\.\d+)?[\w.-]*")

compose: dict[str, Any] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
services: dict[str, dict[str, Any]] = compose["services"]
each_service = pytest.mark.parametrize("name", sorted(services))


def test_the_file_follows_the_compose_specification() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_parts_are_all_there() -> None:
    assert set(services) == {
        "postgres",
        "redis",
        "init",
        "api-server",
        "scheduler",
        "dag-processor",
        "triggerer",
        "worker-fetch",
        "worker-build",
        "portal",
        "mail",
    }
    assert services["mail"]["profiles"] == ["trial"]


@each_service
def test_each_part_is_hardened(name: str) -> None:
    part = services[name]
    assert part["read_only"] is True
    assert part["cap_drop"] == ["ALL"]
    assert part["security_opt"] == ["no-new-privileges:true"]
    assert part["user"] not in ("root", "0", "0:0")
    assert part["tmpfs"] if name != "redis" else True
    assert part["restart"] == ("no" if name == "init" else "unless-stopped")
    assert name == "init" or part["healthcheck"]["test"]
    assert "privileged" not in part


def test_a_build_gives_way_to_every_other_part() -> None:
    assert {name: part["cpu_shares"] for name, part in services.items() if "cpu_shares" in part} == {"worker-build": 64}


def test_workers_stop_before_what_their_tasks_tell() -> None:
    """Compose stops a part before those that it depends on; and starts it once they answer, or a try would fail."""
    for name in ("worker-fetch", "worker-build"):
        needed = services[name]["depends_on"]
        assert {"api-server", "postgres", "redis", "init"} == set(needed)
        assert needed["api-server"] == {"condition": "service_healthy"}
    assert "depends_on" not in services["postgres"]


@each_service
def test_images_are_pinned(name: str) -> None:
    assert PINNED.fullmatch(services[name]["image"]), services[name]["image"]


def test_base_images_are_pinned_and_the_last_user_is_nobody_special() -> None:
    for image in re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE):
        assert PINNED.fullmatch(image), image
    assert re.findall(r"^USER (\S+)", DOCKERFILE, re.MULTILINE)[-1] == services["scheduler"]["user"]


def test_every_variable_is_documented_and_no_secret_has_a_value_that_works() -> None:
    used = {found[0]: found[1] for found in VARIABLE.findall(COMPOSE.read_text(encoding="utf-8"))}
    documented = dict(re.findall(r"^(\w+)=(.*)$", EXAMPLE, re.MULTILINE))
    assert set(used) == set(documented)
    assert {name for name in SECRETS if not used[name].startswith(":?")} == set()
    assert {name for name in SECRETS if documented[name]} == set()
    assert not re.search(r"(?im)^\w*(password|secret|key)\w*=\S", DOCKERFILE + EXAMPLE)


def test_files_that_are_named_exist_and_get_into_the_image() -> None:
    mounted = [volume.split(":")[0] for part in services.values() for volume in part.get("volumes", ())]
    for place in (place for place in mounted if place.startswith(".")):
        assert (REPO / place).exists(), place
    assert {place for place in mounted if not place.startswith(".")} == set(compose["volumes"])
    text = COMPOSE.read_text(encoding="utf-8") + DOCKERFILE
    named = set(re.findall(r"/opt/perinatal/([\w./-]+)", text))
    assert {name for name in named if not (REPO / name).exists()} == set()
    kept = [line[1:] for line in (REPO / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert {name for name in named if not any(fnmatch(name.split("/")[0], keep) for keep in kept)} == set()
    copied = re.search(r"^COPY (requirements.*) /src/$", DOCKERFILE, re.MULTILINE)
    assert copied
    assert {name for name in copied[1].split() if not (REPO / name).exists() or name not in kept} == set()


def test_scripts_are_executable_and_can_be_read_by_a_shell() -> None:
    for script in sorted((REPO / "deploy").glob("*.sh")):
        assert script.stat().st_mode & 0o111, script
        assert subprocess.run(["sh", "-n", str(script)], check=False).returncode == 0, script


def test_only_loopback_is_published_without_a_decision() -> None:
    for part in services.values():
        for port in part.get("ports", ()):
            assert re.match(r"(127\.0\.0\.1|\$\{\w+_BIND:-127\.0\.0\.1\}):", port), port
    assert compose["networks"]["inside"]["internal"] is True
    for name in ("postgres", "redis", "scheduler", "triggerer"):
        assert services[name]["networks"] == ["inside"], name


def test_workers_serve_exactly_the_queues_that_tasks_name() -> None:
    served = set()
    for part in services.values():
        command = part.get("command", [])
        if "--queues" in command:
            served.add(command[command.index("--queues") + 1])
    assert served == {service.FETCH_QUEUE, service.BUILD_QUEUE}
    build = services["worker-build"]["command"]
    assert build[build.index("--concurrency") + 1] == "1"


@pytest.mark.parametrize("name", ["worker-fetch", "worker-build"])
def test_workers_can_be_scaled(name: str) -> None:
    """`--scale worker-fetch=2` makes containers of one definition: nothing in it may be there only once."""
    part = services[name]
    assert not part.keys() & {"container_name", "hostname", "ports"}
    assert "--celery-hostname" not in part["command"]
    assert f"/tmp/{SIGN_OF_LIFE}" in part["healthcheck"]["test"][1]  # a folder that each container has for itself
    assert "--skip-serve-logs" in part["command"]  # Airflow's pages read the shared log volume, whoever wrote it
    assert "logs:/var/log/airflow" in services["api-server"]["volumes"]


KNOWN_TO_AIRFLOW = """
import json
from airflow.configuration import conf
from airflow.providers_manager import ProvidersManager
ProvidersManager().initialize_providers_configuration()
print(json.dumps({name: sorted(section["options"]) for name, section in conf.configuration_description.items()}))
"""


def test_settings_in_the_file_are_settings_that_exist(tmp_path: Path) -> None:
    """Asked in a process of its own: Airflow writes a configuration file where it is first imported."""
    done = subprocess.run(
        [sys.executable, "-c", KNOWN_TO_AIRFLOW],
        env={"AIRFLOW_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    known = json.loads(done.stdout.splitlines()[-1])
    for name in services["worker-fetch"]["environment"]:
        if match := re.fullmatch(r"AIRFLOW__(\w+?)__(\w+)", name):
            section, key = match[1].lower(), match[2].lower()
            if section == "celery_broker_transport_options":
                continue  # passed on to Celery as it stands
            assert key in known.get(section, ()), name
        elif name.startswith("PERINATAL_"):
            assert name.removeprefix("PERINATAL_").lower() in Settings.model_fields, name


def test_parts_wait_for_what_they_need() -> None:
    for name, part in services.items():
        for other in part.get("depends_on", {}):
            assert other in services, (name, other)


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Start the portal's web server with its own configuration, on an edition that is made up: both its addresses."""
    if not shutil.which("nginx"):
        pytest.skip("no nginx on this machine")
    edition = tmp_path / "state" / "editions" / "one"
    for name in ("portal/index.html", "quality/data_docs/index.html", "downloads/a.csv", "restricted/board.duckdb"):
        (edition / name).parent.mkdir(parents=True, exist_ok=True)
        (edition / name).write_text(name)
    (edition / "edition.json").write_text("{}")
    (tmp_path / "state" / "current").symlink_to(Path("editions") / "one")
    (tmp_path / "state" / "metrics.prom").write_text("perinatal_editions 1.0\n")
    port, monitoring = _free_port(), _free_port()
    text = (REPO / "deploy" / "nginx.conf").read_text(encoding="utf-8")
    for old, new in (
        ("/tmp/", f"{tmp_path}/"),
        ("/srv/perinatal", f"{tmp_path}/state"),
        ("listen 8080", f"listen 127.0.0.1:{port}"),
        ("listen 8081", f"listen 127.0.0.1:{monitoring}"),
        ("worker_processes auto", "user root; worker_processes 1" if os.getuid() == 0 else "worker_processes 1"),
    ):
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "nginx.conf").write_text(text)
    command = ["nginx", "-c", str(tmp_path / "nginx.conf"), "-e", str(tmp_path / "error.log"), "-g", "daemon off;"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(100):
            if server.poll() is not None or _answers(address):
                break
            time.sleep(0.1)
        assert server.poll() is None, (tmp_path / "error.log").read_text()
        yield address, f"http://127.0.0.1:{monitoring}"
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture
def behind_nginx(nginx: tuple[str, str]) -> str:
    """Give the address of the portal."""
    return nginx[0]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(address: str) -> bool:
    try:
        return requests.get(f"{address}/healthz", timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


def test_metrics_are_scraped_on_a_port_of_their_own(nginx: tuple[str, str]) -> None:
    portal, monitoring = nginx
    found = requests.get(f"{monitoring}/metrics", timeout=5)
    assert (found.status_code, found.text) == (200, "perinatal_editions 1.0\n")
    assert found.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert requests.get(f"{monitoring}/healthz", timeout=5).text == "ok\n"
    for path in ("/", "/portal/index.html", "/archive/", "/metrics.prom"):
        assert requests.get(f"{monitoring}{path}", timeout=5).status_code == 404, path
    for path in ("/metrics", "/metrics.prom"):
        assert requests.get(f"{portal}{path}", timeout=5).status_code == 404, path


def test_the_web_server_sends_what_the_small_one_does(behind_nginx: str) -> None:
    found = requests.get(f"{behind_nginx}/", timeout=5)
    assert (found.url, found.text) == (f"{behind_nginx}/portal/index.html", "portal/index.html")
    expected = serve.HEADERS | {"Content-Security-Policy": f"{policy.PAGES}; frame-ancestors 'none'"}
    assert {name: found.headers.get(name) for name in expected} == expected
    docs = requests.get(f"{behind_nginx}/quality/data_docs/", timeout=5)
    assert docs.headers["Content-Security-Policy"] == f"{policy.DATA_DOCS}; frame-ancestors 'none'"
    assert requests.get(f"{behind_nginx}/downloads/a.csv", timeout=5).headers["Content-Type"] == (
        "text/csv; charset=utf-8"
    )
    for path, status in (("/restricted/board.duckdb", 404), ("/../state/current", 404), ("/downloads/", 404)):
        assert requests.get(f"{behind_nginx}{path}", timeout=5).status_code in (status, 403), path
    assert requests.post(f"{behind_nginx}/portal/index.html", timeout=5).status_code == 405
