"""Verify stored data: landed files against manifests, history against raw."""

from ingestion.errors import StepFailed
from ingestion.landing import Landing
from pipeline.run.request import Request


def verify_landing(request: Request) -> None:
    """Verify every landed file of the request's sources; raises StepFailed when one doesn't match its manifest."""
    landing = Landing(request.home)
    days = [(source.name, day) for source in request.sources for day in landing.days(source.name)]
    commands = []
    for source, day in days:
        with request.reporter.working("verify", f"{source} {day}"):
            faults = landing.faults(source, day, read_files=True)
        if faults:
            commands.append(f"tradewinds extract --run-date {day} --source {source}")
            for fault in faults:
                request.reporter.say(f"{day}  {fault}")
        request.reporter.tell(run_date=day, step="verify_landing", source=source, **_found(faults))
    if commands:
        raise StepFailed(
            f"verify failed: {len(commands)} of {len(days)} landed days are not whole", "; ".join(commands)
        )
    request.reporter.say(f"verified: {len(days)} landed days are whole")


def verify_history(request: Request) -> None:
    """Compare history as of every day that raw still has with its raw rows; raises StepFailed when they differ."""
    loaded = request.warehouse.loaded_days()
    days, wrong = [day for day in request.warehouse.history_days() if day in loaded], []
    try:
        for day in days:
            with request.reporter.working("verify", f"history of {day}"):
                differences = request.dbt.check_history(day)
            if differences:
                wrong.append(day)
                for difference in differences:
                    request.reporter.say(f"{day}  {difference}")
            request.reporter.tell(run_date=day, step="verify_history", source=None, **_found(differences))
    finally:
        request.dbt.release()
    if wrong:
        raise StepFailed(
            f"verify failed: history differs from raw on {len(wrong)} of {len(days)} days, first on {wrong[0]}",
            # A build of the first wrong day removes all later versions; the next build replays the days since.
            f"{request.command('build', wrong[0])}; {request.command('build', days[-1])}",
        )
    request.reporter.say(f"verified: history is raw on {len(days)} days")


def _found(faults: list[str]) -> dict[str, str | None]:
    return {"state": "failed" if faults else "done", "error": "; ".join(faults) or None}
