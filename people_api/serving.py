"""Run the service: migrate its database, then serve until it is stopped."""

import logging
from collections.abc import Callable
from socket import socket

import uvicorn

from ingestion.errors import StepFailed
from ingestion.settings import Home
from people_api.api import Service, create_app
from people_api.api.connections import TimedConnection
from people_api.api.service import Metrics
from people_api.api.settings import ServiceSettings
from people_api.backups import open_store
from people_api.database import migrate, open_engine, people_database
from people_api.logs import log, open_log
from people_api.published import PublishedMarts


def serve(home: Home, published: PublishedMarts, host: str, port: int, on_ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT, then finish open requests. Raises StepFailed when the port is taken.

    `on_ready` is called with the service's URL when it is ready.
    """
    settings = ServiceSettings.from_environment()
    logger = open_log(home, "service")
    with people_database(home) as url:
        with open_engine(url) as engine:
            migrate(engine)
        with open_engine(url, connections=settings.connections, timeout_seconds=settings.timeout_seconds) as engine:
            app = create_app(Service(engine, open_store(home), published, settings, logger, Metrics()))
            config = uvicorn.Config(
                app,
                host=host,
                port=port,
                http=TimedConnection,
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=settings.timeout_seconds,
                timeout_graceful_shutdown=settings.timeout_seconds,
            )
            _log_into(logger)
            server = _Server(config, lambda bound: on_ready(f"http://{host}:{bound}"))
            log(logger, "started", host=host, port=port)
            try:
                server.run()
            except SystemExit as error:
                if server.started:  # stopped by a signal, after the last answer
                    raise
                raise StepFailed(f"the people service can't listen on {host}:{port}") from error
            finally:
                log(logger, "stopped")


def _log_into(logger: logging.Logger) -> None:
    """Write the server's messages to the log too; without a handler Python would print them on the terminal."""
    server_logger = logging.getLogger("uvicorn.error")
    server_logger.handlers, server_logger.propagate = logger.handlers, False
    server_logger.setLevel(logging.WARNING)


class _Server(uvicorn.Server):
    """A server that reports when it is ready, and on which port; 0 takes a free one."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[int], None]):
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_ready(self.servers[0].sockets[0].getsockname()[1])
