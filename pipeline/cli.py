"""The `tradewinds` command: its verbs, and one clear line for whatever goes wrong."""

import signal
import sys

import typer
import typer.exceptions

from ingestion.errors import TradewindsError
from ingestion.redact import one_line
from ingestion.settings import use_project_settings
from pipeline.cli_days import days_app
from pipeline.cli_ledger import ledger_app
from pipeline.cli_people import people_app
from pipeline.cli_published import published_app
from pipeline.cli_rejects import rejects_app
from pipeline.cli_site import site_app
from pipeline.cli_sources import sources_app
from pipeline.cli_steps import steps_app

_INTERRUPTED = 130

use_project_settings()

app = typer.Typer(
    help="Land, load, check, build and publish Northwind's data, a day at a time.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for verbs in (days_app, steps_app, published_app, site_app, ledger_app):
    app.add_typer(verbs)
app.add_typer(sources_app, name="sources")
app.add_typer(rejects_app, name="rejects")
app.add_typer(people_app, name="people")


def main() -> None:
    """Run the command; whatever fails ends as one line on standard error and the exit code that says what it was."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    words = sys.argv[1:] or ["--help"]
    try:
        exit_code = app(words, standalone_mode=False) or 0
        if exit_code == _INTERRUPTED:  # what typer makes of Ctrl-C, without a word
            _fail("interrupted", _INTERRUPTED)
        sys.exit(exit_code)
    except TradewindsError as error:
        _fail(
            f"{error.reason}; run: {error.command}" if error.command else error.reason,
            error.exit_code,
        )
    except typer.exceptions.TyperException as error:
        _fail(f"{error.format_message().rstrip('.')}; run: tradewinds --help", 2)
    except (typer.Abort, KeyboardInterrupt):
        _fail("interrupted", _INTERRUPTED)
    except Exception as error:
        _fail(f"{type(error).__name__}: {one_line(error)}", 1)


def _fail(line: str, exit_code: int) -> None:
    print(f"tradewinds: {one_line(Exception(line))}", file=sys.stderr)
    sys.exit(exit_code)
