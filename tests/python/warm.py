"""The processes that commands of tests are forked from: they have imported everything and parsed the project once.

One has the libraries. It forks a server for this project and one for each copy of it, when the first command is asked
for. Imports, and what dbt derives from its classes and macros at a first parse, cost more than most tests. So does a
whole parse, so a typed `dbt build` begins with the one that the project keeps for `tradewinds build`. dbt's own would
be the same, but dbt discards it whenever the day or the home changes.
"""

import atexit
import gc
import json
import os
import select
import signal
import socket
import sys
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from importlib import import_module
from multiprocessing import resource_tracker
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import yaml
from fsspec.config import conf, set_conf_env

# How many characters of an answer hold the number of a process.
PID_BYTES = 10

_PROGRAMS = {"tradewinds": ("pipeline.cli", "main"), "dbt": ("dbt.cli.main", "cli")}
# None of them depends on the project's place; dlt does.
_LIBRARIES = (
    "adbc_driver_postgresql.dbapi",
    "alembic.command",
    "dbt.cli.main",
    "dbt.adapters.duckdb",
    "dbt.adapters.postgres",
    "dbt_charts.agent_api.project_session",
    "dbt_charts.core.board",
    "fastapi",
    "fsspec.implementations.local",
    "great_expectations",
    "s3fs",
    "typer",
    "uvicorn",
)
_IMPORTED = (
    "pipeline.cli",
    "pipeline.run.steps",
    "pipeline.run.day",
    "pipeline.cli.summary",
    "pipeline.checks",
    "pipeline.checks.engine",
    "ingestion.warehouse.dlt_tables",
    "dlt",
    "people_api.backups",
    "people_api.client",
    "people_api.importing",
    "people_api.sample",
    "people_api.serving",
    "pipeline.cli.asking",
    "pipeline.boards",
    "pipeline.people",
    "pipeline.publishing",
    "pipeline.run.rejects",
    "pipeline.site",
    "pipeline.ledger.status",
    "pipeline.run.verify",
)


# What begins with dbt's parse: our verbs, and dbt's; and dbt's modules that parse by Rust.
_BUILDING = {"run", "build", "backfill", "docs", "verify"}
_PARSING = {"build", "run", "source", "test"}
_EXTRACTING = ("parser.models", "parser.unit_tests", "clients.jinja_static")


