"""Keep secrets, and whatever a terminal or a spreadsheet would obey, out of what people and log files see."""

import re

# As far as the last @: a password that should have been escaped may hold one.
_URL_PASSWORD = re.compile(r"(://[^:/@\s]*):\S+@")
# What a spreadsheet takes for the beginning of a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_secrets: set[str] = set()


def register_secret(secret: str) -> None:
    """Remember a password, so that `redact` removes it in every spelling a URL may give it."""
    if secret:
        _secrets.add(secret)


def known_secrets() -> list[str]:
    """Return what is remembered, for another process of the same command."""
    return sorted(_secrets)


def redact(text: str) -> str:
    """Return the text with every known secret, and every password inside a URL, as `***`."""
    for secret in sorted(_secrets, key=len, reverse=True):
        text = re.sub("".join(map(_spellings, secret)), "***", text)
    return _URL_PASSWORD.sub(r"\1:***@", text)


def _spellings(character: str) -> str:
    """Return a pattern for a character as it is, or as any library may escape it in a URL."""
    escaped = "".join(f"%{byte:02x}" for byte in character.encode(errors="surrogatepass"))
    plus = r"|\+" if character == " " else ""
    return f"(?:(?i:{escaped})|{re.escape(character)}{plus})"


def one_line(error: BaseException) -> str:
    """Return an exception as one redacted line."""
    return " ".join(redact(str(error)).split()) or type(error).__name__


def show_text(text: str, characters: int = 60) -> str:
    """Return a line's text cut short, without anything that would move a terminal's cursor or colour it."""
    # Cut first: a megabyte isn't escaped for sixty characters of it.
    start = text[: characters + 1]
    shown = "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in start)
    return shown if len(shown) <= characters else shown[: characters - 1] + "…"


def disarm(cell: object) -> object:
    """Return a CSV cell as it is, with a quote before a text that a spreadsheet would run."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) else cell
