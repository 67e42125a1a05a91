"""Every manifest of the chart is one that a cluster would take, and says what its policies promise."""

import re
import shutil
from pathlib import Path

import helm_python
import pytest
import yaml

from tests.deploy.chart import CHART, PLACED, VALUE_SETS, VERSIONS, faults, manifests, of_kind, pods, render
from tests.deploy.commands import command_fault
from tests.deploy.policies import admits
from tests.deploy.settings import is_secret, unknown_settings

PIPELINE = {"app.kubernetes.io/component": "pipeline"}
PEOPLE = {"app.kubernetes.io/component": "people"}
RELEASE = {"app.kubernetes.io/name": "tradewinds", "app.kubernetes.io/instance": "tradewinds"}
DATABASE = {"app": "postgres"}
every_values = pytest.mark.parametrize("values", VALUE_SETS.values(), ids=VALUE_SETS)


def test_the_chart_lints() -> None:
    for values in VALUE_SETS.values():
        report = helm_python.lint(CHART, values, strict=True)
        assert not report["errors"], report
        assert all(message["severity"] <= 1 for message in report["messages"]), report


@every_values
def test_every_manifest_is_valid(values: dict) -> None:
    for manifest in manifests(values):
        for version in VERSIONS:
            assert not faults(manifest, version), manifest["kind"]


@pytest.mark.parametrize(
    ("template", "key", "misspelt"),
    [
        ("people.yaml", "readinessProbe:", "readynessProbe:"),
        ("schedules.yaml", "concurrencyPolicy:", "concurencyPolicy:"),
        ("network.yaml", "policyTypes:", "policyType:"),
        ("_helpers.tpl", "readOnlyRootFilesystem:", "readonlyRootFilesystem:"),
        ("volume.yaml", "accessModes:", "accessMode:"),
    ],
)
def test_a_misspelt_key_is_found(tmp_path: Path, template: str, key: str, misspelt: str) -> None:
    chart = tmp_path / "tradewinds"
    shutil.copytree(CHART, chart)
    file = chart / "templates" / template
    assert key in file.read_text()
    file.write_text(file.read_text().replace(key, misspelt))
    for version in VERSIONS:
        found = [fault for manifest in manifests({}, chart) for fault in faults(manifest, version)]
        assert any(misspelt.rstrip(":") in fault for fault in found), version


@every_values
def test_no_pod_can_do_more_than_it_needs(values: dict) -> None:
    for name, pod in pods(values).items():
        spec = pod["spec"]
        assert spec["automountServiceAccountToken"] is False, name
        assert spec["serviceAccountName"] == "tradewinds", name
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["runAsUser"] == 10001, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys(), name
        assert not [volume for volume in spec.get("volumes", []) if "hostPath" in volume], name
        for container in spec["containers"]:
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"] is True, name
            assert context["allowPrivilegeEscalation"] is False, name
            assert context["capabilities"] == {"drop": ["ALL"]}, name
            assert {"cpu", "memory"} <= container["resources"]["requests"].keys(), name
            assert "memory" in container["resources"]["limits"], name
            assert not container["image"].endswith((":", ":latest")), name
    accounts = of_kind("ServiceAccount", values)
    assert [account["automountServiceAccountToken"] for account in accounts] == [False]
    assert not {manifest["kind"] for manifest in manifests(values)} & {"Role", "ClusterRole", "RoleBinding", "Secret"}


@every_values
def test_every_command_and_setting_is_one_of_tradewinds(values: dict) -> None:
    configuration = of_kind("ConfigMap", values)[0]
    assert not unknown_settings(configuration["data"])
    assert not [name for name in configuration["data"] if is_secret(name)]
    for name, pod in pods(values).items():
        for container in pod["spec"]["containers"]:
            assert command_fault(container["args"]) is None, name
            given = [each for each in container.get("env", []) if each not in PLACED["extraEnv"]]
            assert not unknown_settings(variable["name"] for variable in given), name
            assert not [each["name"] for each in given if is_secret(each["name"]) and "value" in each], name


def test_a_wrong_command_is_found() -> None:
    wrong = {"step": {"command": "build", "args": ["--stage", "marts"]}}
    (job,) = of_kind("Job", wrong)
    assert "--stage" in command_fault(job["spec"]["template"]["spec"]["containers"][0]["args"])


