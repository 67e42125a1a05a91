"""Make printing safe under every locale: what is printed never decides what a command does."""

import os
import sys
from io import TextIOWrapper


def name_files_in_utf8() -> None:
    """Start this command again in Python's UTF-8 mode if the locale would have other bytes in the names of files.

    DuckDB and dlt name them in UTF-8 anyway, so a home called ü would be two folders, or none.
    """
    if sys.getfilesystemencoding() == "utf-8" or os.environ.get("PYTHONUTF8") == "1":
        return
    os.environ["PYTHONUTF8"] = "1"
    if sys.stdout.isatty():
        os.environ.setdefault("PYTHONIOENCODING", f"{sys.stdout.encoding}:backslashreplace")
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 (the same command)


def print_anything() -> None:
    """Write UTF-8 to files and pipes, and the terminal's own encoding to it; escape what that lacks.

    Whoever sets PYTHONIOENCODING keeps that encoding.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            is_chosen = stream.isatty() or "PYTHONIOENCODING" in os.environ
            stream.reconfigure(encoding=None if is_chosen else "utf-8", errors="backslashreplace")
