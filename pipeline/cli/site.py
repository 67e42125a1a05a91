"""Commands for the boards, the site and its server."""

from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.options import command, examples, request_for, serving

if TYPE_CHECKING:
    from pipeline.run.request import Request

site_app = typer.Typer()


@command(site_app, "tradewinds boards", takes=("target",), during=serving)
def boards(request: "Request") -> None:
    """Draw the boards of dashboards/ from the published marts."""
    from pipeline.boards import write_boards
    from pipeline.site import write_index

    folder = write_boards(request)
    write_index(request)
    request.reporter.say(f"open {folder}")


@command(site_app, "tradewinds docs", "tradewinds docs --target postgres", takes=("target",), during=serving)
def docs(request: "Request") -> None:
    """Write the site: boards, data dictionary, dbt's documentation, column lineage, run history and an index."""
    from pipeline.site import write_site

    request.reporter.say(f"open {write_site(request)}, or see it with: tradewinds serve")


@site_app.command(epilog=examples("tradewinds serve", "tradewinds serve --port 8000"))
def serve(
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="The port to listen on; 0 uses a free one.")
    ] = 8330,
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
) -> None:
    """Serve the site that `tradewinds docs` has written, until Ctrl-C."""
    from pipeline.site.serving import serve_site

    request = request_for()
    serve_site(
        request.home.root / "reports",
        host,
        port,
        lambda url: request.reporter.say(f"the site is at {url}; stop it with Ctrl-C"),
    )
