"""`tradewinds sources`: the embedded Postgres, the sample API, and the generated data of both."""

from typing import Annotated

import typer

from pipeline.options import examples, request_for

sources_app = typer.Typer(help="The embedded Postgres, the sample API, and the generated data of both.")


@sources_app.command(
    epilog=examples(
        "tradewinds sources up",
    )
)
def up() -> None:
    """Start the embedded Postgres and keep it running."""
    from ingestion.embedded.postgres import EmbeddedPostgres

    request = request_for()
    EmbeddedPostgres(request.home.root).up()
    request.reporter.say("the embedded Postgres is running; stop it with: tradewinds sources down")


@sources_app.command(
    epilog=examples(
        "tradewinds sources down",
    )
)
def down() -> None:
    """Stop the embedded Postgres."""
    from ingestion.embedded.postgres import EmbeddedPostgres

    request = request_for()
    stopped = EmbeddedPostgres(request.home.root).down()
    request.reporter.say("the embedded Postgres is stopped" if stopped else "the embedded Postgres was not running")


@sources_app.command(
    epilog=examples(
        "tradewinds sources sample --scale 10",
    )
)
def sample(
    scale: Annotated[int, typer.Option("--scale", min=1, help="1 is Northwind's size: 830 orders, 2,155 lines.")] = 1,
) -> None:
    """Generate the sample data anew, at any scale; people of one's own stay as they are."""
    from ingestion.samples.defaults import make_samples
    from ingestion.settings import people_database_url
    from people_api.sample import clear_sample
    from pipeline.people import people_engine

    request = request_for()
    for table, rows in make_samples(request.home, scale).items():
        request.reporter.line("sample", table, rows, None)
    if not people_database_url():
        with people_engine(request.home) as engine:
            clear_sample(engine)  # the next extract takes the new one in


@sources_app.command(
    epilog=examples(
        "tradewinds sources api --port 8322",
    )
)
def api(
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="The port to listen on, on 127.0.0.1.")] = 8322,
) -> None:
    """Serve the community's sample data as an API until it is stopped."""
    from ingestion.samples.defaults import sample_api

    request = request_for()
    server = sample_api(request.home, port)
    request.reporter.say(f"the sample API answers at {server.url}; stop it with Ctrl-C")
    with server:
        server.serve_forever()
