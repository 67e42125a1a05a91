# Tradewinds: the verbs in the order of the data. `make` alone prints this list.
# Every verb that works on a day takes RUN_DATE=YYYY-MM-DD; without it the day is today (UTC).

PYTHON ?= python3
BIN := .venv/bin
# The locks are whole, so nothing is left to resolve; a module is compiled when it is first imported, and most never are.
INSTALL := install --quiet --disable-pip-version-check --no-deps --no-compile
DAY := $(if $(RUN_DATE),--run-date $(RUN_DATE))
HOME_FOLDER := $(or $(TRADEWINDS_HOME),data)
BASE ?= origin/main
STATE ?= $(HOME_FOLDER)/slim_ci_state
STATE_DATE := $(or $(RUN_DATE),2021-01-01)

.DEFAULT_GOAL := help
.PHONY: help setup run extract load build check publish boards docs serve picture test test-unit test-integration test-e2e prove test-clock test-clients test-deploy test-bi test-superset test-browser test-airflow airflow bi-tools superset bench lint format slim-ci-state slim-ci clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' Makefile

setup: .venv/ready ## make .venv with everything that is pinned

.venv/ready: requirements.lock requirements-boards.lock pyproject.toml
	$(PYTHON) -m venv .venv
	mkdir -p $(HOME_FOLDER)/warehouse
	$(BIN)/pip $(INSTALL) --requirement requirements.lock --requirement requirements-boards.lock
	$(BIN)/pip $(INSTALL) --no-build-isolation --editable .
	@touch $@

run: setup ## do a whole day: extract, load, check, build, check, publish, and print the answer's first rows; then docs
	@$(BIN)/tradewinds run $(DAY)
	@$(BIN)/tradewinds docs

extract: setup ## read the sources into landing
	@$(BIN)/tradewinds extract $(DAY)

load: setup ## take the landed day into the warehouse
	@$(BIN)/tradewinds load $(DAY)

build: setup ## run dbt for the loaded day
	@$(BIN)/tradewinds build $(DAY)

check: setup ## hold the built marts against the suites of expectations
	@$(BIN)/tradewinds check $(DAY)

publish: setup ## write the exports and put the marts before readers
	@$(BIN)/tradewinds publish $(DAY)

boards: setup ## draw the boards from what is published
	@$(BIN)/tradewinds boards

docs: setup ## write the site: boards, dbt's documentation, column lineage, run history, and the page before them
	@$(BIN)/tradewinds docs

serve: setup ## show the site on this machine until Ctrl-C
	@$(BIN)/tradewinds serve

picture: ## take README's picture, docs/site.png, of the site that `make docs` wrote; it needs Chromium
	@test -f $(HOME_FOLDER)/reports/boards/sales.html || { echo "there is no site yet: make run" >&2; exit 3; }
	@chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1280,1000 \
		--virtual-time-budget=5000 --screenshot=docs/site.png "file://$(abspath $(HOME_FOLDER))/reports/boards/sales.html"

.venv-airflow/ready: deploy/airflow/requirements.lock
	$(PYTHON) -m venv .venv-airflow
	.venv-airflow/bin/pip $(INSTALL) --requirement deploy/airflow/requirements.lock
	@touch $@

airflow: setup .venv-airflow/ready ## run the pipelines of deploy/airflow by Airflow, at http://127.0.0.1:8080, until it is stopped
	@deploy/airflow/start

test: setup ## run every test that pip alone can bring
	@$(BIN)/pytest -n auto

test-unit: setup ## only the tests that need neither a server nor the command
	@$(BIN)/pytest -n auto -m unit

test-integration: setup ## only the tests against a real Postgres
	@$(BIN)/pytest -n auto -m integration

test-e2e: setup ## only the tests that run the tradewinds command
	@$(BIN)/pytest -n auto -m e2e

prove: setup ## the searches and long forms: random orders of days, readers across runs, kills, odd rows, every page, every DAG; takes two hours
	@TRADEWINDS_PERMUTATIONS=20 TRADEWINDS_READER_RUNS=10 TRADEWINDS_KILLS=50 TRADEWINDS_RUN_KILLS=10 \
		TRADEWINDS_EXAMPLES=2000 TRADEWINDS_DATE_EXAMPLES=3000 TRADEWINDS_EVERY_PAGE=1 $(BIN)/pytest -n auto \
		$(addprefix tests/python/test_,history.py readers.py object_storage.py crashes.py people_backup_crashes.py \
		availability.py csv_source.py people_judge.py docs.py)
	@TRADEWINDS_FUZZ_ROWS=1000000 TRADEWINDS_SCHEMA_EXAMPLES=200 $(BIN)/pytest -s \
		tests/python/test_people_fuzz.py tests/python/test_people_schema.py
	@TRADEWINDS_PROVE=1 $(MAKE) --no-print-directory test-browser test-airflow

