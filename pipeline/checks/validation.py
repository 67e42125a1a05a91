"""Have Great Expectations validate suites, and read its results back."""

import great_expectations as gx
from great_expectations.core import ExpectationValidationResult
from great_expectations.expectations import core
from great_expectations.expectations.expectation import Expectation

from pipeline.checks.engine import Audit
from pipeline.checks.no_rows import ExpectNoRows
from pipeline.checks.outcomes import Outcome
from pipeline.checks.suites import Check, Suite
from pipeline.checks.vocabulary import Vocabulary

_EXAMPLES = 20


def validate_suite(audit: Audit, suite: Suite, vocabulary: Vocabulary) -> list[Outcome]:
    """Return what became of each expectation of a suite, in the suite's order."""
    outcomes: dict[str, Outcome] = {}
    for table in dict.fromkeys(check.table for check in suite.checks):
        checks = [check for check in suite.checks if check.table == table]
        asset = audit.datasource.add_query_asset(f"{suite.title} {table}", query=vocabulary.relation(table))
        batch = asset.add_batch_definition_whole_table("whole").get_batch()
        expectations = gx.ExpectationSuite(name=f"{suite.title} {table}")
        queries = {check.id: _query(check, vocabulary) for check in checks}
        for check in checks:
            expectations.add_expectation(_expectation(check, queries[check.id]))
        shown = {"result_format": "SUMMARY", "partial_unexpected_count": _EXAMPLES}
        keys = next((check.key for check in checks if check.type and check.key), [])
        if keys:
            shown["unexpected_index_column_names"] = keys
        for result in batch.validate(expectations, result_format=shown).results:
            check = next(check for check in checks if check.id == result.expectation_config.meta["id"])
            outcomes[check.id] = _outcome(check, queries[check.id], result)
    return [outcomes[check.id] for check in suite.checks]


def _query(check: Check, vocabulary: Vocabulary) -> str | None:
    if check.where:
        shown = dict.fromkeys([*check.key, *([check.column] if check.column else [])])
        relation = vocabulary.relation(check.table)
        return f"select {', '.join(shown)} from ({relation}) as checked where {vocabulary.render(check.where)}"
    return vocabulary.render(check.query) if check.query else None


def _expectation(check: Check, query: str | None) -> Expectation:
    told = {"description": check.expect, "severity": check.severity, "meta": {"id": check.id}}
    if query:
        return ExpectNoRows(unexpected_rows_query=query, **told)
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
