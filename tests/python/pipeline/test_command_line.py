"""The command line: help, completion, JSON output and quiet output."""

import json
import os
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
import typer.main

from ingestion.errors import BadRequest
from ingestion.samples.generate import write_order_details
from ingestion.settings import PROJECT
from ingestion.sources import SOURCES
from ingestion.warehouse import _ENGINES
from pipeline.cli import app
from pipeline.cli.completion import TARGET_NAMES, complete_source
from tests.python.s3_servers import clean_environment
from tests.python.sandbox import COMMAND, Sandbox

DAY = "2021-01-01"
_WORDS = ("--run-date", DAY, "--source", "order_details")


def _commands(group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, object]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, (*path, name))
        else:
            yield " ".join(("tradewinds", *path, name)), command


COMMANDS = dict(_commands(typer.main.get_command(app)))


def test_all_verbs_are_walked() -> None:
    assert {"tradewinds run", "tradewinds query", "tradewinds people key create"} <= set(COMMANDS)


def _examples(name: str) -> list[list[str]]:
    """Return the words after the command's name in each example of its help."""
    lines = [line.strip() for line in (COMMANDS[name].epilog or "").splitlines()[2:]]
    assert all(line.startswith(name) for line in lines)
    return [shlex.split(line.partition(" < ")[0].removeprefix(name)) for line in lines]


