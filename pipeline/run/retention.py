"""Remove old days from landing, raw and the published versions: all that no kept day needs."""

from collections.abc import Collection
from contextlib import ExitStack

from ingestion.errors import Refused, StepFailed
from ingestion.landing import Landing
from pipeline.ledger.space import show_bytes
from pipeline.publishing import open_publisher
from pipeline.run.day import is_behind
from pipeline.run.recording import explained
from pipeline.run.request import Request


def days_to_keep(days: dict[str, list[str]], last: int, *, monthly: bool) -> set[str]:
    """Return the last days of all, each source's last day and, with `monthly`, the last day of each month.

    `days` are the landed days by source.
    """
    every = sorted({day for landed in days.values() for day in landed})
    months = {day[:7]: day for day in every} if monthly else {}
    return {*every[-last:], *(landed[-1] for landed in days.values() if landed), *months.values()}


def prune(request: Request, keep_days: int, *, keep_monthly: bool, dry_run: bool) -> None:
    """Remove the landed days before the published one that aren't to be kept; a dry run tells what would go.

    Raises Refused unless history has all that has landed up to the published day, because it is made from those days.
    """
    current = open_publisher(request.target, request.home).current()
    again = request.whole_command(f"prune --keep-days {keep_days}{' --keep-monthly' * keep_monthly}")
    if current is None:
        raise Refused("prune refused: nothing has been published yet", request.whole_command("run"))
    until = current.run_date
    with explained(until, "prune", again):
        landing = Landing(request.home)
        _refuse_changed(request, landing, until)
        days = {source: landing.days(source) for source in landing.sources()}
        kept = days_to_keep(days, keep_days, monthly=keep_monthly)
        old = sorted({day for landed in days.values() for day in landed if day < until} - kept)
        gone = _prune_landing(request, landing, old, until, dry_run=dry_run)
        _prune_raw(request, {*landing.pruned_days(), *gone}, until, dry_run=dry_run)
        freed = open_publisher(request.target, request.home).tidy(dry_run=dry_run)
        _tell(request, "versions", None, freed, dry_run=dry_run)


def _refuse_changed(request: Request, landing: Landing, until: str) -> None:
    """Raise Refused if the published day wasn't made from all that has landed up to it, or history was rewound."""
    published = request.ledger.read(until, "publish", request.target) or {}
    if published.get("inputs") != landing.fingerprint(until):
        reason = f"days up to {until} have landed again since it was published, and history may still need them"
    elif until not in request.warehouse.history_days():
        reason = f"history doesn't reach {until}, the published day"
    else:
        return
    raise Refused(reason, request.command("run", until))


def _prune_landing(request: Request, landing: Landing, old: list[str], until: str, *, dry_run: bool) -> list[str]:
    """Prune the days that nobody needs and no process extracts, and return them."""
    sources = sorted({*landing.sources(), *(source.name for source in request.sources)})
    gone = []
    for day in old:
        with ExitStack() as held, request.reporter.working("prune", day):
            try:
                for source in () if dry_run else sources:
                    held.enter_context(landing.day_lock(source, day))
            except StepFailed as error:
                request.reporter.warn(f"{day} stays: {error.reason}")
                continue
            if is_behind(request, landing, day, request.warehouse.loaded_runs(day)):
                request.reporter.warn(f"{day} stays: history lacks it; run: {request.command('run', until)}")
                continue
            gone.append(day)
            for source in () if dry_run else sources:
                landing.prune(source, day)
    if dry_run:
        listed = [(landing.listed(source), landing.listed(source, gone)) for source in sources]
        freed: int | None = sum(sum(every.values()) - sum(left.values()) for every, left in listed)
    else:
        freed = landing.sweep_pruned()
    if freed is None:
        request.reporter.warn(
            f"a source is being extracted, so the files of {len(gone)} days stay until the next prune"
        )
    _tell(request, "landing", gone, freed or 0, dry_run=dry_run)
    return gone


def _prune_raw(request: Request, gone: Collection[str], until: str, *, dry_run: bool) -> None:
    warehouse = request.warehouse
    if days := [day for day in warehouse.loaded_days() if day in gone and day < until]:
        space = sum(size for schema, size in warehouse.space().items() if schema.startswith("raw"))
        with request.reporter.working("prune", "raw"):
            before, after = warehouse.unload_days(days, until, dry_run=dry_run)
        freed = space * (before - after) // max(before, 1)
    _tell(request, "raw", days, freed if days else 0, dry_run=dry_run)


def _tell(request: Request, kind: str, days: list[str] | None, freed: int, *, dry_run: bool) -> None:
    counted = "" if days is None else f"{len(days)} day{'s' * (len(days) != 1)}, "
    request.reporter.line("prune", kind, None, None, f"{'would free ' * dry_run}{counted}{show_bytes(freed)}")
    state = "dry run" if dry_run else "done"
    request.reporter.tell(step="prune", kind=kind, days=days, bytes=freed, state=state)
