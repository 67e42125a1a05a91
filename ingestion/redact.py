"""Keep secrets out of what people and log files see."""

import re
from urllib.parse import quote, quote_plus

_URL_PASSWORD = re.compile(r"(://[^:/@\s]+):[^@\s]+@")
_secrets: set[str] = set()


def register_secret(secret: str) -> None:
    """Remember a password, so that `redact` removes it in every spelling a URL may give it."""
    _secrets.update({secret, quote(secret, safe=""), quote_plus(secret)})


def redact(text: str) -> str:
    """Return the text with every known secret, and every password inside a URL, as `***`."""
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return _URL_PASSWORD.sub(r"\1:***@", text)


def one_line(error: BaseException) -> str:
    """Return an exception as one redacted line."""
    return " ".join(redact(str(error)).split()) or type(error).__name__
