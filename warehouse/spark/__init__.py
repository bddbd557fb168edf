"""The same models on Apache Spark: what dbt compiles for DuckDB, turned into Spark's SQL and run in dbt's order."""
