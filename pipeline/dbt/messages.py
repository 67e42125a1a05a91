"""Shorten dbt's messages to one line."""

from ingestion.redact import redact

# Lines about dbt's files around the relevant line.
_DBT_ONLY = ("> in macro", "> called by", "compiled code at", "Compilation Error in operation")


def shown_message(text: object) -> str:
    """Return dbt's message as one line, without headings and file hints."""
    lines = [line.strip() for line in str(text).splitlines()]
    kept = [line for line in lines if line and not line.startswith(_DBT_ONLY)]
    return redact(" ".join(kept))
