"""An expectation that a query returns no rows."""

from typing import Any, ClassVar

from great_expectations.compatibility import pydantic
from great_expectations.expectations import UnexpectedRowsExpectation


class ExpectNoRows(UnexpectedRowsExpectation):
    """Keep the first rows found, whatever the result format, and count their table."""

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
