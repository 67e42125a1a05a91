"""`.ci/run`: shows each part's output, fails if a part fails, and leaves no process running."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from ingestion.settings import PROJECT

# Stands in for make: a verb's file says what it does, and every verb that begins is noted.
_MAKE = """#!/usr/bin/env bash
echo "$1" >> "$PARTS/begun"
echo "said by $1"
if [ -e "$PARTS/$1" ]; then source "$PARTS/$1"; fi
echo "=== 1 passed of $1 ==="
"""
PARTS = ["setup", "test-airflow", "lint", "test-spark", "run", "test-browser", "test-clock", "test-clients", "test-bi"]
PARTS += ["test-contracts", "test-lakehouse", "test-deploy", "test"]


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    (tmp_path / "make").write_text(_MAKE)
    (tmp_path / "make").chmod(0o755)
    return tmp_path


def _start(parts: Path) -> subprocess.Popen[str]:
    environment = dict(os.environ) | {
        "PATH": f"{parts}:{os.environ['PATH']}",
        "PARTS": str(parts),
        "TMPDIR": str(parts / "temporary"),
    }
    (parts / "temporary").mkdir()
    return subprocess.Popen(
        [PROJECT / ".ci" / "run"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _begun(parts: Path) -> list[str]:
    return (parts / "begun").read_text().split()


def _assert_nothing_is_left(parts: Path) -> None:
    assert list((parts / "temporary").iterdir()) == []
    left = [process for process in Path("/proc").glob("[0-9]*") if _is_of(process, parts)]
    assert left == []


def _is_of(process: Path, parts: Path) -> bool:
    try:
        return f"PARTS={parts}\0" in (process / "environ").read_text()
    except OSError:
        return False


def test_every_part_is_done_and_its_last_line_closes_the_output(parts: Path) -> None:
    run = _start(parts)
    output, _ = run.communicate(timeout=60)
    assert run.returncode == 0, output
    assert sorted(_begun(parts)) == sorted(PARTS)
    assert (_begun(parts)[0], _begun(parts)[-1]) == ("setup", "test")
    last_lines = output.splitlines()[-len(PARTS) :]
    assert sorted(last_lines) == sorted(f"make {part} passed: === 1 passed of {part} ===" for part in PARTS)
    for part in PARTS:
        assert output.count(f"said by {part}\n") == 1
    _assert_nothing_is_left(parts)


@pytest.mark.parametrize("part", ["setup", "test-airflow", "test-deploy", "test"])
def test_a_part_that_fails_fails_the_whole(parts: Path, part: str) -> None:
    (parts / part).write_text("sleep 0.5; echo 'what went wrong'; echo 'make: Error 2'; exit 2\n")
    run = _start(parts)
    output, _ = run.communicate(timeout=60)
    assert run.returncode != 0
    assert f"said by {part}\nwhat went wrong\nmake: Error 2\n" in output
    assert f"make {part} FAILED with exit code 2: what went wrong" in output.splitlines()[-len(PARTS) :]
    if part != "test":
        assert "test" not in _begun(parts)
    _assert_nothing_is_left(parts)


def test_two_parts_run_side_by_side(parts: Path) -> None:
    """Each waits for the other, and both end."""
    for one, other in (("test-airflow", "lint"), ("lint", "test-airflow")):
        (parts / one).write_text(f"until grep -qx {other} $PARTS/begun; do sleep 0.1; done\n")
    run = _start(parts)
    output, _ = run.communicate(timeout=60)
    assert run.returncode == 0, output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_stops_its_parts_and_shows_them(parts: Path, number: signal.Signals) -> None:
    (parts / "lint").write_text("touch $PARTS/is_waiting; sleep 300\n")
    run = _start(parts)
    while not (parts / "is_waiting").exists():
        assert run.poll() is None
        time.sleep(0.1)
    begun = time.monotonic()
    run.send_signal(number)
    output, _ = run.communicate(timeout=60)
    assert run.returncode == 130
    assert time.monotonic() - begun < 10
    assert "=== make lint was stopped\nsaid by lint\n" in output
    _assert_nothing_is_left(parts)
