"""List the rejected rows of landed days, and replay those that couldn't be read."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pyarrow as pa

from ingestion.errors import Refused
from ingestion.landing import Landing
from ingestion.rejects import read_rejects
from ingestion.replay import replay_source
from ingestion.sources import Source
from pipeline.ledger import STEPS
from pipeline.run.day import run_day, steps_left
from pipeline.run.extracting import note_landed
from pipeline.run.judged import COLUMNS, judged_days, rejected_by_build
from pipeline.run.recording import explained, recorded
from pipeline.run.relay import InTurn
from pipeline.run.request import Request

COUNTED = ("run_date", "source", "table_name", "rule", "rows")


def list_rejects(request: Request, run_date: str) -> Iterator[dict]:
    """Return a day's rejected rows: first unreadable ones by file and line, then those that broke a rule.

    Raises Refused when the day, or one of the named sources, hasn't landed, and when nothing is known of the day
    because no build has validated its rows.
    """
    landing, names = Landing(request.home), [source.name for source in request.sources_of(run_date)]
    missing = [name for name in names if landing.manifest(name, run_date) is None]
    if missing and (request.named_sources or missing == names):
        raise Refused(f"{', '.join(missing)} not landed for {run_date}", request.command("extract", run_date))
    # Read everything before showing the first row, so that damage can't leave half a list.
    parts, judged = list(_unreadable(request, [run_date])), judged_days(request, [run_date])
    parts += rejected_by_build(request, judged, [*COLUMNS])
    if not judged and not any(part.num_rows for part in parts):
        command = request.whole.command("build", run_date)
        raise Refused(f"no build has validated the rows of {run_date}", command)
    return (row for part in parts for row in part.to_pylist())


def count_rejects(request: Request) -> list[dict]:
    """Count the rejected rows of all landed days by day, source, table and rule, latest day first."""
    counts: Counter[tuple] = Counter()
    days = landed_days(request)
    for part in (*_unreadable(request, days), *rejected_by_build(request, judged_days(request, days))):
        counts.update(zip(*(part[column].to_pylist() for column in COUNTED[:-1]), strict=True))
    keys = sorted(sorted(counts), key=lambda key: key[0], reverse=True)
    return [dict(zip(COUNTED, (*key, counts[key]), strict=True)) for key in keys]


def replay_rejects(request: Request, source: Source, run_date: str) -> None:
    """Add a source's rejects that are valid now to its landed day, and run the day's later steps.

    A loaded but incomplete day is continued too, because a killed replay leaves it so.
    """
    command = f"tradewinds rejects replay --run-date {run_date} --source {source.name}"
    with explained(run_date, "replay", command, source.name), request.reporter.progress() as progress:
        turns = InTurn(request.reporter, [source.name], progress)
        with turns.hearing(source.name) as reporter:
            replay = replay_source(source, run_date, request.home, reporter.counting("replay", source.name))
    say = request.reporter.say
    if not replay.before.rejected_rows:
        say(f"{source.name} has no rejected rows on {run_date}")
    elif not replay.added:
        say(f"none of the {replay.before.rejected_rows:,} rejected rows of {source.name} is good now")
    else:
        say(f"{source.name}: {replay.added:,} rows added, {replay.after.rejected_rows:,} still rejected")
    if replay.added or _is_cut_off(request, run_date):
        command = f"tradewinds extract --run-date {run_date} --source {source.name}"
        with recorded(request, run_date, "extract", command, source.name) as record:
            note_landed(record, replay.after)
        run_day(request, run_date, left=[step for step in STEPS if step != "extract"])
    mine = replace(request, named_sources=[source.name])
    if broken := sum(part.num_rows for part in rejected_by_build(mine, judged_days(mine, [run_date]))):
        say(f"{broken:,} more rows of {source.name} broke a rule when they were built; every build judges those anew")


def _is_cut_off(request: Request, run_date: str) -> bool:
    loaded = request.warehouse.loaded_runs(run_date)
    return all(source.name in loaded for source in request.sources_of(run_date)) and bool(steps_left(request, run_date))


def landed_days(request: Request) -> list[str]:
    """Return every landed day of the request's sources, oldest first."""
    landing = Landing(request.home)
    return sorted({day for source in request.sources for day in landing.days(source.name)})


def unjudged(request: Request, days: list[str]) -> str | None:
    """Return a line about the days whose rows no build has validated, None if there are none."""
    judged = judged_days(request, days)
    if not (missing := [day for day in days if day not in judged]):
        return None
    named = missing[0] if len(missing) == 1 else f"{missing[0]} to {missing[-1]} ({len(missing)} days)"
    command = request.whole.command("build", missing[0])
    return f"{named}: only rows that couldn't be read; a build finds those that break a rule: {command}"


def _unreadable(request: Request, days: list[str]) -> Iterator[pa.Table]:
    """Yield the rows that extracts of these days rejected, in tables of COLUMNS."""
    landing = Landing(request.home)
    for source in request.sources:
        for day in days:
            if manifest := landing.manifest(source.name, day):
                yield read_rejects(landing, manifest).rename_columns({"table": "table_name"}).select(COLUMNS)
