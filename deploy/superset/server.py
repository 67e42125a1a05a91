"""Superset in a folder of its own: prepared once, then served on a loopback port."""

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

USER = "admin"
_HERE = Path(__file__).resolve().parent
_BIN = Path(sys.executable).parent
_START_SECONDS = 180


def prepare(folder: Path) -> None:
    """Make Superset's database, roles and one user in this folder; what is there stays."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("secret_key", "password"):
        _ensure_secret(folder / name)
    os.environ |= {
        "SUPERSET_HOME": str(folder),
        "SUPERSET_CONFIG_PATH": str(_HERE / "superset_config.py"),
        "FLASK_APP": "superset.app",
    }
    if (folder / "ready").exists():
        return
    for verb in (["db", "upgrade"], ["init"]):
        _run(folder, *verb)
    _make_user((folder / "password").read_text(encoding="utf-8"))
    (folder / "ready").touch()


@contextmanager
def serving(folder: Path, port: int) -> Iterator[str]:
    """Serve Superset while the block lasts, and hand out its address; raises SystemExit when it doesn't come up."""
    url = f"http://127.0.0.1:{port}"
    words = [_BIN / "gunicorn", "--bind", f"127.0.0.1:{port}", "--threads", "4", "--timeout", "120"]
    with (folder / "server.log").open("w", encoding="utf-8") as log:
        server = subprocess.Popen([*words, "superset.app:create_app()"], stdout=log, stderr=log)
    try:
        _wait_until_up(server, url, folder)
        yield url
    finally:
        server.terminate()
        server.wait(timeout=30)


def _ensure_secret(path: Path) -> None:
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(32), encoding="utf-8")


def _run(folder: Path, *verb: str) -> None:
    with (folder / "prepare.log").open("a", encoding="utf-8") as log:
        done = subprocess.run([_BIN / "superset", *verb], stdout=log, stderr=log, check=False)
    if done.returncode:
        sys.exit(f"superset {' '.join(verb)} failed; see {log.name}")


def _make_user(password: str) -> None:
    """Make the user in this process: `superset fab create-admin` shows the password among its arguments."""
    from superset.app import create_app

    app = create_app()
    with app.app_context():
        keeper = app.appbuilder.sm
        if keeper.find_user(USER) is None:
            keeper.add_user(USER, "Marts", "Admin", "admin@localhost", keeper.find_role("Admin"), password)


def _wait_until_up(server: subprocess.Popen, url: str, folder: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if requests.get(f"{url}/health", timeout=5).ok:
                return
        except requests.RequestException:  # not listening yet, or still importing
            time.sleep(1)
    sys.exit(f"Superset didn't come up; see {folder / 'server.log'}")
