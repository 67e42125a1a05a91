"""The people service: rows in by REST, hire reports out."""
