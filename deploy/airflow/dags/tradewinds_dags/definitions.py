"""`pipelines.yaml`: what is read, and what is wrong with it, pipeline by pipeline."""

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from croniter import croniter
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

PROJECT = Path(__file__).resolve().parents[4]
ALL = "all"
_CRON = {"daily": "0 0 * * *", "weekly": "0 0 * * 1", "monthly": "0 0 1 * *"}


def _check_schedule(schedule: str) -> str:
    if schedule not in _CRON and not (len(schedule.split()) == 5 and croniter.is_valid(schedule)):
        raise ValueError(f"{schedule!r} is none; write daily, weekly, monthly or a cron expression of five fields")
    return schedule


def _check_unique(names: list[str]) -> list[str]:
    if len(set(names)) < len(names):
        raise ValueError("a name stands there twice")
    return names


def _check_target(name: str, targets: list[str]) -> str:
    if name not in targets:
        raise ValueError(f"unknown target {name!r}; the targets are {', '.join(targets)}")
    return name


Names = Annotated[list[str], Field(min_length=1), AfterValidator(_check_unique)]


class Known(BaseModel):
    """The names that `tradewinds` knows, and the target that the site shows; validation takes them as its context."""

    sources: Names
    targets: Names
    site: str | None = None

    @field_validator("site")
    @classmethod
    def _check_site(cls, name: str | None, info: ValidationInfo) -> str | None:
        return name if name is None else _check_target(name, info.data.get("targets", [name]))


class Pipeline(BaseModel):
    """One pipeline as it is written; its `sources` are a list, or the word for all of them."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    name: Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$", max_length=100)]
    schedule: Annotated[str, AfterValidator(_check_schedule)]
    sources: Literal["all"] | Names
    target: str
    owner: Annotated[str, Field(min_length=1)]
    retries: Annotated[int, Field(ge=0, le=10)] = 2
    retry_seconds: Annotated[int, Field(ge=0, le=3600)] = 60
    alerts: Annotated[str, Field(pattern="^[A-Z][A-Z0-9_]*$")] = "TRADEWINDS_ALERT_URL"

    @property
    def cron(self) -> str:
        """The schedule as a cron expression, in UTC."""
        return _CRON.get(self.schedule, self.schedule)

    @field_validator("sources")
    @classmethod
    def _check_sources(cls, names: str | list[str], info: ValidationInfo) -> str | list[str]:
        unknown = [name for name in names if name not in info.context.sources] if names != ALL else []
        if unknown:
            raise ValueError(f"unknown source {unknown[0]!r}; the sources are {', '.join(info.context.sources)}")
        return names

    @field_validator("target")
    @classmethod
    def _check_target(cls, name: str, info: ValidationInfo) -> str:
        return _check_target(name, info.context.targets)


@dataclass(frozen=True)
class Definitions:
    """The pipelines that can be run, the names they may use, a line for each fault of the others, the site's target."""

    pipelines: list[Pipeline]
    known_sources: list[str]
    faults: list[str]
    site: str | None = None

    def sources_of(self, pipeline: Pipeline) -> list[str]:
        """Return the names of a pipeline's sources."""
        return self.known_sources if pipeline.sources == ALL else pipeline.sources


def definitions_file() -> Path:
    """Return the file that is read: `TRADEWINDS_PIPELINES`, else the one beside the DAGs."""
    return Path(os.environ.get("TRADEWINDS_PIPELINES") or PROJECT / "deploy" / "airflow" / "pipelines.yaml")


def read_definitions(file: Path) -> Definitions:
    """Read every pipeline; one that is wrong becomes faults that name file and key, and the others stand."""
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        return Definitions([], [], [f"{file} can't be read: {error}"])
    except yaml.YAMLError as error:
        return Definitions([], [], [f"{file} is no YAML: {' '.join(str(error).split())}"])
    if not isinstance(content, dict) or not isinstance(content.get("pipelines"), list):
        return Definitions([], [], [f"{file}: pipelines: missing, or no list"])
    pipelines = content.pop("pipelines")
    try:
        known = Known.model_validate(content, strict=True, extra="forbid")
    except ValidationError as error:
        return Definitions([], [], _describe(f"{file}", error))
    return _judge(file, pipelines, known)


def _judge(file: Path, entries: list[Any], known: Known) -> Definitions:
    names = Counter(str(entry.get("name")) for entry in entries if isinstance(entry, dict))
    names["site"] += known.site is not None  # its DAG has that name
    good, faults = [], []
    for place, entry in enumerate(entries, 1):
        name = entry.get("name") if isinstance(entry, dict) else None
        where = f"{file}: pipelines: {name or f'number {place}'}"
        try:
            pipeline = Pipeline.model_validate(entry, context=known)
        except ValidationError as error:
            faults += _describe(where, error)
            continue
        if names[pipeline.name] > 1:
            faults.append(f"{where}: name: stands there {names[pipeline.name]} times")
        else:
            good.append(pipeline)
    return Definitions(good, known.sources, list(dict.fromkeys(faults)), known.site)


def _describe(where: str, error: ValidationError) -> list[str]:
    """Return a line for each key that is wrong; of a value that fits none of several types, the first is enough."""
    lines = {}
    for fault in error.errors(include_url=False):
        key = str(fault["loc"][0]) if fault["loc"] else "entry"
        reason = {"extra_forbidden": "unknown key", "missing": "missing"}.get(fault["type"], fault["msg"])
        lines.setdefault(key, f"{where}: {key}: {reason.removeprefix('Value error, ')}")
    return list(lines.values())
