#!/bin/sh
# Airflow's simple auth manager wants its passwords in a file that it can write; the secret comes by environment.
set -eu
if [ -n "${AIRFLOW_ADMIN_PASSWORD:-}" ]; then
    umask 077
    python -c 'import json, os; print(json.dumps({"admin": os.environ["AIRFLOW_ADMIN_PASSWORD"]}))' \
        > "$AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"
    umask 022
    unset AIRFLOW_ADMIN_PASSWORD
fi
if [ -n "${PERINATAL_LINEAGE_URL:-}" ]; then
    eval "$(python -m pipeline.service lineage)"
fi
exec "$@"