@pytest.mark.parametrize(
    ("name", "option"),
    [
        (name, parameter.opts[0])
        for name, command in COMMANDS.items()
        for parameter in command.params
        if parameter.param_type_name == "option" and parameter.type_descriptor.annotation in (str, datetime)
    ],
)
def test_an_empty_value_is_refused(name: str, option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell's unset variable gives one; it isn't an option that was left out."""
    monkeypatch.setenv("TRADEWINDS_HOME", str(tmp_path))
    with pytest.raises(BadRequest, match=r"the value is empty|'' is not a (day|time)"):
        app([*name.split()[1:], *_examples(name)[0], option, ""], standalone_mode=False)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_example_of_the_help_can_be_typed(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mended.csv").touch()
    assert _examples(name), f"{name} shows no example"
    for words in _examples(name):
        COMMANDS[name].make_context(name, words)  # raises when a word isn't taken


@pytest.mark.parametrize("name", COMMANDS)
def test_every_verb_has_its_help_under_both_names(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    words, helps = name.split()[1:], []
    for option in ("-h", "--help"):
        with pytest.raises(SystemExit) as ended:
            app([*words, option], prog_name="tradewinds")
        assert ended.value.code == 0
        helps.append(capsys.readouterr().out)
    assert helps[0] == helps[1]
    assert helps[0].startswith(f"Usage: {name} ")


def test_the_version_is_the_package_s(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        app(["--version"])
    declared = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    assert (ended.value.code, capsys.readouterr().out) == (0, f"tradewinds {declared['version']}\n")


def test_names_for_completion_are_those_that_exist() -> None:
    assert list(SOURCES) == complete_source("")
    assert tuple(_ENGINES) == TARGET_NAMES


@pytest.mark.e2e
def test_bash_completes_verbs_sources_and_targets(tmp_path: Path) -> None:
    # Typer asks which shell has started it: here, a bash.
    script = subprocess.run(
        ["bash", "-c", f"{COMMAND} --show-completion; exit $?"], capture_output=True, text=True, check=True
    ).stdout
    assert "complete -o default -F _tradewinds_completion tradewinds" in script
    path = f"{COMMAND.parent}:{os.environ['PATH']}"

    def offered(*typed: str) -> list[str]:
        ask = f"{script}\nCOMP_WORDS=({shlex.join(typed)}); COMP_CWORD={len(typed) - 1}\n"
        ask += "_tradewinds_completion tradewinds; printf '%s\\n' \"${COMPREPLY[@]}\""
        done = subprocess.run(
            ["bash", "-c", ask], env=os.environ | {"PATH": path}, capture_output=True, text=True, check=True
        )
        return done.stdout.split()

    assert offered("tradewinds", "bo") == ["boards"]
    assert offered("tradewinds", "run", "--source", "e") == ["event_log"]
    assert offered("tradewinds", "query", "--target", "") == list(TARGET_NAMES)
    home = tmp_path / "person"
    home.mkdir()
    installed = subprocess.run(
        ["bash", "-c", f"{COMMAND} --install-completion; exit $?"],
        env=os.environ | {"HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "bash completion installed" in installed.stdout
    assert "_tradewinds_completion" in (home / ".bash_completions" / "tradewinds.sh").read_text()


_ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("locale", "shown"),
    [
        (_ASCII, "reader:…@".encode()),
        ({"PYTHONIOENCODING": "iso-8859-1"}, rb"reader:\u2026@"),
    ],
)
def test_no_locale_ends_a_command_that_prints(locale: dict[str, str], shown: bytes) -> None:
    words = [COMMAND, "sources", "add", "--help"]
    done = subprocess.run(words, env=clean_environment() | locale, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert shown in done.stdout


@pytest.mark.e2e
def test_files_are_read_and_written_as_utf8_under_every_locale(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from pipeline.pages import Pages; "
        "from ingestion.files import write_atomically; from ingestion.stores import open_store; "
        "folder = Path(sys.argv[1]); Pages(folder, folder).put('page.html', chr(8594)); "
        "text = b'a \\xe2\\x86\\x92 b'.decode('utf-8'); write_atomically(folder / 'text', text); "
        "assert open_store(str(folder), folder).read('text') == text"
    )
    words = [sys.executable, "-c", code, tmp_path]
    done = subprocess.run(words, env=clean_environment() | _ASCII, cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "text").read_bytes() == "a → b".encode()
    assert (tmp_path / "page.html").read_bytes() == "→".encode()
    assert (tmp_path / "style.css").stat().st_size


@pytest.mark.e2e
def test_a_home_has_the_same_name_under_every_locale(tmp_path: Path) -> None:
    lines = tmp_path / "zeilen für märz.csv"
    write_order_details(lines, scale=1)
    home = tmp_path / "Höme mit Lücken"
    settings = _ASCII | {"TRADEWINDS_HOME": str(home), "SOURCES__ORDER_DETAILS__PATH": str(lines)}
    for step in ("extract", "load"):
        words = [COMMAND, step, *_WORDS]
        done = subprocess.run(words, env=clean_environment() | settings, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert list(home.glob("landing/csv/order_details/*/*.parquet"))
    assert sorted(path.name for path in tmp_path.iterdir()) == [home.name, lines.name]


@pytest.mark.e2e
def test_scripts_get_an_object_a_step_and_cron_gets_nothing(tmp_path: Path) -> None:
    lines = tmp_path / "order_details.csv"
    write_order_details(lines, scale=1)
    sandbox = Sandbox(tmp_path / "home", {"SOURCES__ORDER_DETAILS__PATH": str(lines)})
    told = [json.loads(line) for line in sandbox.succeed("extract", *_WORDS, "--format", "json").splitlines()]
    assert [(step["step"], step["source"], step["state"]) for step in told] == [("extract", "order_details", "done")]
    assert told[0]["rows"] == len(lines.read_text().splitlines()) - 1

    # The ledger says the same again, and of the others that they never ran.
    status = sandbox.run("status", "--run-date", DAY, "--format", "json")
    assert status.returncode == 1
    kept = [json.loads(line) for line in status.stdout.splitlines()]
    assert kept[0] == told[0]
    assert {step["state"] for step in kept[1:]} == {"not run"}
    assert kept[1]["command"] == f"tradewinds load --run-date {DAY}"

    (verified,) = map(json.loads, sandbox.succeed("verify", *_WORDS[2:], "--format", "json").splitlines())
    assert (verified["run_date"], verified["state"], verified["error"]) == (DAY, "done", None)
    assert sandbox.succeed("verify", *_WORDS[2:], "--quiet") == ""
    assert sandbox.run("status", "--run-date", DAY, "-q").stdout == ""

    lines.unlink()
    failed = sandbox.run("extract", *_WORDS, "--format", "json")
    (entry,) = map(json.loads, failed.stdout.splitlines())
    assert (failed.returncode, entry["state"]) == (1, "failed")
    assert entry["error"] in failed.stderr
    assert len(failed.stderr.splitlines()) == 1
    silent = sandbox.run("extract", *_WORDS, "--quiet")
    assert (silent.returncode, silent.stdout) == (1, "")
    assert len(silent.stderr.splitlines()) == 1
