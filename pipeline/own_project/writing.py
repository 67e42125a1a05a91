"""Write a project of one's own: a copy of the machinery, and one example from source to mart."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from ingestion.errors import BadRequest, Refused, StepFailed
from ingestion.redact import one_line
from ingestion.settings import PROJECT
from ingestion.source_settings import built_in_sources
from ingestion.stores.scratch import scratch_folder

_TEMPLATE = Path(__file__).with_name("template")
# The machinery; whatever else the project has is its own.
_KEPT = (
    ".dlt/config.toml", ".gitignore", ".pre-commit-config.yaml", "LICENSE", "Makefile", "dbt-bouncer.yml",
    "dbt_project.yml", "profiles.yml", "pyproject.toml", "requirements.lock", "requirements-dev.lock",
    "requirements-boards.lock", "dashboards/meta.yml", "dashboards/pipeline.yml", "dashboards/themes/*",
    "ingestion/**/*.py", "pipeline/**/*", "macros/*.*",
    "models/_columns.md", "models/_groups.yml",
    "models/intermediate/int_*_totals.*", "models/intermediate/int_stage_figures.*",
    "models/marts/ops/*", "models/marts/quarantine/*", "models/staging/ops/*", "snapshots/.gitkeep",
    "tests/data/*", "tests/data/generic/*", "tests/score_rules.py", "tests/expectations/arrivals/every_source.yml",
)  # fmt: skip
# Parts of those folders that belong to the sources of this project, and to writing another one.
_LEFT_OUT = (
    "ingestion/samples", "ingestion/sources/people.py", "pipeline/cli/checkout.py", "pipeline/cli/people*.py",
    "pipeline/own_project", "pipeline/people.py", "pipeline/slim_ci",
)  # fmt: skip
_DRAFT = ".init"
_EXAMPLE = "rides"
_FIRST_DAY = "2021-01-01"
# What the catalogue says of the example beyond what its file shows: its amount, and the mart that it ends in.
_MEANING = "key: [ride_id]\n            amount: [fare_eur]\n            mart: fct_rides\n"
_GUESS = re.compile(r"# A guess: .*\n *key: \[ride_id\]\n")
_READS = re.compile(r"\b(ref|source)\('(\w+)'")
# A group in dbt_project.yml or models/_groups.yml; a new project begins with the machinery's own.
_GROUP = re.compile(r"(?:\+group:|- { name:) (\w+)")
_OWN_GROUP = "platform"
# Settings of the calling project and shell, which the new project's command must not take over.
_SETTINGS = ("DBT_", "DLT_", "PEOPLE_", "SOURCES__", "TRADEWINDS_")


def write_project(folder: Path) -> int:
    """Write a project into a new or empty folder, and return the number of its files.

    Raises BadRequest when the folder holds something, Refused when this isn't a checkout, StepFailed when the project
    can't be written; all leave the folder as it was.
    """
    existed = folder.exists()
    if existed and (not folder.is_dir() or any(path.name != _DRAFT for path in folder.iterdir())):
        raise BadRequest(f"{folder} exists and isn't an empty folder: name a new one")
    if lacking := [name for name in _KEPT if "*" not in name and not (PROJECT / name).exists()]:
        raise Refused(f"only a checkout of Tradewinds can be copied: {PROJECT} lacks {', '.join(lacking)}")
    folder = folder.resolve()
    # After a kill, the next command removes what was written here.
    drafts = folder / _DRAFT if existed else folder.with_name(f".{folder.name}{_DRAFT}")
    try:
        with scratch_folder(drafts) as draft:
            _copy_machinery(draft)
            shutil.copytree(_TEMPLATE, draft, dirs_exist_ok=True)
            _add_example(draft)
            count = sum(path.is_file() for path in draft.rglob("*"))
            # An empty folder stays the same one: a shell may be in it.
            for path in list(draft.iterdir()) if existed else [draft]:
                path.replace(folder / path.name if existed else folder)
    except OSError as error:
        raise StepFailed(f"the project can't be written: {one_line(error)}") from error
    return count


def _copy_machinery(folder: Path) -> None:
    paths = list(_machinery())
    models = {path.stem for path in [*paths, *_TEMPLATE.rglob("*.sql")] if path.suffix == ".sql"}
    for path in paths:
        place = folder / path.relative_to(PROJECT)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, place)
        if path.suffix in (".sql", ".yml"):
            place.write_text(_without_others(path.read_text(encoding="utf-8"), models), encoding="utf-8")
    settings = folder / ".dlt" / "config.toml"
    settings.write_text(settings.read_text(encoding="utf-8").partition("\n[sources.")[0], encoding="utf-8")


def _machinery() -> Iterator[Path]:
    left_out = {path for pattern in _LEFT_OUT for path in PROJECT.glob(pattern)}
    for path in sorted({path for pattern in _KEPT for path in PROJECT.glob(pattern)}):
        is_made = path.suffix == ".pyc" or not path.is_file()
        if not is_made and left_out.isdisjoint([path, *path.parents]):
            yield path


def _without_others(text: str, models: set[str]) -> str:
    """Return a file without the lines about what isn't copied: a model, a source's table or colour, a group.

    The first source's colour becomes the example's.
    """
    first, *others = built_in_sources() or [_EXAMPLE]
    colors = tuple(f"{name}:" for name in others)
    return "".join(
        line
        for line in text.replace(f" {first}: ", f" {_EXAMPLE}: ").splitlines(keepends=True)
        if all(name in models or name == "ops" for _, name in _READS.findall(line))
        and not line.strip().startswith(colors)
        and all(group == _OWN_GROUP for group in _GROUP.findall(line))
    )


def _add_example(folder: Path) -> None:
    """Add the example as a source with the new project's own command, and then what only its author can say."""
    options = ["--kind", "csv", "--path", f"example/{_EXAMPLE}.csv", "--since", _FIRST_DAY]
    _type(folder, "sources", "add", _EXAMPLE, *options)
    described = folder / "models" / "staging" / _EXAMPLE / f"_{_EXAMPLE}__sources.yml"
    described.write_text(_GUESS.sub(_MEANING, described.read_text(encoding="utf-8")), encoding="utf-8")
    totals = folder / "models" / "intermediate" / "int_mart_totals.sql"
    totals.write_text("-- depends_on: {{ ref('fct_rides') }}\n" + totals.read_text(encoding="utf-8"), encoding="utf-8")


def _type(folder: Path, *words: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_SETTINGS)}
    command = [sys.executable, "-c", "from pipeline.cli import main; main()", *words]
    environment |= {"PYTHONPATH": str(folder.resolve()), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise StepFailed(f"the example can't be added: {one_line(StepFailed(done.stderr))}")
