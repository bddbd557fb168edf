"""Airflow wiring: assets, schedules, retries, notifiers; each task one call."""
