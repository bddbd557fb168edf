#!/bin/sh
# Runs once before the other parts start: database, pools, inbox folders. Harmless to repeat.
set -eu
airflow db migrate
pools="$(mktemp --suffix .json)"
python -m pipeline.service > "$pools"
airflow pools import "$pools"
rm "$pools"
python -m pipeline.service inbox
