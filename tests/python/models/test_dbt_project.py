"""Rules for the whole dbt project: documented, keyed, under contract, without a clock, buildable by typing dbt."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
import yaml
from sqlalchemy import Inspector, create_engine, inspect
from sqlalchemy.pool import NullPool

from ingestion.errors import StepFailed
from ingestion.settings import PROJECT
from pipeline.dbt.project import published_marts
from tests.python.built import BuiltHomes
from tests.python.s3_servers import clean_environment
from tests.python.sandbox import Sandbox, forks

DAY, NEXT_DAY, LATER_DAY = "2021-01-01", "2021-01-02", "2021-01-03"
UNIQUENESS = ("unique", "is_unique_combination")
# Parts of a grain that may be NULL.
OPTIONAL_KEYS = {
    ("orders_with_details", "product_id"): "an order without lines has a row, too",
    ("fct_pipeline_steps", "source_name"): "extract alone runs source by source",
}
# Marts whose rows nothing tells apart.
KEYLESS = {
    "rejected_rows": "a source may hold the same bad row twice, and both are kept",
}
REJECTED_ROWS = "model.tradewinds.rejected_rows"
# Who may look at the clock, and what for.
CLOCK_READERS = {
    "pipeline/run/dates.py": "today is the run date when none is given",
    "pipeline/ledger/__init__.py": "the ledger tells when things happened",
    "pipeline/run/lineage.py": "events tell when steps began and ended",
    "pipeline/publishing/journal.py": "latest.json tells when the version came out",
}
SQL_CLOCK = re.compile(
    r"\b(?:current_timestamp|current_date|current_time|current_localtimestamp|get_current_timestamp|localtimestamp"
    r"|localtime|getdate|sysdate|(?:transaction|statement|clock)_timestamp|run_started_at)\b"
    r"|\b(?:now|today)\s*\(|'(?:now|today)'|modules\.datetime\.(?:datetime|date)\.(?:now|utcnow|today)",
    re.IGNORECASE,
)
SQL_COMMENT = re.compile(r"\{#.*?#\}|/\*.*?\*/|--[^\n]*", re.DOTALL)
PYTHON_CLOCK = re.compile(
    r"(?:^|\.)(?:(?:datetime|date)\.(?:now|utcnow|today)|time\.(?:time|time_ns|localtime|gmtime|ctime))$"
)


@dataclass
class Project:
    """What dbt knows of the project, and the text of its files by path."""

    manifest: dict
    files: dict[str, str]

    def nodes(self, *kinds: str) -> list[dict]:
        return [node for node in self.manifest["nodes"].values() if node["resource_type"] in kinds]

    def marts(self) -> list[dict]:
        return [node for node in self.nodes("model") if node["path"].startswith("marts/")]

    def ours(self, kind: str) -> list[dict]:
        things = self.manifest[kind].values()
        return [thing for thing in things if thing["package_name"] == "tradewinds"]

    def tests_of(self, node: dict) -> list[dict]:
        """Return a node's generic tests that see every row and fail the build."""
        return [
            test
            for test in self.nodes("test")
            if test.get("attached_node") == node["unique_id"]
            and test["config"]["enabled"]
            and test["config"]["severity"].lower() == "error"
            and not test["config"]["where"]
        ]


Check = Callable[[Project], Iterator[str]]


def everything_is_described(project: Project) -> Iterator[str]:
    """What dbt-bouncer doesn't ask about: it asks about models and their columns, macros, exposures, sources."""
    things = project.nodes("snapshot", "seed")
    for kind in ("sources", "metrics", "semantic_models", "saved_queries", "unit_tests"):
        things += project.ours(kind)
    for thing in things:
        name = f"{thing['resource_type']} {thing['name']}"
        if not thing["description"].strip():
            yield name
        columns = thing.get("columns")
        parts = list(columns.values()) if isinstance(columns, dict) else []
        for part in parts + thing.get("measures", []):
            if not (part["description"] or "").strip():
                yield f"{name}.{part['name']}"


