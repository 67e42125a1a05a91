"""Keep secrets, terminal escapes and spreadsheet formulas out of output and logs."""

import re

# Up to the last @: an unescaped password may contain one.
_URL_PASSWORD = re.compile(r"(://[^:/@\s]*):\S+@")
# Characters that start a formula in a spreadsheet.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_secrets: set[str] = set()


def register_secret(secret: str) -> None:
    """Register a password, so that `redact` removes it in every URL spelling."""
    if secret:
        _secrets.add(secret)


def known_secrets() -> list[str]:
    """Return the registered secrets, for another process of the same command."""
    return sorted(_secrets)


def redact(text: str) -> str:
    """Return the text with every known secret and every password in a URL replaced by `***`."""
    for secret in sorted(_secrets, key=len, reverse=True):
        text = re.sub("".join(map(_spellings, secret)), "***", text)
    return _URL_PASSWORD.sub(r"\1:***@", text)


def _spellings(character: str) -> str:
    """Return a pattern for a character, plain or as any library may escape it in a URL."""
    escaped = "".join(f"%{byte:02x}" for byte in character.encode(errors="surrogatepass"))
    plus = r"|\+" if character == " " else ""
    return f"(?:(?i:{escaped})|{re.escape(character)}{plus})"


def one_line(error: BaseException) -> str:
    """Return an exception as one redacted line."""
    return " ".join(redact(str(error)).split()) or type(error).__name__


def show_text(text: str, characters: int = 60) -> str:
    """Return a line's text, shortened and without terminal control characters."""
    # Cut first, so that a megabyte isn't escaped for sixty characters.
    start = text[: characters + 1]
    shown = "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in start)
    return shown if len(shown) <= characters else shown[: characters - 1] + "…"


def disarm(cell: object) -> object:
    """Return a CSV cell, with a quote before text that a spreadsheet would run as a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) else cell
