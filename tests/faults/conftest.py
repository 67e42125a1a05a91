"""The fault suite: each test reports its trials to a table that pytest prints at the end."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from ingestion.landing import Landing
from ingestion.settings import Home
from tests.faults.trials import Fault, Tally, table
from tests.faults.worker import Worker, working

_PROPERTY = "fault"


@pytest.fixture
def fault(request: pytest.FixtureRequest) -> Iterator[Callable[[str], Fault]]:
    """Name a fault, and get what counts its trials; the test fails unless every one of them is clean."""
    named: list[Fault] = []

    def name(text: str) -> Fault:
        named.append(Fault(text))
        return named[-1]

    yield name
    # Reports carry it to the process that prints the table, also from pytest-xdist's.
    request.node.user_properties += [(_PROPERTY, asdict(one.tally)) for one in named]
    assert all(one.tally.is_clean for one in named), "a trial lost, doubled or misfiled rows, or didn't converge"


@pytest.fixture(scope="session")
def worker() -> Iterator[Worker]:
    """What extracts and loads small days, each in a process that may be killed."""
    with working() as found:
        yield found


@pytest.fixture(scope="module")
def other_worker() -> Iterator[Worker]:
    """A second one, for two at once."""
    with working() as found:
        yield found


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def landing(home: Home) -> Landing:
    return Landing(home)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table of all faults that were injected, and how many trials weren't clean."""
    reports = [report for found in terminalreporter.stats.values() for report in found]
    ended = [report for report in reports if getattr(report, "when", "") == "teardown"]
    tallies = [value for report in ended for key, value in report.user_properties if key == _PROPERTY]
    if tallies:
        terminalreporter.section("faults")
        terminalreporter.write("\n".join(table(tallies)) + "\n")
        unclean = [tally["fault"] for tally in tallies if not Tally(**tally).is_clean]
        terminalreporter.write(f"not clean: {', '.join(unclean) or 'none'}\n")
