"""A home in which whole days are run, what is in it, and what must be there by the sources themselves."""

import csv
import hashlib
import json
import os
import re
import shutil
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import duckdb
import psycopg

from ingestion.embedded.postgres import EmbeddedPostgres
from tests.faults.small import HEADER, landed_rows
from tests.faults.trials import Days
from tests.python.built import BuiltHomes
from tests.python.homes import copy_database
from tests.python.sandbox import BAD_LINES, BUILT_DAY, NEXT_DAY, Database, Sandbox, warehouse_settings

# What is compared row by row, as SQL that both engines have; the version's hash and `verify` cover all else.
_TABLES = {
    "orders": "order_id, customer_id, ship_country, freight::text::numeric(19, 4)::text",
    "customers": "customer_id, company_name, city",
    "order_details": ", ".join(f"{column}::float8" for column in HEADER.split(",")),
}
_SOURCES = {"orders": "northwind", "customers": "northwind", "order_details": "order_details"}
_QUARANTINE = "select run_date::text, raw_text from quarantine{}.rejected_rows where source = 'order_details'"
_UNREADABLE = BAD_LINES[2:]
_CHANGES = (
    "update orders set freight = freight + 1 where order_id % 2 = 0; delete from orders where order_id = 10248; "
    "update customers set company_name = 'Renamed' where customer_id = (select min(customer_id) from customers)"
)


class Whole:
    """A home in which BUILT_DAY was run, and whose sources have changed since; copies of it read the same sources."""

    def __init__(self, built: BuiltHomes, server: EmbeddedPostgres, folder: Path, target: str):
        self._server, self.target = server, target
        self.sandbox = built.copy(folder, target)
        self.before = self._of_sources(BUILT_DAY)
        self.sandbox.northwind.execute(_CHANGES)
        with self.sandbox.order_details.open("a", encoding="utf-8") as file:
            file.write("\n".join(BAD_LINES) + "\n")
        self.after = self.before | self._of_sources(NEXT_DAY)

    def copy(self, folder: Path) -> Sandbox:
        """Return a copy of the home, in place of what is there, with a warehouse of its own."""
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.sandbox.home, folder)
        copied = replace(self.sandbox, home=folder)
        if self.target == "postgres":
            url = copy_database(self._server, "built_postgres", f"killed_{folder.name}")
            copied.warehouse = Database(url)
            copied.settings = copied.settings | warehouse_settings(copied.warehouse)
        return copied

    def _of_sources(self, day: str) -> Days:
        """Return what a day must have at each stage, as the sources are now."""
        tables = {
            table: Counter(self.sandbox.northwind.query(f"select {columns} from {table}"))
            for table, columns in _TABLES.items()
            if table != "order_details"
        }
        with self.sandbox.order_details.open(encoding="utf-8", newline="") as file:
            lines = list(csv.reader(file))[1:]
        tables["order_details"] = Counter(
            tuple(map(float, line)) for line in lines if ",".join(line) not in _UNREADABLE
        )
        stages = {f"{stage} {name} {day}": rows for stage in ("landed", "loaded") for name, rows in tables.items()}
        bad = Counter((line,) for line in map(",".join, lines) if line in BAD_LINES)
        return stages | ({f"quarantine {day}": bad} if bad else {})

    def state(self, sandbox: Sandbox) -> Days:
        """Return the rows that have landed, that are loaded, and that are in quarantine."""
        landing, found = sandbox.home / "landing", {}
        for name, columns in _TABLES.items():
            for path in (landing / "_manifests" / _SOURCES[name]).glob("*.json"):
                table = json.loads(path.read_text(encoding="utf-8"))["tables"][name]
                found[f"landed {name} {path.stem}"] = landed_rows(landing, table, columns)
        queries = {
            f"loaded {name}": f"select _run_date::text, {columns} from raw_northwind.{name}"
            for name, columns in _TABLES.items()
        }
        queries["quarantine"] = _QUARANTINE.format("__build" if self.target == "postgres" else "")
        for stage, query in queries.items():
            for day, *row in self._query(sandbox, query):
                found.setdefault(f"{stage} {day}", Counter())[tuple(row)] += 1
        return found

    def _query(self, sandbox: Sandbox, query: str) -> list[tuple]:
        # A build replaces its tables one by one.
        with suppress(duckdb.CatalogException, psycopg.errors.UndefinedTable):
            return sandbox.warehouse.query(query) if self.target == "postgres" else sandbox.query(query)
        return []

    def allowed(self, found: Days, *days: str) -> Days:
        """Return the state in which all of before is there, and of the next days what is there is whole."""
        later = {place.replace(NEXT_DAY, day): rows for day in days for place, rows in self.after.items()}
        return self.before | {place: rows for place, rows in later.items() if place in found}

    def published(self, sandbox: Sandbox) -> tuple:
        """Return the version that readers see, and how many rows its marts have, and say they have."""
        marts = ("fct_orders", "fct_order_lines", "orders_with_details")
        counts = ", ".join(f"(select count(*) from sales.{mart})" for mart in marts)
        public = "public." if self.target == "postgres" else ""
        query = f"select run_date::text, content_hash, {counts} from {public}published_version"
        (answer,) = sandbox.warehouse.query(query) if self.target == "postgres" else sandbox.published(query)
        return answer

    def end(self, sandbox: Sandbox) -> tuple:
        """Return what must be the same as without the fault, on both engines; the files on one."""
        hashes = {
            (path.parent.name, path.stem, name): table["content_hash"]
            for path in (sandbox.home / "landing" / "_manifests").rglob("*.json")
            for name, table in json.loads(path.read_text(encoding="utf-8"))["tables"].items()
        }
        exports = {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in (sandbox.home / "exports" / NEXT_DAY).rglob("*")
            if path.is_file()
        }
        return self.published(sandbox), hashes, exports, self.state(sandbox)


def files_of(home: Path) -> set[str]:
    """Return the files in a home's folders that hold data: random names as one."""
    kept = ("landing", "published", "exports", "runs", "warehouse", "work")
    found = (os.path.relpath(path, home) for part in kept for path in (home / part).rglob("*") if path.is_file())
    return {re.sub(r"[0-9a-f]{16,}", "*", name) for name in found}
