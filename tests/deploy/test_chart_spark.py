"""Spark on Kubernetes: the shipped values and the shipped cluster fit each other."""

import yaml

from tests.deploy.chart import CHART, SPARK, VERSIONS, faults, of_kind, pods
from tests.deploy.commands import command_fault
from tests.deploy.policies import admits

DRIVER = {
    "app.kubernetes.io/name": "tradewinds", "app.kubernetes.io/instance": "tradewinds",
    "app.kubernetes.io/component": "pipeline",
}  # fmt: skip
CLUSTER = list(yaml.safe_load_all((CHART.parent / "spark-cluster.yaml").read_text(encoding="utf-8")))


def test_the_cluster_is_the_one_that_the_values_name() -> None:
    assert not [fault for each in CLUSTER for version in VERSIONS for fault in faults(each, version)]
    service, master, worker = CLUSTER
    address = f"spark://{service['metadata']['name']}:{service['spec']['ports'][0]['port']}"
    assert address == SPARK["settings"]["TRADEWINDS_SPARK_MASTER"]
    assert service["spec"]["selector"].items() <= master["spec"]["template"]["metadata"]["labels"].items()
    assert _container(worker["spec"]["template"])["args"][-1] == address
    policies = of_kind("NetworkPolicy", SPARK)
    for pod in (master["spec"]["template"], worker["spec"]["template"]):
        assert _container(pod)["image"] == _container(_job())["image"]
        assert command_fault(_container(pod)["args"]) is None
        for port in (7077, 7078, 7080):
            assert admits(policies, DRIVER, pod["metadata"]["labels"], port)
            assert admits(policies, pod["metadata"]["labels"], DRIVER, port)
    assert not admits(of_kind("NetworkPolicy", {}), DRIVER, {"app": "spark"}, 7077)


def test_workers_driver_and_service_share_the_home() -> None:
    home = {"name": "home", "persistentVolumeClaim": {"claimName": SPARK["persistence"]["existingClaim"]}}
    for pod in (CLUSTER[2]["spec"]["template"], _job(), pods(SPARK)["Deployment tradewinds-people"]):
        assert home in pod["spec"]["volumes"]
        assert {"name": "home", "mountPath": "/data"} in _container(pod)["volumeMounts"]


def test_the_driver_has_sparks_own_settings() -> None:
    given = {each["name"]: each.get("value") for each in _container(_job())["env"]}
    mounts = {each["mountPath"]: each["name"] for each in _container(_job())["volumeMounts"]}
    (volume,) = [each for each in _job()["spec"]["volumes"] if each["name"] == mounts[given["SPARK_CONF_DIR"]]]
    configurations = {each["metadata"]["name"]: each["data"] for each in of_kind("ConfigMap", SPARK)}
    text = configurations[volume["configMap"]["name"]]["spark-defaults.conf"]
    lines = dict(line.split(" ", 1) for line in text.splitlines())
    assert lines.items() >= SPARK["spark"]["defaults"].items()
    assert lines["spark.driver.port"] == "7078"


def _job() -> dict:
    return pods(SPARK)["CronJob tradewinds-daily"]


def _container(pod: dict) -> dict:
    return pod["spec"]["containers"][0]
