#!/bin/sh
# Runs once before the other parts start: database, pools, state folder, inbox folders; old runs leave the database.
# Harmless to repeat, also while the service runs: `docker compose run --rm init` once a week.
set -eu
airflow db migrate
pools="$(mktemp --suffix .json)"
python -m pipeline.service > "$pools"
airflow pools import "$pools"
rm "$pools"
clean="$(python -m pipeline.service clean)" # an assignment: a failure in it ends this script
# shellcheck disable=SC2086  # one word each
airflow $clean
python -m pipeline.service state
