"""The `tradewinds` command: its verbs, and what is printed of every error."""

import signal
import sys
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module, metadata
from importlib.util import find_spec
from typing import Annotated

import typer
import typer.exceptions

from ingestion.environment import settle_environment
from ingestion.errors import BadRequest, StepFailed, TradewindsError
from ingestion.files import kept_private
from ingestion.known_settings import refuse_unknown_settings
from ingestion.redact import one_line
from ingestion.settings import PROJECT, Home, require_project, use_project_settings
from pipeline.own_sources.whole import restore_project
from pipeline.run.output import name_files_in_utf8, print_anything

_INTERRUPTED = 130
_HELP = {"--help", "-h", "--version", "--show-completion", "--install-completion"}

use_project_settings()

app = typer.Typer(
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Extract, load, check, build and publish data, one day at a time.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
# The verbs, each module with some of them. A project that `init` has written lacks those that are about its sources
# alone.
for name in ("days", "published", "site", "ledger", "checkout", "sources", "rejects", "people"):
    if find_spec(f"pipeline.cli.{name}"):
        app.add_typer(getattr(import_module(f"pipeline.cli.{name}"), f"{name}_app"))


def _print_version(is_asked: bool) -> None:
    if is_asked:
        print("tradewinds", metadata.version("tradewinds"))
        raise typer.Exit


@app.callback()
def describe(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Land, load, check, build and publish data, a day at a time."""


def main() -> None:
    """Run the command; a failure is printed on standard error and becomes an exit code."""
    name_files_in_utf8()
    print_anything()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    exit_code, failure = _run(sys.argv[1:] or ["--help"])
    if failure:
        from pipeline.cli.failures import print_failure

        print_failure(failure)
    sys.exit(exit_code)


def _run(words: list[str]) -> tuple[int, TradewindsError | None]:
    """Return the exit code, and a failure without traceback: DuckDB complains about objects that live until the end."""
    try:
        own: AbstractContextManager[None] = nullcontext()
        is_adding = words[:2] == ["sources", "add"]
        if not _HELP.intersection(words):
            require_project()
            restore_project(PROJECT)
            settle_environment()
            refuse_unknown_settings(adding=words[2:] if is_adding else ())
            if not is_adding and words[0] != "init":  # they write a project, which others may read
                own = kept_private(Home.from_environment().root)
        with own:
            exit_code = app(words, prog_name="tradewinds", standalone_mode=False) or 0
        # typer returns this code for Ctrl-C, without a message.
        return exit_code, StepFailed("interrupted") if exit_code == _INTERRUPTED else None
    except TradewindsError as error:
        return error.exit_code, error.retold(error.head)
    except typer.exceptions.TyperException as error:
        context = getattr(error, "ctx", None)
        verb = context.command_path if context else "tradewinds"
        return 2, BadRequest(error.format_message().rstrip("."), f"{verb} --help")
    except (typer.Abort, KeyboardInterrupt):
        return _INTERRUPTED, StepFailed("interrupted")
    except Exception as error:
        return 1, StepFailed(f"{type(error).__name__}: {one_line(error)}")