def keys_of_marts_are_tested(project: Project) -> Iterator[str]:
    for mart in project.marts():
        tests = project.tests_of(mart)
        unique = [_columns_of(test) for test in tests if test["test_metadata"]["name"] in UNIQUENESS]
        if not unique and mart["name"] not in KEYLESS:
            yield f"{mart['name']} has no test of its key"
        declared = _primary_key(mart)
        if unique and declared and declared not in unique:
            yield f"{mart['name']} has no test of {', '.join(sorted(declared))}"
        not_null = {test["column_name"] for test in tests if test["test_metadata"]["name"] == "not_null"}
        not_null |= {name for name, column in mart["columns"].items() if _has_constraint(column, "not_null")}
        for column in set().union(*unique) - not_null:
            if (mart["name"], column) not in OPTIONAL_KEYS:
                yield f"{mart['name']}.{column} may be null"


def _columns_of(test: dict) -> set[str]:
    return set(test["test_metadata"]["kwargs"].get("columns") or [test["column_name"]])


def _primary_key(mart: dict) -> set[str]:
    of_columns = {name for name, column in mart["columns"].items() if _has_constraint(column, "primary_key")}
    of_table = [set(one["columns"]) for one in mart["constraints"] if one["type"] == "primary_key"]
    return of_columns.union(*of_table)


def _has_constraint(column: dict, kind: str) -> bool:
    return any(constraint["type"] == kind for constraint in column["constraints"])


def every_model_has_its_yml_beside_it(project: Project) -> Iterator[str]:
    for model in project.nodes("model"):
        beside = model["original_file_path"].removesuffix(".sql") + ".yml"
        if model["patch_path"] != f"tradewinds://{beside}":
            yield f"{model['name']} is described in {model['patch_path']}"


def a_macro_file_holds_one_macro(project: Project) -> Iterator[str]:
    """Besides it, its own implementations by engine: `default__name`, `postgres__name`."""
    names: dict[str, list[str]] = {}
    for macro in project.ours("macros"):
        names.setdefault(macro["original_file_path"], []).append(macro["name"].removeprefix("test_"))
    for path, found in names.items():
        stem = Path(path).stem
        others = [name for name in found if name != stem and not re.fullmatch(rf"[a-z]+__{stem}", name)]
        if stem not in found or others:
            yield f"{path} holds {', '.join(sorted(found))}"


def _parents(node: dict) -> list[str]:
    return node["depends_on"]["nodes"]


def snapshots_are_of_the_tables_with_a_history(project: Project) -> Iterator[str]:
    """History takes a day when these tables are loaded, and extract asks about those that shrink."""
    nodes = project.manifest["nodes"]
    views = [view for snapshot in project.nodes("snapshot") for view in _parents(snapshot)]
    kept = {name for view in views for name in _parents(nodes[view])}
    described = {table["unique_id"] for table in project.ours("sources") if table["config"]["meta"].get("has_history")}
    yield from sorted(kept ^ described)


def rejected_rows_reads_by_every_rule(project: Project) -> Iterator[str]:
    """A staging model whose rows can break a rule has one with those rows, which rejected_rows lists."""
    models = {node["name"]: node["depends_on"].get("macros", ()) for node in project.nodes("model")}
    judged = {name for name, macros in models.items() if "macro.tradewinds.reject_reason" in macros}
    listed = {name.rpartition(".")[2] for name in _parents(project.manifest["nodes"][REJECTED_ROWS])}
    yield from sorted({re.sub("__(rejected_)?", "__rejected_", name) for name in judged} - listed)


def singular_tests_say_when_they_fail(project: Project) -> Iterator[str]:
    for test in project.nodes("test"):
        path = test["original_file_path"]
        if not test.get("test_metadata") and not project.files[path].startswith("-- Fails if "):
            yield path


def singular_tests_are_described_as_they_open(project: Project) -> Iterator[str]:
    for test in project.nodes("test"):
        if not test.get("test_metadata"):
            opening = re.match(r"(?:-- .*\n)*", project.files[test["original_file_path"]])[0]
            if " ".join(opening.replace("-- ", "").split()) != " ".join(test["description"].split()):
                yield test["name"]


