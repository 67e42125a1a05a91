"""AVRO backups of the people tables: taken whole, checked whole, restored whole or not at all."""

from people_api.backups.restoring import list_backups, restore, restore_from
from people_api.backups.schemas import TABLES
from people_api.backups.sidecar import Backup
from people_api.backups.store import Store, open_folder, open_store
from people_api.backups.taking import back_up

__all__ = [
    "TABLES",
    "Backup",
    "Store",
    "back_up",
    "list_backups",
    "open_folder",
    "open_store",
    "restore",
    "restore_from",
]
