"""The `tradewinds` command: its verbs, and one line for every error."""

import signal
import sys
from importlib import import_module
from importlib.util import find_spec

import typer
import typer.exceptions

from ingestion.environment import settle_environment
from ingestion.errors import TradewindsError
from ingestion.known_settings import refuse_unknown_settings
from ingestion.redact import one_line
from ingestion.settings import use_project_settings
from pipeline.run.output import name_files_in_utf8, print_anything

_INTERRUPTED = 130
_HELP = {"--help", "--show-completion", "--install-completion"}

use_project_settings()

app = typer.Typer(
    help="Extract, load, check, build and publish data, one day at a time.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
# The verbs, each module with some of them. A project that `init` has written lacks those that are about its sources
# alone.
for name in ("days", "steps", "published", "site", "ledger", "own_project", "sources", "rejects", "people"):
    if find_spec(f"pipeline.cli.{name}"):
        app.add_typer(getattr(import_module(f"pipeline.cli.{name}"), f"{name}_app"))


def main() -> None:
    """Run the command; a failure is one line on standard error and an exit code."""
    name_files_in_utf8()
    print_anything()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    exit_code, line = _run(sys.argv[1:] or ["--help"])
    # No exception or traceback is referenced here: DuckDB complains about objects that live until the end.
    if line:
        print(f"tradewinds: {one_line(TradewindsError(line))}", file=sys.stderr)
    sys.exit(exit_code)


def _run(words: list[str]) -> tuple[int, str]:
    """Return the exit code and the line for a failure."""
    try:
        if not _HELP.intersection(words):
            settle_environment()
            refuse_unknown_settings(adding=words[2:] if words[:2] == ["sources", "add"] else ())
        exit_code = app(words, standalone_mode=False) or 0
        # typer returns this code for Ctrl-C, without a message.
        return exit_code, "interrupted" if exit_code == _INTERRUPTED else ""
    except TradewindsError as error:
        return error.exit_code, f"{error.reason}; run: {error.command}" if error.command else error.reason
    except typer.exceptions.TyperException as error:
        return 2, f"{error.format_message().rstrip('.')}; run: tradewinds --help"
    except (typer.Abort, KeyboardInterrupt):
        return _INTERRUPTED, "interrupted"
    except Exception as error:
        return 1, f"{type(error).__name__}: {one_line(error)}"