.venv-clock/ready: .venv/ready
	@$(BIN)/pip $(INSTALL) --upgrade --target .venv-clock libfaketime==3.0.1
	@touch $@

test-clock: .venv-clock/ready ## only the test that shifts the clock; it builds libfaketime, and so needs a C compiler
	@PYTHONPATH=$(CURDIR)/.venv-clock $(BIN)/pytest tests/clock

test-clients: setup ## only the test that older DuckDB clients read what is published; it installs them, each on its own
	@$(BIN)/pytest tests/clients

.venv-deploy/ready: .venv/ready requirements-deploy.lock
	@$(BIN)/pip $(INSTALL) --upgrade --target .venv-deploy --requirement requirements-deploy.lock
	@touch $@

test-deploy: .venv-deploy/ready ## only the tests of images, compose and chart; it installs Helm's library and Kubernetes' schemas
	@PYTHONPATH=$(CURDIR)/.venv-deploy $(BIN)/pytest tests/deploy

test-bi: setup bi-tools ## only the test that every way in of docs/bi works; it installs the tools in .venv-bi
	@$(BIN)/pytest tests/bi

test-superset: setup .venv-superset/ready ## only the test that Superset's numbers are the marts'; it installs Superset in .venv-superset
	@$(BIN)/pytest tests/superset

.venv-browser/ready: .venv/ready
	@$(BIN)/pip $(INSTALL) --upgrade --target .venv-browser playwright==1.65.2
	@touch $@

test-browser: .venv-browser/ready ## only the tests that look at pages in a browser; it installs playwright, and Debian's chromium if that is missing
	@command -v chromium > /dev/null || { apt-get update -qq && apt-get install -y -qq chromium > /dev/null; } \
		|| { echo "chromium is missing, and installing it takes root: apt-get install chromium" >&2; exit 1; }
	@PYTHONPATH=$(CURDIR)/.venv-browser $(BIN)/pytest tests/browser

test-airflow: setup .venv-airflow/ready ## only the tests that run days in a real Airflow; they install it, in an environment of its own
	@$(BIN)/pytest tests/airflow

bi-tools: .venv-bi/ready ## make .venv-bi with the tools of docs/bi: DuckDB, pandas, polars, SQLAlchemy, harlequin

.venv-bi/ready: requirements-bi.lock
	$(PYTHON) -m venv .venv-bi
	.venv-bi/bin/pip $(INSTALL) --requirement requirements-bi.lock
	@touch $@

superset: .venv-superset/ready ## serve Superset on the published marts until Ctrl-C, in an environment of its own
	@.venv-superset/bin/python deploy/superset/marts.py

.venv-superset/ready: deploy/superset/requirements.lock
	$(PYTHON) -m venv .venv-superset
	.venv-superset/bin/pip $(INSTALL) --requirement deploy/superset/requirements.lock
	@touch $@

.venv-bench/ready: requirements-bench.lock
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/pip install --quiet --disable-pip-version-check --no-deps --requirement requirements-bench.lock
	@touch $@

bench: setup .venv-bench/ready ## measure ours, the limits and the peers in turns into benchmarks/RESULTS.md, for hours; SCALE=10000: one size, five minutes
	@$(BIN)/python -m benchmarks.run $(if $(SCALE),--orders $(SCALE) --rounds 1 --days 0 --report $(HOME_FOLDER)/benchmarks) \
		$(if $(BEFORE),--before $(BEFORE))

lint: setup ## check the style of Python and SQL
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@mkdir -p target/lint/warehouse
	@TRADEWINDS_HOME=target/lint $(BIN)/sqlfluff lint --disable-progress-bar models tests/data

format: setup ## mend what the linters can mend
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

slim-ci-state: setup ## build the marts of BASE=<commit> from sample data into STATE=<folder>, to hold a change against
	@$(BIN)/python -m pipeline.slim_ci state --state $(STATE) --base $(BASE) --run-date $(STATE_DATE)

slim-ci: slim-ci-state ## build only what differs from BASE, and write what that does to the marts into reports/changes.md
	@$(BIN)/python -m pipeline.slim_ci compare --state $(STATE)

clean: ## remove caches and build leftovers; data and .venv stay
	rm -rf target logs build *.egg-info .pytest_cache .ruff_cache .hypothesis
	find ingestion people_api pipeline tests -name __pycache__ -type d -prune -exec rm -rf {} +
