"""A Docker engine with compose: the one that is here, or one made of Debian packages, which leaves with the test.

An engine of our own leaves this machine's firewall alone: containers reach each other, published ports answer on
loopback, and there is no way out. Its builds use the machine's network.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

# the newest that run on this release's C library, and what must be its own
NEWER = ("docker.io", "docker-cli", "docker-compose", "docker-buildx", "containerd")
NEWER_RELEASE = "trixie"
OWN = ("runc", "tini", "iptables", "mmdebstrap", "libseccomp2", "libip4tc2", "libip6tc2", "libxtables12")
OWN += ("libnetfilter-conntrack3", "libnfnetlink0", "libnftnl11", "libmnl0")
SOURCES = "Types: deb\nURIs: {mirror}\nSuites: {release}\nComponents: main\nSigned-By: {keyring}\n"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


@dataclass
class Engine:
    """An engine that answers: how to call it, and, where it is our own, where its parts and packages are."""

    environment: dict[str, str]
    folder: Path | None = None
    mirror: str = ""
    build_options: list[str] = field(default_factory=list)

    def run(self, *command: str, seconds: float = 600, check: bool = True) -> str:
        """Run `docker …`; returns what it prints. Fails with what it says."""
        done = subprocess.run(
            ["docker", *command], env=self.environment, capture_output=True, text=True, timeout=seconds, check=False
        )
        assert not check or not done.returncode, f"docker {' '.join(command)}:\n{(done.stdout + done.stderr)[-4000:]}"
        return done.stdout

    def has_image(self, name: str) -> bool:
        """Tell whether an image of this name is here, or can be had from its registry."""
        if self.run("image", "ls", "--quiet", name).strip():
            return True
        self.run("pull", "--quiet", name, check=False)
        return bool(self.run("image", "ls", "--quiet", name).strip())


@contextmanager
def engine(folder: Path) -> Iterator[Engine]:
    """Yield the engine that is here, or one made in `folder`; skips, saying why, where neither can be."""
    if _answers(os.environ):
        yield Engine({**os.environ, "DOCKER_BUILDKIT": "1"})
        return
    made = _unpacked(folder)
    process = _started(made, folder)
    try:
        yield made
    finally:
        process.terminate()
        process.wait(60)


def _answers(environment: os._Environ[str] | dict[str, str]) -> bool:
    """Tell whether an engine answers, with the plugins that the test needs."""
    if not shutil.which("docker", path=environment.get("PATH")):
        return False
    asked = (["info"], ["compose", "version"], ["buildx", "version"])
    calls = (["docker", *words] for words in asked)
    return not any(subprocess.run(c, env=environment, capture_output=True, check=False).returncode for c in calls)


def _unpacked(folder: Path) -> Engine:
    """Unpack an engine's Debian packages into a folder: nothing is installed."""
    release = platform.freedesktop_os_release() if Path("/etc/os-release").exists() else {}
    if os.getuid() != 0 or release.get("ID") != "debian" or not shutil.which("apt-get"):
        pytest.skip("no Docker engine with compose and buildx answers here, and not root on a Debian to make one")
    mirror, root = _mirror(release["VERSION_CODENAME"]), folder / "engine"
    if not root.exists():
        packages = _downloaded(folder / "apt", mirror, release["VERSION_CODENAME"])
        for package in packages:
            subprocess.run(["dpkg", "-x", package, folder / "unpacking"], check=True, capture_output=True)
        for name in ("iptables", "ip6tables"):
            (folder / "unpacking" / "usr" / "sbin" / name).symlink_to("xtables-nft-multi")
        (folder / "unpacking").rename(root)
    plugins = folder / "docker" / "cli-plugins"
    if not plugins.exists():
        plugins.parent.mkdir(exist_ok=True)
        plugins.symlink_to(root / "usr" / "libexec" / "docker" / "cli-plugins")
    libraries = root / "usr" / "lib" / f"{platform.machine()}-linux-gnu"
    environment = {
        **os.environ,
        "PATH": f"{root / 'usr' / 'sbin'}:{root / 'usr' / 'bin'}:{os.environ['PATH']}",
        "LD_LIBRARY_PATH": str(libraries),
        "XTABLES_LIBDIR": str(libraries / "xtables"),
        "DOCKER_HOST": f"unix://{folder / 'docker.sock'}",
        "DOCKER_CONFIG": str(plugins.parent),
        "DOCKER_BUILDKIT": "1",
    }
    return Engine(environment, root, mirror, ["--network", "host"])


def _mirror(release: str) -> str:
    """Return the Debian mirror that this machine uses."""
    asked = ["apt-get", "indextargets", "--format", "$(CODENAME) $(COMPONENT) $(REPO_URI)", "Created-By: Packages"]
    lines = [
        line.split() for line in subprocess.run(asked, capture_output=True, text=True, check=False).stdout.splitlines()
    ]
    found = [words[2] for words in lines if words[:2] == [release, "main"]]
    if not found or not KEYRING.exists():
        pytest.skip("no Docker engine answers here, and apt names no Debian mirror to make one from")
    return found[0]


def _downloaded(folder: Path, mirror: str, release: str) -> list[Path]:
    """Download the packages with a state of apt's own; returns them."""
    for part in ("sources", "lists/partial", "cache/archives/partial", "packages"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / "status").touch()
    for name in (release, NEWER_RELEASE):
        text = SOURCES.format(mirror=mirror, release=name, keyring=KEYRING)
        (folder / "sources" / f"{name}.sources").write_text(text)
    places = {"Etc::sourcelist": "/dev/null", "Etc::sourceparts": folder / "sources", "State::lists": folder / "lists"}
    places |= {"State::status": folder / "status", "Cache": folder / "cache"}
    settings = [f'Dir::{name} "{place}";' for name, place in places.items()]
    (folder / "apt.conf").write_text("\n".join([*settings, 'APT::Sandbox::User "root";']))
    wanted = [f"{name}/{NEWER_RELEASE}" for name in NEWER] + [f"{name}/{release}" for name in OWN]
    for command in (["update"], ["download", *wanted]):
        done = subprocess.run(
            ["apt-get", "--quiet", *command],
            env={**os.environ, "APT_CONFIG": str(folder / "apt.conf")},
            cwd=folder / "packages",
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            pytest.skip(f"no Docker engine answers here, and apt-get {command[0]}: {done.stderr.strip()[-200:]}")
    return sorted((folder / "packages").glob("*.deb"))


def _started(made: Engine, folder: Path) -> subprocess.Popen[bytes]:
    """Start the engine and wait until it answers."""
    if made.folder is None:
        raise ValueError("this engine is not our own")
    places = {"--data-root": "data", "--exec-root": "exec", "--pidfile": "dockerd.pid"}
    options = [word for name, place in places.items() for word in (name, str(folder / place))]
    options += ["--host", made.environment["DOCKER_HOST"], "--group", "root", "--bridge", "none"]
    options += ["--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false"]
    options += ["--userland-proxy-path", str(made.folder / "usr" / "sbin" / "docker-proxy")]
    options += ["--init-path", str(made.folder / "usr" / "bin" / "tini-static")]
    with (folder / "dockerd.log").open("ab") as log:
        process = subprocess.Popen(["dockerd", *options], env=made.environment, stdout=log, stderr=log)
    until = time.monotonic() + 60
    while not _answers(made.environment):
        if process.poll() is not None or time.monotonic() > until:
            process.kill()
            said = (folder / "dockerd.log").read_text(errors="replace").strip().splitlines()[-1:]
            pytest.skip(f"no Docker engine answers here, and one of our own does not start: {said}")
        time.sleep(0.5)
    return process
