"""Derive a contract of the Open Data Contract Standard (ODCS) from each mart's dbt contract, tests and owner."""

import re
from typing import Any

_LOGICAL_TYPES = {
    "bigint": "integer", "integer": "integer", "decimal": "number", "double precision": "number", "boolean": "boolean",
    "date": "date", "timestamp": "timestamp", "varchar": "string",
}  # fmt: skip


def contracts_of(manifest: Any, server: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the contract of every mart with an enforced dbt contract, by `schema.table`.

    `server` is where the marts are published, without their schema.
    """
    tests: dict[str, list[Any]] = {}
    for node in manifest.nodes.values():
        if node.resource_type == "test" and getattr(node, "test_metadata", None):
            tests.setdefault(node.attached_node, []).append(node)
    groups = {group.name: group.owner for group in manifest.groups.values()}
    models = [node for id_, node in sorted(manifest.nodes.items()) if id_.startswith("model.")]
    return {
        f"{mart.fqn[2]}.{mart.name}": _contract(mart, tests.get(mart.unique_id, []), groups.get(mart.group), server)
        for mart in models
        if mart.fqn[1] == "marts" and mart.contract.enforced
    }


def _contract(mart: Any, tests: list[Any], owner: Any, server: dict[str, Any]) -> dict[str, Any]:
    schema, described = mart.fqn[2], " ".join(mart.description.split())
    key = _key(mart, tests)
    properties = [_property(column, key, tests) for column in mart.columns.values()]
    # A primary key has no NULL; another key is only told to be unique.
    if all(told["required"] for told in properties if told["name"] in key):
        for told in properties:
            if told["name"] in key:
                told |= {"primaryKey": True, "primaryKeyPosition": key.index(told["name"]) + 1}
    table: dict[str, Any] = {
        "name": mart.name,
        "logicalType": "object",
        "physicalType": "table",
        "description": described,
        "dataGranularityDescription": described.partition(". ")[0].rstrip(".") + ".",
        "properties": properties,
    }
    if len(key) > 1:
        table["quality"] = [_none("duplicateValues", properties=key)]
    contract: dict[str, Any] = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": f"{mart.package_name}.{schema}.{mart.name}",
        "name": f"{schema}.{mart.name}",
        "version": f"{mart.version or 1}.0.0",
        "status": "active",
        "domain": schema,
        "description": {"purpose": described},
        "servers": [{"server": server["type"], **server, "schema": schema}],
        "schema": [table],
    }
    if owner:
        contract["team"] = {"name": owner.name}
        if owner.email:
            contract["support"] = [{"channel": owner.email, "tool": "email", "url": f"mailto:{owner.email}"}]
    return contract


def _key(mart: Any, tests: list[Any]) -> list[str]:
    """Return the columns of the mart's key: of its primary key, else of its test of uniqueness."""
    keys = [rule.columns for rule in mart.constraints if rule.type == "primary_key"]
    keys += [[column.name] for column in mart.columns.values() if _has(column, "primary_key")]
    keys += [
        test.test_metadata.kwargs["columns"] for test in tests if test.test_metadata.name == "is_unique_combination"
    ]
    return list(keys[0]) if keys else []


def _has(declared: Any, constraint: str) -> bool:
    return any(rule.type == constraint for rule in declared.constraints)


def _property(column: Any, key: list[str], tests: list[Any]) -> dict[str, Any]:
    rules = {
        test.test_metadata.name: test.test_metadata.kwargs for test in tests if test.column_name == column.name
    }  # fmt: skip
    is_required, is_unique = _has(column, "not_null") or "not_null" in rules, "unique" in rules
    type_ = _LOGICAL_TYPES[re.sub(r" ?\(.*", "", column.data_type.lower())]
    told: dict[str, Any] = {
        "name": column.name,
        "logicalType": type_,
        "physicalType": column.data_type,
        "description": " ".join(column.description.split()),
        "required": is_required,
        "unique": is_unique or key == [column.name],
    }
    if type_ in ("integer", "number") and (bounds := _bounds(rules)):
        told["logicalTypeOptions"] = bounds
    quality = [_none("nullValues")] if is_required else []
    if is_unique:
        quality.append(_none("duplicateValues"))
    if values := rules.get("accepted_values"):
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
