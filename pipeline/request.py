"""What a command was asked for: where, into which engine, for which sources."""

import shlex
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from ingestion.settings import Home
from ingestion.sources import Source, sources_named
from ingestion.warehouse import Warehouse, open_warehouse
from pipeline.dbt import Dbt
from pipeline.ledger import Ledger
from pipeline.reporter import Reporter
from pipeline.worker import Here, Worker


@dataclass(frozen=True)
class Workers:
    """The processes that get ready for a day's later steps."""

    dbt: Worker
    checks: Worker


@dataclass(frozen=True)
class Request:
    """The request behind a command; no source named means all of them. `run_at` (UTC) is only kept in the ledger."""

    home: Home
    target: str = "duckdb"
    named_sources: list[str] = field(default_factory=list)
    reporter: Reporter = field(default_factory=Reporter)
    run_at: datetime | None = None
    workers: Workers | None = None

    @property
    def sources(self) -> list[Source]:
        """The sources the request covers; raises BadRequest on an unknown name."""
        return sources_named(self.named_sources)

    def sources_of(self, run_date: str) -> list[Source]:
        """Return those of the request's sources that are part of a day."""
        return [source for source in self.sources if source.exists_on(run_date)]

    @property
    def warehouse(self) -> Warehouse:
        """The target's warehouse; raises BadRequest on an unknown target."""
        return open_warehouse(self.target, self.home)

    @cached_property
    def dbt(self) -> Dbt:
        """The dbt project at the target."""
        return Dbt(self.target, self.home)

    @property
    def at_dbt(self) -> Worker | Here:
        """Where dbt's part of a step is done: the worker that is ready for it, or this process."""
        return self.workers.dbt if self.workers else Here(lambda: self.dbt)

    @property
    def at_checks(self) -> Worker | Here:
        """Where expectations are checked."""
        return self.workers.checks if self.workers else Here(lambda: None)

    @cached_property
    def ledger(self) -> Ledger:
        """The home's ledger."""
        return Ledger(self.home, self.run_at)

    def check(self) -> None:
        """Raise BadRequest when a name that was given doesn't exist."""
        _ = self.sources, self.warehouse

    def command(self, step: str, run_date: str, *options: str) -> str:
        """Return what to type to run a step as it was asked for here."""
        words = ["tradewinds", step, "--run-date", run_date]
        for source in self.named_sources:
            words += ["--source", source]
        return shlex.join([*words, *self._target_words, *options])

    def whole_command(self, verb: str) -> str:
        """Return what to type for a verb that is asked for no day and no source."""
        return shlex.join(["tradewinds", verb, *self._target_words])

    @property
    def _target_words(self) -> list[str]:
        return [] if self.target == "duckdb" else ["--target", self.target]
