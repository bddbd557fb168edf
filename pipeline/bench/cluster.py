"""A standalone Spark cluster on this machine: a master and workers of one core, each a process, on loopback."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from perinatal.errors import PerinatalError

HOST = "127.0.0.1"
SECONDS = 300  # that a master and its workers may take to start, on a machine that is busy


@dataclass(frozen=True)
class Cluster:
    """A running cluster: the address for PERINATAL_SPARK_MASTER, and its processes."""

    address: str
    master: psutil.Process
    workers: tuple[psutil.Process, ...]

    @property
    def processes(self) -> tuple[psutil.Process, ...]:
        """Return master and workers; executors are children of workers."""
        return (self.master, *self.workers)

    @property
    def environment(self) -> dict[str, str]:
        """Return the settings of a build on it."""
        return {"PERINATAL_ENGINE": "spark", "PERINATAL_SPARK_MASTER": self.address, "SPARK_LOCAL_IP": HOST}

    def executors(self) -> list[psutil.Process]:
        """Return the processes that the workers have started to run tasks."""
        return [
            child
            for worker in self.workers
            for child in worker.children(recursive=True)
            if "CoarseGrainedExecutorBackend" in " ".join(child.cmdline())
        ]


@contextmanager
def started(folder: Path, workers: int = 2, memory: str = "2g") -> Iterator[Cluster]:
    """Start a master and its workers, and end them afterwards; their logs and work are in `folder`.

    Raises PerinatalError where the workers do not register in time.
    """
    import pyspark

    home = Path(pyspark.__file__).parent
    environment = {**os.environ, "SPARK_LOCAL_IP": HOST, "SPARK_HOME": str(home)}
    folder.mkdir(parents=True, exist_ok=True)

    with ExitStack() as running:

        def run(name: str, kind: str, *arguments: str) -> psutil.Process:
            out = running.enter_context((folder / f"{name}.log").open("wb"))
            command = [str(home / "bin" / "spark-class"), f"org.apache.spark.deploy.{kind.lower()}.{kind}"]
            process = subprocess.Popen(
                [*command, "--host", HOST, *arguments], env=environment, stdout=out, stderr=subprocess.STDOUT
            )
            running.callback(process.wait, SECONDS)
            running.callback(process.terminate)
            return psutil.Process(process.pid)

        address = f"spark://{HOST}:{(port := _free_port())}"
        master = run("master", "Master", "--port", str(port), "--webui-port", "0")
        own = ("--webui-port", "0", "--cores", "1", "--memory", memory)
        started_ = tuple(
            run(f"worker{number}", "Worker", *own, "--work-dir", str(folder / f"work{number}"), address)
            for number in range(workers)
        )
        _wait(folder / "master.log", workers)
        yield Cluster(address, master, started_)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind((HOST, 0))
        return int(free.getsockname()[1])


def _wait(log: Path, workers: int) -> None:
    end = time.monotonic() + SECONDS
    while log.read_text(encoding="utf-8", errors="replace").count("Registering worker") < workers:
        if time.monotonic() > end:
            raise PerinatalError(f"Spark: fewer than {workers} workers came up in {SECONDS} s; the log: {log}")
        time.sleep(0.2)
