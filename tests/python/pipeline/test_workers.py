"""A worker process gives the same results as this process, and ends with the command that started it."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from ingestion.errors import Refused, StepFailed
from ingestion.redact import register_secret
from ingestion.settings import PROJECT
from pipeline.run.relay import InTurn
from pipeline.run.reporter import Reporter
from pipeline.run.worker import Worker
from tests.python import worker_tasks as tasks


@pytest.fixture(autouse=True)
def _tasks_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))


class Heard:
    """Keeps what it is told, and does something then."""

    def __init__(self, then=lambda: None):
        self.told, self._then = [], then

    def hear(self, name, args, named) -> None:
        self.told.append((name, args, named))
        self._then()


def _is_alive(process: int) -> bool:
    state = Path(f"/proc/{process}/stat")
    return state.exists() and state.read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"


def _wait_for_end(process: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while _is_alive(process):
        assert time.monotonic() < deadline, f"process {process} is still there"
        time.sleep(0.02)


def test_a_worker_returns_raises_and_tells_what_its_work_does(capfd: pytest.CaptureFixture[str]) -> None:
    with Worker("tests", tasks.prepare) as worker:
        heard = Heard()
        prepared, process = worker.call(tasks.tell, 2, reporter=heard)
        assert prepared == "prepared"
        assert process != os.getpid()
        lines = [("line", ("work", f"part {number}", number, 0.5), {}) for number in (0, 1)]
        assert heard.told == [*lines, ("tell", (), {"state": "done"})]
        with pytest.raises(Refused) as refused:
            worker.call(tasks.refuse, reporter=heard)
        assert (refused.value.reason, refused.value.command) == ("it can't be", "tradewinds mend")
        with pytest.raises(StepFailed, match="Stubborn: this and that"):
            worker.call(tasks.break_down, reporter=heard)
        assert worker.call(tasks.tell, 0, reporter=heard) == (prepared, process)
    _wait_for_end(process, 1)
    assert capfd.readouterr() == ("", "")


def test_work_here_is_work_in_a_worker() -> None:
    told = []
    with Worker("tests", tasks.prepare) as worker:
        for call in (worker.call, lambda work, *args, **named: work(tasks.prepare(), *args, **named)):
            heard = Heard()
            reporter = Reporter(Console(file=StringIO(), width=100))
            reporter.hear = heard.hear
            reporter.line = lambda *what, heard=heard: heard.hear("line", what, {})
            reporter.tell = lambda heard=heard, **what: heard.hear("tell", (), what)
            assert call(tasks.tell, 3, reporter=reporter)[0] == "prepared"
            told.append(heard.told)
    assert told[0] == told[1]
    assert len(told[0]) == 4


def test_what_fails_while_getting_ready_fails_the_work() -> None:
    with Worker("tests", tasks.fail_to_prepare) as worker:
        for _ in range(2):
            with pytest.raises(Refused, match="nothing to prepare") as refused:
                worker.call(tasks.tell, 1, reporter=Heard())
            assert refused.value.command == "tradewinds mend"


def test_a_secret_of_the_command_is_one_of_its_workers() -> None:
    register_secret("hush-hush-7531")
    with Worker("tests", tasks.prepare) as worker, pytest.raises(StepFailed) as failed:
        worker.call(tasks.whisper, "hush-hush-7531", reporter=Heard())
    assert "hush" not in failed.value.reason


def test_a_worker_that_is_killed_fails_its_work_in_one_line() -> None:
    with Worker("tests", tasks.prepare) as worker:
        _, process = worker.call(tasks.tell, 0, reporter=Heard())
        killing = Heard(lambda: os.kill(process, signal.SIGKILL))
        with pytest.raises(StepFailed) as failed:
            worker.call(tasks.sleep, reporter=killing)
        assert failed.value.reason == "the process for tests ended before its work was done (SIGKILL)"
        with pytest.raises(StepFailed, match="SIGKILL"):
            worker.call(tasks.tell, 1, reporter=Heard())


def test_a_worker_that_breaks_off_says_why() -> None:
    with Worker("tests", tasks.prepare) as worker, pytest.raises(StepFailed, match=r"\(exit code 7\): out of order$"):
        worker.call(tasks.quit_, reporter=Heard())


def test_a_worker_that_cannot_be_started_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(StepFailed, match=r"no process can be started for tests: .*/nowhere/python"):
        Worker("tests", tasks.prepare)


def test_work_that_is_interrupted_is_gone_in_two_seconds() -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    worker = Worker("tests", tasks.prepare)
    _, process = worker.call(tasks.tell, 0, reporter=Heard())
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt), worker:
        worker.call(tasks.sleep, reporter=Heard(interrupt))
    assert time.monotonic() - started < 2
    assert not _is_alive(process)


@pytest.mark.parametrize("work", ["tell", "sleep"])
def test_a_worker_ends_with_its_command_whatever_ends_that(tmp_path: Path, work: str) -> None:
    """The command is killed while its worker waits for work, and in the midst of it."""
    note = tmp_path / "process"
    code = f"""
import os, signal
from pathlib import Path
from pipeline.run.worker import Worker
from tests.python import worker_tasks as tasks
class Ending:
    def hear(self, *_):
        os.kill(os.getpid(), signal.SIGKILL)
worker = Worker("tests", tasks.prepare, Path({str(note)!r}))
worker.call(tasks.{work}, {"1, " if work == "tell" else ""}reporter=Ending())
"""
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == -signal.SIGKILL
    _wait_for_end(int(note.read_text()), 2)


def test_what_is_done_side_by_side_is_printed_in_order() -> None:
    written = StringIO()
    reporter = Reporter(Console(file=written, width=100))
    turns = InTurn(reporter, ["first", "second", "third"], reporter.progress())
    with turns.hearing("second") as second:
        second.hear("say", ("2",), {})
        with turns.hearing("first") as first:
            first.hear("say", ("1a",), {})
            assert written.getvalue() == "1a\n"
            first.hear("show", ("moving",), {})
            first.hear("say", ("1b",), {})
        assert written.getvalue() == "1a\n1b\n2\n"
    with suppress(ZeroDivisionError), turns.hearing("third") as third:
        third.hear("say", ("3",), {})
        raise ZeroDivisionError
    assert written.getvalue() == "1a\n1b\n2\n3\n"
