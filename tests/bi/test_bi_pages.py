"""Every way in that docs/bi shows is taken: what stands under a command is what it prints."""

import json
import re
import subprocess
from pathlib import Path

import duckdb
import pytest

from ingestion.settings import PROJECT
from pipeline.dbt.project import published_marts
from tests.python.built import BuiltHomes
from tests.python.s3_servers import clean_environment

_BLOCK = re.compile(
    r"(?P<skip><!-- not run by the docs test: .+? -->\n)?```sh\n(?P<commands>.*?)```"
    r"(?:\n\n?```text\n(?P<printed>.*?)```)?",
    re.DOTALL,
)
PAGES = sorted(path.name for path in (PROJECT / "docs" / "bi").glob("*.md"))


@pytest.fixture(scope="module")
def clone(built_homes: BuiltHomes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that looks like the project to who types the commands: its environments, and a published day."""
    folder = tmp_path_factory.mktemp("bi")
    built_homes.copy(folder).home.rename(folder / "data")
    for environment in (".venv", ".venv-bi"):
        (folder / environment).symlink_to(PROJECT / environment)
    return folder


@pytest.mark.parametrize("page", PAGES)
def test_every_command_prints_what_the_page_shows(clone: Path, page: str) -> None:
    environment = clean_environment() | {"TRADEWINDS_HOME": str(clone / "data"), "HOME": str(clone)}
    for block in _BLOCK.finditer((PROJECT / "docs" / "bi" / page).read_text()):
        if block["skip"]:
            continue
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block["commands"]],
            cwd=clone,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{block['commands']}\n{done.stdout}\n{done.stderr}"
        assert block["printed"], f"{page} doesn't show what this prints: {block['commands']}"
        assert _plain(done.stdout) == _plain(block["printed"]), block["commands"]


_INSPECTED = """
import json, sys
from sqlalchemy import create_engine, inspect
marts = inspect(create_engine(f"duckdb:///{sys.argv[1]}", connect_args={"read_only": True}))
print(json.dumps({
    f"{schema}.{table}": [
        marts.get_table_comment(table, schema=schema)["text"],
        marts.get_pk_constraint(table, schema=schema)["constrained_columns"],
        sorted(key["column_names"] for key in marts.get_unique_constraints(table, schema=schema)),
        [[column["name"], column["comment"], column["nullable"]] for column in marts.get_columns(table, schema=schema)],
    ]
    for schema in marts.get_schema_names() if schema.endswith(tuple(sys.argv[2:]))
    for table in marts.get_table_names(schema=schema)
}))
"""
_CATALOGUE = """
select
    schema_name || '.' || table_name,
    comment,
    coalesce((
        select any_value(constraint_column_names) from duckdb_constraints() as keys
        where keys.table_oid = tables.table_oid and constraint_type = 'PRIMARY KEY'
    ), []),
    coalesce((
        select list_sort(list(constraint_column_names)) from duckdb_constraints() as keys
        where keys.table_oid = tables.table_oid and constraint_type = 'UNIQUE'
    ), []),
    (
        select list([column_name, comment, is_nullable::varchar] order by column_index)
        from duckdb_columns() as columns where columns.table_oid = tables.table_oid
    )
from duckdb_tables() as tables
where schema_name <> 'main'
"""


def test_sqlalchemy_lists_what_every_published_table_declares(clone: Path) -> None:
    """Its inspector, with the dialect of docs/bi, beside DuckDB's own catalogue."""
    file = clone / "data" / "published" / "tradewinds.duckdb"
    with duckdb.connect(str(file), read_only=True) as connection:
        declared = {name: list(rest) for name, *rest in connection.execute(_CATALOGUE).fetchall()}
    schemas = {name.partition(".")[0] for name in declared}
    words = [PROJECT / ".venv-bi" / "bin" / "python", "-W", "ignore", "-c", _INSPECTED, file, *schemas]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    found = {}
    for name, (text, key, unique, columns) in json.loads(done.stdout).items():
        listed = [[column, comment, str(is_nullable).lower()] for column, comment, is_nullable in columns]
        found[name.removeprefix("tradewinds.")] = [text, key, unique, listed]
    assert found == declared
    assert len(found) > 30
    assert sum(bool(key or unique) for _, key, unique, _ in found.values()) > 15


# What harlequin's menu of each table in the catalog writes into the editor, and what that returns.
_MENUS = """
import json, sys
from types import SimpleNamespace
engine, place, *schemas = sys.argv[1:]
if engine == "duckdb":
    from harlequin_duckdb import DuckDbAdapter as Adapter
else:
    from harlequin_postgres import HarlequinPostgresAdapter as Adapter
connection = Adapter((place,), read_only=True).connect()
found = {}
for database in connection.get_catalog().items:
    for schema in database.fetch_children():
        for table in schema.fetch_children() if schema.label in schemas else ():
            written, menu = [], dict(table.INTERACTIONS)
            editor = SimpleNamespace(insert_text_in_new_buffer=lambda text: written.append(text))
            for entry in ("Show DDL",) if engine == "duckdb" else ("Describe Relation (\\\\d+)", "Describe Indexes"):
                menu[entry](table, editor)
            if engine == "postgres":
                written = [[list(map(str, row)) for row in connection.execute(each).fetchall()] for each in written]
            found[f"{schema.label}.{table.label}"] = written
print(json.dumps(found))
"""


def _menus(engine: str, place: str | Path) -> dict[str, list]:
    schemas = {mart.place[0] for mart in published_marts()}
    words = [PROJECT / ".venv-bi" / "bin" / "python", "-c", _MENUS, engine, place, *schemas]
    return json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)


