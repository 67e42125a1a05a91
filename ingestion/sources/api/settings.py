"""An API's settings: URL, key, page size, timeouts and retries."""

import re
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from ingestion.errors import BadRequest
from ingestion.redact import register_secret
from ingestion.settings import setting_variable, source_number, source_setting


@dataclass(frozen=True)
class ApiSettings:
    """The settings `SOURCES__<NAME>__…`; `timeout_seconds` is for one answer, `budget_seconds` for an extract."""

    base_url: str = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    page_size: int
    max_attempts: int
    timeout_seconds: float
    max_wait_seconds: float
    budget_seconds: float


def configured_url(source: str) -> str | None:
    """Return the API's configured URL, None when unset; raises BadRequest when it isn't a plain http(s) URL."""
    url = source_setting(source, "base_url")
    return check_api_url(str(url), setting_variable(source, "base_url")) if url else None


def check_api_url(url: str, named: str) -> str:
    """Return an API's URL, its password known as a secret; raises BadRequest when it is no plain http(s) URL."""
    try:
        split = urlsplit(url)
        is_plain = split.scheme in ("http", "https") and split.hostname and not (split.query or split.fragment)
        port_is_fine = split.port is None or split.port > 0
    except ValueError:
        is_plain = port_is_fine = False
    if not (is_plain and port_is_fine) or re.search(r"\s", url):
        raise BadRequest(f"{named} can't be read: expected http(s)://host[:port][/path] without a query")
    if split.password:
        register_secret(unquote(split.password))
    return url


def read_api_settings(source: str, base_url: str) -> ApiSettings:
    """Return the settings of an API at this URL; raises BadRequest naming a variable that can't be read."""
    return ApiSettings(
        base_url=base_url,
        headers=_key_header(source),
        page_size=int(source_number(source, "page_size", 500, least=1, most=100_000, whole=True)),
        max_attempts=int(source_number(source, "max_attempts", 5, least=1, most=100, whole=True)),
        timeout_seconds=float(source_number(source, "timeout_seconds", 30, least=0.1, most=3600)),
        max_wait_seconds=float(source_number(source, "max_wait_seconds", 30, least=0, most=3600)),
        budget_seconds=float(source_number(source, "budget_seconds", 900, least=1, most=86_400)),
    )


def _key_header(source: str) -> dict[str, str]:
    """Return the header with the key: `Authorization: Bearer …`, or the key alone in another header."""
    key = source_setting(source, "api_key")
    if not key:
        return {}
    register_secret(str(key))
    # A header can hold nothing else, and an error of requests would quote the key.
    if not re.fullmatch(r"[!-~](?:[ -~]*[!-~])?", str(key)):
        raise _unreadable(source, "api_key", "printable ASCII characters, without blanks around them")
    name = str(source_setting(source, "api_key_header", "Authorization"))
    if not re.fullmatch(r"[A-Za-z0-9-]+", name):
        raise _unreadable(source, "api_key_header", "a header's name")
    return {name: f"Bearer {key}" if name.lower() == "authorization" else str(key)}


def _unreadable(source: str, name: str, expected: str) -> BadRequest:
    return BadRequest(f"{setting_variable(source, name)} can't be read: expected {expected}")