def test_days_never_run_two_at_once() -> None:
    (volume,) = of_kind("PersistentVolumeClaim", {})
    assert volume["spec"]["accessModes"] == ["ReadWriteOnce"]
    schedules = of_kind("CronJob", {})
    assert [job["metadata"]["name"] for job in schedules] == ["tradewinds-daily", "tradewinds-verify"]
    for job in schedules:
        assert job["spec"]["concurrencyPolicy"] == "Forbid"
        assert job["spec"]["timeZone"] == "Etc/UTC"
        rules = job["spec"]["jobTemplate"]["spec"]["podFailurePolicy"]["rules"]
        assert rules[0]["onExitCodes"]["values"] == [2, 3]


def test_a_step_is_a_job_of_its_own() -> None:
    rendered = render(VALUE_SETS["step"])
    (job,) = rendered["step.yaml"]
    expected = ["tradewinds", "build", "--run-date", "2021-01-02", "--source", "northwind"]
    assert job["spec"]["template"]["spec"]["containers"][0]["args"] == expected
    assert re.fullmatch(r"tradewinds-build-\d{8}-\d{6}", job["metadata"]["name"])
    assert not render({})["step.yaml"]


def test_airflow_takes_the_place_of_the_schedules() -> None:
    assert not of_kind("CronJob", VALUE_SETS["airflow"])
    assert of_kind("Deployment", VALUE_SETS["airflow"])


def test_the_service_is_asked_at_the_path_that_it_answers() -> None:
    from people_api.api.gate import OPEN_PATH

    (deployment,) = of_kind("Deployment", {})
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"] == {"path": OPEN_PATH, "port": "http"}
    assert container["ports"] == [{"name": "http", "containerPort": 8321}]
    assert container["args"][-2:] == ["--port", "8321"]


def test_the_service_sees_only_its_own_secrets() -> None:
    found = pods(VALUE_SETS["postgres"])
    secrets = {
        name: {each["name"] for each in pod["spec"]["containers"][0].get("env", []) if "valueFrom" in each}
        for name, pod in found.items()
    }
    assert secrets["Deployment tradewinds-people"] == {"PEOPLE_DATABASE_URL", "TRADEWINDS_POSTGRES_PASSWORD"}
    assert "SOURCES__NORTHWIND__CREDENTIALS" in secrets["CronJob tradewinds-daily"]
    assert secrets["Pod tradewinds-test"] == set()


def test_the_service_reads_the_volume_and_cannot_write_it() -> None:
    (deployment,) = of_kind("Deployment", {})
    spec = deployment["spec"]["template"]["spec"]
    mounts = {mount["name"]: mount for mount in spec["containers"][0]["volumeMounts"]}
    assert mounts["volume"]["readOnly"] is True
    assert {"name": "TRADEWINDS_PUBLISHED_URL", "value": "/volume/published"} in spec["containers"][0]["env"]
    (elsewhere,) = of_kind("Deployment", VALUE_SETS["bucket"])
    assert not [volume for volume in elsewhere["spec"]["template"]["spec"]["volumes"] if "emptyDir" not in volume]


def test_several_pods_of_the_service_need_a_place_that_all_of_them_reach() -> None:
    for people in ({"replicas": 2}, {"autoscaling": {"enabled": True}}):
        with pytest.raises(helm_python.HelmError, match="one node's volume"):
            manifests({"people": people})
    (scaled,) = of_kind("Deployment", VALUE_SETS["everything"])
    assert "replicas" not in scaled["spec"]
    (scaler,) = of_kind("HorizontalPodAutoscaler", VALUE_SETS["everything"])
    assert scaler["spec"]["scaleTargetRef"]["name"] == scaled["metadata"]["name"]
    (budget,) = of_kind("PodDisruptionBudget", VALUE_SETS["everything"])
    assert budget["spec"]["selector"] == scaled["spec"]["selector"]


def test_pods_run_where_and_with_what_the_values_say() -> None:
    for name, pod in pods(VALUE_SETS["everything"]).items():
        if name.startswith("Pod "):
            continue
        assert PLACED["podAnnotations"].items() <= pod["metadata"]["annotations"].items(), name
        for key in ("nodeSelector", "tolerations", "affinity"):
            assert pod["spec"][key] == PLACED[key], name
        assert PLACED["extraEnv"][0] in pod["spec"]["containers"][0]["env"], name


