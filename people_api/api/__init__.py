"""The people service: REST in, reports out."""

from people_api.api.app import Service, create_app

__all__ = ["Service", "create_app"]
