"""Publishing on Postgres: the marts are read where dbt builds them; publishing says which version they are."""

import psycopg

from ingestion.digest import rows_hash
from ingestion.errors import StepFailed
from ingestion.redact import one_line
from ingestion.session import open_session
from ingestion.settings import Home
from ingestion.warehouse.postgres import PostgresWarehouse, warehouse_url
from pipeline.publishing.base import Version, combined_hash

_TABLE = "public.published_version"


class PostgresPublisher:
    """One row in `public.published_version`, replaced in one transaction."""

    def __init__(self, home: Home):
        self._warehouse = PostgresWarehouse(home)

    def current(self) -> Version | None:
        try:
            with psycopg.connect(warehouse_url()) as connection:
                if connection.execute("select to_regclass(%s)", [_TABLE]).fetchone()[0] is None:
                    return None
                row = connection.execute(f"select run_date::text, content_hash from {_TABLE}").fetchone()
        except psycopg.Error as error:
            raise StepFailed(f"the published version can't be read: {one_line(error)}") from error
        return Version(*row) if row else None

    def publish(self, run_date: str, marts: list[str]) -> tuple[Version, dict[str, int]]:
        rows, hashes = {}, []
        for mart in marts:
            with self._warehouse.reading(mart, []) as batches, open_session() as session:
                columns = batches.schema.names
                session.execute("create temp table mart as from batches")
                rows[mart] = session.execute("select count(*) from mart").fetchone()[0]
                hashes.append([mart, rows_hash(session, "mart", columns)])
        version = Version(run_date, combined_hash(hashes))
        try:
            with psycopg.connect(warehouse_url()) as connection:
                connection.execute(f"create table if not exists {_TABLE} (run_date date, content_hash text)")
                connection.execute(f"delete from {_TABLE}")
                connection.execute(f"insert into {_TABLE} values (%s, %s)", [version.run_date, version.content_hash])
        except psycopg.Error as error:
            raise StepFailed(f"the marts can't be published: {one_line(error)}") from error
        return version, rows
