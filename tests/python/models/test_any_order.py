"""Whatever happens on the way: each day's published version is that of the same sources, read whole and in order."""

import random
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from ingestion.embedded.postgres import EmbeddedPostgres
from pipeline.dbt.project import published_marts
from pipeline.publishing import open_publisher
from pipeline.run import steps
from tests.python.history import (
    ALL,
    CURSORS,
    DAYS,
    PERMUTATIONS,
    States,
    build_day,
    extract_day,
    make_states,
    requesting,
)
from tests.python.marts import TARGETS
from tests.python.sandbox import Database, Sandbox, make_sandbox, make_warehouse, warehouse_settings

# Days that never land.
GAPS = ((DAYS[2],), (DAYS[1], DAYS[4]), (DAYS[3],))
# The guards that the changes meet, and a day that is published after a later one.
ACCEPTED = ("--accept-drift", "--accept-shrink", "--accept-stale", "--allow-older")


@pytest.fixture(scope="module")
def states(server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> States:
    """The sources as they are on six days."""
    folder = tmp_path_factory.mktemp("states")
    return make_states(server, make_sandbox(server, folder), folder)


@pytest.fixture(scope="module")
def expected(
    states: States, server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[tuple[str, ...]], dict[str, str]]:
    """Return the versions of days that are read whole, and built in order."""

    @cache
    def in_order(days: tuple[str, ...]) -> dict[str, str]:
        sandbox = make_sandbox(server, tmp_path_factory.mktemp("in_order"))
        for day in days:
            extract_day(sandbox, states, day)
        return publish(sandbox, None, days)

    return in_order


def publish(sandbox: Sandbox, warehouse: Database | None, days: tuple[str, ...]) -> dict[str, str]:
    """Load, build and publish landed days in order, without their tests, and return the versions."""
    with requesting(sandbox, sandbox.home, warehouse) as request:
        versions = {}
        for day in days:
            steps.load(request, day)
            build_day(request, day, *ALL)
            versions[day] = open_publisher(request.target, request.home).publish(day, published_marts())[0].name
        return versions


def attempt(sandbox: Sandbox, seconds: float | None, *words: str) -> None:
    """Run a command, which a gate may refuse, or kill it."""
    process = sandbox.start(*words)
    if seconds is not None:
        time.sleep(seconds)
        process.kill()
    _, errors = process.communicate(timeout=900)
    assert process.returncode in ((0, 3) if seconds is None else (0, 3, -9)), errors


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("seed", range(PERMUTATIONS if PERMUTATIONS > 1 else 0))
def test_every_day_is_published_as_if_it_was_read_whole_and_in_order(
    states: States, expected: Callable, server: EmbeddedPostgres, tmp_path: Path, seed: int, target: str
) -> None:
    """Only what has changed is read. Days land late, twice or never; every second command is killed."""
    chance = random.Random(seed)
    days = tuple(day for day in DAYS if day not in GAPS[seed % len(GAPS)])
    sandbox = make_sandbox(server, tmp_path)
    warehouse = make_warehouse(server) if target == "postgres" else None
    sandbox.settings |= CURSORS | (warehouse_settings(warehouse) if warehouse else {})

    def moment(seconds: float) -> float | None:
        return chance.uniform(0, seconds) if chance.random() < 0.5 else None

    ended: dict[str, int] = {}
    for day in [*chance.sample(days, len(days)), *chance.choices(days, k=2)]:
        ended[day] = extract_day(sandbox, states, day, moment(3))
        for name, seconds in (("load", 3), ("build", 10)):
            named = ("--source", "northwind", "--source", "order_details") if chance.random() < 0.7 else ()
            if chance.random() < 0.5:
                attempt(sandbox, moment(seconds), name, "--run-date", chance.choice(list(ended)), *named)
    for day in chance.sample(days, len(days)):
        if ended[day]:
            extract_day(sandbox, states, day)
    attempt(sandbox, chance.uniform(0, 15), "run", "--run-date", days[-1], *ACCEPTED)
    assert publish(sandbox, warehouse, days) == expected(days)
    assert "days are whole" in sandbox.succeed("verify")
