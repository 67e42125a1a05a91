"""The homes in which a day was run, made once a session and copied into each test that begins there."""

import shutil
from pathlib import Path

from ingestion.embedded.postgres import EmbeddedPostgres
from ingestion.samples.generate import write_event_log
from tests.python.homes import copy_database, made_once
from tests.python.sandbox import (
    BAD_EVENTS,
    BAD_LINES,
    BUILT_DAY,
    NEXT_DAY,
    Database,
    Sandbox,
    make_sandbox,
    make_warehouse,
    warehouse_settings,
)

# Other processes may be writing the second.
_MADE = shutil.ignore_patterns(".made", ".*.tmp")
# What changes in the source between the two days.
CHANGES = (
    "update orders set freight = freight + 1 where order_id % 2 = 0; "
    "delete from orders where order_id = 10248; "
    "update customers set company_name = 'Renamed' where customer_id = (select min(customer_id) from customers)"
)


class BuiltHomes:
    """A home an engine on which BUILT_DAY was run from end to end, made when it is first asked for."""

    def __init__(self, server: EmbeddedPostgres, shared: Path):
        self._server, self._shared = server, shared

    def original(self, target: str = "duckdb") -> Sandbox:
        """Return the home itself: for tests that only look."""
        return self._sandbox(self._built(target), target, self._server.url("shown_postgres"))

    def copy(self, folder: Path, target: str = "duckdb", *, with_next_day: bool = False) -> Sandbox:
        """Return a copy with databases and order lines of its own, which a test may change.

        With the next day, all of NEXT_DAY has landed from the unchanged sources; a test extracts what it changes.
        """
        made = self._with_next_day(target) if with_next_day else self._built(target)
        shutil.copytree(made, folder / "built", ignore=_MADE)
        url = make_warehouse(self._server, "built_postgres").url if target == "postgres" else None
        return self._sandbox(folder / "built", target, url)

    def copy_changed(self, folder: Path, *, is_run: bool = True) -> Sandbox:
        """Return a copy in which NEXT_DAY has landed of a changed source, and was run."""
        made = made_once(self._shared / "changed", self._run_changed) if is_run else self._with_next_day("duckdb")
        shutil.copytree(made, folder, dirs_exist_ok=True, ignore=_MADE)
        sandbox = self._sandbox(folder, "duckdb", None)
        sandbox.northwind.execute(CHANGES)
        if not is_run:
            sandbox.succeed("extract", "--run-date", NEXT_DAY, "--source", "northwind")
        return sandbox

    def _run_changed(self, folder: Path) -> None:
        self.copy_changed(folder, is_run=False).succeed("run", "--run-date", NEXT_DAY)

    def copy_with_rejects(self, folder: Path) -> Sandbox:
        """Return a copy of a home where BUILT_DAY was run with bad lines and events on DuckDB, then on Postgres.

        NEXT_DAY has landed with them. What DuckDB exported is in `exports_duckdb` beside `exports`.
        """
        made = made_once(self._shared / "rejects", self._run_with_rejects)
        shutil.copytree(made, folder / "rejects", ignore=_MADE)
        return self._sandbox_with_rejects(folder / "rejects", make_warehouse(self._server, "rejects_postgres"))

    def _run_with_rejects(self, folder: Path) -> None:
        shutil.copytree(self._with_next_day("duckdb"), folder, dirs_exist_ok=True, ignore=_MADE)
        self._server.ensure_database("rejects_postgres")
        sandbox = self._sandbox_with_rejects(folder, Database(self._server.url("rejects_postgres")))
        for day in (BUILT_DAY, NEXT_DAY):
            sandbox.succeed("extract", "--run-date", day, "--source", "order_details", "--source", "event_log")
        sandbox.succeed("run", "--run-date", BUILT_DAY)
        shutil.copytree(sandbox.home / "exports", sandbox.home / "exports_duckdb")
        sandbox.succeed("run", "--run-date", BUILT_DAY, "--target", "postgres")

    def _sandbox_with_rejects(self, folder: Path, warehouse: Database) -> Sandbox:
        sandbox = self._sandbox(folder, "duckdb", None)
        sandbox.warehouse = warehouse
        sandbox.settings |= warehouse_settings(warehouse) | {"SOURCES__EVENT_LOG__PATH": str(folder / "events.csv")}
        del sandbox.settings["TRADEWINDS_TARGET"]
        write_event_log(folder / "events.csv", scale=1)
        for path, lines in ((sandbox.order_details, BAD_LINES), (folder / "events.csv", BAD_EVENTS)):
            with path.open("a") as file:
                file.write("\n".join(lines) + "\n")
        return sandbox

    def _built(self, target: str) -> Path:
        return made_once(self._shared / f"built_{target}", lambda folder: self._run(folder, target))

    def _with_next_day(self, target: str) -> Path:
        def extract(folder: Path) -> None:
            shutil.copytree(self._built(target), folder, dirs_exist_ok=True, ignore=_MADE)
            self._sandbox(folder, target, None).succeed("extract", "--run-date", NEXT_DAY)

        return made_once(self._shared / f"next_day_{target}", extract)

    def _run(self, folder: Path, target: str) -> None:
        sandbox = make_sandbox(self._server, folder)
        if target == "postgres":
            self._server.ensure_database("built_postgres")
            sandbox.settings |= warehouse_settings(Database(self._server.url("built_postgres")))
        (folder / "began").touch()
        sandbox.succeed("run", "--run-date", BUILT_DAY)
        (folder / "ended").touch()
        if target == "postgres":
            # A database that someone looks at can't be copied.
            copy_database(self._server, "built_postgres", "shown_postgres")

    def _sandbox(self, folder: Path, target: str, warehouse: str | None) -> Sandbox:
        lines = (folder / "order_details.csv").read_bytes()
        sandbox = make_sandbox(self._server, folder)
        assert lines.startswith(sandbox.order_details.read_bytes())
        if target == "postgres" and warehouse:
            sandbox.warehouse = Database(warehouse)
            sandbox.settings |= warehouse_settings(sandbox.warehouse)
        return sandbox
