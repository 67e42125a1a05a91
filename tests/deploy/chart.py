"""The chart, rendered by Helm's own library and held against Kubernetes' own schemas; no cluster is asked."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import helm_python
import jsonschema
import kubernetes_validate
import yaml
from kubernetes_validate.utils import schema_contents
from referencing import Registry, Resource

from ingestion.settings import PROJECT

CHART = PROJECT / "deploy" / "helm" / "tradewinds"
# The oldest that Chart.yaml allows, and the newest that there are schemas of.
VERSIONS = ("1.31.0", kubernetes_validate.latest_version())
POSTGRES = {"target": "postgres", "settings": {"TRADEWINDS_POSTGRES_HOST": "warehouse.example.com"}}
BUCKET = {
    "settings": {
        "TRADEWINDS_LANDING_URL": "s3://northwind/landing",
        "TRADEWINDS_PUBLISHED_URL": "s3://northwind/published",
        "FSSPEC_S3_ENDPOINT_URL": "https://s3.example.com",
    },
    "pipeline": {"secretKeys": ["SOURCES__NORTHWIND__CREDENTIALS", "PEOPLE_DATABASE_URL", "FSSPEC_S3_SECRET"]},
    "networkPolicy": {"egress": [{"cidr": "192.0.2.0/24", "port": 443}], "databaseCidrs": ["198.51.100.7/32"]},
}
PLACED: dict[str, Any] = {
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "batch", "operator": "Exists", "effect": "NoSchedule"}],
    "affinity": {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [{"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]}]
            }
        }
    },
    "podAnnotations": {"example.com/team": "data"},
    "extraEnv": [{"name": "HTTPS_PROXY", "value": "http://proxy.example.com:3128"}],
}
# As it is shipped.
SPARK = yaml.safe_load((CHART.parent / "spark-values.yaml").read_text(encoding="utf-8"))
VALUE_SETS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "minimal": {
        "people": {"enabled": False},
        "networkPolicy": {"enabled": False},
        "schedules": {"verify": None},
        "persistence": {"existingClaim": "mine"},
    },
    "postgres": POSTGRES,
    "spark": SPARK,
    "bucket": BUCKET,
    "airflow": {"airflow": {"enabled": True}},
    "step": {"step": {"command": "build", "runDate": "2021-01-02", "args": ["--source", "northwind"]}},
    "backfill": {"step": {"command": "backfill", "args": ["--from", "2021-01-01", "--to", "2021-01-03"]}},
    "everything": {
        **POSTGRES,
        "image": {"repository": "registry.example.com/tradewinds", "tag": "0.1.0", "pullSecrets": ["registry"]},
        "persistence": {"storageClass": "fast", "accessMode": "ReadWriteOncePod"},
        "schedules": {"backups": {"schedule": "@daily", "args": ["people", "backup", "employees"], "suspend": True}},
        "step": {"command": "rollback"},
        "pipeline": PLACED,
        "people": PLACED
        | {
            "replicas": 3,
            "autoscaling": {"enabled": True},
            "ingress": {"enabled": True, "className": "nginx", "host": "people.example.com", "tlsSecret": "people-tls"},
            "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
        },
        "networkPolicy": BUCKET["networkPolicy"],
    },
}


def render(values: dict[str, Any], chart: Path = CHART) -> dict[str, list[dict[str, Any]]]:
    """Return the manifests by template; raises HelmError when the values or a template are wrong."""
    files = _rendered(json.dumps(values), chart)
    rendered = {name.partition("templates/")[2]: text for name, text in files.items() if name.endswith(".yaml")}
    return {name: [each for each in yaml.safe_load_all(text) if each] for name, text in rendered.items()}


@cache
def _rendered(values: str, chart: Path) -> dict[str, str]:
    with helm_python.Chart.load(chart) as loaded:
        return loaded.render(json.loads(values), name="tradewinds", namespace="northwind")


def manifests(values: dict[str, Any], chart: Path = CHART) -> list[dict[str, Any]]:
    """Return all manifests of a release."""
    return [manifest for each in render(values, chart).values() for manifest in each]


def of_kind(kind: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a release's manifests of one kind."""
    return [manifest for manifest in manifests(values) if manifest["kind"] == kind]


def pods(values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what makes pods, by kind and name: each with its `metadata` and `spec`."""
    found = {}
    for manifest in manifests(values):
        kind, name = manifest["kind"], manifest["metadata"]["name"]
        if kind == "Pod":
            found[f"{kind} {name}"] = manifest
        elif kind in ("Deployment", "Job"):
            found[f"{kind} {name}"] = manifest["spec"]["template"]
        elif kind == "CronJob":
            found[f"{kind} {name}"] = manifest["spec"]["jobTemplate"]["spec"]["template"]
    return found


def faults(manifest: dict[str, Any], version: str) -> list[str]:
    """Return what a Kubernetes of this version, taken strictly, finds wrong with a manifest."""
    group, _, api = manifest["apiVersion"].rpartition("/")
    if group == "monitoring.coreos.com":
        return []  # the Prometheus operator's own kind: no schema of it comes with Kubernetes'
    prefix = f"{group.partition('.')[0]}-" if group else ""
    validator = _validator(version, f"{manifest['kind'].lower()}-{prefix}{api}")
    return [f"{fault.json_path}: {fault.message}" for fault in validator.iter_errors(manifest)]


@cache
def _validator(version: str, name: str) -> jsonschema.Draft202012Validator:
    registry = Resource.from_contents(_definitions(version)) @ Registry()
    schema = schema_contents(f"kubernetes-json-schema/v{version}-local-strict/{name}.json", version)
    return jsonschema.Draft202012Validator(schema, registry=Resource.from_contents(schema) @ registry)


@cache
def _definitions(version: str) -> Any:
    return schema_contents(f"kubernetes-json-schema/v{version}-local-strict/_definitions.json", version)


def values_schema() -> dict[str, Any]:
    """Return the chart's own schema of values."""
    return json.loads((CHART / "values.schema.json").read_text())