def _keep_libraries(listener: socket.socket) -> None:
    """Fork each server that is asked for, at its first command, until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["DO_NOT_TRACK"] = "1"  # dbt-charts reads it when it is imported
    waiting: dict[socket.socket, tuple[int, socket.socket, dict[str, Any]]] = {}
    is_parsed = False
    while True:
        ready, _, _ = select.select([sys.stdin, listener, *waiting, *(life for life, *_ in waiting.values())], [], [])
        if sys.stdin in ready:
            os._exit(0)  # at once: to take all that was imported down again takes a while
        if listener in ready:
            asked, (theirs, life), request = _accept(listener)
            waiting[socket.socket(fileno=theirs)] = life, asked, request
        for theirs, (life, asked, request) in list(waiting.items()):
            if not {theirs, life}.intersection(ready):
                continue
            if life not in ready:
                for module in _LIBRARIES:
                    import_module(module)
                if request["is_copy"] and not is_parsed:  # a copy is made to be built
                    _parse_once()
                    is_parsed = True
                gc.freeze()  # the forks' collections needn't walk through what they share
                if os.fork() == 0:
                    # Each client waits for the end of its own connection.
                    for end in (listener, *(others for _, others, _ in waiting.values() if others is not asked)):
                        end.close()
                    _serve(theirs, life, is_parsed, request["environment"], request["folder"])
            del waiting[theirs]
            for end in (theirs, asked):
                end.close()
            os.close(life)


def _accept(listener: socket.socket) -> tuple[socket.socket, list[int], dict[str, Any]]:
    """Return a connection, the ends that came with its request, and the request."""
    asked, _ = listener.accept()
    _, given, _, _ = socket.recv_fds(asked, 1, 3)
    with asked.makefile("rb") as lines:
        return asked, given, json.loads(lines.readline())


def _serve(listener: socket.socket, life: int, is_warm: bool, environment: dict[str, str], folder: str) -> None:
    """Fork commands of the project in a folder until `life` ends; never returns."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[0] = folder
    for module in _IMPORTED:
        import_module(module)
    gc.freeze()  # the forks' collections needn't walk through what they share
    # A child that ends wakes the loop, which hands its status over.
    waking, woken = socket.socketpair()
    waking.setblocking(False)
    signal.set_wakeup_fd(waking.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    running: dict[int, socket.socket] = {}
    while True:
        ready, _, _ = select.select([life, listener, woken], [], [])
        if life in ready:
            os._exit(0)
        if woken in ready:
            woken.recv(4096)
            _hand_over(running)
        if listener in ready:
            asked, given, request = _accept(listener)
            if not is_warm and (request["program"] == "dbt" or _BUILDING.intersection(request["words"])):
                is_warm = True
                _parse_once()
                gc.freeze()
            if (pid := os.fork()) == 0:
                _become(given, **request)
            asked.sendall(f"{pid:<{PID_BYTES}}".encode())
            running[pid] = asked
            for number in given:
                os.close(number)


def _parse_once() -> None:
    """Parse the project and pack the result, so that forks begin with all that dbt derives from classes and macros.

    A process of its own does what dbt does by Rust: forks would wait for Rust's threads, which they don't have.
    """
    from dbt.cli.main import dbtRunner
    from dbt.contracts.graph.manifest import Manifest
    from dbt.parser.manifest import extended_mashumaro_encoder, extended_mashumuro_decoder
    from dbt_extractor import py_extract_from_source

    parsers = [f"dbt.{module}.py_extract_from_source" for module in _EXTRACTING]
    with TemporaryDirectory() as folder, ProcessPoolExecutor(1) as apart, ExitStack() as replaced:
        replaced.enter_context(patch.dict(os.environ, TRADEWINDS_HOME=folder))
        for parser in parsers:
            replaced.enter_context(patch(parser, lambda text: apart.submit(py_extract_from_source, text).result()))
        silent = ["--log-level", "none", "--log-level-file", "none", "--log-path", folder]
        # Whatever is wrong with the project is the forks' to say.
        words = ["parse", "--no-partial-parse", "--no-write-json", "--target-path", folder]
        if manifest := dbtRunner().invoke([*silent, *words]).result:
            packed = manifest.to_msgpack(extended_mashumaro_encoder)
            Manifest.from_msgpack(packed, decoder=extended_mashumuro_decoder)


def _kept_parse(words: list[str]) -> Any | None:
    """Return the parse that the project keeps for its builds, None where a typed command needs one of its own."""
    from ingestion.errors import StepFailed
    from ingestion.settings import Home
    from pipeline.dbt.manifest import parsed_project

    variables = yaml.safe_load(words[words.index("--vars") + 1]) if "--vars" in words else {}
    target = (
        words[words.index("--target") + 1] if "--target" in words else os.environ.get("TRADEWINDS_TARGET", "duckdb")
    )
    home = Home.from_environment()
    places = ["--target", target, "--target-path", str(home.root / "reports" / "dbt")]
    try:
        return None if variables.keys() - {"run_date"} else parsed_project(target, home, {}, places)
    except StepFailed:  # dbt itself says what is wrong
        return None


def _hand_over(running: dict[int, socket.socket]) -> None:
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        with running.pop(pid) as ended:
            try:
                ended.sendall(str(status).encode())
            except OSError:
                continue  # the test has gone


def _become(given: list[int], program: str, words: list[str], environment: dict[str, str], folder: str) -> None:
    """Be the program; never returns."""
    from ingestion.settings import PROJECT, use_project_settings

    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number, standard in zip(given, (0, 1, 2), strict=True):
            os.dup2(number, standard)
        os.closerange(3, 256)
        resource_tracker._resource_tracker.__init__()  # its pipe is closed
        os.chdir(folder)
        os.environ.clear()
        os.environ.update({"PYTHONUTF8": "1"} | environment)
        sys.argv = [str(Path(sys.executable).with_name(program)), *words]
        sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
        sys.stderr = os.fdopen(2, "w", 1, encoding="utf-8", closefd=False)
        use_project_settings()
        set_conf_env(conf)  # fsspec reads its variables once, when it is imported
        module, name = _PROGRAMS[program]
        is_parsed = program == "dbt" and Path(folder) == PROJECT and _PARSING.intersection(words)
        getattr(import_module(module), name)(**{"obj": {"manifest": _kept_parse(words)}} if is_parsed else {})
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    finally:
        # As an interpreter that ends: what libraries have registered is run, buffers are written.
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _keep_libraries(socket.socket(fileno=int(sys.argv[1])))
