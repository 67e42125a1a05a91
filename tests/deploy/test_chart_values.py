"""The schema of the chart's values refuses what is wrong, by the key's name, and knows every key there is."""

from collections.abc import Iterator
from typing import Any

import helm_python
import pytest
import yaml

from ingestion.settings import PROJECT
from tests.deploy.chart import CHART, SPARK, manifests, of_kind, values_schema
from tests.deploy.commands import command_fault
from tests.deploy.settings import is_secret, known_settings

SCHEDULE = {"schedule": "0 3 * * *", "args": ["run"]}
WRONG = [
    ({"taget": "duckdb"}, "taget"),
    ({"target": "oracle"}, "/target"),
    ({"target": "spark", "persistence": {"existingClaim": "mine"}}, "TRADEWINDS_SPARK_MASTER"),
    (SPARK | {"persistence": {"existingClaim": ""}}, "/persistence/existingClaim"),
    ({"settings": {"TRADEWINDS_SPARK_MASTER": "k8s://https://kubernetes"}}, "/settings/TRADEWINDS_SPARK_MASTER"),
    ({"spark": {"defaults": {"spark.hadoop.fs.s3a.secret.key": "x"}}}, "spark.hadoop.fs.s3a.secret.key"),
    ({"spark": {"defaults": {"executor.memory": "2g"}}}, "executor.memory"),
    ({"target": "postgres"}, "TRADEWINDS_POSTGRES_HOST"),
    ({"image": {"tag": "latest"}}, "/image/tag"),
    ({"image": {"tag": 1.0}}, "/image/tag"),
    ({"image": {"pullPolicy": "Sometimes"}}, "/image/pullPolicy"),
    ({"image": {"repo": "x"}}, "repo"),
    ({"settings": {"PEOPLE_DATABASE_URL": "x"}}, "PEOPLE_DATABASE_URL"),
    ({"settings": {"TRADEWINDS_TREADS": "2"}}, "TRADEWINDS_TREADS"),
    ({"settings": {"TRADEWINDS_THREADS": 2}}, "/settings/TRADEWINDS_THREADS"),
    ({"settings": {"TRADEWINDS_THREADS": "two"}}, "/settings/TRADEWINDS_THREADS"),
    ({"settings": {"FSSPEC_S3_ENDPOINT_URL": "https://key:secret@s3"}}, "/settings/FSSPEC_S3_ENDPOINT_URL"),
    ({"settings": {"SOURCES__NORTHWIND__CREDENTIALS": "x"}}, "SOURCES__NORTHWIND__CREDENTIALS"),
    ({"existingSecret": ""}, "/existingSecret"),
    ({"existingSecret": "Not_A_Name"}, "/existingSecret"),
    ({"persistence": {"accessMode": "ReadWriteMany"}}, "/persistence/accessMode"),
    ({"persistence": {"size": "much"}}, "/persistence/size"),
    ({"airflow": {"enabled": "yes"}}, "/airflow/enabled"),
    ({"airflow": {"podLabels": {"tier": None, "component": None}}}, "/airflow/podLabels"),
    ({"schedules": {"daily": {"schedule": "often"}}}, "/schedules/daily/schedule"),
    ({"schedules": {"daily": {"args": []}}}, "/schedules/daily/args"),
    ({"schedules": {"daily": {"args": ["runn"]}}}, "/schedules/daily/args/0"),
    ({"schedules": {"daily": {"args": ["run", "; rm"]}}}, "; rm"),
    ({"schedules": {"daily": {"argv": ["run"]}}}, "argv"),
    ({"schedules": {"another": {"args": ["run"]}}}, "/schedules/another"),
    ({"schedules": {"a-name-that-is-too-long": SCHEDULE}}, "a-name-that-is-too-long"),
    ({"step": {"command": "biuld"}}, "/step/command"),
    ({"step": {"command": "build", "runDate": "2021-13-01"}}, "/step/runDate"),
    ({"step": {"command": "backfill", "runDate": "2021-01-01"}}, "/step/runDate"),
    ({"pipeline": {"secretKeys": ["HOME"]}}, "/pipeline/secretKeys/0"),
    ({"pipeline": {"activeDeadlineSeconds": 1}}, "/pipeline/activeDeadlineSeconds"),
    ({"pipeline": {"resources": {"limits": {"memory": "lots"}}}}, "/pipeline/resources/limits/memory"),
    ({"pipeline": {"resources": {"limits": {"gpu": "1"}}}}, "gpu"),
    ({"people": {"secretKeys": []}}, "/people/secretKeys"),
    ({"people": {"replicas": 0}}, "/people/replicas"),
    ({"people": {"ingress": {"enabled": True, "tlsSecret": "people-tls"}}}, "/people/ingress/host"),
    ({"people": {"ingress": {"enabled": True, "host": "people.example.com"}}}, "/people/ingress/tlsSecret"),
    ({"people": {"serviceMonitor": {"interval": "often"}}}, "/people/serviceMonitor/interval"),
    ({"people": {"tolerations": [{"effect": "Never"}]}}, "/people/tolerations/0/effect"),
    ({"pipeline": {"affinity": {"node": {}}}}, "node"),
    ({"pipeline": {"extraEnv": [{"name": "TRADEWINDS_THREADS", "value": "2"}]}}, "/pipeline/extraEnv/0/name"),
    ({"fullnameOverride": "No Name"}, "/fullnameOverride"),
    ({"people": {"port": 80}}, "/people/port"),
    ({"people": {"autoscaling": {"cpuPercent": 101}}}, "/people/autoscaling/cpuPercent"),
    ({"people": {"disruptionBudget": {"maxUnavailable": 0}}}, "/people/disruptionBudget/maxUnavailable"),
    (
        {"networkPolicy": {"clientLabels": {"tradewinds.example/people-client": None}}},
        "/networkPolicy/clientLabels",
    ),
    ({"networkPolicy": {"databaseCidrs": ["db.example.com"]}}, "/networkPolicy/databaseCidrs/0"),
    ({"networkPolicy": {"databasePort": 0}}, "/networkPolicy/databasePort"),
    ({"networkPolicy": {"egress": [{"cidr": "192.0.2.0/24"}]}}, "/networkPolicy/egress/0"),
]


