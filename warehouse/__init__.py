"""From landed releases to a candidate edition: dbt on DuckDB, and the statistics on a CSV."""
