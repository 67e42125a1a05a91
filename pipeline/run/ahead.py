"""Extract a backfill's next day in a process of its own, beside the other steps of the day before it."""

from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from threading import Event, Lock
from typing import Any

from ingestion.errors import TradewindsError
from pipeline.run.extracting import Manner, extract_sources, start
from pipeline.run.relay import Relay, Told
from pipeline.run.reporter import Reporter
from pipeline.run.request import Request
from pipeline.run.worker import Worker, WorkerEnded


class Ahead:
    """Extracts one day at a time ahead of its turn; `day` is that day. What it reports is kept until its turn.

    After a failure the block ends when the day's extract has ended, so that it needn't be read again; an interrupt
    interrupts it, too.
    """

    def __init__(self, request: Request):
        self._request = request
        self.day: str | None = None
        self._workers = ExitStack()
        self._worker: Worker | None = None
        self._kept: list[Told] = []
        self._is_due, self._printing = False, Lock()
        self._ended = Event()
        self._failure: Exception | None = None

    def __enter__(self) -> "Ahead":
        return self

    def __exit__(self, _: object, error: BaseException | None, *__: object) -> None:
        with self._workers:
            if self.day and isinstance(error, Exception):
                with self._request.reporter.working("extract", f"{self.day} ends first"):
                    self._ended.wait()
                if isinstance(self._failure, TradewindsError):
                    self._request.reporter.warn(f"{self._failure.reason}; run: {self._failure.command}")
            elif error and self._worker:
                for worker in (self._worker, *self._request.workers.values()):
                    worker.interrupt()  # all at once: each may take a while to end

    def begin(self, run_date: str) -> None:
        """Begin to extract a day's sources that haven't landed; call in the main thread."""
        if self._worker is None:
            told = (self._request.home, self._request.target, self._request.named_sources)
            make = partial(_prepare, *told, run_at=self._request.run_at, accepted=self._request.accepted)
            self._worker = self._workers.enter_context(Worker("the next day's extract", make))
        self.day, self._is_due, self._failure = run_date, False, None
        self._ended = start(self._extract, self._worker, run_date)

    def finish(self) -> None:
        """Print what the day's extract has reported so far, wait for its end, and raise its failure."""
        with self._printing:
            self._is_due = True
            self._print_kept()
        self._ended.wait()
        self.day = None
        if self._failure:
            raise self._failure

    def _extract(self, worker: Worker, run_date: str) -> None:
        def hear(*told: Any) -> None:
            with self._printing:
                self._kept.append(told)
                if self._is_due:
                    self._print_kept()

        try:
            worker.call(_extract_here, run_date, reporter=Relay(hear))
        except WorkerEnded as error:  # the others say which day and step they are of
            command = self._request.command("extract", run_date)
            self._failure = error.retold(f"extract {run_date} failed: {error.head}", command)
        except Exception as error:
            self._failure = error

    def _print_kept(self) -> None:
        while self._kept:
            self._request.reporter.hear(*self._kept.pop(0))


def _prepare(*what: Any, **named: Any) -> Request:
    """Return a request, and import what reads a database: its process then extracts without a worker of its own."""
    from adbc_driver_postgresql import dbapi  # noqa: F401

    return Request(*what, **named)


def _extract_here(request: Request, run_date: str, *, reporter: Reporter) -> None:
    extract_sources(replace(request, reporter=reporter), run_date, Manner(only_missing=True))
