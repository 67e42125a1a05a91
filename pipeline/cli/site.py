"""Commands for the boards, the site and its server."""

from typing import Annotated

import typer

from pipeline.cli.options import Target, examples, request_for, serving

site_app = typer.Typer()


@site_app.command(epilog=examples("tradewinds boards"))
def boards(target: Target = "duckdb") -> None:
    """Draw the boards of dashboards/ from the published marts."""
    from pipeline.boards import write_boards
    from pipeline.site import write_index

    with serving(target, None) as request:
        folder = write_boards(request)
        write_index(request)
        request.reporter.say(f"open {folder}")


@site_app.command(epilog=examples("tradewinds docs", "tradewinds docs --target postgres"))
def docs(target: Target = "duckdb") -> None:
    """Write the site: boards, dbt's documentation, column lineage, run history and an index."""
    from pipeline.site import write_site

    with serving(target, None) as request:
        request.reporter.say(f"open {write_site(request)}, or see it with: tradewinds serve")


@site_app.command(epilog=examples("tradewinds serve", "tradewinds serve --port 8000"))
def serve(
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="The port to listen on; 0 uses a free one.")
    ] = 8330,
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
) -> None:
    """Serve the site that `tradewinds docs` has written, until Ctrl-C."""
    from pipeline.site import serve_site

    request = request_for()
    serve_site(
        request.home.root / "reports",
        host,
        port,
        lambda url: request.reporter.say(f"the site is at {url}; stop it with Ctrl-C"),
    )
