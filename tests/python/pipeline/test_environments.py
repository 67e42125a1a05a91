"""Environments: two people use one Postgres at the same time and meet nothing of each other's."""

from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from ingestion.embedded.postgres import EmbeddedPostgres
from tests.python.built import BuiltHomes
from tests.python.sandbox import BUILT_DAY, NEXT_DAY, Sandbox, make_warehouse, warehouse_settings

pytestmark = pytest.mark.e2e
PEOPLE = {"dev_ann": BUILT_DAY, "dev_ben": NEXT_DAY}


def _schemas(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "select nspname from pg_namespace where nspname !~ '^(pg_|information_schema|public)'"
        )
        return {name for (name,) in found}


def test_two_people_build_in_one_postgres_at_once(
    built_homes: BuiltHomes, server: EmbeddedPostgres, tmp_path: Path
) -> None:
    shared = make_warehouse(server)
    name = warehouse_settings(shared)["TRADEWINDS_POSTGRES_DATABASE"]
    homes: dict[str, Sandbox] = {}
    try:
        for person, day in PEOPLE.items():
            homes[person] = built_homes.copy(tmp_path / person, with_next_day=True)
            homes[person].settings |= warehouse_settings(shared)
            homes[person].settings |= {"TRADEWINDS_ENVIRONMENT": person, "TRADEWINDS_TARGET": "postgres"}
            homes[person].succeed("load", "--run-date", day, "--source", "northwind", "--source", "order_details")
        building = [
            homes[person].start("build", "--run-date", day, "--source", "order_details")
            for person, day in PEOPLE.items()
        ]
        for process in building:
            told = process.communicate()
            assert process.returncode == 0, told
        for person, day in PEOPLE.items():
            with psycopg.connect(server.url(f"{name}_{person}")) as connection:
                loaded = connection.execute(
                    "select distinct _run_date::text from raw_northwind.order_details"
                ).fetchall()
                lines = connection.execute("select count(*) from sales__build.fct_order_lines").fetchall()
            assert (loaded, lines) == ([(day,)], [(2155,)]), person
        assert not _schemas(shared.url)
        typed = homes["dev_ann"].dbt("debug", "--target", "postgres")
        assert f"database: {name}_dev_ann" in typed.stdout, typed.stdout
    finally:
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            for person in PEOPLE:
                drop = sql.SQL("drop database if exists {} with (force)")
                connection.execute(drop.format(sql.Identifier(f"{name}_{person}")))


def test_a_wrong_environment_is_refused(built: Sandbox) -> None:
    built.settings |= {"TRADEWINDS_POSTGRES_HOST": "127.0.0.1", "TRADEWINDS_ENVIRONMENT": 'ann"; drop'}
    assert "TRADEWINDS_ENVIRONMENT must be a name such as" in built.fail(2, "load", "--target", "postgres")