def the_overview_tells_every_schema(project: Project) -> Iterator[str]:
    """It is the first page of dbt's documentation."""
    (overview,) = (block for block in project.ours("docs") if block["name"] == "__overview__")
    schemas = {node["schema"] for node in project.nodes("model", "snapshot")}
    schemas |= {source["schema"] for source in project.ours("sources")} - {"raw_ops"}
    yield from sorted(schema for schema in schemas if f"`{schema}`" not in overview["block_contents"])


def sql_does_not_read_the_clock(project: Project) -> Iterator[str]:
    for path, text in project.files.items():
        if path.endswith(".py"):
            continue
        comment = SQL_COMMENT if path.endswith(".sql") else re.compile(r"(?m)(?:^|\s)#[^\n]*")
        found = SQL_CLOCK.search(comment.sub(" ", text))
        if found:
            yield f"{path}: {found[0]}"


def python_does_not_read_the_clock(project: Project) -> Iterator[str]:
    for path, text in project.files.items():
        if path.endswith(".py") and path not in CLOCK_READERS:
            yield from (f"{path}: {found}" for found in _clock_reads(text))


def _clock_reads(text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute) and PYTHON_CLOCK.search(ast.unparse(node)):
            yield ast.unparse(node)
        if isinstance(node, ast.ImportFrom):
            yield from (alias.name for alias in node.names if PYTHON_CLOCK.search(f"{node.module}.{alias.name}"))


