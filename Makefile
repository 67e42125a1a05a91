# Tradewinds: the targets in the order of the data flow. `make` lists them.
# Every target that processes a day takes RUN_DATE=YYYY-MM-DD; the default is today (UTC).

PYTHON ?= python3
BIN := .venv/bin
# The locks are complete, so pip resolves nothing. Compiling on all cores afterwards is faster than pip's own compiling,
# and needed: if PYTHONDONTWRITEBYTECODE is set, every command would compile everything that it imports.
INSTALL := install --quiet --disable-pip-version-check --no-deps --no-compile
COMPILE := python -m compileall -qq -j 0
DAY := $(if $(RUN_DATE),--run-date $(RUN_DATE))
PACKAGES := $(wildcard ingestion people_api pipeline)
HOME_FOLDER := $(or $(TRADEWINDS_HOME),data)

.DEFAULT_GOAL := help
.PHONY: help setup run extract load build check publish boards docs serve test lint format clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/ready ## create .venv with all pinned packages

LOCKS := requirements.lock requirements-dev.lock requirements-boards.lock
.venv/ready: $(LOCKS) pyproject.toml
	@echo "Installing into .venv: one to two minutes, 1.5 GB of disk."
	@$(PYTHON) -m venv .venv
	@mkdir -p -m 700 $(HOME_FOLDER)/warehouse
	@echo "  1/2 the packages of $(LOCKS)"
	@$(BIN)/pip $(INSTALL) $(LOCKS:%=--requirement %)
	@$(BIN)/pip $(INSTALL) --no-build-isolation --editable .
	@echo "  2/2 compiling them, so that every command starts fast"
	@$(BIN)/$(COMPILE) .venv/lib $(PACKAGES)
	@touch $@

run: setup ## run a whole day, print the first rows of its answer and write the site
	@$(BIN)/tradewinds run $(DAY)
	@$(BIN)/tradewinds docs

extract: setup ## read the sources into landing
	@$(BIN)/tradewinds extract $(DAY)

load: setup ## load the landed day into the warehouse
	@$(BIN)/tradewinds load $(DAY)

build: setup ## run dbt for the loaded day
	@$(BIN)/tradewinds build $(DAY)

check: setup ## validate the built marts against the expectations
	@$(BIN)/tradewinds check $(DAY)

publish: setup ## write the exports and publish the marts
	@$(BIN)/tradewinds publish $(DAY)

boards: setup ## draw the boards from the published marts
	@$(BIN)/tradewinds boards

docs: setup ## write the site: boards, data dictionary, dbt's documentation, column lineage, run history and an index
	@$(BIN)/tradewinds docs

serve: setup ## serve the site on this machine until Ctrl-C
	@$(BIN)/tradewinds serve

test: setup ## run every test that needs only pip packages
	@$(BIN)/pytest -n auto

lint: setup ## check style, types, and the rules for models
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy $(PACKAGES) $(wildcard benchmarks)
	@mkdir -p target/lint/warehouse
	@TRADEWINDS_HOME=target/lint $(BIN)/sqlfluff lint --disable-progress-bar models tests/data
	@TRADEWINDS_HOME=target/lint $(BIN)/dbt --quiet --log-path target/lint parse --target-path target/lint/dbt
	@$(BIN)/dbt-bouncer run
	@$(BIN)/dbt-score lint --manifest target/lint/dbt/manifest.json --show failing-items

format: setup ## fix what the linters can fix
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

clean: ## remove caches and build files, but keep data and .venv
	rm -rf target logs build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find $(PACKAGES) tests -name __pycache__ -type d -prune -exec rm -rf {} +

# Targets for developing Tradewinds itself; projects created by `tradewinds init` don't have them.
-include development.mk
