"""What only a checkout of Tradewinds has: `init`, and `sources sample` and `api`."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.options import Request, command

checkout_app, samples_app = typer.Typer(), typer.Typer()


@command(samples_app, "tradewinds sources sample --scale 10")
def sample(
    request: Request,
    scale: Annotated[int, typer.Option(min=1, help="1 is Northwind's size: 830 orders, 2,155 lines.")] = 1,
) -> None:
    """Generate the sample data again, at any scale; your own people data isn't changed."""
    from ingestion.samples.defaults import make_samples
    from ingestion.settings import people_database_url
    from people_api.sample import clear_sample
    from pipeline.people import people_engine

    for table, rows in make_samples(request.home, scale).items():
        request.reporter.line("sample", table, rows, None)
    if not people_database_url():
        with people_engine(request.home) as engine:
            clear_sample(engine)  # the next extract inserts the new sample


@command(samples_app, "tradewinds sources api --port 8322")
def api(
    request: Request,
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port to listen on, on 127.0.0.1.")] = 8322,
) -> None:
    """Serve the community's sample data as an API until it is stopped."""
    from ingestion.samples.defaults import sample_api

    server = sample_api(request.home, port)
    request.reporter.say(f"the sample API answers at {server.url}; stop it with Ctrl-C")
    with server:
        server.serve_forever()


@command(checkout_app, "tradewinds init ../my-project")
def init(
    request: Request,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.", file_okay=False)],
) -> None:
    """Create a new project: the pipeline, one example source and mart, and tests."""
    from pipeline.own_project.writing import write_project

    say, files = request.reporter.say, write_project(folder.expanduser())
    say(f"{folder}: a project of {files} files, with the example source rides and its mart rides.fct_rides")
    say(f"next: cd {folder} && make run")
