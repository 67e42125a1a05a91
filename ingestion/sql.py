"""Quote names and texts for SQL, the same for DuckDB and Postgres."""


def quote(identifier: str) -> str:
    """Return a name as a quoted SQL identifier."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text as a standard SQL literal."""
    return "'" + text.replace("'", "''") + "'"