CHECKS: tuple[Check, ...] = (
    everything_is_described,
    keys_of_marts_are_tested,
    every_model_has_its_yml_beside_it,
    a_macro_file_holds_one_macro,
    snapshots_are_of_the_tables_with_a_history,
    rejected_rows_reads_by_every_rule,
    singular_tests_say_when_they_fail,
    singular_tests_are_described_as_they_open,
    the_overview_tells_every_schema,
    sql_does_not_read_the_clock,
    python_does_not_read_the_clock,
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Parse the project once."""
    home = tmp_path_factory.mktemp("parsed")
    (home / "warehouse").mkdir()
    done = _dbt(home, {"TRADEWINDS_HOME": str(home)}, "parse", "--quiet")
    assert done.returncode == 0, done.stdout
    manifest = json.loads((home / "target" / "manifest.json").read_text())
    manifest["macros"] = {name: one for name, one in manifest["macros"].items() if one["package_name"] == "tradewinds"}
    patterns = ["dbt_project.yml"]
    patterns += [f"{folder}/**/*.{end}" for folder in ("models", "macros", "snapshots") for end in ("sql", "yml")]
    patterns += ["tests/data/**/*.sql", "ingestion/**/*.sql", "ingestion/**/*.py", "pipeline/**/*.py"]
    paths = [path for pattern in patterns for path in PROJECT.glob(pattern)]
    return Project(manifest, {str(path.relative_to(PROJECT)): path.read_text() for path in paths})


def _dbt(
    folder: Path, environment: dict[str, str], *words: str, program: str = "dbt"
) -> subprocess.CompletedProcess[str]:
    """Type a dbt command at the project root; what dbt leaves behind goes into the folder."""
    places = {"DBT_TARGET_PATH": str(folder / "target"), "DBT_LOG_PATH": str(folder / "logs")}
    environment = clean_environment() | environment | places | {"NO_COLOR": "1"}
    if program != "dbt":
        return subprocess.run([program, *words], cwd=PROJECT, env=environment, capture_output=True, text=True)
    process = forks().start(list(words), environment, program=program)
    output, errors = process.communicate(timeout=900)
    return subprocess.CompletedProcess(words, process.returncode, output + errors)


def test_selectors_select_what_they_are_named_for(tmp_path: Path) -> None:
    marts = {mart.place[1] for mart in published_marts()}
    expected = {
        "published": lambda names: names == marts,
        "sales": lambda names: names > {"fct_orders", "stg_northwind__orders"} and "fct_events" not in names,
        "history": lambda names: (
            {mart for mart in marts if mart.endswith("_snapshot")} - {"availability_snapshot"} <= names
        ),
    }
    assert {
        each["name"] for each in yaml.safe_load((PROJECT / "selectors.yml").read_text(encoding="utf-8"))["selectors"]
    } == expected.keys()
    for selector, is_right in expected.items():
        words = ("ls", "--quiet", "--selector", selector, "--output", "name", "--resource-types", "model", "snapshot")
        listed = _dbt(tmp_path, {}, *words)
        assert is_right(set(listed.stdout.split())), listed.stdout


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_project_keeps_its_rules(project: Project, check: Check) -> None:
    assert list(check(project)) == []


def test_the_lists_of_exceptions_have_no_leftovers(project: Project) -> None:
    for path in CLOCK_READERS:
        assert list(_clock_reads(project.files[path])), path
    marts = {mart["name"]: mart["columns"] for mart in project.marts()}
    for mart, column in OPTIONAL_KEYS:
        assert not _has_constraint(marts[mart][column], "not_null"), mart
    for mart in project.marts():
        if mart["name"] in KEYLESS:
            kinds = {test["test_metadata"]["name"] for test in project.tests_of(mart)}
            assert not kinds & set(UNIQUENESS), mart["name"]


MART = "model.tradewinds.fct_orders"
STAGING = "model.tradewinds.stg_northwind__orders"
SNAPSHOT = "snapshot.tradewinds.customers_snapshot"
SOURCE = "source.tradewinds.northwind.orders"
CUSTOMERS = "source.tradewinds.northwind.customers"


def _set(kind: str, name: str, path: str, value: object) -> Callable[[Project], None]:
    """Set what one of the manifest's things has at a dotted path."""
    *places, last = path.split(".")

    def spoil(project: Project) -> None:
        thing = project.manifest[kind][name]
        for place in places:
            thing = thing[int(place)] if isinstance(thing, list) else thing[place]
        thing[last] = value

    return spoil


def _describe_nothing(kind: str) -> Callable[[Project], None]:
    return lambda project: project.ours(kind)[0].update(description=" ")


def _key_test(key: str, value: object) -> Callable[[Project], None]:
    """Change the test of a mart's key, or its configuration."""

    def spoil(project: Project) -> None:
        test = next(test for test in project.nodes("test") if test["name"] == "unique_fct_orders_order_id")
        (test["config"] if key in test["config"] else test)[key] = value

    return spoil


def _lose_reader(project: Project) -> None:
    for exposure in project.ours("exposures"):
        exposure["depends_on"]["nodes"] = [name for name in exposure["depends_on"]["nodes"] if "dim_dates" not in name]


def _lose_rejects(project: Project) -> None:
    _parents(project.manifest["nodes"][REJECTED_ROWS]).remove("model.tradewinds.stg_northwind__rejected_orders")


def _forget_quarantine(project: Project) -> None:
    overview = project.manifest["docs"]["doc.tradewinds.__overview__"]
    overview["block_contents"] = overview["block_contents"].replace("`quarantine`", "")


def _text(path: str, text: str) -> Callable[[Project], None]:
    return lambda project: project.files.update({path: text})


def _macro(path: str, name: str) -> Callable[[Project], None]:
    macro = {"package_name": "tradewinds", "original_file_path": path, "name": name}
    return lambda project: project.manifest["macros"].update({name: macro})


SPOILED: tuple[tuple[Check, Callable[[Project], None], str], ...] = (
    (
        everything_is_described,
        _set("sources", SOURCE, "columns.order_id.description", ""),
        "source orders.order_id",
    ),
    (
        everything_is_described,
        _set("nodes", SNAPSHOT, "columns.customer_id.description", ""),
        "snapshot customers_snapshot.customer_id",
    ),
    (everything_is_described, _describe_nothing("metrics"), "metric "),
    (everything_is_described, _describe_nothing("semantic_models"), "semantic_model "),
    (everything_is_described, _describe_nothing("saved_queries"), "saved_query "),
    (keys_of_marts_are_tested, _key_test("attached_node", None), "fct_orders has no test of its key"),
    (keys_of_marts_are_tested, _key_test("severity", "warn"), "fct_orders has no test of its key"),
    (keys_of_marts_are_tested, _key_test("where", "order_id > 0"), "fct_orders has no test of its key"),
    (keys_of_marts_are_tested, _key_test("column_name", "line_count"), "fct_orders has no test of order_id"),
    (
        keys_of_marts_are_tested,
        _set("nodes", MART, "columns.order_id.constraints", []),
        "fct_orders.order_id may be null",
    ),
    (every_model_has_its_yml_beside_it, _set("nodes", MART, "patch_path", None), "fct_orders"),
    (
        every_model_has_its_yml_beside_it,
        _set("nodes", STAGING, "patch_path", "tradewinds://models/staging/northwind/models.yml"),
        "stg_northwind__orders",
    ),
    (a_macro_file_holds_one_macro, _macro("macros/run_date.sql", "another"), "macros/run_date.sql"),
    (a_macro_file_holds_one_macro, _macro("macros/dates.sql", "first_day"), "macros/dates.sql"),
    (
        snapshots_are_of_the_tables_with_a_history,
        _set("sources", SOURCE, "config", {"meta": {"has_history": True}}),
        SOURCE,
    ),
    (snapshots_are_of_the_tables_with_a_history, _set("nodes", SNAPSHOT, "depends_on", {"nodes": []}), CUSTOMERS),
    (
        rejected_rows_reads_by_every_rule,
        _lose_rejects,
        "stg_northwind__rejected_orders",
    ),
    (
        singular_tests_say_when_they_fail,
        _text("tests/data/sales/assert_history_matches_raw.sql", "select 1"),
        "tests/data/sales/assert_history_matches_raw.sql",
    ),
    (
        singular_tests_are_described_as_they_open,
        _set("nodes", "test.tradewinds.assert_history_matches_raw", "description", "Fails if history is wrong."),
        "assert_history_matches_raw",
    ),
    (the_overview_tells_every_schema, _forget_quarantine, "quarantine"),
    *(
        (
            sql_does_not_read_the_clock,
            _text("models/marts/clock.sql", f"-- why\nselect {clock} as a"),
            "models/marts/clock",
        )
        for clock in (
            "current_timestamp",
            "CURRENT_DATE",
            "now()",
            "today()",
            "getdate()",
            "localtimestamp",
            "cast('now' as timestamp)",
            "{{ dbt.current_timestamp() }}",
            "'{{ run_started_at }}'",
            "'{{ modules.datetime.datetime.now() }}'",
            "'{{ modules.datetime.date.today() }}'",
        )
    ),
    (sql_does_not_read_the_clock, _text("dbt_project.yml", "on-run-end: select now()"), "dbt_project.yml"),
    *(
        (python_does_not_read_the_clock, _text("ingestion/clock.py", code), "ingestion/clock.py")
        for code in (
            "from datetime import datetime, UTC\nat = datetime.now(UTC)",
            "import datetime\nat = datetime.datetime.utcnow()",
            "from datetime import date\nat = date.today()",
            "import time\nat = time.time()",
            "from time import time\nat = time()",
        )
    ),
)


@pytest.fixture(scope="module")
def manifest(project: Project) -> str:
    """The manifest to make a copy of; a deep copy takes many times as long."""
    return json.dumps(project.manifest)


@pytest.mark.parametrize(("check", "spoil", "named"), SPOILED)
def test_a_broken_rule_is_found(
    project: Project, manifest: str, check: Check, spoil: Callable[[Project], None], named: str
) -> None:
    spoiled = Project(json.loads(manifest), dict(project.files))
    spoil(spoiled)
    (found,) = check(spoiled)
    assert found.startswith(named)


INTERMEDIATE = "model.tradewinds.int_order_lines_priced"
# One that breaks each rule of dbt-bouncer.yml, by the rule's name.
BOUNCED: dict[str, Callable[[Project], None]] = {
    "check_exposure_based_on_non_public_models": _set("nodes", MART, "access", "protected"),
    "check_exposure_description_populated": _describe_nothing("exposures"),
    "check_exposure_has_owner": lambda project: project.ours("exposures")[0]["owner"].update(name=None, email=None),
    "check_lineage_source_cannot_be_used": _set("nodes", MART, "depends_on", {"nodes": [SOURCE]}),
    "check_macro_arguments_description_populated": _set(
        "macros", "macro.tradewinds.to_money", "arguments.0.description", ""
    ),
    "check_macro_description_populated": _set("macros", "macro.tradewinds.run_date", "description", ""),
    "check_model_access": _set("nodes", INTERMEDIATE, "access", "public"),
    "check_model_column_description_populated": _set("nodes", STAGING, "columns.order_id.description", ""),
    "check_model_contract_enforced_for_public_model": _set("nodes", MART, "config.contract", {"enforced": False}),
    "check_model_description_contains_regexp_pattern": _set("nodes", MART, "description", "Orders. One row per order."),
    "check_model_description_populated": _set("nodes", STAGING, "description", ""),
    "check_model_documented_in_same_directory": _set("nodes", MART, "patch_path", "tradewinds://models/marts/all.yml"),
    "check_model_has_exposure": _lose_reader,
    "check_model_materialization_permitted": _set("nodes", STAGING, "config.materialized", "table"),
    "check_model_max_number_of_lines": _set("nodes", MART, "raw_code", "select 1\n" * 121),
    "check_model_names": _set("nodes", STAGING, "name", "northwind__orders"),
    "check_seed_description_populated": _set("nodes", "seed.tradewinds.holidays", "description", ""),
    "check_semantic_model_based_on_non_public_models": _set("nodes", MART, "access", "protected"),
    "check_snapshot_description_populated": _set("nodes", SNAPSHOT, "description", ""),
    "check_source_description_populated": _set("sources", SOURCE, "description", ""),
    "check_source_top_level_description_populated": _set("sources", SOURCE, "source_description", ""),
}


def test_dbt_bouncer_finds_what_breaks_each_of_its_rules(manifest: str, tmp_path: Path) -> None:
    settings = yaml.safe_load((PROJECT / "dbt-bouncer.yml").read_text(encoding="utf-8"))
    assert {rule["name"] for rule in settings["manifest_checks"]} == set(BOUNCED)
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(settings | {"dbt_artifacts_dir": str(tmp_path)}))
    words = ["run", "--config-file", str(tmp_path / "rules.yml"), "--output-file", str(tmp_path / "found.json")]
    spoiled = Project(json.loads(manifest), {})
    for spoil in BOUNCED.values():
        spoil(spoiled)
    for text, found in ((manifest, set()), (json.dumps(spoiled.manifest), set(BOUNCED))):
        (tmp_path / "manifest.json").write_text(text)
        done = _lint("dbt-bouncer", *words)
        outcomes = json.loads((tmp_path / "found.json").read_text())
        failed = {one["check_run_id"].partition(":")[0] for one in outcomes if one["outcome"] == "failed"}
        assert (failed, done.returncode) == (found, 1 if found else 0), done.stdout


