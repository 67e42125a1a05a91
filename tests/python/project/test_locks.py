"""The lock files: what an install takes, by version and hash."""

import re
import subprocess
import tomllib

import pytest
from packaging.requirements import Requirement

from ingestion.settings import PROJECT

pytestmark = pytest.mark.unit

_PIN = re.compile(r"([A-Za-z0-9._-]+)==([A-Za-z0-9.+!_-]+)(?: ; [^\\]+)?((?: --hash=sha256:[0-9a-f]{64})+)")


def _pins(name: str) -> dict[str, str]:
    """Return the pinned version by package, its name folded as pip folds it."""
    text = (PROJECT / name).read_text()
    lines = re.sub(r" \\\n +", " ", text).splitlines()
    pins = [_PIN.fullmatch(line) for line in lines if not line.startswith("#")]
    assert pins
    assert all(pins), f"{name}: a line without a version and its hashes, or with an address"
    return {re.sub(r"[._]", "-", pin[1]).lower(): pin[2] for pin in pins if pin}


def test_every_lock_holds_versions_and_hashes_only() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "*.lock"], cwd=PROJECT, check=True, capture_output=True, text=True
    ).stdout
    names = listed.split()
    assert len(names) > 8
    assert all(_pins(name) for name in names)


def test_the_locks_hold_what_the_project_requires() -> None:
    """`make lock` was run after the last change of a requirement; nothing is pinned twice."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    product, tests = _pins("requirements.lock"), _pins("requirements-dev.lock")
    assert not product.keys() & tests.keys()
    extras = project["optional-dependencies"]
    wanted = {product.get: project["dependencies"], (product | tests).get: extras["dev"]}
    wanted[(product | _pins("requirements-boards.lock")).get] = extras["boards"]
    for pinned, requirements in wanted.items():
        for requirement in map(Requirement, requirements):
            version = pinned(re.sub(r"[._]", "-", requirement.name).lower())
            assert version, f"{requirement} isn't in the lock: make lock"
            assert version in requirement.specifier, f"{requirement} isn't {version}, as locked: make lock"
