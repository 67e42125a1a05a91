"""Quote names and texts for SQL, the same for DuckDB and Postgres."""


def quote(identifier: str) -> str:
    """Return a name as a quoted SQL identifier."""
    return '"' + identifier.replace('"', '""') + '"'


def name_of(schema: str, table: str) -> str:
    """Return a relation's quoted name with its schema."""
    return f"{quote(schema)}.{quote(table)}"


def literal(text: str) -> str:
    """Return a text as a standard SQL literal."""
    return "'" + text.replace("'", "''") + "'"