def test_names_and_labels_can_be_replaced() -> None:
    renamed = {"nameOverride": "sales", "fullnameOverride": "trade"}
    assert {each["metadata"]["name"].partition("-")[0] for each in manifests(renamed)} == {"trade"}
    labels = [each["metadata"]["labels"]["app.kubernetes.io/name"] for each in manifests(renamed)]
    assert set(labels) == {"sales"}
    (deployment,) = of_kind("Deployment", {"nameOverride": "sales"})
    assert deployment["metadata"]["name"] == "tradewinds-sales-people"


def test_every_key_in_the_readme_is_a_value() -> None:
    table = re.findall(r"^\| (`.+?) \|", (CHART / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    keys = [key for cell in table for key in re.findall(r"`([A-Za-z.]+)`", cell)]
    assert len(keys) > 20
    for key in keys:
        found = values["pipeline"] if key.startswith(".") and key != ".tag" else values
        for part in key.strip(".").split("."):
            found = (found | values["image"])[part]


def test_ingress_and_monitor_reach_the_service() -> None:
    values = VALUE_SETS["everything"]
    (service,) = [each for each in of_kind("Service", values) if each["metadata"]["name"].endswith("-people")]
    (port,) = service["spec"]["ports"]
    (ingress,) = of_kind("Ingress", values)
    (rule,) = ingress["spec"]["rules"]
    backend = rule["http"]["paths"][0]["backend"]["service"]
    assert backend == {"name": service["metadata"]["name"], "port": {"name": port["name"]}}
    assert ingress["spec"]["tls"] == [{"hosts": [rule["host"]], "secretName": "people-tls"}]
    (monitor,) = of_kind("ServiceMonitor", values)
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    (endpoint,) = monitor["spec"]["endpoints"]
    assert (endpoint["port"], endpoint["path"]) == (port["name"], "/metrics")
    assert endpoint["authorization"]["credentials"] == {"name": "tradewinds-metrics", "key": "api-key"}
    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    (policy,) = [each for each in of_kind("NetworkPolicy", values) if each["metadata"]["name"].endswith("-people")]
    admitted = [each.get("namespaceSelector") for each in policy["spec"]["ingress"][0]["from"]]
    names = ["ingress-nginx", "monitoring"]
    assert admitted[2:] == [{"matchLabels": {"kubernetes.io/metadata.name": name}} for name in names]
    assert not [each for each in manifests({}) if each["kind"] in ("Ingress", "ServiceMonitor")]


@pytest.mark.parametrize(
    ("source", "target", "port", "is_admitted"),
    [
        (RELEASE | PEOPLE, DATABASE, 5432, True),
        (RELEASE | PIPELINE, DATABASE, 5432, True),
        (RELEASE | PEOPLE, DATABASE, 22, False),
        (RELEASE | {"app.kubernetes.io/component": "test"}, DATABASE, 5432, False),
        ({"app": "anything"}, DATABASE, 5432, False),
        ({"app.kubernetes.io/component": "people"}, DATABASE, 5432, False),
        ({"tradewinds.example/people-client": "true"}, RELEASE | PEOPLE, 8321, True),
        (RELEASE | {"app.kubernetes.io/component": "test"}, RELEASE | PEOPLE, 8321, True),
        ({"app": "anything"}, RELEASE | PEOPLE, 8321, False),
        ({"tradewinds.example/people-client": "true"}, RELEASE | PIPELINE, 8321, False),
        (RELEASE | PIPELINE, {"app": "anything"}, 80, False),
    ],
)
def test_who_reaches_whom(source: dict, target: dict, port: int, is_admitted: bool) -> None:
    assert admits(of_kind("NetworkPolicy", {}), source, target, port) is is_admitted


def test_without_policies_everything_is_reached() -> None:
    """So the test above fails where a policy is missing."""
    assert admits([], {"app": "anything"}, DATABASE, 5432)


def test_airflows_tasks_reach_the_databases() -> None:
    worker = {"tier": "airflow", "component": "worker"}
    assert admits(of_kind("NetworkPolicy", VALUE_SETS["airflow"]), worker, DATABASE, 5432)
    assert not admits(of_kind("NetworkPolicy", {}), worker, DATABASE, 5432)
