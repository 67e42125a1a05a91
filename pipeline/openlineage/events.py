"""OpenLineage's events as plain dicts, because its client takes a tenth of a second to import.

A test holds them against the classes that the client generates from the specification.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

PRODUCER = "urn:tradewinds:pipeline"
_SPEC = "https://openlineage.io/spec"  # a name: nothing is requested from there
_FACETS = {
    "columnLineage": "1-2-0/ColumnLineageDatasetFacet",
    "errorMessage": "1-0-1/ErrorMessageRunFacet",
    "inputStatistics": "1-0-0/InputStatisticsInputDatasetFacet",
    "jobType": "2-0-4/JobTypeJobFacet",
    "nominalTime": "1-0-1/NominalTimeRunFacet",
    "outputStatistics": "1-0-2/OutputStatisticsOutputDatasetFacet",
    "parent": "1-2-0/ParentRunFacet",
    "schema": "1-2-0/SchemaDatasetFacet",
}


@dataclass(frozen=True)
class Dataset:
    """A dataset by OpenLineage's naming, with the type of each column, None where it isn't known.

    `made_of` holds, for a column, the columns that it is made of: namespace, dataset and field.
    """

    namespace: str
    name: str
    columns: dict[str, str | None] = field(default_factory=dict)
    rows: int | None = None
    made_of: dict[str, list[tuple[str, str, str]]] = field(default_factory=dict)

    def copied_from(self, other: "Dataset") -> "Dataset":
        """Return the dataset with each column made of the column of the same name."""
        same = {column: [(other.namespace, other.name, column)] for column in self.columns if column in other.columns}
        return Dataset(self.namespace, self.name, self.columns, self.rows, same)

    def told(self, statistics: str) -> dict[str, Any]:
        """Return it as an event has it, its rows as `inputStatistics` or `outputStatistics`."""
        told: dict[str, Any] = {"namespace": self.namespace, "name": self.name, "facets": {}}
        if self.columns:
            fields = [{"name": name} | ({"type": type_} if type_ else {}) for name, type_ in self.columns.items()]
            told["facets"] |= _facet("schema", fields=fields)
        if made_of := {column: origins for column, origins in self.made_of.items() if origins}:
            told["facets"] |= _facet("columnLineage", fields={name: _fields(of) for name, of in made_of.items()})
        if self.rows is not None:
            told[f"{statistics[: -len('Statistics')]}Facets"] = _facet(statistics, rowCount=self.rows)
        return told


def run_event(
    state: str,
    moment: datetime,
    run_date: str,
    run_id: UUID,
    job: str,
    *,
    parent: tuple[UUID, str] | None = None,
    error: str | None = None,
    inputs: Iterable[Dataset] = (),
    outputs: Iterable[Dataset] = (),
) -> dict[str, Any]:
    """Return an event of a job's run: START, COMPLETE, FAIL or ABORT; `parent` is a run and its job."""
    namespace = os.environ.get("OPENLINEAGE_NAMESPACE") or "tradewinds"
    facets = _facet("nominalTime", nominalStartTime=f"{run_date}T00:00:00Z")
    given = os.environ.get("OPENLINEAGE_PARENT_ID", "")
    if parent or given:
        above = _run(namespace, parent[1], str(parent[0])) if parent else _run(*given.rsplit("/", 2))
        root = os.environ.get("OPENLINEAGE_ROOT_PARENT_ID") or given
        facets |= _facet("parent", **above, **({"root": _run(*root.rsplit("/", 2))} if root else {}))
    if error:
        facets |= _facet("errorMessage", message=error, programmingLanguage="PYTHON")
    kind = _facet("jobType", processingType="BATCH", integration="TRADEWINDS", jobType="MODEL" if parent else "STEP")
    return {
        "eventType": state,
        "eventTime": moment.isoformat(),
        "producer": PRODUCER,
        "schemaURL": f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": str(run_id), "facets": facets},
        "job": {"namespace": namespace, "name": job, "facets": kind},
        "inputs": [dataset.told("inputStatistics") for dataset in inputs],
        "outputs": [dataset.told("outputStatistics") for dataset in outputs],
    }


def _facet(name: str, **content: Any) -> dict[str, Any]:
    kind = _FACETS[name].partition("/")[2]
    url = f"{_SPEC}/facets/{_FACETS[name]}.json#/$defs/{kind}"
    return {name: {"_producer": PRODUCER, "_schemaURL": url, **content}}


def _run(namespace: str, job: str, run_id: str) -> dict[str, Any]:
    return {"job": {"namespace": namespace, "name": job}, "run": {"runId": run_id}}


def _fields(origins: list[tuple[str, str, str]]) -> dict[str, Any]:
    return {"inputFields": [dict(zip(("namespace", "name", "field"), origin, strict=True)) for origin in origins]}
