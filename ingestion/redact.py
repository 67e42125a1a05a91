"""Keep secrets, terminal escapes and spreadsheet formulas out of output and logs.

Foreign text, such as a driver's message, loses every secret. The project's own sentences keep their words, even if one
is somebody's password: `northwind` names a source, too.
"""

import re
from functools import cache

from ingestion.errors import TradewindsError

# The files whose words the project's own sentences are made of.
_OWN_FILES = ("ingestion/**/*.py", "people_api/**/*.py", "pipeline/**/*.py", "models/**/*.yml", ".dlt/config.toml")
# Up to the last @: an unescaped password may contain one.
_URL_PASSWORD = re.compile(r"(://[^:/@\s]*):\S+@")
_PASSWORD_OPTION = re.compile(r"([?&]password=)[^&\s]+")
# A shorter secret is masked only as a whole word: it may be a part of many.
_LONG = 8
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
    """Return foreign text with every known secret and every password in a URL replaced by `***`."""
    return _mask(text)


def redact_own(text: str) -> str:
    """Return a sentence of the project, whose foreign parts are redacted, without the secrets that aren't its words."""
    return _mask(text, keeps_own_words=True)


def redact_error(error: BaseException) -> str:
    """Return an exception's text, redacted as the project's own or as foreign."""
    return (redact_own if isinstance(error, TradewindsError) else redact)(str(error))


def one_line(error: BaseException) -> str:
    """Return an exception as one redacted line."""
    return escape_controls(" ".join(redact_error(error).split())) or type(error).__name__


def _mask(text: str, *, keeps_own_words: bool = False) -> str:
    for secret in sorted(_secrets, key=len, reverse=True):
        pattern = "".join(map(_spellings, secret))
        if not re.search(pattern, text):
            continue  # most texts hold no secret, and need not read the project's words
        is_own = _is_own_word(secret)
        if is_own and keeps_own_words:
            continue
        if len(secret) < _LONG or is_own:
            pattern = rf"(?<!\w){pattern}(?!\w)"
        text = re.sub(pattern, "***", text)
    return _PASSWORD_OPTION.sub(r"\1***", _URL_PASSWORD.sub(r"\1:***@", text))


def _is_own_word(secret: str) -> bool:
    return re.fullmatch(r"\w+", secret) is not None and secret.lower() in _own_words()


@cache
def _own_words() -> frozenset[str]:
    """Return all words of the project's code and descriptions, in lower case."""
    from ingestion.settings import PROJECT  # it registers the settings' secrets here

    texts = (path.read_text(encoding="utf-8") for files in _OWN_FILES for path in PROJECT.glob(files))
    words = {word for text in texts for word in re.findall(r"\w+", text.lower())}
    return frozenset(words.union(*(word.split("_") for word in words)))


def _spellings(character: str) -> str:
    """Return a pattern for a character, plain or as any library may escape it in a URL."""
    escaped = "".join(f"%{byte:02x}" for byte in character.encode(errors="surrogatepass"))
    plus = r"|\+" if character == " " else ""
    return f"(?:(?i:{escaped})|{re.escape(character)}{plus})"


def show_text(text: str, characters: int = 60) -> str:
    """Return a line's text, shortened and without terminal control characters."""
    # Cut first, so that a megabyte isn't escaped for sixty characters.
    start = text[: characters + 1]
    shown = escape_controls(start)
    return shown if len(shown) <= characters else shown[: characters - 1] + "…"


def escape_controls(text: str) -> str:
    """Return a text without anything that a terminal would act on or hide."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def disarm(cell: object) -> object:
    """Return a CSV cell, with a quote before text that a spreadsheet would run as a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) else cell
