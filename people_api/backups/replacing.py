"""Replace a table's rows in one transaction that doesn't touch unchanged rows."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Row, text

from ingestion.errors import Refused
from people_api.backups.schemas import columns_of

_REFERENCES = (("employees", "department_id", "departments"), ("employees", "job_id", "jobs"))
# Writers to the table, or to one tied to it by a foreign key, wait; readers don't.
_LOCKED = {
    "departments": "departments, employees",
    "jobs": "jobs, employees",
    "employees": "departments, jobs, employees",
    "rejected_rows": "rejected_rows",
}
_UNIQUE = {"rejected_rows": ("id", "batch_id, row_number")}
_LOCK_TIMEOUT = "60s"
_SHOWN = 5


def replace_rows(engine: Engine, table: str, read: Callable[[], Iterable[tuple[Any, ...]]]) -> None:
    """Make the table hold exactly these rows; raises Refused, and changes nothing, if a key would break."""
    with engine.begin() as connection:
        # A restore has no time limit, unlike the statements of a request.
        connection.execute(text("set local statement_timeout = 0"))
        connection.execute(text(f"set local lock_timeout = '{_LOCK_TIMEOUT}'"))
        connection.execute(text(f"create temporary table restored (like {table}) on commit drop"))
        _copy(connection, table, read())
        connection.execute(text("analyze restored"))
        connection.execute(text(f"lock table {_LOCKED[table]} in share row exclusive mode"))
        _check_keys(connection, table)
        _replace(connection, table)


def _copy(connection: Connection, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"copy restored ({', '.join(columns_of(table))}) from stdin") as copy:
        for row in rows:
            copy.write_row(row)


def _check_keys(connection: Connection, table: str) -> None:
    """Raise Refused, naming the first rows, when an id is repeated or a referenced row is missing."""
    broken = []
    for key in _UNIQUE.get(table, ("id",)):
        found = connection.execute(
            text(
                f"select concat_ws(' ', {key}), count(*) over () from restored "
                f"group by {key} having count(*) > 1 order by {key} limit {_SHOWN}"
            )
        ).all()
        broken += _tell(found, f"values of {key} that are there more than once")
    for child, column, parent in _REFERENCES:
        if table not in (child, parent):
            continue
        left, right = ("restored", parent) if table == child else (child, "restored")
        found = connection.execute(
            text(
                f"select format('%s (%s %s)', id, '{column}', {column}), count(*) over () from {left} as pointing "
                f"where not exists (select from {right} as pointed where pointed.id = pointing.{column}) "
                f"order by id limit {_SHOWN}"
            )
        ).all()
        broken += _tell(found, f"{child} that would point to no row of {parent}")
    if broken:
        raise Refused(f"{table} can't be restored: {'; '.join(broken)}")


def _tell(rows: Sequence[Row[Any]], what: str) -> list[str]:
    if not rows:
        return []
    shown, count = ", ".join(row for row, _ in rows), rows[0][1]
    return [f"{what} ({count:,}): {shown}{', …' if count > len(rows) else ''}"]


def _replace(connection: Connection, table: str) -> None:
    """Delete rows that the file lacks, then insert or update the others, so that referenced rows are never removed."""
    columns = columns_of(table)
    keys = ", ".join(_UNIQUE.get(table, ("id",))).split(", ")
    same = " and ".join(f"restored.{key} = {table}.{key}" for key in keys)
    values = ", ".join(name for name in columns if name != "id")
    excluded = ", ".join(f"excluded.{name}" for name in columns if name != "id")
    connection.execute(text(f"delete from {table} where not exists (select from restored where {same})"))
    connection.execute(
        text(
            f"insert into {table} as kept (id, {values}) overriding system value select id, {values} from restored "
            f"on conflict (id) do update set ({values}) = row ({excluded}) "
            f"where ({', '.join(f'kept.{name}' for name in columns if name != 'id')}) is distinct from ({excluded})"
        )
    )
    if table == "rejected_rows":
        connection.execute(
            text(
                "select setval('rejected_rows_id_seq', max(id)) from rejected_rows "
                "having max(id) >= (select last_value from rejected_rows_id_seq)"
            )
        )
