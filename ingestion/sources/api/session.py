"""dlt's retrying session with limits: a timeout and size per answer, and a time budget for all of them."""

import time
from typing import Any

import requests
from dlt.sources.helpers.requests import Client
from requests.adapters import HTTPAdapter
from requests.utils import get_netrc_auth
from urllib3.exceptions import HTTPError, ReadTimeoutError

from ingestion.errors import StepFailed
from ingestion.sources.api.lists import UnfitAnswer
from ingestion.sources.api.settings import ApiSettings

MAX_BODY_BYTES = 64 * 1024 * 1024
RETRIED_STATUS = (408, 429, *range(500, 600))
_CHUNK_BYTES = 64 * 1024
_BACKOFF_SECONDS = 0.5


RETRIED_ERRORS = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    UnfitAnswer,
)


class BoundedAdapter(HTTPAdapter):
    """Read each answer completely within its timeout and size, and all of them within the budget."""

    def __init__(self, settings: ApiSettings):
        super().__init__()
        self._timeout = settings.timeout_seconds
        self._budget = settings.budget_seconds
        self._ends = time.monotonic() + settings.budget_seconds

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        """Send a request and read its answer; raises StepFailed when the budget is spent or the answer is too large."""
        left = self._ends - time.monotonic()
        if left <= 0:
            raise StepFailed(f"the API took more than {self._budget:g} seconds in all (budget_seconds)")
        seconds = min(self._timeout, left)
        ends = time.monotonic() + seconds
        response = super().send(request, *args, **options | {"stream": True, "timeout": seconds})
        # requests would wait as long as a byte arrives now and then.
        response._content = self._read(response, ends)
        return response

    def _read(self, response: requests.Response, ends: float) -> bytes:
        body = bytearray()
        try:
            while part := response.raw.read1(_CHUNK_BYTES, decode_content=True):
                body += part
                if time.monotonic() > ends:
                    raise requests.ReadTimeout("the answer took too long", response=response)
                if len(body) > MAX_BODY_BYTES:
                    raise StepFailed(f"an answer is larger than {MAX_BODY_BYTES:,} bytes; ask for smaller pages")
        except requests.RequestException:  # it is an OSError too
            raise
        except ReadTimeoutError as error:
            raise requests.ReadTimeout(error, response=response) from error
        except (HTTPError, OSError) as error:
            raise requests.exceptions.ChunkedEncodingError(error, response=response) from error
        finally:
            response.raw.close()  # a fully read answer has already returned its connection
        return bytes(body)


def open_session(settings: ApiSettings, *, is_sample: bool) -> requests.Session:
    """Return a session that retries with growing waits, or after `Retry-After`."""
    session = Client(
        raise_for_status=False,
        status_codes=RETRIED_STATUS,
        exceptions=RETRIED_ERRORS,
        request_max_attempts=settings.max_attempts,
        request_backoff_factor=min(_BACKOFF_SECONDS, settings.max_wait_seconds),
        request_max_retry_delay=settings.max_wait_seconds,
    ).session
    adapter = BoundedAdapter(settings)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    if not is_sample:  # the sample is in this process, where a proxy can't reach it
        found = session.merge_environment_settings(settings.base_url, {}, None, None, None)
        session.proxies, session.verify = found["proxies"], found["verify"]
        session.auth = get_netrc_auth(settings.base_url)
    session.trust_env = False  # requests would read the environment again for every page
    # Bodies are kept unchanged, so ask for them uncompressed.
    session.headers.update(settings.headers | {"Accept-Encoding": "identity"})
    return session


def describe_failure(error: requests.RequestException, settings: ApiSettings) -> str:
    """Return the last attempt's result: its status, and nothing else from request or answer."""
    if isinstance(error, UnfitAnswer):
        return str(error)
    if isinstance(error, requests.HTTPError) and error.response is not None:
        status = error.response.status_code
        hint = " (see api_key)" if status in (401, 403) else ""
        return f"it answered {status}{hint}"
    if isinstance(error, requests.Timeout):
        return f"no whole answer within {settings.timeout_seconds:g} seconds (timeout_seconds)"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection was cut in mid-answer"
    return f"the connection failed ({_innermost(error)})"


def _innermost(error: BaseException) -> str:
    """Return the reason under urllib3's wrappers, such as `Connection refused`."""
    while inner := getattr(error, "reason", None) or error.__cause__ or error.__context__:
        if not isinstance(inner, BaseException):
            break
        error = inner
    return getattr(error, "strerror", None) or type(error).__name__
