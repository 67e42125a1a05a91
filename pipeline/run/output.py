"""Make printing safe under every locale: what is printed never decides what a command does."""

import os
import sys
from io import TextIOWrapper


def print_anything() -> None:
    """Write UTF-8 to files and pipes, and the terminal's own encoding to it; escape what that lacks.

    Whoever sets PYTHONIOENCODING keeps that encoding.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            is_chosen = stream.isatty() or "PYTHONIOENCODING" in os.environ
            stream.reconfigure(encoding=None if is_chosen else "utf-8", errors="backslashreplace")
