"""The Dockerfile, read into stages, and what .dockerignore lets into its context."""

import json
import re
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import PurePosixPath

_ENVIRONMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(\"[^\"]*\"|\S+)")


@dataclass
class Stage:
    """One `FROM … AS name` and its instructions, as (word, rest)."""

    name: str
    base: str
    instructions: list[tuple[str, str]] = field(default_factory=list)

    def of(self, word: str) -> list[str]:
        """Return what follows each instruction of this word."""
        return [rest for each, rest in self.instructions if each == word]

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables that the stage itself sets."""
        return {name: value for rest in self.of("ENV") for name, value in _ENVIRONMENT.findall(rest)}

    @property
    def commands(self) -> list[list[str]]:
        """Return what the stage runs when it is started, and asks for its health."""
        written = [*self.of("CMD"), *(rest.partition("CMD ")[2] for rest in self.of("HEALTHCHECK"))]
        return [json.loads(words) for words in written]


def read_stages(text: str) -> tuple[dict[str, str], dict[str, Stage]]:
    """Return the arguments before the first stage, and the stages by name."""
    arguments, stages = {}, {}
    joined = re.sub(r"\\\n\s*", " ", "\n".join(line for line in text.splitlines() if not line.startswith("#")))
    for line in filter(None, joined.splitlines()):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            stages[name] = Stage(name, base)
        elif stages:
            stages[name].instructions.append((word, rest.strip()))
        else:
            arguments |= [rest.split("=", 1)]
    return arguments, stages


def lineage(stages: dict[str, Stage], name: str) -> list[Stage]:
    """Return a stage and those that it stands on, itself first."""
    found = []
    while name in stages:
        found.append(stages[name])
        name = stages[name].base
    return found


def is_in_context(path: str, rules: list[str]) -> bool:
    """Say whether a .dockerignore of these lines lets a file in: the last that fits it, or a folder of it, counts."""
    is_in = True
    levels = [path, *(str(parent) for parent in PurePosixPath(path).parents if str(parent) != ".")]
    for rule in rules:
        pattern = rule.removeprefix("!")
        anywhere = pattern.removeprefix("**/")
        names = [PurePosixPath(level).name for level in levels] if anywhere != pattern else levels
        if any(name == anywhere or (fnmatch(name, anywhere) and "/" not in name) for name in names):
            is_in = rule.startswith("!")
    return is_in