def test_dbt_score_finds_a_model_and_a_seed_without_an_owner(manifest: str, tmp_path: Path) -> None:
    spoiled = Project(json.loads(manifest), {})
    _set("nodes", MART, "group", None)(spoiled)
    _set("nodes", "seed.tradewinds.holidays", "config.group", None)(spoiled)
    (tmp_path / "manifest.json").write_text(json.dumps(spoiled.manifest))
    done = _lint("dbt-score", "lint", "--show", "failing-items", "--manifest", str(tmp_path / "manifest.json"))
    assert done.returncode == 1
    assert "Model lacks a group" in done.stdout
    assert "Seed lacks a group" in done.stdout


def _lint(program: str, *words: str) -> subprocess.CompletedProcess[str]:
    path = str(Path(sys.executable).with_name(program))
    return subprocess.run([path, *words], cwd=PROJECT, env=clean_environment(), capture_output=True, text=True)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("models/marts/clock.sql", "-- never now()\nselect {# current_date #} /* today() */ occurred_at as known_at"),
        ("models/marts/clock.yml", "columns: # never now()\n  - name: current_date_day"),
        ("ingestion/clock.py", "import time\n# never datetime.now()\ndeadline = time.monotonic()"),
    ],
)
def test_what_only_looks_like_a_clock_passes(project: Project, path: str, text: str) -> None:
    alone = Project(project.manifest, {path: text})
    assert [*sql_does_not_read_the_clock(alone), *python_does_not_read_the_clock(alone)] == []


