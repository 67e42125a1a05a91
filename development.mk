# The targets for developing Tradewinds itself: the screenshot, more tests, tools, benchmarks. Makefile includes this file.

BASE ?= origin/main
STATE ?= $(HOME_FOLDER)/slim_ci_state
STATE_DATE := $(or $(RUN_DATE),2021-01-01)

.PHONY: picture risks lock test-unit test-integration test-e2e prove faults test-clock test-clients test-deploy test-bi test-contracts test-lakehouse spark-setup spark test-spark test-superset test-browser test-airflow airflow bi-tools superset bench slim-ci-state slim-ci

picture: ## take README's screenshot of the current site, docs/site.png; needs Chromium
	@test -f $(HOME_FOLDER)/reports/boards/sales.html || { echo "there is no site yet: make run" >&2; exit 3; }
	@chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1280,1000 \
		--virtual-time-budget=5000 --screenshot=docs/site.png "file://$(abspath $(HOME_FOLDER))/reports/boards/sales.html"

risks: setup ## write docs/risks.md from the suites in tests/expectations
	@$(BIN)/python -m pipeline.checks.risks

.venv-lock/ready:
	@$(PYTHON) -m venv .venv-lock
	@.venv-lock/bin/pip $(INSTALL) uv==0.13.9
	@touch $@

COMPILE_LOCK := .venv-lock/bin/uv pip compile --quiet --generate-hashes --no-header --no-annotate
RESOLVE_LOCK := $(COMPILE_LOCK) --universal --python-version 3.11 $(if $(UPGRADE),--upgrade) pyproject.toml
OTHER_LOCKS := $(filter-out requirements.lock requirements-dev.lock requirements-spark.lock,$(wildcard *.lock deploy/*.lock deploy/*/*.lock))

# A package of requirements.lock isn't pinned again in requirements-dev.lock and requirements-spark.lock. The other locks have no requirements to resolve:
# they get the hashes of the versions that they pin.
lock: .venv-lock/ready ## pin the requirements of pyproject.toml with their hashes; UPGRADE=1 takes the newest versions
	@$(RESOLVE_LOCK) --output-file requirements.lock
	@for extra in dev spark; do $(RESOLVE_LOCK) --extra $$extra --constraint requirements.lock \
		$$(sed -n 's/==.*//p' requirements.lock | sed 's/^/--no-emit-package /') --output-file requirements-$$extra.lock || exit 1; done
	@for lock in $(OTHER_LOCKS); do { grep '^#' $$lock; $(COMPILE_LOCK) --no-deps $$lock; } > $$lock.new && mv $$lock.new $$lock || exit 1; done

.venv-airflow/ready: deploy/airflow/requirements.lock
	$(PYTHON) -m venv .venv-airflow
	.venv-airflow/bin/pip $(INSTALL) --requirement deploy/airflow/requirements.lock
	.venv-airflow/bin/$(COMPILE) .venv-airflow/lib
	@touch $@

airflow: setup .venv-airflow/ready ## run the pipelines of deploy/airflow in Airflow, at http://127.0.0.1:8080, until Ctrl-C
	@deploy/airflow/start

test-unit: setup ## run only the tests without a server or the command
	@$(BIN)/pytest -n auto -m unit

test-integration: setup ## run only the tests against a real Postgres
	@$(BIN)/pytest -n auto -m integration

test-e2e: setup ## run only the tests of the tradewinds command
	@$(BIN)/pytest -n auto -m e2e

