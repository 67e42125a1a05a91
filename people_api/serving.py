"""Run the service: migrate its database, then serve until it is stopped."""

import logging
import socket
from collections.abc import Callable

import uvicorn

from ingestion.errors import StepFailed
from ingestion.settings import Home
from people_api.api.app import create_app
from people_api.api.connections import TimedConnection
from people_api.api.service import Metrics, Service, ServiceSettings
from people_api.database import migrate, open_engine, people_database
from people_api.logs import log, open_log
from people_api.published import ReadReport


def serve(home: Home, read_report: ReadReport, host: str, port: int, on_ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT, then finish open requests. Raises StepFailed when the port is taken.

    `on_ready` is called with the service's URL when it is ready.
    """
    settings = ServiceSettings.from_environment()
    logger = open_log(home, "service")
    with people_database(home) as url:
        with open_engine(url) as engine:
            migrate(engine)
        with open_engine(url, connections=settings.connections, timeout_seconds=settings.timeout_seconds) as engine:
            app = create_app(Service(engine, home.backups, read_report, settings, logger, Metrics()))
            config = uvicorn.Config(
                app,
                http=TimedConnection,
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=settings.timeout_seconds,
                timeout_graceful_shutdown=settings.timeout_seconds,
            )
            _log_into(logger)
            try:
                listening = socket.create_server((host, port))
            except OSError as error:
                raise StepFailed(f"the people service can't listen on {host}:{port}") from error
            log(logger, "started", host=host, port=port)
            # Asyncio does so only for sockets that name TCP; an answer on an open connection would wait 40 ms.
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                with listening:
                    on_ready(f"http://{host}:{listening.getsockname()[1]}")
                    uvicorn.Server(config).run(sockets=[listening])
            finally:
                log(logger, "stopped")


def _log_into(logger: logging.Logger) -> None:
    """Write the server's messages to the log too; without a handler Python would print them on the terminal."""
    server_logger = logging.getLogger("uvicorn.error")
    server_logger.handlers, server_logger.propagate = logger.handlers, False
    server_logger.setLevel(logging.WARNING)