def test_harlequins_menu_shows_keys_and_not_null_of_the_published_file(clone: Path) -> None:
    """A table made by the shown statement has the columns and keys of the published one."""
    file = clone / "data" / "published" / "tradewinds.duckdb"
    with duckdb.connect(str(file), read_only=True) as connection:
        declared = connection.execute(_CATALOGUE).fetchall()
    with duckdb.connect() as connection:
        for name, (statement,) in _menus("duckdb", file).items():
            connection.execute(f"create schema if not exists {name.partition('.')[0]}; {statement}")
        made = connection.execute(_CATALOGUE).fetchall()
    assert _without_comments(made) == _without_comments(declared)


def test_harlequins_menu_shows_all_that_postgres_declares(built_homes: BuiltHomes) -> None:
    found = {}
    for name, (columns, indexes) in _menus("postgres", built_homes.original("postgres").warehouse.url).items():
        unique = [(of, is_primary) for _, _, _, of, is_primary, is_unique, *_ in indexes if is_unique == "True"]
        keys = [(is_primary == "True", set(of.split(", "))) for of, is_primary in unique]
        found[name] = ({row[0]: (row[-1], row[3] == "not null") for row in columns}, keys)
    assert found == {
        mart.relation: (
            {column.name: (column.description, column.is_required) for column in mart.columns},
            [(mart.proven_key[0] == "primary key", set(mart.key))] if mart.proven_key else [],
        )
        for mart in published_marts()
    }


def _without_comments(tables: list[tuple]) -> dict[str, tuple]:
    return {name: (key, unique, [[n, null] for n, _, null in columns]) for name, _, key, unique, columns in tables}


def test_the_pages_are_those_of_the_index() -> None:
    index = (PROJECT / "docs" / "bi" / "README.md").read_text()
    assert set(re.findall(r"\]\((\w[\w-]*\.md)\)", index)) == set(PAGES) - {"README.md"}


def test_every_mart_that_a_page_names_is_published() -> None:
    found = {path.parent.name + "." + path.stem for path in (PROJECT / "models" / "marts").glob("*/*.sql")}
    for page in PAGES:
        text = (PROJECT / "docs" / "bi" / page).read_text()
        named = set(re.findall(r"(?:from|join) ((?:sales|marketplace|people|community|ops)\.\w+)", text))
        assert named <= found, page


def _plain(printed: str) -> list[str]:
    return [" ".join(line.split()) for line in printed.strip().splitlines()]
