"""Run an Airflow command with what tasks need already imported: `python -m pipeline.preload scheduler …`.

The local executor forks its tasks from the scheduler. Importing Great Expectations takes longer than judging a
release with it; so it is imported here once, and every task has it from its first moment. Only imports: no connection,
pool or thread of ours may exist before a fork.
"""

from __future__ import annotations

import logging
import os
from importlib import import_module

NEEDED = (
    "airflow.dag_processing.bundles.manager",
    "airflow.sdk.execution_time.task_runner",
    "great_expectations",
    "pandas",
)


def main() -> None:
    """Import, then let Airflow read the command line."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    logging.getLogger("great_expectations").setLevel(logging.ERROR)  # its import logs pages
    for name in NEEDED:
        import_module(name)
    import_module("airflow.__main__").main()


if __name__ == "__main__":
    main()
