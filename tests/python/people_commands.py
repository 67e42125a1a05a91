"""The commands `tradewinds people backup` and `restore`."""

from subprocess import CompletedProcess

from tests.python.forks import Process
from tests.python.s3_servers import clean_environment
from tests.python.sandbox import forks


def start(settings: dict[str, str], *words: str) -> Process:
    """Start `backup` or `restore` with these words."""
    return forks().start(["people", *words], clean_environment() | settings)


def run(settings: dict[str, str], *words: str) -> CompletedProcess[str]:
    """Run `backup` or `restore` to its end."""
    process = start(settings, *words)
    output, errors = process.communicate(timeout=120)
    return CompletedProcess(words, process.returncode, output, errors)
