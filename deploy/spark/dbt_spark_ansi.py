"""A plugin of dbt, found by its name: dbt-spark turns ANSI mode off, where a bad cast is NULL and "name" is a text.

`make spark-setup` puts it beside dbt; macros/refuse_engine.sql refuses a build without it.
"""

from typing import Any

from dbt.adapters.spark.session import Cursor

_make = Cursor.__init__


def _make_with_ansi(cursor: Cursor, **given: Any) -> None:
    _make(cursor, **given)
    cursor.server_side_parameters = cursor.server_side_parameters | {"spark.sql.ansi.enabled": "true"}


Cursor.__init__ = _make_with_ansi
