"""What deployments call, parsed by the command line itself."""

import re
from collections.abc import Iterable

import typer.main
from typer import exceptions

from pipeline.cli import app

# Commands of others that an image has; whose options these are, only their own tests know.
OTHERS = ("airflow", "weed", "pg_isready", "spark-class")


def command_fault(words: Iterable[str]) -> str | None:
    """Say what is wrong with a container's command, None when it is one that would be understood."""
    name, *rest = words
    if name == "tradewinds":
        return _tradewinds_fault(rest)
    if name == "sh":
        parts = [part.split() for part in re.split("&&|;", rest[1])]
        return next((fault for fault in map(command_fault, parts) if fault), None)
    if name == "python":
        return _python_fault(rest)
    return None if name in OTHERS else f"{name} is no command of an image"


def _tradewinds_fault(words: list[str]) -> str | None:
    if words == ["--help"]:
        return None
    command, name, context = typer.main.get_command(app), "tradewinds", None
    try:
        while True:
            context = command.make_context(name, list(words), parent=context)
            if not hasattr(command, "resolve_command"):
                return None
            name, command, words = command.resolve_command(context, [*context._protected_args, *context.args])
    except exceptions.TyperException as error:
        return f"tradewinds: {error.format_message()}"
    except IndexError:
        return f"tradewinds: {name} lacks its command"


def _python_fault(words: list[str]) -> str | None:
    if words[:1] == ["-c"]:
        compile(words[1], "<container>", "exec")
        return None
    return f"python {' '.join(words)} is no command of an image"
