"""What a command writes is its user's alone, but for what is published; and no secret is in anything that it leaves."""

import gzip
import os
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from ingestion.embedded.postgres import EmbeddedPostgres
from ingestion.files import kept_private, write_atomically
from ingestion.stores import open_store
from tests.faults.trials import IS_WHOLE
from tests.python.processes import watch_processes
from tests.python.sandbox import NEXT_DAY, Sandbox

# What the user's umask decides on, for readers who are other users.
_SHARED = ("published", "exports")
_METRICS = Path("runs/metrics.prom")


def _modes(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.lstat().st_mode & 0o777 for path in (folder, *folder.rglob("*"))}


def test_a_home_is_its_users_alone_but_for_what_is_published(shared_built: Sandbox) -> None:
    """Landing, warehouse, reports, ledger, logs and sources are 0600 in folders of 0700."""
    home, others = shared_built.home, 0
    assert home.stat().st_mode & 0o777 == 0o755
    for name, mode in _modes(home).items():
        path = home / name
        if path == home or path.is_symlink():
            continue
        is_shared = name.startswith(_SHARED) and not Path(name).name.startswith(".")
        is_folder = path.is_dir()
        if is_shared or Path(name) == _METRICS:
            assert mode == (0o755 if is_folder else 0o644), name
            others += 1
        else:
            assert mode == (0o700 if is_folder else 0o600), name
    assert others > 10


@pytest.mark.parametrize("umask", [0o000, 0o002, 0o022, 0o027, 0o077])
def test_the_users_umask_decides_on_what_is_shared(tmp_path: Path, umask: int) -> None:
    """A reader of a shared file never meets it closed: it is opened before it is put in place."""
    before = os.umask(umask)
    try:
        with kept_private(tmp_path / "new" / "home"):
            home = tmp_path / "new" / "home"
            for is_shared in (False, True):
                store = open_store(str(home / f"store_{is_shared}"), home / "work", is_shared=is_shared)
                store.write("a/text", "1")
                with store.lock("b/.lock"), store.draft("c/draft") as draft:
                    draft.write_text("2")
                    assert draft.stat().st_mode & 0o777 == 0o600
                    store.put(draft, "c/draft")
                store.copy("c/draft", "d/copy")
            write_atomically(home / "alone", "3")
        assert os.umask(umask) == umask
        with kept_private(tmp_path / "unused" / "home"):
            pass
    finally:
        os.umask(before)
    assert not (tmp_path / "unused").exists()
    modes = _modes(tmp_path / "new")
    for name, mode in modes.items():
        is_shared = "store_True" in name and not name.endswith(".lock")
        is_folder = (tmp_path / "new" / name).is_dir()
        closed = umask if is_shared or name in (".", "home") else 0o077
        assert mode == (0o777 if is_folder else 0o666) & ~closed, name


def _leaks(text: bytes, canaries: list[bytes]) -> list[bytes]:
    return [canary for canary in canaries if canary in text]


