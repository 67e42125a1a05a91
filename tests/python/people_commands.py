"""The commands `tradewinds people backup` and `restore`."""

import subprocess
from subprocess import PIPE, CompletedProcess, Popen

from ingestion.settings import PROJECT
from tests.python.conftest import COMMAND, clean_environment


def start(settings: dict[str, str], *words: str) -> Popen[str]:
    """Start `backup` or `restore` with these words."""
    return Popen(
        [COMMAND, "people", *words],
        env=clean_environment() | settings,
        cwd=PROJECT,
        stdin=subprocess.DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        text=True,
    )


def run(settings: dict[str, str], *words: str) -> CompletedProcess[str]:
    """Run `backup` or `restore` to its end."""
    process = start(settings, *words)
    output, errors = process.communicate(timeout=120)
    return CompletedProcess(words, process.returncode, output, errors)