@dataclass
class Typed:
    """How a typed `dbt build` ended, and what the warehouse then said of its marts."""

    exit_code: int
    output: str
    mark: list[tuple]


@pytest.fixture(scope="module")
def typed(shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Typed]:
    """Load two days, then type `dbt build` for a day that isn't loaded, the second, the first, and for none."""
    for day in (DAY, NEXT_DAY):
        shared_sandbox.succeed("extract", "--run-date", day)
        shared_sandbox.succeed("load", "--run-date", day)
    folder = tmp_path_factory.mktemp("typed")
    ends = {}
    for day in (LATER_DAY, NEXT_DAY, DAY, ""):
        words = ["--vars", f"{{run_date: {day}}}"] if day else []
        # One is dbt's own program, with a parse of its own.
        program = str(Path(sys.executable).with_name("dbt")) if day == DAY else "dbt"
        done = _dbt(folder, shared_sandbox.environment, "build", *words, program=program)
        marks = "select count(*) from information_schema.tables where table_name = 'build_mark'"
        query = "select run_date::varchar, state from raw_ops.build_mark"
        mark = shared_sandbox.query(query) if shared_sandbox.query(marks) == [(1,)] else []
        ends[day] = Typed(done.returncode, done.stdout, mark)
    return ends


def test_a_typed_build_of_an_unloaded_day_is_refused(typed: dict[str, Typed]) -> None:
    end = typed[LATER_DAY]
    assert end.exit_code != 0
    assert f"next: tradewinds load --run-date {LATER_DAY}" in end.output
    assert not end.mark or end.mark[0][0] != LATER_DAY