prove: setup ## run the long tests: random orders of days, concurrent readers, kills, odd rows, every page, every sequence of commands, every DAG; takes two hours
	@TRADEWINDS_PERMUTATIONS=20 TRADEWINDS_READER_RUNS=10 TRADEWINDS_KILLS=50 \
		TRADEWINDS_EXAMPLES=2000 TRADEWINDS_DATE_EXAMPLES=3000 TRADEWINDS_EVERY_PAGE=1 TRADEWINDS_WALKS=1 $(BIN)/pytest -n auto -o faulthandler_timeout=0 \
		$(foreach name,history any_order readers object_storage people_backup_crashes availability csv_source people_judge docs walks,\
		$(wildcard tests/python/*/test_$(name).py))
	@TRADEWINDS_FUZZ_ROWS=1000000 TRADEWINDS_SCHEMA_EXAMPLES=200 $(BIN)/pytest -s -o faulthandler_timeout=0 \
		tests/python/people_api/test_people_fuzz.py tests/python/people_api/test_people_schema.py
	@TRADEWINDS_PROVE=1 $(MAKE) --no-print-directory test-browser test-airflow
	@$(MAKE) --no-print-directory faults
	@TRADEWINDS_FAULTS=all $(MAKE) --no-print-directory test-clock

faults: setup .venv-spark/ready ## inject every fault of docs/reliability.md as often as it says, and print the table of what was lost
	@TRADEWINDS_FAULTS=all $(BIN)/pytest -n 2 --dist worksteal -o faulthandler_timeout=0 tests/faults

.venv-clock/ready: .venv/ready
	@$(BIN)/pip $(INSTALL) --upgrade --target .venv-clock libfaketime==3.0.1
	@touch $@

test-clock: .venv-clock/ready ## run only the test that shifts the clock; needs a C compiler for libfaketime
	@PYTHONPATH=$(CURDIR)/.venv-clock $(BIN)/pytest tests/clock

test-clients: setup ## run only the test that older DuckDB clients can read the published file; installs them separately
	@$(BIN)/pytest tests/clients

.venv-deploy/ready: .venv/ready requirements-deploy.lock
	@$(BIN)/pip $(INSTALL) --upgrade --target .venv-deploy --requirement requirements-deploy.lock
	@touch $@

test-deploy: .venv-deploy/ready ## run only the tests of images, Compose and chart; installs Helm's library and Kubernetes' schemas
	@PYTHONPATH=$(CURDIR)/.venv-deploy $(BIN)/pytest tests/deploy

test-bi: setup bi-tools ## run only the tests of the connections in docs/bi; installs the tools in .venv-bi
	@$(BIN)/pytest tests/bi

# Iceberg's jar for Spark, and the plugin for dbt.
.venv-spark/ready: requirements.lock requirements-spark.lock pyproject.toml
	@echo "Installing Spark into .venv-spark: one to two minutes, 2 GB of disk."
	@$(PYTHON) -m venv .venv-spark
	@.venv-spark/bin/pip $(INSTALL) --requirement requirements.lock --requirement requirements-spark.lock
	@.venv-spark/bin/pip $(INSTALL) --no-build-isolation --editable .
	@cd .venv-spark/lib/python*/site-packages && ln -sf "$$PWD"/snowpark_connect_deps_iceberg/jars/iceberg-spark-runtime-3.5_2.12-*.jar pyspark/jars/ \
		&& ln -sf $(CURDIR)/deploy/spark/dbt_spark_ansi.py .
	@.venv-spark/bin/$(COMPILE) .venv-spark/lib $(PACKAGES)
	@touch $@

spark-setup: .venv-spark/ready ## create .venv-spark, whose tradewinds and dbt have the target spark

spark: .venv-spark/ready ## run a Spark cluster on this machine until Ctrl-C, a master and two workers
	@.venv-spark/bin/python deploy/spark/cluster.py

test-spark: setup .venv-spark/ready ## run only the tests of the target spark, on a cluster of two workers
	@$(BIN)/pytest tests/spark

test-lakehouse: setup .venv-spark/ready ## run only the test that Spark reads a published version; installs Spark and Java in .venv-spark
	@$(BIN)/pytest tests/lakehouse

.venv-contracts/ready: requirements-contracts.lock
	$(PYTHON) -m venv .venv-contracts
	.venv-contracts/bin/pip $(INSTALL) --requirement requirements-contracts.lock
	.venv-contracts/bin/$(COMPILE) .venv-contracts/lib
	@touch $@

test-contracts: setup .venv-contracts/ready ## run only the test that published marts keep their contracts; installs datacontract-cli in .venv-contracts
	@$(BIN)/pytest tests/contracts

test-superset: setup .venv-superset/ready ## run only the test that Superset's numbers equal the marts'; installs Superset in .venv-superset
	@$(BIN)/pytest tests/superset

.venv-browser/ready: .venv/ready requirements-browser.lock
	@$(BIN)/pip $(INSTALL) --upgrade --target .venv-browser --requirement requirements-browser.lock
	@touch $@

test-browser: .venv-browser/ready ## run only the tests of pages in a browser; installs Playwright, and Debian's Chromium if it is missing
	@command -v chromium > /dev/null || { apt-get update -qq && apt-get install -y -qq chromium > /dev/null; } \
		|| { echo "chromium is missing, and installing it takes root: apt-get install chromium" >&2; exit 1; }
	@PYTHONPATH=$(CURDIR)/.venv-browser $(BIN)/pytest tests/browser

test-airflow: setup .venv-airflow/ready ## run only the tests that run days in a real Airflow; installs it in .venv-airflow
	@$(BIN)/pytest tests/airflow

bi-tools: .venv-bi/ready ## create .venv-bi with the tools of docs/bi: DuckDB, pandas, polars, SQLAlchemy, harlequin

.venv-bi/ready: requirements-bi.lock
	$(PYTHON) -m venv .venv-bi
	.venv-bi/bin/pip $(INSTALL) --requirement requirements-bi.lock
	.venv-bi/bin/$(COMPILE) .venv-bi/lib
	@touch $@

superset: .venv-superset/ready ## serve Superset on the published marts until Ctrl-C; installs it in .venv-superset
	@.venv-superset/bin/python deploy/superset/marts.py

.venv-superset/ready: deploy/superset/requirements.lock
	$(PYTHON) -m venv .venv-superset
	.venv-superset/bin/pip $(INSTALL) --requirement deploy/superset/requirements.lock
	.venv-superset/bin/$(COMPILE) .venv-superset/lib
	@touch $@

.venv-bench/ready: requirements-bench.lock
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/pip $(INSTALL) --requirement requirements-bench.lock
	.venv-bench/bin/$(COMPILE) .venv-bench/lib
	@touch $@

bench: setup .venv-bench/ready ## compare Tradewinds with limits and other tools, write benchmarks/RESULTS.md; takes hours, with SCALE=10000 five minutes
	@$(BIN)/python -m benchmarks.run $(if $(SCALE),--orders $(SCALE) --rounds 1 --days 0 --report $(HOME_FOLDER)/benchmarks) \
		$(if $(BEFORE),--before $(BEFORE))

slim-ci-state: setup ## build the marts of BASE=<commit> from sample data into STATE=<folder>, for slim-ci
	@$(BIN)/python -m pipeline.slim_ci state --state $(STATE) --base $(BASE) --run-date $(STATE_DATE)

slim-ci: slim-ci-state ## build only what differs from BASE, and write the differences in the marts to reports/changes.md
	@$(BIN)/python -m pipeline.slim_ci compare --state $(STATE)
