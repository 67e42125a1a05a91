"""An Iceberg catalog whose publishes are killed, or meet: readers have a whole version, the old one or the new one."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pyiceberg.catalog import load_catalog

from ingestion.errors import StepFailed
from ingestion.settings import Home
from pipeline.publishing.iceberg import mirror_version
from tests.faults.trials import Fault
from tests.python.pipeline.test_iceberg import amounts_of, lake, shown_version
from tests.python.pipeline.test_publishing import DAYS, Engine, on_duckdb

__all__ = ["lake"]

REFUSED = 3


def _mirror(engine: Engine) -> int:
    """Mirror the published version in a process of its own, which ends with 0, or with REFUSED while another runs."""
    if (child := os.fork()) == 0:
        code = 1
        try:
            mirror_version("lake", engine.publisher)
            code = 0
        except StepFailed as error:
            code = REFUSED if "another process is publishing" in str(error) else 1
        finally:
            os._exit(code)
    return child


@pytest.mark.parametrize("is_killed", [True, False], ids=["killed", "two at once"])
def test_the_pointer_is_at_a_whole_version(
    fault: Callable[[str], Fault], tmp_path: Path, lake: dict[str, str], is_killed: bool
) -> None:
    catalog = load_catalog("lake")
    counting = fault("kill -9 of a publish to Iceberg" if is_killed else "two publishes to Iceberg at once")
    with on_duckdb(Home(tmp_path)) as engine:
        expected = {engine.publish(DAYS[0], {1: 0, 2: 0}): {1: 0, 2: 0}}
        began = time.monotonic()
        mirror_version("lake", engine.publisher)
        length = time.monotonic() - began
        for chance in counting.trials(30, 2):
            before, amounts = shown_version(catalog), {1: counting.trial + 1, counting.trial + 2: 5}
            after = engine.publish(DAYS[1], amounts)
            expected[after] = amounts
            children = [_mirror(engine)]
            time.sleep(chance.uniform(0, length))
            if is_killed:
                os.kill(children[0], signal.SIGKILL)
            else:
                children.append(_mirror(engine))
            codes = {os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children}
            assert codes in ([{0}, {-signal.SIGKILL}] if is_killed else [{0}, {0, REFUSED}]), counting
            shown = shown_version(catalog)
            assert shown in (before, after), counting
            assert amounts_of(catalog, shown) == expected[shown], counting
            mirror_version("lake", engine.publisher)
            counting.converged((shown_version(catalog), amounts_of(catalog, None)), (after, amounts))
