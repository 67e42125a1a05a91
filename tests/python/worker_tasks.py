"""Work that the tests of workers give away: it has to be found by its module and name."""

import os
import sys
import time
from pathlib import Path

from ingestion.errors import Refused, StepFailed
from ingestion.redact import redact


def prepare(started: Path | None = None) -> str:
    if started:
        started.write_text(str(os.getpid()))
    return "prepared"


def fail_to_prepare() -> None:
    raise Refused("nothing to prepare", "tradewinds mend")


def tell(prepared: str, count: int, *, reporter) -> tuple[str, int]:
    print("this belongs to nobody's output")
    for number in range(count):
        reporter.line("work", f"part {number}", number, 0.5)
    reporter.tell(state="done")
    return prepared, os.getpid()


def refuse(_: str, *, reporter) -> None:
    raise Refused("it can't be", "tradewinds mend")


class Stubborn(Exception):
    """Can't be made again from what it keeps."""

    def __init__(self, one: str, other: str):
        super().__init__(f"{one} and {other}")


def break_down(_: str, *, reporter) -> None:
    raise Stubborn("this", "that")


def sleep(_: str, *, reporter) -> None:
    reporter.say("asleep")
    time.sleep(60)


def whisper(_: str, secret: str, *, reporter) -> None:
    raise StepFailed(redact(f"it is {secret}"))


def quit_(_: str, *, reporter) -> None:
    print("out of order", file=sys.stderr, flush=True)
    os._exit(7)
