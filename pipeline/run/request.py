"""The request of a command: its home, target and sources."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache, cached_property
from typing import Any, Literal

from ingestion.settings import Home
from ingestion.sources import Source, sources_named
from ingestion.warehouse import Warehouse, open_warehouse
from pipeline.dbt import Dbt
from pipeline.ledger import Ledger
from pipeline.run.reporter import Reporter
from pipeline.run.worker import Worker


@dataclass(frozen=True)
class Request:
    """The request of a command; no named source means all of them. Only the ledger uses `run_at` (UTC).

    `accepted` are the guards that a person has answered for: drift, shrink, stale.
    """

    home: Home
    target: str = "duckdb"
    named_sources: list[str] = field(default_factory=list)
    reporter: Reporter = field(default_factory=Reporter)
    run_at: datetime | None = None
    accepted: frozenset[str] = frozenset()
    workers: dict[str, Worker] = field(default_factory=dict)  # by the part of the day that they have prepared

    @property
    def sources(self) -> list[Source]:
        """The sources the request covers; raises BadRequest on an unknown name."""
        return sources_named(self.named_sources)

    @property
    def whole(self) -> "Request":
        """The same request for all sources."""
        return replace(self, named_sources=[]) if self.named_sources else self

    def sources_of(self, run_date: str) -> list[Source]:
        """Return the request's sources that are part of a day."""
        return [source for source in self.sources if source.settings.exists_on(run_date)]

    @property
    def warehouse(self) -> Warehouse:
        """The target's warehouse; raises BadRequest on an unknown target."""
        return open_warehouse(self.target, self.home)

    @cached_property
    def dbt(self) -> Dbt:
        """The dbt project at the target."""
        return Dbt(self.target, self.home)

    def call(self, part: Literal["dbt", "checks"], work: Callable[..., Any], *args: Any) -> Any:
        """Return `work(prepared, *args, reporter=…)`, done by the worker of this part of the day, or here."""
        if worker := self.workers.get(part):
            return worker.call(work, *args, reporter=self.reporter)
        return work(self.dbt if part == "dbt" else None, *args, reporter=self.reporter)

    @property
    def ledger(self) -> Ledger:
        """The home's ledger, one for all requests of a command: it remembers the days that it has read."""
        return _open_ledger(self.home, self.run_at)

    def check(self) -> None:
        """Raise BadRequest on an unknown name."""
        _ = self.sources, self.warehouse

    def command(self, step: str, run_date: str, *options: str) -> str:
        """Return the command that runs a step with this request's options."""
        words = ["tradewinds", step, "--run-date", run_date]
        for source in self.named_sources:
            words += ["--source", source]
        return shlex.join([*words, *self._target_words, *options])

    def whole_command(self, verb: str) -> str:
        """Return the command of a verb without day and source."""
        return shlex.join(["tradewinds", verb, *self._target_words])

    @property
    def _target_words(self) -> list[str]:
        return [] if self.target == "duckdb" else ["--target", self.target]


@cache
def _open_ledger(home: Home, run_at: datetime | None) -> Ledger:
    return Ledger(home, run_at)
