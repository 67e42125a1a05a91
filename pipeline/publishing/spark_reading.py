"""Answer a reader's query in Spark: it is rewritten to read the published version's tables, and nothing else."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from uuid import uuid4

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from ingestion.errors import BadRequest, StepFailed
from ingestion.warehouse.spark_session import first_line
from pipeline.publishing.base import ONE_QUERY, Answer
from pipeline.publishing.limits import Limits
from pipeline.publishing.spark_tables import Tables

# Functions and clauses that run programs.
_PROGRAMS = ("reflect", "java_method", "try_reflect")
_COLUMNS = "information_schema.columns"


@contextmanager
def answering(tables: Tables, marts: list[str], tag: str, statement: str, limits: Limits | None) -> Iterator[Answer]:
    """Open a query's rows; raises BadRequest when it isn't one query of published marts, StepFailed when it fails."""
    from py4j.protocol import Py4JError
    from pyspark.errors import AnalysisException, ParseException, PySparkException

    context = tables.spark.sparkContext
    group = f"answer-{uuid4().hex}"
    query = _of_version(tables, marts, tag, statement)
    try:
        with limits.stopping(lambda: context.cancelJobGroup(group)) if limits else nullcontext():
            context.setJobGroup(group, "a reader's query", interruptOnCancel=True)
            found = tables.spark.sql(query)
            yield Answer(found.columns, map(tuple, found.toLocalIterator()))
    except (AnalysisException, ParseException) as error:
        raise BadRequest(f"the query can't be answered: {first_line(error)}") from error
    except (PySparkException, Py4JError) as error:
        if "cancelled" in str(error) and limits:
            raise StepFailed(limits.overrun) from error
        raise StepFailed(f"the query failed: {first_line(error)}") from error


def _of_version(tables: Tables, marts: list[str], tag: str, statement: str) -> str:
    """Return a query, written as for DuckDB, in Spark's words and on a version's tables."""
    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)  # what it can't parse is refused here
    try:
        asked = [query for query in sqlglot.parse(statement, read="duckdb") if query is not None]
    except SqlglotError as error:
        raise BadRequest(f"the query can't be answered: {first_line(error)}; {ONE_QUERY}") from error
    if len(asked) != 1 or not isinstance(asked[0], exp.Query):
        raise BadRequest(ONE_QUERY)
    (query,) = asked
    programs = [found.name for found in query.find_all(exp.Anonymous) if found.name.lower() in _PROGRAMS]
    if programs or query.find(exp.QueryTransform):
        raise BadRequest("the query can't be answered: a reader may not run programs")
    named = {common.alias for common in query.find_all(exp.CTE)}
    for table in list(query.find_all(exp.Table)):
        if isinstance(table.this, exp.Identifier) and not (not table.db and table.name in named):
            _replace(table, tables, marts, tag)
    return query.sql(dialect="spark")


def _replace(table: exp.Table, tables: Tables, marts: list[str], tag: str) -> None:
    """Put a version's table in the place of a mart's name."""
    name = f"{table.db}.{table.name}".lower()
    if name == _COLUMNS:
        rows = exp.Subquery(this=sqlglot.parse_one(_columns(tables, marts, tag), read="spark"))
    elif name in marts and not table.catalog:
        rows = exp.Subquery(this=sqlglot.parse_one(f"select * from {name} version as of '{tag}'", read="spark"))
    else:
        raise BadRequest(f"the query can't be answered: no published mart is called {table.sql(dialect='duckdb')}")
    alias = table.args.get("alias") or exp.TableAlias(this=exp.to_identifier(table.name))
    rows.set("alias", alias)
    for kept in ("joins", "laterals", "pivots", "sample"):
        rows.set(kept, table.args.get(kept))
    table.replace(rows)


def _columns(tables: Tables, marts: list[str], tag: str) -> str:
    """Return a query with a row for each column of the version."""
    rows = [
        f"('{mart.partition('.')[0]}', '{mart.partition('.')[2]}', '{name}', '{type_}', {position})"
        for mart in marts
        for position, (name, type_) in enumerate(tables.spark.sql(f"select * from {tables.at(mart, tag)}").dtypes, 1)
    ]
    names = "table_schema, table_name, column_name, data_type, ordinal_position"
    return f"select * from values {', '.join(rows)} as listed ({names})"
