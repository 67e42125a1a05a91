"""Validate suites with Great Expectations, and read its results."""

import great_expectations as gx
from great_expectations.core import ExpectationValidationResult
from great_expectations.datasource.fluent.sql_datasource import QueryAsset
from great_expectations.expectations import core
from great_expectations.expectations.expectation import Expectation

from ingestion.sql import quote
from pipeline.checks.engine import Audit
from pipeline.checks.no_rows import ExpectNoRows
from pipeline.checks.outcomes import Outcome
from pipeline.checks.suites import Check, Suite
from pipeline.checks.vocabulary import Vocabulary

_EXAMPLES = 20


def validate_suite(audit: Audit, suite: Suite, vocabulary: Vocabulary) -> list[Outcome]:
    """Return the outcomes of a suite's expectations, in order."""
    outcomes: dict[str, Outcome] = {}
    tables = dict.fromkeys(check.table for check in suite.checks)
    with audit.tables(suite.title, {table: vocabulary.relation(table) for table in tables}) as assets:
        for table in tables:
            checks = [check for check in suite.checks if check.table == table]
            try:
                found = _validate_table(assets[table], f"{suite.title} {table}", checks, vocabulary)
            except Exception as error:  # an error on one table must not hide the results of others
                found = [Outcome(check, passed=False, sql=None, error=str(error)) for check in checks]
            outcomes |= {outcome.check.id: outcome for outcome in found}
    return [outcomes[check.id] for check in suite.checks]


def _validate_table(asset: QueryAsset, name: str, checks: list[Check], vocabulary: Vocabulary) -> list[Outcome]:
    batch = asset.get_batch(asset.build_batch_request())
    queries = {check.id: _query(check, vocabulary) for check in checks}
    by_id = {check.id: check for check in checks}
    expectations = gx.ExpectationSuite(name=name)
    for check in checks:
        expectations.add_expectation(_expectation(check, queries[check.id]))
    shown = {"result_format": "SUMMARY", "partial_unexpected_count": _EXAMPLES}
    keys = next((check.key for check in checks if check.type and check.key), [])
    if keys:
        shown["unexpected_index_column_names"] = keys
    results = batch.validate(expectations, result_format=shown).results
    told = [(by_id[result.expectation_config.meta["id"]], result) for result in results]
    return [_outcome(check, queries[check.id], result) for check, result in told]


def _query(check: Check, vocabulary: Vocabulary) -> str | None:
    if check.where:
        shown = dict.fromkeys([*check.key, *([check.column] if check.column else [])])
        relation = vocabulary.relation(check.table)
        columns = ", ".join(map(quote, shown))
        return f"select {columns} from ({relation}) as checked where {vocabulary.render(check.where)} order by 1"
    return vocabulary.render(check.query) if check.query else None


def _expectation(check: Check, query: str | None) -> Expectation:
    told = {"description": check.expect, "severity": check.severity, "meta": {"id": check.id}}
    if query:
        # Great Expectations' templates need doubled braces.
        return ExpectNoRows(unexpected_rows_query=query.replace("{", "{{").replace("}", "}}"), **told)
    assert check.type, "a check has a query or a type"
    name = "".join(part.capitalize() for part in check.type.split("_"))
    column = {"column": check.column} if check.column else {}
    return getattr(core, name)(**column, **check.arguments, **told)


def _outcome(check: Check, query: str | None, result: ExpectationValidationResult) -> Outcome:
    found = result.result
    errors = [
        str(raised["exception_message"])
        for raised in (result.exception_info, *result.exception_info.values())
        if isinstance(raised, dict) and raised.get("raised_exception")
    ]
    examples = found.get("partial_unexpected_index_list") or [
        {check.column: value} for value in found.get("partial_unexpected_list") or []
    ]
    return Outcome(
        check=check,
        passed=bool(result.success),
        sql=query,
        unexpected=found.get("unexpected_count"),
        elements=found.get("element_count"),
        observed=found.get("observed_value"),
        examples=tuple(dict(example) for example in examples[:_EXAMPLES]),
        error=errors[0] if errors else None,
    )
