"""`tradewinds contracts`: the marts' contracts for other tools."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
import yaml

from ingestion.files import write_atomically
from pipeline.cli.options import command, serving

if TYPE_CHECKING:
    from pipeline.run.request import Request

contracts_app = typer.Typer()


@command(
    contracts_app,
    "tradewinds contracts",
    "tradewinds contracts ../catalogue/tradewinds --target postgres",
    takes=("target",),
    during=serving,
)
def contracts(
    request: "Request",
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="DIR", help="The folder to write to; the default is contracts/ in the home."),
    ] = None,
) -> None:
    """Write the data contract of every mart (ODCS), made of its dbt contract, tests and owner."""
    from pipeline.publishing import open_publisher

    namespace, database = open_publisher(request.target, request.home).namespace
    kind, _, place = namespace.partition("://")
    host, _, port = place.rpartition(":")
    there = {"host": host, "port": int(port), "database": database} if kind == "postgres" else {"database": place}
    written = (folder or request.home.root / "contracts").expanduser()
    found = request.dbt.contracts({"type": kind} | there)
    for mart, contract in found.items():
        text = yaml.safe_dump(contract, sort_keys=False, allow_unicode=True, width=120)
        write_atomically(written / f"{mart}.odcs.yaml", text)
    request.reporter.say(f"{len(found)} contracts are in {written}")
