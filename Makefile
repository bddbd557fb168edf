# Two commands set everything up: `make refresh` and `make test`. `make help` lists the rest.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.ready

# Nothing here may phone home.
export DO_NOT_TRACK := 1
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export GX_ANALYTICS_ENABLED := false

.DEFAULT_GOAL := help
.PHONY: help env env-spark refresh test test-quick test-all test-e2e test-image test-spark bench bench-check check format lock clean

help:  ## Show this list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(STAMP): requirements.lock requirements-bootstrap.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; set PYTHON=/path/to/python3.11" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the locked environment into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bootstrap.lock
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock requirements-bootstrap.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-build-isolation --no-deps --editable .
	@touch $@

env: $(STAMP)  ## Make the environment in .venv from the hash-pinned lock

env-spark: env  ## Add pyspark and sqlglot for `perinatal build --engine spark`; Java 17 is of the system
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-spark.lock

refresh: env  ## Fetch and build the bundled synthetic sample; print the national picture
	@$(BIN)/perinatal refresh --sample

test-quick: env  ## Run the unit tests alone
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow and not e2e and not bench and not image and not spark" tests/unit

test: env  ## Run the unit tests and the quick acceptance and fault tests: no whole builds, no services
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow and not e2e and not bench and not image and not spark"

test-all: env  ## Run all tests but those of services (real releases, kills, whole builds)
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "not e2e and not bench and not image and not spark"

test-e2e: env  ## Run the tests that start real services (Airflow, a browser)
	@$(BIN)/python -m pytest -m e2e

test-spark: env-spark  ## Run the tests of the Spark engine: rules, models, a cluster of two workers (needs Java 17)
	@$(BIN)/python -m pytest -m spark

test-image: env  ## Build the image and try the whole team server in containers (needs Docker, or root on a Debian)
	@$(BIN)/python -m pytest -rs -s -m image tests/image

bench: env  ## Measure everything, write docs/bench.json and the table of docs/scale.md (half an hour and more)
	@$(BIN)/perinatal bench --write

bench-check: env  ## Measure the quick part; fail if a ratio is worse than docs/bench.json by more than its margin
	@$(BIN)/perinatal bench --quick --check

check: env  ## Lint, types, SQL format, dbt parse
	@$(BIN)/ruff format --check --quiet . && $(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/sqlfmt --quiet --check dbt_project
	@$(BIN)/python -m warehouse.dbt parse

format: env  ## Format Python and SQL
	@$(BIN)/ruff format --quiet . && $(BIN)/ruff check --quiet --fix . ; $(BIN)/sqlfmt --quiet dbt_project

lock: env  ## Renew requirements.lock from pyproject.toml (records hashes, no download addresses)
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header \
	  --no-annotate --no-emit-index-url --extra team --extra bench --extra dev pyproject.toml -o requirements.lock
	@$(BIN)/python -c 'import tomllib; \
	  print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["spark"], sep="\n")' | \
	  $(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header --no-annotate \
	  --no-emit-index-url --constraint requirements.lock - -o requirements-spark.lock

clean:  ## Remove the caches of tools and dbt; the state folder (var/) stays
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis dbt_project/target dbt_project/logs
