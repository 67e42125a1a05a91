"""Validate suites with one of Great Expectations' checkpoints, and read its results."""

from collections.abc import Callable
from typing import Any, ClassVar, Literal

import great_expectations as gx
from great_expectations.checkpoint import CheckpointResult
from great_expectations.checkpoint.actions import ActionContext, ValidationAction
from great_expectations.compatibility import pydantic
from great_expectations.core import ExpectationSuiteValidationResult, ExpectationValidationResult
from great_expectations.core.freshness_diagnostics import ValidationDefinitionFreshnessDiagnostics
from great_expectations.expectations import UnexpectedRowsExpectation, core
from great_expectations.expectations.expectation import Expectation

from ingestion.sql import quote
from pipeline.checks.engine import Audit
from pipeline.checks.outcomes import Outcome
from pipeline.checks.suites import Check, Suite
from pipeline.checks.vocabulary import Vocabulary

_EXAMPLES = 20
# The arguments of an expectation that its message shows beside the measured value.
_BOUNDS = ("min_value", "max_value")


class ExpectNoRows(UnexpectedRowsExpectation):
    """Expect no rows of a query: keep the first ones found, whatever the result format, and count their table."""

    metric_dependencies: ClassVar[tuple[str, ...]] = (
        *UnexpectedRowsExpectation.metric_dependencies,
        "table.row_count",
    )

    @pydantic.validator("unexpected_rows_query")
    def _validate_query(cls, query: str) -> str:  # noqa: N805
        # The inherited method prints a reminder to standard output for queries that name tables, as ours do.
        return query

    def _validate(self, metrics: dict, runtime_configuration: Any = None, execution_engine: Any = None) -> dict:
        found = metrics["unexpected_rows_query.row_count"]
        return {
            "success": found == 0,
            "result": {
                "unexpected_count": found,
                "element_count": metrics["table.row_count"],
                "partial_unexpected_index_list": metrics["unexpected_rows_query.table"],
            },
        }


class WriteDataDocs(ValidationAction):
    """Pass a checkpoint's results to the function that writes our pages of them."""

    type: Literal["write_data_docs"] = "write_data_docs"
    name: str = "write_data_docs"
    _write: Callable[[CheckpointResult], None] = pydantic.PrivateAttr()

    def run(self, checkpoint_result: CheckpointResult, action_context: ActionContext | None = None) -> dict[str, Any]:
        self._write(checkpoint_result)
        return {}


class TableValidation(gx.ValidationDefinition):
    """A table's validation, whose results name rows by the table's own key; a checkpoint has one key for all tables."""

    _key: list[str] = pydantic.PrivateAttr(default_factory=list)

    def is_fresh(self) -> ValidationDefinitionFreshnessDiagnostics:
        """Spare the comparison with copies in the context's stores, a fifth of a check: the suites' files are read."""
        return ValidationDefinitionFreshnessDiagnostics(errors=[])

    def run(self, *, result_format: dict[str, Any], **options: Any) -> ExpectationSuiteValidationResult:
        if self._key:
            result_format = result_format | {"unexpected_index_column_names": self._key}
        return super().run(result_format=result_format, **options)


def run_checkpoint(name: str, definitions: list[TableValidation], write: Callable[[CheckpointResult], None]) -> None:
    """Validate the tables, then pass the results to `write`."""
    action = WriteDataDocs()
    action._write = write
    shown = {"result_format": "SUMMARY", "partial_unexpected_count": _EXAMPLES}
    checkpoint = gx.Checkpoint(name=name, validation_definitions=definitions, actions=[action], result_format=shown)
    checkpoint.run()


def define_validations(
    audit: Audit, suites: list[tuple[Suite, Vocabulary]], errors: dict[str, str]
) -> list[TableValidation]:
    """Return one validation per table of each suite; an expectation that can't be made adds its error to `errors`."""
    tables: dict[str, list[tuple[Check, Vocabulary]]] = {}
    for suite, vocabulary in suites:
        for check in suite.checks:
            tables.setdefault(f"{suite.title} {check.table}", []).append((check, vocabulary))
    batches = audit.batches({name: words.relation(check.table) for name, ((check, words), *_) in tables.items()})
    definitions = []
    for name, checks in tables.items():
        expectations = []
        for check, vocabulary in checks:
            try:
                expectations += _expectations(check, vocabulary)
            except Exception as error:  # an error on one expectation must not hide the results of others
                errors[f"{name.removesuffix(check.table)}{check.id}"] = str(error)
        if expectations:
            of_table = gx.ExpectationSuite(name=name, expectations=expectations)
            definition = TableValidation(name=name, data=batches[name], suite=of_table)
            definition._key = next((check.key for check, _ in checks if check.type and check.key), [])
            definitions.append(definition)
    return definitions


def outcomes_of(suite: Suite, result: CheckpointResult | None, errors: dict[str, str]) -> list[Outcome]:
    """Return the outcomes of a suite's expectations, in order; one without a result had nothing to compare with."""
    runs = result.run_results.values() if result else []
    results = {
        one.expectation_config.meta["id"]: one
        for run in runs
        if run.suite_name.startswith(f"{suite.title} ")
        for one in run.results
    }
    return [_outcome(check, results.get(check.id), errors.get(f"{suite.title} {check.id}")) for check in suite.checks]


def _expectations(check: Check, vocabulary: Vocabulary) -> list[Expectation]:
    """Return the expectation of a check; none if its bounds compare it with nothing, as on a first day."""
    told = {"description": check.expect, "severity": check.severity, "meta": {"id": check.id}}
    if not check.type:
        # Great Expectations' templates need doubled braces.
        query = _query(check, vocabulary).replace("{", "{{").replace("}", "}}")
        return [ExpectNoRows(unexpected_rows_query=query, **told)]
    bounds = vocabulary.bounds(check) if check.bounds else {}
    if bounds is None:
        return []
    name = "".join(part.capitalize() for part in check.type.split("_"))
    column = {"column": check.column} if check.column and "column_A" not in check.arguments else {}
    return [getattr(core, name)(**column, **check.arguments, **bounds, **told)]


def _query(check: Check, vocabulary: Vocabulary) -> str:
    if check.query:
        return vocabulary.render(check.query)
    shown = dict.fromkeys([*check.key, *([check.column] if check.column else [])])
    columns = ", ".join(map(quote, shown))
    relation = vocabulary.relation(check.table)
    return f"select {columns} from ({relation}) as checked where {vocabulary.render(check.where or 'true')} order by 1"


def _outcome(check: Check, result: ExpectationValidationResult | None, error: str | None) -> Outcome:
    if result is None:
        return Outcome(check, passed=error is None, error=error)
    found = result.result
    errors = [
        str(raised["exception_message"])
        for raised in (result.exception_info, *result.exception_info.values())
        if isinstance(raised, dict) and raised.get("raised_exception")
    ]
    examples = found.get("partial_unexpected_index_list") or [
        {check.column: value} for value in found.get("partial_unexpected_list") or []
    ]
    kwargs = result.expectation_config.kwargs
    query = kwargs.get("unexpected_rows_query")
    return Outcome(
        check=check,
        passed=bool(result.success),
        sql=query and query.replace("{{", "{").replace("}}", "}"),
        unexpected=found.get("unexpected_count"),
        elements=found.get("element_count"),
        observed=found.get("observed_value"),
        bounds={name: kwargs[name] for name in _BOUNDS if kwargs.get(name) is not None},
        examples=tuple(dict(example) for example in examples[:_EXAMPLES]),
        error=errors[0] if errors else None,
    )