def test_a_typed_build_before_an_earlier_day_is_refused(typed: dict[str, Typed]) -> None:
    end = typed[NEXT_DAY]
    assert end.exit_code != 0
    assert f"history is behind run date {NEXT_DAY}, it lacks {DAY}" in end.output
    assert f"next: tradewinds build --run-date {NEXT_DAY}" in end.output
    assert not end.mark or end.mark[0][0] != NEXT_DAY


def test_a_typed_build_needs_nothing_but_dbt(typed: dict[str, Typed]) -> None:
    assert typed[DAY].exit_code == 0, typed[DAY].output
    assert typed[DAY].mark == [(DAY, "built")]


def test_a_typed_build_without_a_day_takes_the_latest_loaded(typed: dict[str, Typed], shared_sandbox: Sandbox) -> None:
    assert typed[""].exit_code == 0, typed[""].output
    assert typed[""].mark == [(NEXT_DAY, "built")]
    days = "select distinct _run_date::varchar from staging.stg_northwind__orders"
    assert shared_sandbox.query(days) == [(NEXT_DAY,)]


def test_every_column_of_the_warehouse_is_in_its_yml(
    typed: dict[str, Typed], project: Project, shared_sandbox: Sandbox
) -> None:
    columns = "select table_schema || '.' || table_name, list(column_name) from information_schema.columns group by all"
    built = dict(shared_sandbox.query(columns))
    for node in project.nodes("model", "snapshot") + project.ours("sources"):
        name = f"{node['schema']}.{node.get('identifier') or node['alias']}"
        assert sorted(built[name]) == sorted(node["columns"]), name


Keys = set[tuple[str, tuple[str, ...]]]


