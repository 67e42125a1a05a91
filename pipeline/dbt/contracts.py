"""Derive a contract of the Open Data Contract Standard (ODCS) from what the project declares and proves of a mart."""

import re
from typing import Any

from ingestion.settings import PROJECT
from pipeline.dbt.project import Column, Mart, owners, published_marts, read_yaml

_LOGICAL_TYPES = {
    "bigint": "integer", "integer": "integer", "decimal": "number", "double precision": "number", "boolean": "boolean",
    "date": "date", "timestamp": "timestamp", "varchar": "string",
}  # fmt: skip


def make_contracts(server: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the contract of every mart and snapshot, by `schema.table`; `server` is where they are published."""
    project, people = read_yaml(PROJECT / "dbt_project.yml"), owners()
    return {
        mart.relation: _contract(mart, project["name"], people.get(_group(mart, project), {}), server)
        for mart in published_marts()
    }


def _group(mart: Mart, project: dict[str, Any]) -> str:
    """Return the group that `dbt_project.yml` gives to the mart's folder."""
    models, snapshots = (project.get(kind, {}).get(project["name"], {}) for kind in ("models", "snapshots"))
    marts, schema = models.get("marts", {}), mart.place[0]
    folders = [snapshots] if schema == "snapshots" else [marts.get(schema, {}), marts, models]
    return next((folder["+group"] for folder in folders if "+group" in folder), "")


def _contract(mart: Mart, project: str, owner: dict[str, str], server: dict[str, Any]) -> dict[str, Any]:
    schema, name = mart.place
    kind, key = mart.proven_key or ("", ())
    properties = [_property(column) for column in mart.columns]
    # A primary key has no NULL; another key is only told to be unique.
    for told in properties if kind == "primary key" else ():
        if told["name"] in key:
            told |= {"primaryKey": True, "primaryKeyPosition": key.index(told["name"]) + 1}
    table: dict[str, Any] = {
        "name": name,
        "logicalType": "object",
        "physicalType": "table",
        "description": mart.description,
        "dataGranularityDescription": mart.description.partition(". ")[0].rstrip(".") + ".",
        "properties": properties,
    }
    if len(key) > 1:
        table["quality"] = [_none("duplicateValues", properties=list(key))]
    contract: dict[str, Any] = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": f"{project}.{mart.relation}",
        "name": mart.relation,
        "version": "1.0.0",
        "status": "active",
        "domain": schema,
        "description": {"purpose": mart.description},
        "servers": [{"server": server["type"], **server, "schema": schema}],
        "schema": [table],
    }
    if owner:
        contract["team"] = {"name": owner["name"]}
        if email := owner.get("email"):
            contract["support"] = [{"channel": email, "tool": "email", "url": f"mailto:{email}"}]
    return contract


def _property(column: Column) -> dict[str, Any]:
    type_ = _LOGICAL_TYPES.get(re.sub(r" ?\(.*", "", (column.type or "").lower()))
    told: dict[str, Any] = {
        "name": column.name,
        **({"logicalType": type_} if type_ else {}),
        **({"physicalType": column.type} if column.type else {}),
        "description": column.description,
        "required": column.is_required,
        "unique": "unique" in column.rules,
    }
    if type_ in ("integer", "number") and (bounds := _bounds(column.rules)):
        told["logicalTypeOptions"] = bounds
    quality = [_none("nullValues")] if column.is_required else []
    if told["unique"]:
        quality.append(_none("duplicateValues"))
    if values := column.rules.get("accepted_values"):
        quality.append(_none("invalidValues", validValues=list(values["values"])))
    return told | ({"quality": quality} if quality else {})


def _bounds(rules: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the bounds of this project's tests of numbers."""
    if between := rules.get("is_between"):
        return {"minimum": between["lowest"], "maximum": between["highest"]}
    return {"minimum": 0} if "is_non_negative" in rules else {"exclusiveMinimum": 0} if "is_positive" in rules else {}


def _none(metric: str, **arguments: Any) -> dict[str, Any]:
    """Return the rule that a metric counts no row."""
    return {"metric": metric, "mustBe": 0} | ({"arguments": arguments} if arguments else {})