@pytest.mark.parametrize(("values", "named"), WRONG, ids=[named for _, named in WRONG])
def test_a_wrong_value_is_refused_by_its_name(values: dict, named: str) -> None:
    with pytest.raises(helm_python.HelmError, match=r"schema\(s\)") as refusal:
        manifests(values)
    assert named in str(refusal.value)


def test_no_object_of_the_schema_takes_keys_that_it_does_not_know() -> None:
    for place, schema in _objects(values_schema(), "$"):
        assert schema.get("additionalProperties") is False or schema.get("maxProperties") == 0, place


def test_values_and_schema_have_the_same_keys() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    assert _keys(values, values_schema()) == []


def test_the_schema_knows_secrets_from_settings() -> None:
    schema = values_schema()
    assert all(is_secret(name) for name in schema["definitions"]["secretKey"]["enum"])
    assert set(schema["definitions"]["secretKey"]["enum"]) <= known_settings()
    readable = {"PEOPLE_RATE_LIMIT": "5", "TRADEWINDS_LANDING_URL": "s3://a/b", "SOURCES__ORDER_DETAILS__PATH": "/x"}
    (configuration,) = of_kind("ConfigMap", {"settings": readable})
    assert readable.items() <= configuration["data"].items()


def test_every_command_of_the_schema_is_one_of_tradewinds() -> None:
    words = {"backfill": ["--from", "2021-01-01", "--to", "2021-01-02"], "people": ["migrate"]}
    for command in values_schema()["definitions"]["command"]["enum"]:
        assert command_fault(["tradewinds", command, *words.get(command, [])]) is None


def test_airflows_values_name_what_the_chart_makes() -> None:
    values = yaml.safe_load((PROJECT / "deploy" / "helm" / "airflow-values.yaml").read_text())
    (configuration,) = of_kind("ConfigMap", {"airflow": {"enabled": True}})
    (volume,) = of_kind("PersistentVolumeClaim", {"airflow": {"enabled": True}})
    references = yaml.safe_load(values["extraEnvFrom"])
    assert references[0]["configMapRef"]["name"] == configuration["metadata"]["name"]
    own = yaml.safe_load((CHART / "values.yaml").read_text())
    assert references[1]["secretRef"]["name"] == own["existingSecret"]
    (home,) = values["workers"]["extraVolumes"]
    assert home["persistentVolumeClaim"]["claimName"] == volume["metadata"]["name"]
    assert values["workers"]["extraVolumeMounts"][0]["mountPath"] == configuration["data"]["TRADEWINDS_HOME"]
    assert values["uid"] == values["securityContexts"]["pod"]["runAsUser"] == 10001
    folder = values["dags"]["gitSync"]["subPath"]
    assert values["env"] == [{"name": "AIRFLOW__CORE__DAGS_FOLDER", "value": f"/opt/airflow/dags/repo/{folder}"}]
    assert (PROJECT / folder).is_dir()


def _objects(schema: Any, place: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield place, schema
        for key, each in schema.items():
            yield from _objects(each, f"{place}.{key}")


def _keys(values: Any, schema: dict[str, Any], place: str = "") -> list[str]:
    """Return the keys that only the values have, or only the schema."""
    known = schema.get("properties")
    if known is None or not isinstance(values, dict):
        return []
    differing = [f"{place}.{key}" for key in values.keys() ^ known.keys() if key != "global"]
    return differing + [
        fault for key in values.keys() & known.keys() for fault in _keys(values[key], known[key], f"{place}.{key}")
    ]
