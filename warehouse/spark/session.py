"""One Spark session: on this machine, or on the cluster that `PERINATAL_SPARK_MASTER` names."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING

from perinatal.errors import PerinatalError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# What decides on results is said here, whatever a cluster's own defaults are.
FIXED = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.caseSensitive": "false",
    "spark.sql.parquet.compression.codec": "zstd",
    # many small models: adaptive execution joins what is small and splits what is large
    "spark.sql.adaptive.enabled": "true",
    "spark.sql.shuffle.partitions": "32",
    # a model of many CTEs has a long plan, which says nothing in a log
    "spark.sql.maxPlanStringLength": "10000",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
LOGGING = Path(__file__).with_name("log4j2.properties")  # of the driver: errors are raised, the console is ours


def require() -> None:
    """Raise PerinatalError where this machine lacks what Spark needs."""
    if lack := missing():
        raise PerinatalError(lack)


def missing() -> str | None:
    """Return what Spark needs and this machine lacks, with the remedy, or None."""
    for module in ("pyspark", "sqlglot"):
        if not find_spec(module):
            return f"Spark needs the extra `spark` ({module} is missing): run `make env-spark`"
    if not which("java") and not os.environ.get("JAVA_HOME"):
        return "Spark needs Java 17: install openjdk-17-jre-headless, or set JAVA_HOME"
    return None


@contextmanager
def session(master: str, memory: str, events: Path) -> Iterator[SparkSession]:
    """Open a session and stop it in the end; Spark's event log goes into the folder `events`.

    `memory` is that of the driver and of each executor, as 2g. Raises PerinatalError where Spark or Java is missing.
    """
    require()
    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas")  # which is not used here
    from pyspark.logger import PySparkLogger
    from pyspark.sql import SparkSession

    from warehouse.spark.functions import register

    is_local = master.startswith("local")
    events.mkdir(parents=True, exist_ok=True)
    options = {
        **FIXED,
        "spark.driver.memory": memory,
        "spark.executor.memory": memory,
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": events.absolute().as_uri(),
        "spark.eventLog.rolling.enabled": "false",
        "spark.eventLog.compress": "false",
        # spark-submit takes this as a command line: the address escapes blanks and quotes
        "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile={LOGGING.as_uri()}",
        # alone on this machine it listens to nobody else; executors of a cluster must reach the driver
        **({"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"} if is_local else {}),
    }
    os.environ["PYSPARK_PYTHON"] = sys.executable  # of executors too: gamma_quantile needs scipy there
    builder = SparkSession.builder.master(master).appName("perinatal")
    for name, value in options.items():
        builder = builder.config(name, value)
    PySparkLogger.getLogger("SQLQueryContextLogger").setLevel("CRITICAL")  # it prints what is raised
    spark = builder.getOrCreate()
    try:
        register(spark)
        yield spark
    finally:
        spark.stop()
