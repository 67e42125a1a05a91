"""The workflows pass two linters, call existing verbs and clean up."""

import re
import shlex
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from ingestion.settings import PROJECT

BIN = Path(sys.executable).parent
GITHUB = PROJECT / ".github"
WORKFLOWS = {path.stem: yaml.safe_load(path.read_text()) for path in sorted((GITHUB / "workflows").glob("*.yml"))}
JOBS = {f"{name}: {job}": body for name, flow in WORKFLOWS.items() for job, body in flow["jobs"].items()}
_PINNED = re.compile(r"actions/[\w-]+@[0-9a-f]{40}")
# What `${{ matrix.x }}` and the environment's `$X` stand for is put in before a command is looked at.
_EXPRESSION = re.compile(r"\$\{\{ *([\w.]+) *\}\}")
_MAKE = re.compile(r"^\s*make +(.+)$", re.MULTILINE)


def _combinations(job: dict[str, Any]) -> list[dict[str, str]]:
    """Return the values of a job's matrix, one of each run."""
    matrix = dict(job.get("strategy", {}).get("matrix", {}))
    included = matrix.pop("include", [])
    return [dict(zip(matrix, values, strict=True)) for values in product(*matrix.values())] + included


def _commands(job: dict[str, Any]) -> list[str]:
    """Return the shell that each run of a job types, with its matrix and its step's environment put in."""
    commands = []
    for values in _combinations(job):
        for step in job["steps"]:
            if "run" not in step:
                continue
            named = {f"matrix.{name}": value for name, value in values.items()}
            environment = {
                name: _EXPRESSION.sub(lambda found: named.get(found[1], found[0]), str(value))  # noqa: B023
                for name, value in (job.get("env", {}) | step.get("env", {})).items()
            }
            commands.append(re.sub(r"\$(\w+)", lambda found: environment.get(found[1], found[0]), step["run"]))  # noqa: B023
    return commands


def _made(command: str) -> list[str]:
    """Return the verbs that a command has make do."""
    words = [word for line in _MAKE.findall(command) for word in shlex.split(line)]
    return [word for word in words if "=" not in word]


def test_the_linters_have_nothing_to_say() -> None:
    files = [str(path) for path in (GITHUB / "workflows").glob("*.yml")]
    for schema, checked in (("github-workflows", files), ("dependabot", [str(GITHUB / "dependabot.yml")])):
        done = _run("check-jsonschema", "--builtin-schema", f"vendor.{schema}", *checked)
        assert done.returncode == 0, done.stdout
    done = _run("zizmor", "--offline", "--no-progress", str(GITHUB))
    assert done.returncode == 0, done.stdout


def _run(tool: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([BIN / tool, *words], capture_output=True, text=True, cwd=PROJECT)


@pytest.mark.parametrize("name", JOBS)
def test_every_verb_that_is_called_exists(name: str) -> None:
    rules = "".join((PROJECT / name).read_text() for name in ("Makefile", "development.mk"))
    for verb in {verb for command in _commands(JOBS[name]) for verb in _made(command)}:
        assert re.search(rf"^{re.escape(verb)}:.*## ", rules, re.MULTILINE), verb


def test_every_verb_of_the_gate_is_called() -> None:
    """What `.ci/run` types, a workflow types, too; `test` is there as its three parts."""
    gate = set(_made((PROJECT / ".ci" / "run").read_text())) - {"setup", "test"}
    called = {verb for job in JOBS.values() for command in _commands(job) for verb in _made(command)}
    assert gate | {"test-unit", "test-integration", "test-e2e"} <= called


def test_both_engines_build_every_table() -> None:
    runs = [values for values in _combinations(WORKFLOWS["ci"]["jobs"]["check"]) if values["verb"] == "run"]
    assert [values["target"] for values in runs] == ["duckdb", "postgres"]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_may_do_nothing_but_what_its_jobs_say(name: str) -> None:
    flow = WORKFLOWS[name]
    assert flow["permissions"] == {}
    assert "cancel-in-progress" in flow["concurrency"]
    triggers = flow[True]  # YAML reads `on` as a truth value
    assert "pull_request_target" not in triggers


@pytest.mark.parametrize("name", JOBS)
def test_a_job_ends_and_cleans_up(name: str) -> None:
    job = JOBS[name]
    assert job["timeout-minutes"] <= 120
    assert job["permissions"]
    used = [step["uses"] for step in job["steps"] if "uses" in step]
    assert all(_PINNED.fullmatch(action) for action in used)
    is_writing = "write" in job["permissions"].values()
    assert not (is_writing and any("checkout" in action for action in used)), "runs code where it may write"
    if any("checkout" in action for action in used):
        assert job["steps"][-1]["name"] == "clean up"
        assert job["steps"][-1]["if"] == "always()"


def test_images_are_stages_of_the_dockerfile() -> None:
    stages = re.findall(r"^FROM .+ AS ([\w-]+)$", (PROJECT / "Dockerfile").read_text(), re.MULTILINE)
    assert set(WORKFLOWS["ci"]["jobs"]["images"]["strategy"]["matrix"]["image"]) <= set(stages)


def test_hooks_run_what_lint_runs() -> None:
    (local,) = yaml.safe_load((PROJECT / ".pre-commit-config.yaml").read_text())["repos"]
    hooks = {Path(hook["entry"].split()[0]).name for hook in local["hooks"]}
    lint = (PROJECT / "Makefile").read_text().partition("\nlint:")[2].partition("\n\n")[0]
    assert hooks == set(re.findall(r"\$\(BIN\)/([\w-]+)", lint))
