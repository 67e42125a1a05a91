"""Check every request's key, role, rate, size and time before the service handles it, and log it."""

import asyncio
import time
from uuid import uuid4

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from people_api.api.answers import UNAVAILABLE, problem
from people_api.api.service import Service
from people_api.keys import find_key, includes
from people_api.logs import log

KEY_HEADER = "X-API-Key"
OPEN_PATH = "/healthz"
METRICS_PATH = "/metrics"
_ADMIN_PATHS = ("/v1/backups", "/v1/restores")


class Gate:
    """The outermost layer of the service."""

    def __init__(self, app: ASGIApp, service: Service):
        self._app, self._service = app, service
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        per_minute = service.settings.requests_per_minute
        self._rate = RateLimitItemPerMinute(per_minute) if per_minute else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500
        notes = scope["notes"] = {"request_id": uuid4().hex}

        async def send_noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", notes["request_id"].encode())]
            await send(message)

        try:
            await self._pass(scope, receive, send_noted)
        except Exception:
            self._service.logger.exception("failed", extra={"fields": notes})
            if status == 500:
                await problem(500, "the service failed; its log knows why")(scope, receive, send_noted)
        finally:
            self._note(scope, status, time.perf_counter() - started)

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = None if scope["path"] == OPEN_PATH else await self._admit(scope)
        answer = refusal or await self._receive_body(scope, receive)
        if isinstance(answer, bytes):
            await self._app(scope, _replay(answer, receive), send)
        else:
            await answer(scope, receive, send)

    async def _admit(self, scope: Scope) -> Response | None:
        """Return the response that refuses a request, None when it is admitted."""
        headers = Headers(scope=scope)
        sent = headers.get(KEY_HEADER, "")
        if not sent and scope["path"] == METRICS_PATH:  # the Prometheus operator sends no other header
            scheme, _, token = headers.get("Authorization", "").partition(" ")
            sent = token if scheme.lower() == "bearer" else ""
        try:
            key = await run_in_threadpool(find_key, self._service.engine, sent)
        except (DBAPIError, PoolTimeout) as error:
            self._service.logger.error("database", exc_info=error)
            return problem(503, UNAVAILABLE)
        who = key.id if key else (scope.get("client") or ("",))[0]
        if self._rate and not self._limiter.hit(self._rate, who):
            wait = max(1, int(self._limiter.get_window_stats(self._rate, who).reset_time - time.time()) + 1)
            return problem(429, "too many requests", headers={"Retry-After": str(wait)})
        if key is None:
            detail = f"the header {KEY_HEADER} must hold a key; make one with: tradewinds people key create"
            return problem(401, detail, headers={"WWW-Authenticate": f'ApiKey header="{KEY_HEADER}"'})
        scope["notes"]["key_id"] = key.id
        role = needed_role(scope["method"], scope["path"])
        return None if includes(key.role, role) else problem(403, f"this takes a key of the role {role}")

    async def _receive_body(self, scope: Scope, receive: Receive) -> bytes | Response:
        """Return the whole body, or the response that refuses it."""
        limit, seconds = self._service.settings.max_body_bytes, self._service.settings.timeout_seconds
        too_large = problem(413, f"a body may have {limit} bytes at most", headers={"Connection": "close"})
        length = Headers(scope=scope).get("content-length", "0")
        if length.isdecimal() and int(length) > limit:
            return too_large
        body = bytearray()
        try:
            async with asyncio.timeout(seconds):
                while (message := await receive())["type"] == "http.request":
                    body += message.get("body", b"")
                    if len(body) > limit:
                        return too_large
                    if not message.get("more_body"):
                        return bytes(body)
        except TimeoutError:
            return problem(408, f"the body didn't come within {seconds} seconds", headers={"Connection": "close"})
        return problem(400, "the body ended before its end")

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "none")
        metrics = self._service.metrics
        metrics.requests.labels(scope["method"], route, str(status)).inc()
        metrics.seconds.labels(route).observe(seconds)
        request = {"method": scope["method"], "path": scope["path"], "status": status, "seconds": round(seconds, 4)}
        log(self._service.logger, "request", **scope["notes"], **request)


def needed_role(method: str, path: str) -> str:
    """Return the lowest role that may send this request."""
    if path.startswith(_ADMIN_PATHS):
        return "admin"
    return "reader" if method in ("GET", "HEAD", "OPTIONS") else "writer"


def _replay(body: bytes, receive: Receive) -> Receive:
    """Pass a received body to the app once, then what comes after it."""
    received: list[Message] = [{"type": "http.request", "body": body}]

    async def receive_again() -> Message:
        return received.pop() if received else await receive()

    return receive_again
