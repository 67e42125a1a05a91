"""Run whole days: every step in order, many days in a row, and the steps left of each day."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from itertools import zip_longest

from ingestion.landing import Landing
from pipeline.ledger import FINISHED, STEPS
from pipeline.run.ahead import Ahead
from pipeline.run.extracting import Manner, extract_sources
from pipeline.run.prepared import prepared
from pipeline.run.request import Request
from pipeline.run.steps import build, check, load, publish


def run_day(
    request: Request,
    run_date: str,
    *,
    left: list[str] | None = None,
    refresh: bool = False,
    allow_older: bool = False,
    dry_run: bool = False,
) -> None:
    """Run a day's steps in order, or those that are left; a landed day is reused unless `refresh` is set.

    Named sources are read, loaded and checked; what follows is of the whole day, because a publish is.
    """
    manner, whole = Manner(only_missing=not refresh), request.whole
    actions: dict[str, Callable[[], object]] = {
        "extract": lambda: extract_sources(request, run_date, manner),
        "load": lambda: load_until(request, run_date),
        "check_arrivals": lambda: check(request, run_date, "arrivals"),
        "build": lambda: build(whole, run_date),
        "check_marts": lambda: check(whole, run_date),
        "publish": lambda: publish(whole, run_date, allow_older=allow_older, dry_run=dry_run),
    }
    for step in STEPS:
        if left is None or step in left:
            actions[step]()


def load_until(request: Request, run_date: str) -> None:
    """Load a day, after every earlier landed day that raw lacks or has from an older extract.

    History needs all of them; days that haven't landed completely are left out.
    """
    landing = Landing(request.home)
    landed = {day for source in request.sources for day in landing.days(source.name) if day < run_date}
    loaded = request.warehouse.loaded_before(run_date)
    for day in sorted(landed):
        if is_behind(request, landing, day, loaded.get(day, {})):
            load(request, day)
    load(request, run_date)


def is_behind(request: Request, landing: Landing, day: str, loaded: Mapping[str, str]) -> bool:
    """Return whether raw lacks a completely landed day, given the loaded extracts, or has it from an older extract."""
    manifests = [landing.manifest(source.name, day) for source in request.sources_of(day)]
    # Check manifests first: in a bucket, checking every file of every day would take minutes.
    if all(manifest and loaded.get(manifest.source) == manifest.last_run for manifest in manifests):
        return False
    return not any(landing.faults(source.name, day, read_files=False) for source in request.sources_of(day))


def steps_left(request: Request, run_date: str) -> list[str]:
    """Return the steps that a backfill must still run for a day, none if it is complete for what has landed.

    A day depends on everything landed up to it; if that has changed since its publish, it is loaded and built again.
    Pruned days, and those before them, can't be.
    """
    landing = Landing(request.home)
    if any(run_date <= day for day in landing.pruned_days()):
        return []
    if not _has_landed(request, run_date):
        return list(STEPS)
    loaded = request.warehouse.loaded_runs(run_date)
    if any(source.name not in loaded for source in request.sources_of(run_date)):
        return [step for step in STEPS if step != "extract"]
    published = request.ledger.read(run_date, "publish", request.target)
    if published and published["state"] in FINISHED and published["inputs"] == landing.fingerprint(run_date):
        return []
    return [step for step in STEPS if step != "extract"]


def backfill_days(
    request: Request, days: list[str], *, allow_older: bool, on_day: Callable[[str, list[str]], None]
) -> None:
    """Run every incomplete day, oldest first, so that an interrupted backfill can be resumed.

    While a day is loaded, built, checked and published, the next one is extracted if it hasn't landed.
    """
    with ExitStack() as held:
        ahead = None
        for day, following in zip_longest(days, days[1:]):
            is_ahead = ahead is not None and ahead.day == day
            left = list(STEPS) if is_ahead else steps_left(request, day)
            on_day(day, left)
            if not left:
                continue
            if ahead is None:
                ready = held.enter_context(prepared(request))
                ahead = held.enter_context(Ahead(ready))
            if is_ahead:
                ahead.finish()
            elif "extract" in left:
                run_day(ready, day, left=["extract"])
            if following and not _has_landed(request, following):
                ahead.begin(following)
            run_day(ready, day, left=[step for step in left if step != "extract"], allow_older=allow_older)


def _has_landed(request: Request, run_date: str) -> bool:
    landing, sources = Landing(request.home), request.sources_of(run_date)
    return not any(landing.faults(source.name, run_date, read_files=False) for source in sources)
