"""The project's metrics: MetricFlow writes the SQL of a question, for the published marts."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

from ingestion.errors import BadRequest, Refused
from ingestion.redact import one_line
from pipeline.dbt.project import published_marts
from pipeline.run.request import Request

if TYPE_CHECKING:
    from metricflow.engine.metricflow_engine import MetricFlowEngine


class Metrics:
    """The metrics of models/metrics. MetricFlow and dbt are imported by the first question, which takes seconds."""

    def __init__(self, request: Request):
        self._request = request

    def listed(self) -> list[dict[str, Any]]:
        """Return every metric and what it can be grouped by; raises Refused without MetricFlow, or without metrics."""
        return [
            {
                "metric": metric.name,
                "label": metric.label,
                "description": metric.description,
                "group_by": self._dimensions([metric.name]),
            }
            for metric in self._engine.list_metrics()
        ]

    def statement(self, metrics: list[str], group_by: list[str], limit: int) -> str:
        """Return the query for metrics, by dimensions; raises BadRequest on names that don't fit."""
        from metricflow.engine.metricflow_engine import MetricFlowQueryRequest
        from metricflow_semantics.errors.error_classes import InformativeUserError

        known = [metric.name for metric in self._engine.list_metrics()]
        if not metrics or (unknown := [name for name in metrics if name not in known]):
            named = f"no metric is called {', '.join(unknown)}" if metrics else "a question needs a metric"
            raise BadRequest(f"{named}; the metrics are {', '.join(known)}")
        asked = MetricFlowQueryRequest.create(
            metric_names=metrics, group_by_names=group_by, order_by_names=group_by, limit=limit
        )
        try:
            return self._engine.explain(asked).sql_statement.sql
        except InformativeUserError as error:
            usable = ", ".join(self._dimensions(metrics))
            named = f"{', '.join(metrics)} can't be grouped by {', '.join(group_by)}"
            raise BadRequest(f"{named}; possible are {usable}, a time with __day, __month …") from error

    def _dimensions(self, metrics: list[str]) -> list[str]:
        found = self._engine.simple_dimensions_for_metrics(metrics)
        return sorted({dimension.granularity_free_dunder_name for dimension in found})

    @cached_property
    def _engine(self) -> "MetricFlowEngine":
        try:
            from dbt_metricflow.cli.dbt_connectors.adapter_backed_client import SupportedAdapterTypes
            from metricflow.engine.metricflow_engine import MetricFlowEngine
            from metricflow_semantics.model.dbt_manifest_parser import parse_manifest_from_dbt_generated_manifest
            from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup
        except ImportError as error:
            raise Refused(f"MetricFlow isn't there: {one_line(error)}", "make setup") from error
        manifest = parse_manifest_from_dbt_generated_manifest(self._request.dbt.semantic_manifest())
        if not manifest.metrics:
            raise Refused("the project defines no metrics: none are in models/metrics")
        published = {mart.place[1]: mart.relation for mart in published_marts()}
        for place in (*manifest.semantic_models, *manifest.project_configuration.time_spines):
            node = place.node_relation
            node.relation_name = published.get(node.alias, node.relation_name)
        # An adapter's type has what MetricFlow needs of a client to write SQL: the dialect.
        dialect: Any = SupportedAdapterTypes(self._request.target)
        return MetricFlowEngine(SemanticManifestLookup(manifest), dialect)
