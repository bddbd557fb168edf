"""The roof: one list of steps for the command line and Airflow, the commands, `up`, status, the bench."""
