"""The gates of each step; every refusal names the command that fixes it."""

from typing import Any

from ingestion.errors import Refused
from ingestion.landing import Landing
from ingestion.warehouse import BuildMark
from pipeline.run.request import Request

_UNFIT_BUILDS = {
    "building": "the last build was cut off",
    "failed": "the last build failed",
    "partial": "only a part of the project was built",
    "stale": "this day or an earlier one was loaded again after the build",
}


def refuse_unruled(request: Request, run_date: str, stage: str) -> list[str]:
    """Return the sources that a check covers; the marts of one source may be made from others, too.

    Raise Refused when a stage has no expectation for a source of the day, or for a domain of the marts.
    """
    from pipeline.checks.suites import Stage, find_unruled, sharing_suites

    names = [source.name for source in request.sources_of(run_date)]
    missing = f"tests/expectations/{stage} has no expectations for"
    if unruled := find_unruled(Stage(stage), names):
        raise Refused(f"{missing} {', '.join(unruled)}", hint="restore its suite, or write one")
    if stage == Stage.ARRIVALS or not request.named_sources:
        return names
    covered = sharing_suites(names, [source.name for source in request.whole.sources_of(run_date)])
    if unruled := [name for name in names if name not in covered]:
        raise Refused(f"{missing} {', '.join(unruled)}", check_command(request.whole, run_date, stage))
    return covered


def refuse_unloaded(request: Request, run_date: str) -> dict[str, str]:
    """Raise Refused unless the request's sources are loaded and the last load succeeded; return their runs by name."""
    command = request.command("load", run_date)
    loaded = request.warehouse.loaded_runs(run_date)
    missing = [source.name for source in request.sources_of(run_date) if source.name not in loaded]
    if missing:
        Landing(request.home).refuse_pruned(run_date)
        raise Refused(f"{', '.join(missing)} not loaded for this day", command)
    last = request.ledger.read(run_date, "load", request.target)
    if last and last["state"] != "done":
        raise Refused(f"the state of this day's last load is {last['state']}", command)
    return {source.name: loaded[source.name] for source in request.sources_of(run_date)}


def refuse_failed_arrivals(request: Request, run_date: str, loaded: dict[str, str]) -> None:
    """Raise Refused when the loaded rows have failed their check; unchecked rows may be built."""
    checked = request.ledger.read(run_date, "check_arrivals", request.target) or {}
    failed = _stands_on(checked).items() if checked.get("state") == "failed" else ()
    if any(loaded.get(source) == run for source, run in failed):
        raise Refused("the loaded rows failed their check", check_command(request, run_date, "arrivals"))


def passed(request: Request, run_date: str, stage: str) -> dict[str, str]:
    """Return what has passed a stage's check, by source: the run id of its extract, or the id of its build."""
    checked = request.ledger.read(run_date, f"check_{stage}", request.target) or {}
    return _stands_on(checked) if checked.get("state") == "done" else {}


def _stands_on(checked: dict[str, Any]) -> dict[str, str]:
    """Return what a check was of, by source; earlier versions of the ledger have the build's id alone."""
    stands_on = checked.get("stands_on")
    return stands_on if isinstance(stands_on, dict) else {}


def arrivals_are_checked(request: Request, run_date: str) -> bool:
    """Return whether everything now loaded of the request's sources has passed its check."""
    checked, loaded = passed(request, run_date, "arrivals"), request.warehouse.loaded_runs(run_date)
    names = [source.name for source in request.sources_of(run_date)]
    return all(checked.get(source) == run for source, run in loaded.items() if source in names)


def refuse_unbuilt(request: Request, run_date: str) -> BuildMark:
    """Raise Refused unless the sources' marts are the day's, tested and up to date with raw; return their mark."""
    mark = request.warehouse.build_mark()
    command = request.command("build", run_date)
    if mark is None:
        raise Refused("nothing has been built yet", command)
    if mark.run_date != run_date:
        raise Refused(f"the marts are those of {mark.run_date}", command)
    if mark.state != "built" and not (mark.state == "partial" and _is_covered(request, run_date, mark)):
        raise Refused(_UNFIT_BUILDS.get(mark.state, f"the build is {mark.state}"), command)
    return mark


def _is_covered(request: Request, run_date: str, mark: BuildMark) -> bool:
    """Return whether a build of some sources was one of the request's."""
    built = (request.ledger.read(run_date, "build", request.target) or {}).get("built", {})
    return bool(request.named_sources) and all(built.get(name) == mark.build_id for name in request.named_sources)


def refuse_unchecked(request: Request, run_date: str, mark: BuildMark) -> None:
    """Raise Refused unless these marts, and the arrivals they depend on, have passed every check."""
    command = check_command(request, run_date, "marts")
    checked = request.ledger.read(run_date, "check_marts", request.target) or {}
    if checked.get("state") == "failed" and mark.build_id in _stands_on(checked).values():
        raise Refused("the last check of the marts failed", command)
    marts = passed(request, run_date, "marts")
    missing = [source.name for source in request.sources_of(run_date) if marts.get(source.name) != mark.build_id]
    if missing:
        named = f" of {', '.join(missing)}" if len(missing) < len(request.sources_of(run_date)) else ""
        raise Refused(f"the marts{named} have not been checked since they were built", command)
    if not arrivals_are_checked(request, run_date):
        raise Refused("the loaded rows have not been checked since the load", command)


def check_command(request: Request, run_date: str, stage: str) -> str:
    """Return the command that checks a stage of a day."""
    return request.command("check", run_date, "--stage", stage)
