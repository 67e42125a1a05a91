"""`tradewinds init`: a project of one's own."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.options import examples, request_for

own_project_app = typer.Typer()


@own_project_app.command(epilog=examples("tradewinds init ../my-project"))
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.", file_okay=False)],
) -> None:
    """Create a new project: the pipeline, one example source and mart, and tests."""
    from pipeline.own_project.writing import write_project

    say, files = request_for().reporter.say, write_project(folder.expanduser())
    say(f"{folder}: a project of {files} files, with the example source rides and its mart rides.fct_rides")
    say(f"next: cd {folder} && make run")
