"""Give libpq's variables (PGSSLMODE, PGOPTIONS …) to the databases of settings, and never to the home's own server."""

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

_VARIABLE = re.compile(r"PG[A-Z_]+")
# Where libpq finds its own files.
_FILES = ("PGSYSCONFDIR", "PGLOCALEDIR", "PGSERVICEFILE")
_SET_ASIDE = "_"
# The parts of a URL that a parameter can't replace.
_URL_PARTS = {"user": "username", "password": "password", "host": "host", "port": "port", "dbname": "database"}


def set_libpq_aside() -> None:
    """Rename libpq's variables, so that no connection reads them; worker processes inherit the names."""
    for name in list(os.environ):
        if _VARIABLE.fullmatch(name) and name not in _FILES:
            os.environ[_SET_ASIDE + name] = os.environ.pop(name)


def with_libpq_parameters(url: "URL") -> "URL":
    """Return a SQLAlchemy URL with the parameters of the variables that were set aside, except those it states."""
    if not any(name.startswith(f"{_SET_ASIDE}PG") for name in os.environ):
        return url
    from psycopg.pq import Conninfo

    found = {}
    for option in Conninfo.get_defaults():
        keyword, variable = option.keyword.decode(), (option.envvar or b"").decode()
        value = os.environ.get(_SET_ASIDE + variable) if variable else None
        is_stated = keyword in url.query or (keyword in _URL_PARTS and getattr(url, _URL_PARTS[keyword]))
        if value and not is_stated:
            found[keyword] = value
    return url.update_query_dict(found)
