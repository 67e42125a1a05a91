"""Commands for the boards, the site and its server."""

from typing import Annotated

import typer

from pipeline.cli.options import Request, command, reading_command

site_app = typer.Typer()


@reading_command(site_app, "tradewinds boards")
def boards(request: Request) -> None:
    """Draw the boards of dashboards/ from the published marts."""
    from pipeline.boards import write_boards
    from pipeline.site import write_index

    folder = write_boards(request)
    write_index(request)
    request.reporter.say(f"open {folder}")


@reading_command(site_app, "tradewinds docs", "tradewinds docs --target postgres")
def docs(request: Request) -> None:
    """Write the site: boards, data dictionary, dbt's documentation, column lineage, run history and an index."""
    from pipeline.site import write_site

    request.reporter.say(f"open {write_site(request)}, or see it with: tradewinds serve")


@command(site_app, "tradewinds serve", "tradewinds serve --port 8000")
def serve(
    request: Request,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on; 0 uses a free one.")] = 8330,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
) -> None:
    """Serve the site that `tradewinds docs` has written, until Ctrl-C."""
    from pipeline.site.serving import serve_site

    say = request.reporter.say
    serve_site(request.home.root / "reports", host, port, lambda url: say(f"the site is at {url}; stop it with Ctrl-C"))
