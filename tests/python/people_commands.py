"""The commands `backup` and `restore`, with the whole command's way to end badly."""

import subprocess
import sys
from subprocess import PIPE, CompletedProcess, Popen

from ingestion.settings import PROJECT
from tests.python.conftest import clean_environment

_COMMANDS = (
    "from pipeline import cli; from pipeline.cli_people_backups import backups_app; cli.app = backups_app; cli.main()"
)


def start(settings: dict[str, str], *words: str) -> Popen[str]:
    """Start `backup` or `restore` with these words."""
    return Popen(
        [sys.executable, "-c", _COMMANDS, *words],
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
