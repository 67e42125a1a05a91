"""Avro backups of the people tables. Backup, check and restore each cover a whole table or fail."""

from people_api.backups.restoring import restore, restore_from
from people_api.backups.schemas import TABLES
from people_api.backups.sidecar import Backup
from people_api.backups.taking import back_up

__all__ = ["TABLES", "Backup", "back_up", "restore", "restore_from"]
