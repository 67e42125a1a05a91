"""`tradewinds contracts` tells of every mart what the published file holds."""

from pathlib import Path

import yaml

from tests.python.sandbox import Sandbox

# What DuckDB calls the types of dbt's contracts.
_TYPES = {"varchar": "VARCHAR", "integer": "INTEGER", "double precision": "DOUBLE", "bytea": "BLOB"}
_OWNERS = {schema: f"{schema.title()} analytics" for schema in ("sales", "marketplace", "people", "community")}
_OWNERS |= {"snapshots": "Sales analytics", "ops": "Data platform", "quarantine": "Data platform"}


def test_a_contract_is_what_its_mart_holds(shared_built: Sandbox, tmp_path: Path) -> None:
    told = shared_built.succeed("contracts", str(tmp_path))
    contracts = {path.name.removesuffix(".odcs.yaml"): yaml.safe_load(path.read_text()) for path in tmp_path.iterdir()}
    assert told == f"{len(contracts)} contracts are in {tmp_path}\n"
    columns: dict[str, dict[str, str]] = {}
    for mart, name, type_ in shared_built.published(
        "select table_schema || '.' || table_name, column_name, data_type from information_schema.columns "
        "where table_schema <> 'main' order by ordinal_position"
    ):
        columns.setdefault(mart, {})[name] = type_.replace(" ", "")
    assert contracts.keys() == columns.keys()
    for mart, contract in contracts.items():
        (table,), (place,) = contract["schema"], contract["servers"]
        assert contract["team"] == {"name": _OWNERS[place["schema"]]}
        assert place["database"] == f"{shared_built.home}/published/tradewinds.duckdb"
        assert f"{place['schema']}.{table['name']}" == mart
        declared = {
            told["name"]: _TYPES.get(told["physicalType"], told["physicalType"].upper()).replace(" ", "")
            for told in table["properties"]
        }
        assert declared == columns[mart], mart
        assert all(told["description"] for told in table["properties"])
        needed = [told["name"] for told in table["properties"] if told["required"]]
        key = sorted((told["primaryKeyPosition"], told["name"]) for told in table["properties"] if "primaryKey" in told)
        named = ", ".join(name for _, name in key) or "*"
        nulls = " + ".join(f"count(*) filter ({name} is null)" for name in needed) or "0"
        (counted,) = shared_built.published(
            f"select count(*), (select count(*) from (select distinct {named} from {mart})), {nulls} from {mart}"
        )
        assert counted == (counted[0], counted[0], 0), mart
    lines = contracts["sales.fct_order_lines"]
    assert lines["schema"][0]["dataGranularityDescription"].startswith("One row per order and product")
    assert lines["schema"][0]["quality"] == [
        {"metric": "duplicateValues", "mustBe": 0, "arguments": {"properties": ["order_id", "product_id"]}}
    ]
    (discount,) = (told for told in lines["schema"][0]["properties"] if told["name"] == "discount_rate")
    assert discount["logicalTypeOptions"] == {"minimum": 0, "maximum": 1}
