"""Typing the command that each refusal names leads to a complete day, or to a person's decision.

With TRADEWINDS_WALKS=1, verbs are walked from an empty home, on both engines.
"""

import json
import os
import re
import shlex

import pytest
import typer

from ingestion.settings import PROJECT
from pipeline.checks.suites import Stage, read_suites
from pipeline.cli import app
from tests.python.sandbox import BUILT_DAY as DAY
from tests.python.sandbox import NEXT_DAY, Sandbox, make_database, warehouse_settings

_NAMED = re.compile(r"(?:; |\n  )run: tradewinds (.+)$")
_MOST = 6
_LONG = os.environ.get("TRADEWINDS_WALKS") == "1"


def walk(sandbox: Sandbox, *words: str) -> list[str]:
    """Type a command; when it is refused, what it names, then itself again. Return what was named, in order."""
    ahead, named = [words], []
    while ahead:
        done = sandbox.run(*ahead[-1])
        if done.returncode == 0:
            ahead.pop()
            continue
        found = _NAMED.search(done.stderr.strip())
        assert found, f"a dead end: {done.stderr}"
        following = tuple(shlex.split(found[1]))
        assert following not in ahead, f"in a circle: {done.stderr}"
        ahead.append(following)
        named.append(found[1])
        assert len(named) <= _MOST, named
    return named


def _named(sandbox: Sandbox, *words: str) -> str:
    """Return what a refused command names."""
    return _NAMED.search(sandbox.fail(3, *words))[1]


def test_a_step_of_one_source_leads_on_and_is_none_of_the_others(built: Sandbox) -> None:
    day, only = ("--run-date", DAY), ("--source", "event_log")
    entry = built.home / "runs" / DAY / "build.json"
    counted = json.loads(entry.read_text())["rejected"]
    built.succeed("build", *day, *only)
    assert json.loads(entry.read_text())["rejected"] == counted
    for step in ("extract", "load", "build"):
        built.succeed(step, *day, *only)
    assert "rejected" not in json.loads(entry.read_text()), "these rows aren't counted yet"
    (suite,) = read_suites(Stage.MARTS, ["event_log"])
    assert f"{len(suite.checks)} met, 0 not met" in built.succeed("check", *day, *only)
    assert _named(built, "check", *day, "--source", "people") == f"build --run-date {DAY} --source people"
    # A publish is of all sources, and so is what it needs.
    assert walk(built, "publish", *day, *only) == [f"build --run-date {DAY}", f"check --run-date {DAY} --stage marts"]
    built.succeed("status", *day, "--quiet")


def test_a_run_of_one_source_leads_to_the_others(built: Sandbox) -> None:
    day, others = ("--run-date", NEXT_DAY), ("northwind", "order_details", "people", "community")
    assert walk(built, "load", *day, "--source", "event_log") == [f"extract --run-date {NEXT_DAY} --source event_log"]
    assert _named(built, "run", *day, "--source", "event_log") == f"load --run-date {NEXT_DAY}"
    named = " ".join(f"--source {name}" for name in others)
    assert _named(built, "load", *day) == f"extract --run-date {NEXT_DAY} {named}"


_TYPED = (
    "run --source event_log", "publish", "check --source people", "build --source order_details", "load",
    "rejects list --source people",
)  # fmt: skip


@pytest.mark.skipif(not _LONG, reason="make prove walks them")
@pytest.mark.parametrize("target", ["duckdb", "postgres"])
@pytest.mark.parametrize("command", _TYPED)
def test_every_verb_leads_on_from_an_empty_home(sandbox: Sandbox, server, command: str, target: str) -> None:
    if target == "postgres":
        sandbox.settings |= warehouse_settings(make_database(server))
    typed = (*command.split(), "--run-date", DAY)
    walk(sandbox, *typed)
    if command.startswith(("run", "publish")):
        sandbox.succeed("status", "--run-date", DAY, "--quiet")


def _hints() -> list[str]:
    """Return every command that the project's messages name, with `x` for what is filled in."""
    files = [
        path for part in ("pipeline", "ingestion", "people_api", "macros") for path in (PROJECT / part).rglob("*.*")
    ]
    text = "\n".join(path.read_text() for path in files if path.suffix in (".py", ".sql"))
    found = re.findall(r"""(?<=["' ])tradewinds ((?:[a-z]+ )?[a-z]+(?: -[^"'`;)]*)?)["'`;)]""", text)
    return sorted({re.sub(r"\{[^}]*\}", "x", hint).strip() for hint in found})


def test_every_named_command_exists() -> None:
    verbs = typer.main.get_command(app)
    wrong, hints = [], list(_hints())
    assert len(hints) > 20
    for hint in hints:
        command, (name, *rest) = verbs, hint.split()
        command = verbs.commands.get(name)
        if command and hasattr(command, "commands") and rest:
            command = command.commands.get(rest[0])
        options = {option for parameter in command.params for option in parameter.opts} if command else set()
        if command is None or not {word for word in rest if word.startswith("--")} <= options:
            wrong.append(hint)
    assert wrong == []
