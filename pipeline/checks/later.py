"""Defer the import of modules that a library may never use."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any


class _Later(ModuleType):
    """A placeholder that imports its module on the first attribute access."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # the import itself reads these of every module
            raise AttributeError(name)
        return getattr(import_module(self.__name__), name)


@contextmanager
def imported_later(*names: str) -> Iterator[None]:
    """Replace imports of these modules in the block by placeholders, which import them on first use after it."""
    missing = [name for name in names if name not in sys.modules]
    sys.modules.update({name: _Later(name) for name in missing})
    try:
        yield
    finally:
        for name in missing:
            del sys.modules[name]
