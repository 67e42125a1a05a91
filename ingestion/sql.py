"""How names and texts are written in SQL; DuckDB and Postgres agree on both."""


def quote(identifier: str) -> str:
    """Return a name as a quoted SQL identifier."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text as a standard SQL literal."""
    return "'" + text.replace("'", "''") + "'"
