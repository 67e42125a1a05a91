"""Airflow DAGs that a person triggers: rows into the people service, and its tables' backups and restores."""

from tradewinds_dags.people import make_backup_dag, make_insert_dag, make_restore_dag

insert, backup, restore = make_insert_dag(), make_backup_dag(), make_restore_dag()
