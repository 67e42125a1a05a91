"""Make the environment of a command its own, once, at the start; its worker processes inherit it."""

import os
import re

from ingestion.errors import BadRequest
from ingestion.libpq import set_libpq_aside
from ingestion.settings import whole_number

_MAY_BE_EMPTY = re.compile(r"(TRADEWINDS_|SOURCES__|PEOPLE_|FSSPEC_|DLT_)", re.IGNORECASE)
# dbt's options, which would change what a day's build does. DBT_ENV_… and the place of its log aren't such options.
_DBT_OPTION = re.compile(r"DBT_(?!ENV_|LOG_PATH$).+")
_PRODUCTION = "prod"
_WHOLE_NUMBERS = (
    "TRADEWINDS_THREADS", "TRADEWINDS_POSTGRES_PORT", "TRADEWINDS_KEPT_VERSIONS", "TRADEWINDS_BACKUP_MAX_BYTES",
)  # fmt: skip


def environment_suffix() -> str:
    """Return what `TRADEWINDS_ENVIRONMENT` adds to names that people would share on a server: nothing, or `_<name>`.

    Raises BadRequest when it isn't a short name of small letters, digits and underscores.
    """
    name = os.environ.get("TRADEWINDS_ENVIRONMENT") or _PRODUCTION
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,29}", name):
        raise BadRequest("TRADEWINDS_ENVIRONMENT must be a name such as ci_12 or dev_ann: small letters, digits and _")
    return "" if name == _PRODUCTION else f"_{name}"


def _name_database() -> None:
    """Give each environment a database of its own; profiles.yml does the same for a typed `dbt`."""
    database, suffix = os.environ.get("TRADEWINDS_POSTGRES_DATABASE") or "tradewinds", environment_suffix()
    if not database.endswith(suffix):
        os.environ["TRADEWINDS_POSTGRES_DATABASE"] = database + suffix


def settle_environment() -> None:
    """Drop empty settings and dbt's options, and set libpq's variables aside; raises BadRequest on a bad number.

    libpq's stay if the settings name a Postgres warehouse, because dbt connects to it by them.
    """
    for name, value in list(os.environ.items()):
        if _DBT_OPTION.fullmatch(name) or (_MAY_BE_EMPTY.match(name) and not value.strip()):
            del os.environ[name]
    if os.environ.get("TRADEWINDS_POSTGRES_HOST"):
        _name_database()
    else:
        set_libpq_aside()
    # A later step would find these unreadable, after an hour.
    for name in _WHOLE_NUMBERS:
        whole_number(name, 1)
    if os.environ.get("TRADEWINDS_MEMORY"):
        from ingestion.session import memory_setting

        memory_setting()