def test_no_secret_is_in_what_a_command_says_writes_or_starts(built: Sandbox, server: EmbeddedPostgres) -> None:
    """Canaries stand for every secret; commands that succeed and that fail leave none of them anywhere."""
    names = ("DATABASE", "WRONG", "ALERT", "S3_KEY", "S3_SECRET", "API_KEY", "PEOPLE_KEY", "READER", "LINEAGE")
    secret = {name: f"kanarie{number}{name.lower()}4711" for number, name in enumerate(names)}
    canaries = [text.encode() for text in secret.values()]
    role, (url, people) = f"canary_{os.getpid()}", (built.northwind.url, built.people.url)
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"create role {role} superuser login password '{secret['DATABASE']}'")

    def through(url: str, password: str) -> str:
        return f"postgresql://{role}:{password}@{urlsplit(url).netloc.rpartition('@')[2]}{urlsplit(url).path}"

    good = {
        "SOURCES__NORTHWIND__CREDENTIALS": through(url, secret["DATABASE"]),
        "PEOPLE_DATABASE_URL": through(people, secret["DATABASE"]),
        "SOURCES__COMMUNITY__API_KEY": secret["API_KEY"],
        "TRADEWINDS_ALERTS": f"json://user:{secret['ALERT']}@127.0.0.1:1/ jsons://127.0.0.1:1/{secret['ALERT']}",
        "TRADEWINDS_READER_PASSWORD": secret["READER"],
        "PEOPLE_API_KEY": f"tw_4f2a9c_{secret['PEOPLE_KEY']}",
        "PEOPLE_API_URL": "http://127.0.0.1:1",
        "FSSPEC_S3_KEY": secret["S3_KEY"],
        "FSSPEC_S3_SECRET": secret["S3_SECRET"],
        "FSSPEC_S3_ENDPOINT_URL": "http://127.0.0.1:1",
        "OPENLINEAGE_URL": "http://127.0.0.1:1",
        "OPENLINEAGE_API_KEY": secret["LINEAGE"],
    }
    day = ["--run-date", NEXT_DAY]
    wrong = {"SOURCES__NORTHWIND__CREDENTIALS": through(url, secret["WRONG"])}
    s3 = f"s3://{secret['S3_KEY']}:{secret['S3_SECRET']}@bucket/x"
    one = ["--source", "northwind"]
    commands: list[tuple[int, dict[str, str], list[str]]] = [
        (0, {}, ["extract", *day, *one]),
        (2, {}, ["query", "select * from duckdb_secrets()"]),
        (1, wrong, ["extract", *day, *one]),
        (2, {"SOURCES__NORTHWIND__CREDENTIALS": f"postgresql://u:{secret['WRONG']}@h:port/d"}, ["extract", *day]),
        (2, {"TRADEWINDS_ALERTS": f"nonsense://{secret['ALERT']}"}, ["extract", *day, *one]),
        (1, {"TRADEWINDS_LANDING_URL": "s3://bucket/landing"}, ["extract", *day, *one]),
        (2, {"TRADEWINDS_LANDING_URL": s3}, ["extract", *day, *one]),
        (1, {}, ["people", "get", "jobs", "1"]),
    ]
    if IS_WHOLE:
        dead = {"SOURCES__COMMUNITY__BASE_URL": "http://127.0.0.1:1", "SOURCES__COMMUNITY__MAX_ATTEMPTS": "1"}
        commands += [
            (0, {}, ["run", *day]),
            *((0, {}, [verb]) for verb in ("docs", "mcp", "status")),
            *((0, {}, words) for words in (["sources", "list"], ["people", "backup", "jobs"])),
            (1, {"PEOPLE_DATABASE_URL": wrong["SOURCES__NORTHWIND__CREDENTIALS"]}, ["people", "backup", "jobs"]),
            (1, dead, ["extract", *day, "--source", "community"]),
        ]
    seen: set[bytes] = set()
    usual = dict(built.settings)
    try:
        with watch_processes(seen, every=0.1):
            for code, settings, words in commands:
                built.settings = usual | good | settings
                done = built.run(*words)
                told = f"{words}: {done.stdout}{done.stderr}"
                assert done.returncode == code, told
                assert not _leaks(told.encode(), canaries), told
                assert "Traceback" not in told
            # The server's own message quotes the password.
            quoted = good["SOURCES__NORTHWIND__CREDENTIALS"].rpartition("/")[0] + f"/{secret['DATABASE']}"
            built.settings = usual | good | {"SOURCES__NORTHWIND__CREDENTIALS": quoted}
            assert 'database "***" does not exist' in built.fail(1, "extract", *day, *one)
    finally:
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute(f"drop role {role}")
    assert not [arguments for arguments in seen if _leaks(arguments, canaries)]
    for path in built.home.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        text = gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
        assert not _leaks(text, canaries), path
