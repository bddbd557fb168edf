"""The statistics of docs/methods.md on a CSV file, by the SQL macros that the marts use.

The formulas are in ``dbt_project/macros/*.sql`` alone. A file is read and checked here, the macros are rendered by
plain Jinja and run by DuckDB in memory, and the result is written as CSV. docs/stats-command.md lists the columns that
each kind needs and adds. Only the limits of the slope index of inequality are simulated, by numpy (`simulation`).
"""

from warehouse.statistics.command import KINDS, Table, main, run
from warehouse.statistics.macros import render

__all__ = ["KINDS", "Table", "main", "render", "run"]
