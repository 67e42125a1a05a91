"""The rules that deploy/compose/compose.yaml keeps, each as a line about what breaks it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.deploy.commands import command_fault
from tests.deploy.docker import Stage, lineage
from tests.deploy.settings import entrypoint_names, is_secret, unknown_settings

FOLDER = Path("deploy") / "compose"
# What nobody but our own services may reach.
_STORES = ("source", "warehouse", "s3")
_PINNED = re.compile(r"[a-z0-9./-]+:\d+\.\d+[a-z0-9.-]*")
_OPEN_PORTS = re.compile(r"127\.0\.0\.1:\d+:(\d+)")


def faults(project: Path, composition: dict[str, Any], stages: dict[str, Stage]) -> list[str]:
    """Return what breaks a rule, each naming its service."""
    found = list(_secret_faults(project, composition))
    if not composition["networks"]["back"].get("internal"):
        found.append("back: has a way out")
    for name, service in composition["services"].items():
        rules = (_network_faults, _health_faults, _setting_faults, _image_faults, _path_faults)
        found += [f"{name}: {fault}" for rule in rules for fault in rule(project, name, service, stages)]
        found += [
            f"{name}: no service {other}" for other in set(service.get("depends_on", {})) - set(composition["services"])
        ]
    return found


def _secret_faults(project: Path, composition: dict[str, Any]) -> Iterator[str]:
    made = (project / FOLDER / "make-secrets.sh").read_text()
    mounted = {_source(each) for service in composition["services"].values() for each in service.get("secrets", [])}
    for name, secret in composition["secrets"].items():
        if secret != {"file": f"secrets/{name}"} or not re.search(rf"\b{name}\b", made):
            yield f"secret {name}: no file that make-secrets.sh makes"
    yield from (f"secret {name}: declared and mounted differ" for name in mounted ^ composition["secrets"].keys())


def _network_faults(_project: Path, name: str, service: dict, stages: dict[str, Stage]) -> Iterator[str]:
    if name in _STORES and (service.get("ports") or service["networks"] != ["back"]):
        yield "a store is reached from outside"
    exposed = {port for stage in _lineage(service, stages) for port in stage.of("EXPOSE")}
    for port in service.get("ports", []):
        inside = _OPEN_PORTS.fullmatch(port)
        if not inside or inside[1] not in exposed or "front" not in service["networks"]:
            yield f"port {port} isn't one of loopback that the image exposes, in front"


def _health_faults(_project: Path, _name: str, service: dict, _stages: dict[str, Stage]) -> Iterator[str]:
    if service["restart"] != "no" and "healthcheck" not in service:
        yield "no health check"
    words = service.get("healthcheck", {}).get("test", ["CMD", "airflow"])
    for command in (words[1:], service.get("command", ["airflow"])):
        if fault := command_fault(command):
            yield fault


def _setting_faults(_project: Path, _name: str, service: dict, _stages: dict[str, Stage]) -> Iterator[str]:
    environment, mounted = service.get("environment", {}), {_target(each) for each in service.get("secrets", [])}
    yield from (f"nothing reads {each}" for each in unknown_settings(environment))
    for name, value in environment.items():
        if is_secret(name) or "@" in str(value):
            yield f"{name} is a secret in clear"
        if name.endswith("_FILE"):
            if name.removesuffix("_FILE") not in entrypoint_names() and name != "POSTGRES_PASSWORD_FILE":
                yield f"nothing reads {name}"
            if value.removeprefix("/run/secrets/") not in mounted:
                yield f"{name}: {value} isn't mounted"


def _image_faults(_project: Path, _name: str, service: dict, stages: dict[str, Stage]) -> Iterator[str]:
    if not _PINNED.fullmatch(service["image"]):
        yield f"{service['image']} is no pinned image"
    if "no-new-privileges:true" not in service.get("security_opt", []) or not service.get("read_only"):
        yield "may write its root, or gain privileges"
    if "build" not in service:
        return
    if service["build"]["target"] not in stages:
        yield f"no target {service['build']['target']}"
    if service.get("cap_drop") != ["ALL"]:
        yield "keeps capabilities"


def _path_faults(project: Path, _name: str, service: dict, _stages: dict[str, Stage]) -> Iterator[str]:
    places = [volume.split(":")[0] for volume in service.get("volumes", []) if volume.startswith(".")]
    places += [service["build"]["context"]] if "build" in service else []
    yield from (f"{place} isn't there" for place in places if not (project / FOLDER / place).exists())
    for word in service.get("command", []):
        for path in re.findall(r"/app/(\S+)", word):
            if not (project / path).exists():
                yield f"/app/{path} isn't there"


def _lineage(service: dict, stages: dict[str, Stage]) -> list[Stage]:
    return lineage(stages, service.get("build", {}).get("target", ""))


def _source(secret: str | dict[str, str]) -> str:
    return secret if isinstance(secret, str) else secret["source"]


def _target(secret: str | dict[str, str]) -> str:
    return secret if isinstance(secret, str) else secret["target"]
