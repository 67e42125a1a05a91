"""List the rejected rows of landed days, and replay those that couldn't be read."""

from collections import Counter
from collections.abc import Iterator
from datetime import date

import pyarrow as pa
import pyarrow.compute as compute

from ingestion.errors import Refused, StepFailed
from ingestion.landing import Landing
from ingestion.rejects import read_rejects
from ingestion.replay import replay_source
from ingestion.sources import SOURCES, Source, kind_of
from pipeline.ledger import STEPS
from pipeline.run.day import Options, run_day, steps_left
from pipeline.run.extracting import note_landed
from pipeline.run.recording import recorded
from pipeline.run.relay import InTurn, Relay
from pipeline.run.request import Request

COLUMNS = ("run_date", "source", "table_name", "file", "line_number", "rule", "raw_text")
COUNTED = ("run_date", "source", "table_name", "rule", "rows")
_QUARANTINE = "quarantine.rejected_rows"
# A database value that landing can't hold has no line number either, but the extract rejects it, so it is in landing.
_FOUND_BY_EXTRACT = "out of range"


def list_rejects(request: Request, run_date: str) -> Iterator[dict]:
    """Return a day's rejected rows: first unreadable ones by file and line, then those that broke a rule.

    Raises Refused when the day, or one of the named sources, hasn't landed.
    """
    landing, names = Landing(request.home), [source.name for source in request.sources_of(run_date)]
    missing = [name for name in names if landing.manifest(name, run_date) is None]
    if missing and (request.named_sources or missing == names):
        raise Refused(f"{', '.join(missing)} not landed for {run_date}", request.command("extract", run_date))
    # Read everything before showing the first row, so that damage can't leave half a list.
    parts = list(_rejects(request, run_date))
    return (row for part in parts for row in part.to_pylist())


def count_rejects(request: Request) -> list[dict]:
    """Count the rejected rows of all landed days by day, source, table and rule, latest day first."""
    counts: Counter[tuple] = Counter()
    for part in _rejects(request, None):
        counts.update(zip(*(part[column].to_pylist() for column in COUNTED[:-1]), strict=True))
    keys = sorted(sorted(counts), key=lambda key: key[0], reverse=True)
    return [dict(zip(COUNTED, (*key, counts[key]), strict=True)) for key in keys]


def replay_rejects(request: Request, source: Source, run_date: str) -> None:
    """Add a source's rejects that are valid now to its landed day, and run the day's later steps.

    A loaded but incomplete day is continued too, because a killed replay leaves it so.
    """
    try:
        with request.reporter.progress() as progress:
            turns = InTurn(request.reporter, [source.name], progress)
            with turns.hearing(source.name) as turn, Relay(turn.hear).tables("replay", source.name) as on_rows:
                replay = replay_source(source, run_date, request.home, on_rows)
    except (Refused, StepFailed) as error:
        ended = "refused" if isinstance(error, Refused) else "failed"
        command = error.command or f"tradewinds rejects replay --run-date {run_date} --source {source.name}"
        raise type(error)(f"replay {run_date} {ended}: {source.name}: {error.reason}", command) from error
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
        run_day(request, run_date, Options(), left=[step for step in STEPS if step != "extract"])
    if broken := sum(part.num_rows for part in _rule_breakers(request, [source.name], run_date)):
        say(f"{broken:,} more rows of {source.name} broke a rule when they were built; every build judges those anew")


def _is_cut_off(request: Request, run_date: str) -> bool:
    loaded = request.warehouse.loaded_runs(run_date)
    return all(source.name in loaded for source in request.sources_of(run_date)) and bool(steps_left(request, run_date))


def _rejects(request: Request, run_date: str | None) -> Iterator[pa.Table]:
    """Yield the rejected rows of a day, or of all days, in tables of COLUMNS."""
    landing = Landing(request.home)
    for source in request.sources:
        for day in [run_date] if run_date else landing.days(source.name):
            if manifest := landing.manifest(source.name, day):
                yield read_rejects(landing, manifest).rename_columns({"table": "table_name"}).select(COLUMNS)
    yield from _rule_breakers(request, [source.name for source in request.sources], run_date)


def _rule_breakers(request: Request, sources: list[str], run_date: str | None) -> Iterator[pa.Table]:
    """Yield the rows that broke a rule in staging or in the people database, as of the last build."""
    if not request.warehouse.has(_QUARANTINE):
        return
    files = pa.array([name for name in sources if kind_of(SOURCES[name]) in ("csv", "api", "dlt")], pa.string())
    order = ["run_date", "source", "table_name", "file", "line_number", "rule", "raw_text"]
    with request.warehouse.reading(_QUARANTINE, order) as batches:
        for batch in batches:
            rows = pa.Table.from_batches([batch]).select(COLUMNS)
            wanted = compute.field("source").isin(sources)
            # The extract reads sources that are files or APIs, but not the files imported into the people database.
            wanted &= ~(compute.field("source").isin(files) & compute.field("line_number").is_valid())
            wanted &= ~compute.starts_with(compute.field("rule"), _FOUND_BY_EXTRACT)
            if run_date:
                wanted &= compute.field("run_date") == date.fromisoformat(run_date)
            yield rows.filter(wanted)