@pytest.mark.parametrize("target", ["duckdb", "postgres"])
def test_published_tables_carry_what_the_project_describes_and_proves(
    project: Project, built_homes: BuiltHomes, target: str
) -> None:
    """What SQLAlchemy's inspector lists; duckdb-engine's fails on keys, so DuckDB's own catalogue lists them."""
    sandbox = built_homes.original(target)
    file = sandbox.home / "published" / "tradewinds.duckdb"
    engine = (
        create_engine(sandbox.warehouse.url.replace("postgresql", "postgresql+psycopg", 1))
        if target == "postgres"
        else create_engine(f"duckdb:///{file}", connect_args={"read_only": True}, poolclass=NullPool)
    )
    inspector = inspect(engine)
    listed = dict(_keys_of_file(file)) if target == "duckdb" else {}
    expected, found = {}, {}
    for node in project.marts() + project.nodes("snapshot"):
        schema = Path(node["path"]).parts[1] if node["resource_type"] == "model" else "snapshots"
        place = {"table_name": node["name"], "schema": schema}
        name = f"{schema}.{node['name']}"
        columns, keys = _proven(project, node)
        # An index of several columns would double the file.
        kept = {(kind, key) for kind, key in keys if target == "postgres" or len(key) == 1}
        expected[name] = (_plain(node["description"]), columns, kept)
        found[name] = (
            inspector.get_table_comment(**place)["text"],
            {column["name"]: (column["comment"], not column["nullable"]) for column in inspector.get_columns(**place)},
            listed.get(name, set()) if target == "duckdb" else _keys_of_table(inspector, place),
        )
    engine.dispose()
    assert found == expected
    assert len(found) >= 30
    assert sum(len(columns) for _, columns, _ in found.values()) >= 300


_WARNED = """
models:
  - name: fct_sales
    columns:
      - name: sale_id
        data_tests: [{unique: {config: {severity: warn}}}, not_null]
      - name: amount
        data_tests: [{not_null: {config: {where: amount > 0}}}]
"""


@pytest.mark.unit
def test_a_test_that_may_only_warn_proves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "models" / "marts" / "sales"
    folder.mkdir(parents=True)
    (folder / "fct_sales.sql").touch()
    (folder / "fct_sales.yml").write_text(_WARNED)
    monkeypatch.setattr("pipeline.dbt.project.PROJECT", tmp_path)
    (mart,) = published_marts()
    assert (mart.key, mart.proven_key) == (("sale_id",), None)
    assert [(column.name, column.is_required) for column in mart.columns] == [("sale_id", True), ("amount", False)]


@pytest.mark.unit
def test_a_mart_without_a_description_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "models" / "marts" / "sales"
    folder.mkdir(parents=True)
    (folder / "fct_sales_v2.sql").touch()
    monkeypatch.setattr("pipeline.dbt.project.PROJECT", tmp_path)
    for _ in ("no file", "a file about another model"):
        with pytest.raises(StepFailed, match=r"^models/marts/sales/fct_sales_v2.yml has to describe fct_sales_v2: "):
            published_marts()
        (folder / "fct_sales_v2.yml").write_text(_WARNED)


def _proven(project: Project, node: dict) -> tuple[dict[str, tuple[str, bool]], Keys]:
    """Return a mart's columns with description and whether NULL is ruled out, and the keys that tests prove."""
    tests = project.tests_of(node)
    required = {test["column_name"] for test in tests if test["test_metadata"]["name"] == "not_null"}
    required |= {name for name, column in node["columns"].items() if _has_constraint(column, "not_null")}
    columns = {name: (_plain(column["description"]), name in required) for name, column in node["columns"].items()}
    unique = [test for test in tests if test["test_metadata"]["name"] in UNIQUENESS]
    keys = [tuple(test["test_metadata"]["kwargs"].get("columns") or [test["column_name"]]) for test in unique]
    return columns, {("primary key" if required.issuperset(key) else "unique", key) for key in keys}


def _keys_of_table(inspector: Inspector, place: dict[str, str]) -> Keys:
    primary = tuple(inspector.get_pk_constraint(**place)["constrained_columns"])
    unique = {("unique", tuple(one["column_names"])) for one in inspector.get_unique_constraints(**place)}
    return unique | ({("primary key", primary)} if primary else set())


def _keys_of_file(file: Path) -> Iterator[tuple[str, Keys]]:
    query = """
        select schema_name || '.' || table_name, lower(constraint_type), constraint_column_names
        from duckdb_constraints() where constraint_type in ('PRIMARY KEY', 'UNIQUE')
    """
    with duckdb.connect(str(file), read_only=True) as connection:
        for name, kind, columns in connection.execute(query).fetchall():
            yield name, {(kind, tuple(columns))}


def _plain(text: str) -> str:
    return " ".join(text.split())
