"""datacontract-cli takes every contract for one of the standard, and finds that the published marts keep it."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from ingestion.settings import PROJECT
from tests.python.built import BuiltHomes
from tests.python.s3_servers import clean_environment

# What `datacontract lint` and `datacontract test` do, for all files in one process.
_CHECK = """
import json, sys
from datacontract.data_contract import DataContract
for path in sys.argv[1:]:
    contract = DataContract(data_contract_file=path)
    lint, test = contract.lint(), contract.test()
    bad = [check.reason for check in lint.checks + test.checks if check.result != "passed"]
    print("told:", json.dumps([path, lint.result, test.result, len(test.checks), bad]))
"""


def _check(paths: list[Path]) -> dict[str, list[Any]]:
    """Return by file: the results of lint and test, the number of checks, and what was wrong."""
    python = PROJECT / ".venv-contracts" / "bin" / "python"
    done = subprocess.run(
        [python, "-c", _CHECK, *paths], env=clean_environment(), capture_output=True, text=True, check=False
    )
    told = [line.removeprefix("told: ") for line in done.stdout.splitlines() if line.startswith("told: ")]
    assert len(told) == len(paths), done.stderr
    return {Path(path).name: rest for path, *rest in map(json.loads, told)}


@pytest.fixture(scope="module")
def contracts(built_homes: BuiltHomes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("contracts")
    built_homes.original().succeed("contracts", str(folder))
    return folder


def test_every_published_mart_keeps_its_contract(contracts: Path) -> None:
    found = _check(sorted(contracts.glob("*.odcs.yaml")))
    assert {name: bad for name, (*_, bad) in found.items() if bad} == {}
    assert all((lint, test) == ("passed", "passed") for lint, test, *_ in found.values())
    assert sum(checks for _, _, checks, _ in found.values()) > 700


def test_a_mart_that_breaks_its_contract_is_found(contracts: Path) -> None:
    whole = yaml.safe_load((contracts / "sales.fct_order_lines.odcs.yaml").read_text())
    # One line an order: not so.
    whole["schema"][0]["properties"][0] |= {"unique": True, "primaryKey": False}
    (contracts / "wrong.yaml").write_text(yaml.safe_dump(whole))
    whole["schema"][0]["properties"][0]["logicalType"] = "money"
    (contracts / "unknown.yaml").write_text(yaml.safe_dump(whole))
    found = _check([contracts / "wrong.yaml", contracts / "unknown.yaml"])
    assert found["wrong.yaml"][:2] == ["passed", "failed"]
    assert any("duplicate" in reason for reason in found["wrong.yaml"][3])
    assert found["unknown.yaml"][0] == "failed"
