"""The running service does what its OpenAPI schema says, whoever asks whatever: all checks of schemathesis.

TRADEWINDS_SCHEMA_EXAMPLES says how many examples each operation gets. Without it, no case of the coverage
phase comes without a key: the gate refuses that before it reads more than the path.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from people_api.api.gate import KEY_HEADER
from tests.python.people_service import PeopleService, employee, publish

ASKED = os.environ.get("TRADEWINDS_SCHEMA_EXAMPLES")
PHASES = "examples,coverage,fuzzing,stateful"
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")


@pytest.fixture
def schema(shared_service: PeopleService, tmp_path: Path) -> Path:
    """The service's own schema in a file; its tables have rows, and its reports are published."""
    hires = [(2021, "=cmd()", "Clerk", 1, 2, 3, 4)]
    publish(shared_service.home, "2021-01-01", "a" * 64, hires, [(2021, 1, "=cmd()", 10)])
    with shared_service.client() as client:
        for table in ("departments", "jobs"):
            client.post(f"/v1/{table}/batch", json=[{"id": id_, "name": f"of {id_}"} for id_ in range(1, 101)])
        client.post("/v1/employees/batch", json=[employee(1)])
        for table in ("departments", "jobs", "employees", "rejected_rows"):
            client.post(f"/v1/backups/{table}")
        path = tmp_path / "openapi.json"
        path.write_text(json.dumps(client.get("/openapi.json").json()))
    return path


def check(service: PeopleService, schema: Path, *options: str, phases: str = PHASES) -> str:
    """Run all checks, and return what is said of them."""
    words = ["run", schema.name, "--url", service.url, "--checks", "all", "--seed", "1", "--no-color"]
    done = subprocess.run(
        [SCHEMATHESIS, *words, "--phases", phases, "--max-examples", ASKED or "2", *options],
        cwd=schema.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=3_000,
    )
    assert done.returncode == 0, done.stdout[-6_000:] + done.stderr[-2_000:]
    assert re.search(r"^ *\d+ generated, \d+ passed", done.stdout, re.MULTILINE), done.stdout[-2_000:]
    assert not [line for line in service.log_lines() if line.get("status", 0) >= 500]
    return done.stdout


def test_with_a_key_every_answer_is_as_documented(shared_service, schema):
    said = check(shared_service, schema, "--header", f"{KEY_HEADER}: {shared_service.key('admin')}")
    assert "returned only 401" not in said, "every operation is reached"
    print(said[-600:])


def test_without_a_key_every_answer_is_as_documented(shared_service, schema):
    said = check(shared_service, schema, phases=PHASES if ASKED else "examples,fuzzing")
    assert "27 operations returned only 401/403" in said, "all but health"
    print(said[-600:])


def test_every_operation_has_a_described_tag_a_summary_and_a_description(shared_service):
    with shared_service.client() as client:
        schema = client.get("/openapi.json").json()
        assert client.get(f"{schema['servers'][0]['url']}healthz").json() == {"status": "ok"}
    operations = [operation for methods in schema["paths"].values() for operation in methods.values()]
    described = {tag["name"] for tag in schema["tags"] if tag["description"]}
    assert {tag for operation in operations for tag in operation["tags"]} == described
    bare = [one["operationId"] for one in operations if not (one["tags"] and one["summary"] and one.get("description"))]
    assert bare == []
