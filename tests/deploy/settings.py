"""Which environment variables anything here reads."""

import re
from functools import cache

from ingestion.settings import PROJECT

# Those of the tools in the images: Python and pip, dbt, Postgres' image, trackers, Airflow.
_TOOLS = {
    "PATH",
    "HOME",
    "JAVA_HOME",
    "PYTHONUNBUFFERED",
    "PYTHONDONTWRITEBYTECODE",
    "PIP_NO_CACHE_DIR",
    "DBT_LOG_PATH",
    "PIP_DISABLE_PIP_VERSION_CHECK",
    "SCARF_ANALYTICS",
    "POSTGRES_PASSWORD_FILE",
    "DATABASES",  # of deploy/compose/postgres-init.sh
    "AIRFLOW_HOME",
    "AIRFLOW__API_AUTH__JWT_SECRET",
    "AIRFLOW__CORE__DAGS_FOLDER",
    "AIRFLOW__CORE__EXECUTION_API_SERVER_URL",
    "AIRFLOW__CORE__EXECUTOR",
    "AIRFLOW__CORE__FERNET_KEY",
    "AIRFLOW__CORE__LOAD_EXAMPLES",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
}
_SECRET = re.compile(r"PASSWORD|SECRET|CREDENTIALS|DATABASE_URL|_KEY$|TOKEN|SQL_ALCHEMY_CONN")


@cache
def known_settings() -> frozenset[str]:
    """Return every name that the project's code or profile reads, or docs/settings.md lists."""
    files = [PROJECT / "profiles.yml", PROJECT / "docs" / "settings.md"]
    for package in ("ingestion", "people_api", "pipeline", "deploy/airflow"):
        files += sorted((PROJECT / package).rglob("*.py"))
    words = (re.findall(r"\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b", file.read_text()) for file in files)
    return frozenset(_TOOLS.union(*words))


@cache
def entrypoint_names() -> frozenset[str]:
    """Return the names that deploy/entrypoint.sh reads from files."""
    script = (PROJECT / "deploy" / "entrypoint.sh").read_text()
    listed = re.search(r"for name in(.*?); do", script, re.DOTALL)[1]
    return frozenset(re.findall(r"[A-Z][A-Z0-9_]+", listed))


def is_secret(name: str) -> bool:
    """Say whether a variable of this name holds a secret itself, not the place of one."""
    return bool(_SECRET.search(name)) and not name.endswith("_FILE")


def unknown_settings(names) -> list[str]:
    """Return the names that nothing reads; NAME_FILE counts as NAME."""
    return [name for name in names if not {name, name.removesuffix("_FILE")} & known_settings()]
