"""Superset's own settings, as it asks for them: everything below one folder, on one machine, for one person."""

import os
from pathlib import Path

_FOLDER = Path(os.environ["SUPERSET_HOME"])

SECRET_KEY = (_FOLDER / "secret_key").read_text(encoding="utf-8")
SQLALCHEMY_DATABASE_URI = f"sqlite:///{_FOLDER / 'superset.db'}"
# Its pages' security headers ask for https, which a loopback address doesn't have.
TALISMAN_ENABLED = False
# Answers are asked for anew: another version of the marts may be published any moment.
DATA_CACHE_CONFIG = {"CACHE_TYPE": "NullCache"}
