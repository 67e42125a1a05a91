"""The people service: rows in by REST, hire reports out."""

from people_api.api.app import Service, create_app

__all__ = ["Service", "create_app"]
