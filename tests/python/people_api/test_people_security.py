"""The people service: authentication, limits, and no information in errors."""

import hashlib
import json
import re
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from ingestion.embedded.postgres import EmbeddedPostgres
from ingestion.errors import BadRequest
from people_api.api.gate import KEY_HEADER
from people_api.api.service import ServiceSettings
from people_api.database import open_engine
from people_api.keys import create_key, revoke_key
from tests.python.people_service import PeopleService, employee, publish

LIMITS = {"PEOPLE_MAX_BODY_BYTES": "20000", "PEOPLE_TIMEOUT_SECONDS": "2", "PEOPLE_CONNECTIONS": "4"}
ROLES = (None, "reader", "writer", "admin")
TRACE = re.compile(r"Traceback|File \"|sqlalchemy|psycopg|\.py\b|select |line \d+", re.IGNORECASE)


@pytest.fixture(scope="module")
def service(server, tmp_path_factory):
    """A running service with small limits."""
    from tests.python.sandbox import make_service

    made = make_service(server, tmp_path_factory.mktemp("limits"), **LIMITS)
    made.by_script = True  # its arguments are looked at
    with made.running():
        yield made


def needed(method: str, path: str) -> str | None:
    """Return the least role a route takes, as the operator is told."""
    if path == "/healthz":
        return None
    if path.startswith(("/v1/backups", "/v1/restores")):
        return "admin"
    return "reader" if method in ("GET", "HEAD", "OPTIONS") else "writer"


def test_every_route_takes_its_role_and_no_less(service):
    with service.client("reader") as reader:
        paths = reader.get("/openapi.json").json()["paths"]
    routes = [(method.upper(), path) for path, methods in paths.items() for method in methods]
    routes += [
        ("GET", "/openapi.json"),
        ("GET", "/nowhere"),
        ("POST", "/nowhere"),
        ("FOO", "/v1/jobs"),
        ("PUT", "/v1/jobs/"),
    ]
    assert len(routes) > 25
    for role in ROLES:
        with service.client(role) as client:
            for method, path in routes:
                place = path.replace("{id}", "999").replace("{id:int}", "999").replace("{table}", "jobs")
                response = client.request(method, place)
                need = needed(method, path)
                if need and not role:
                    assert response.status_code == 401, (method, path)
                    assert response.headers["WWW-Authenticate"].startswith("ApiKey ")
                elif need and ROLES.index(role) < ROLES.index(need):
                    assert response.status_code == 403, (method, path, role)
                    assert response.json()["detail"] == f"this takes a key of the role {need}"
                else:
                    assert response.status_code not in (401, 403), (method, path, role)


@pytest.mark.parametrize(
    "path",
    [
        "//v1/backups/jobs",
        "/v1//backups/jobs",
        "/v1/./backups/jobs",
        "/v1/x/../backups/jobs",
        "/V1/backups/jobs",
        "/v1/Backups/jobs",
        "/v1%2Fbackups/jobs",
        "/v1/backups%2Fjobs",
        "/v1/%62ackups/jobs",
        "/v1/backups/jobs/",
        "/healthz/../v1/backups/jobs",
        "/healthz/v1/backups/jobs",
        "/healthz%2f..%2fv1/backups/jobs",
        "/v1/backups/jobs?x=/healthz",
    ],
)
def test_no_spelling_of_a_path_gets_round_the_role(service, path):
    before = set((service.home / "backups").rglob("*"))
    for role in (None, "reader", "writer"):
        headers = f"{KEY_HEADER}: {service.key(role)}\r\n" if role else ""
        answer = talk(service, f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n{headers}\r\n".encode())
        assert re.match(rb"HTTP/1\.1 (401|403|404|405) ", answer), answer[:200]
    assert set((service.home / "backups").rglob("*")) == before


def talk(service: PeopleService, *parts: bytes, pause: float = 0, wait: float = 15) -> bytes:
    """Send bytes as they are, with a pause between, and return all that comes until the service has no more to say."""
    place = urlsplit(service.url)
    with socket.create_connection((place.hostname, place.port), timeout=wait) as connection:
        try:
            for part in parts:
                connection.sendall(part)
                time.sleep(pause)
            connection.settimeout(wait if pause else 1)
            answer = b""
            while more := connection.recv(65536):
                answer += more
        except TimeoutError:
            pass
        except (ConnectionResetError, BrokenPipeError):
            pass
        return answer


@pytest.mark.parametrize(
    "key",
    [
        "",
        "tw",
        "tw_",
        "tw__",
        "tw_x_",
        "x" * 10_000,
        "é",
        "\x7f",
        "tw_' or 1=1 --_x",
        "{id}",
        "tw_{id}_wrong",
        "TW_{id}_{secret}",
    ],
)
def test_what_is_no_key_opens_nothing(service, key):
    _, id_, secret = service.key("admin").split("_", 2)
    key = key.replace("{id}", id_).replace("{secret}", secret)
    with service.client(None) as client:
        for path in ("/v1/jobs", "/metrics", "/openapi.json", "/v1/rejects"):
            response = client.get(path, headers={KEY_HEADER: key.encode()})
            assert response.status_code == 401
            assert "X-API-Key must hold a key" in response.json()["detail"]


def test_a_key_elsewhere_than_in_its_header_opens_nothing_and_is_not_logged(service):
    key = service.key("admin")
    with service.client(None) as client:
        assert client.get(f"/v1/jobs?key={key}&X-API-Key={key}").status_code == 401
        assert client.get(f"/v1/jobs/{key}").status_code == 401
        assert client.get("/v1/jobs", headers={"Authorization": f"Bearer {key}"}).status_code == 401
        for wrong in (f"Bearer {key}x", f"Basic {key}", key, "Bearer", ""):
            assert client.get("/metrics", headers={"Authorization": wrong}).status_code == 401
        assert client.get("/metrics", headers={"Authorization": f"Bearer {service.key('reader')}"}).status_code == 200
        assert client.get("/v1/jobs", headers={"Cookie": f"X-API-Key={key}"}).status_code == 401
    secret = key.split("_", 2)[2]
    assert secret not in service.log_path.read_text()
    assert f"/v1/jobs/{key.removesuffix(secret)}***" in service.log_path.read_text()


def test_two_keys_in_one_request_are_not_added_up(service):
    with service.client(None) as client:
        headers = [(KEY_HEADER, service.key("reader")), (KEY_HEADER, service.key("admin"))]
        assert client.post("/v1/backups/jobs", headers=headers).status_code in (401, 403)


def test_keys_are_made_once_kept_hashed_and_revoked_for_good(service):
    made = service.run("key", "create", "--name", "Ann", "--role", "writer")
    key = made.stdout.strip()
    assert re.fullmatch(r"tw_[0-9a-f]{12}_[\w-]{43}", key)
    _, id_, secret = key.split("_", 2)
    stored = service.database.query(f"select secret_sha256, k::text from api_keys k where id = '{id_}'")
    assert bytes(stored[0][0]) == hashlib.sha256(secret.encode()).digest()
    assert secret not in stored[0][1]
    with service.client(
        None,
    ) as client:
        client.headers[KEY_HEADER] = key
        assert client.get("/v1/jobs").status_code == 200
        listed = service.run("key", "list").stdout
        assert f"{id_}  writer  Ann" in listed
        assert secret not in listed
        assert service.run("key", "revoke", id_).returncode == 0
        assert client.get("/v1/jobs").status_code == 401
    assert f"{id_}  writer  Ann  revoked" in service.run("key", "list").stdout
    again = service.run("key", "revoke", id_)
    assert (again.returncode, len(again.stderr.splitlines())) == (2, 1)


def test_a_key_that_is_revoked_while_it_is_used_stops_at_once(service):
    with open_engine(service.database.url) as engine:
        key = create_key(engine, "short", "reader")
        with service.client(None) as client:
            client.headers[KEY_HEADER] = key
            assert client.get("/v1/jobs").status_code == 200
            revoke_key(engine, key.split("_")[1])
            assert client.get("/v1/jobs").status_code == 401


def test_a_body_that_is_too_large_is_refused_however_it_comes(service):
    limit = int(LIMITS["PEOPLE_MAX_BODY_BYTES"])
    with service.client("writer") as client:
        said = client.post("/v1/jobs/batch", content=b"x" * (limit + 1), headers={"Content-Type": "application/json"})
        assert (said.status_code, said.json()["detail"]) == (413, f"a body may have {limit} bytes at most")
        parts = (b"x" * 1_000 for _ in range(limit // 1_000 + 5))
        assert client.post("/v1/jobs/batch", content=parts).status_code == 413
        row = json.dumps([{"id": 7_000, "name": "x"}])
        exactly = client.post(
            "/v1/jobs/batch", content=row + " " * (limit - len(row)), headers={"Content-Type": "application/json"}
        )
        assert exactly.json()["accepted"] == 1
        for length in ("-1", "1e3", "99999999999999999999999", "\u0661"):
            answer = talk(service, _head(service, length))
            assert re.match(rb"HTTP/1\.1 (400|413) ", answer), answer[:99]
        assert client.get("/v1/jobs").status_code == 200


def _head(service: PeopleService, length: str | int, path: str = "/v1/jobs") -> bytes:
    lines = (
        f"POST {path} HTTP/1.1",
        "Host: x",
        f"{KEY_HEADER}: {service.key('writer')}",
        "Content-Type: application/json",
        f"Content-Length: {length}",
    )
    return "\r\n".join([*lines, "", ""]).encode()


def test_a_body_that_does_not_come_is_not_waited_for_long(service):
    started = time.monotonic()
    answer = talk(service, _head(service, 100), *[b"x"] * 3, pause=0.2)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"the body didn't come within 2 seconds" in answer
    assert time.monotonic() - started < 10


def test_many_slow_bodies_do_not_keep_others_out(service):
    with ThreadPoolExecutor(30) as pool:
        slow = [pool.submit(talk, service, _head(service, 100), b"x", pause=0.1) for _ in range(30)]
        with service.client("reader") as client:
            started = time.monotonic()
            assert client.get("/v1/jobs").status_code == 200
            assert time.monotonic() - started < 2
        assert all(answer.result(60).startswith(b"HTTP/1.1 408 ") for answer in slow)


@pytest.mark.parametrize("head", [b"", b"GET /healthz HT", b"GET /healthz HTTP/1.1\r\nHost: x\r\n"])
def test_a_head_that_does_not_come_is_not_waited_for_long(service, head):
    place = urlsplit(service.url)
    started = time.monotonic()
    with socket.create_connection((place.hostname, place.port), timeout=20) as connection:
        for byte in head:
            connection.sendall(bytes([byte]))
        assert connection.recv(65536) == b"", "closed without a word"
    assert 1 < time.monotonic() - started < 10


def test_a_client_that_goes_away_leaves_no_trace_but_a_line(service):
    before = len(service.log_lines())
    place = urlsplit(service.url)
    for body in (b"", b'[{"id": 7777,'):
        with socket.create_connection((place.hostname, place.port)) as connection:
            connection.sendall(_head(service, 50, "/v1/jobs/batch") + body)
            time.sleep(0.2)
    with service.client("reader") as client:
        until = time.monotonic() + 10
        while len(service.log_lines()) < before + 2 and time.monotonic() < until:
            time.sleep(0.05)
        assert client.get("/v1/jobs/7777").status_code == 404
    gone = [line for line in service.log_lines()[before:] if line.get("path") == "/v1/jobs/batch"]
    assert [(line["event"], line["status"]) for line in gone] == [("request", 400)] * 2


@pytest.mark.parametrize(
    "request_",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: " + b"x" * 200_000 + b"\r\n\r\n",
        b"GET /" + b"x" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: b\r\n c: d\r\n\r\n",
        b"GET /v1/jobs HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    ],
    ids=lambda request: repr(request[:30]),
)
def test_what_is_hardly_http_is_answered_without_a_trace(service, request_):
    answer = talk(service, request_)
    assert re.match(rb"HTTP/1\.1 (200|4\d\d) |$", answer), answer[:99]
    assert not TRACE.search(answer.decode("latin-1"))
    with service.client(None) as client:
        assert client.get("/healthz").status_code == 200


def test_long_header_values_of_a_well_formed_request_are_no_harm(service):
    with service.client("reader") as client:
        for name in ("Accept", "If-None-Match", "Idempotency-Key", "X-Hard-Delete", "Content-Type", "Host"):
            response = client.get("/v1/reports/hires-by-quarter?year=2021", headers={name: "x" * 30_000})
            assert response.status_code in (404, 406), name
        assert client.get("/v1/jobs", headers={KEY_HEADER: "x" * 30_000}).status_code == 401


def test_too_many_requests_of_one_key_are_told_when_to_come_again(new_service):
    with new_service(PEOPLE_RATE_LIMIT="5").running() as service:
        with service.client("reader") as client, service.client("writer") as other:
            statuses = [client.get("/v1/jobs").status_code for _ in range(7)]
            refused = client.get("/v1/jobs")
            assert statuses == [200] * 5 + [429] * 2
            assert 1 <= int(refused.headers["Retry-After"]) <= 61
            assert refused.json() == {"detail": "too many requests", "errors": []}
            assert other.get("/v1/jobs").status_code == 200, "another key has its own count"
            assert client.get("/healthz").status_code == 200
        with service.client(None) as stranger:
            answers = [stranger.get("/v1/jobs", headers={KEY_HEADER: f"tw_{n}_x"}).status_code for n in range(7)]
            assert answers == [401] * 5 + [429] * 2, "guessing is counted by address"


def test_while_the_database_is_away_the_service_says_so_and_comes_back_with_it(service, server):
    name = urlsplit(service.database.url).path[1:]
    with service.client("admin") as client, psycopg.connect(server.url("postgres"), autocommit=True) as admin:
        client.get("/v1/jobs")
        admin.execute(f"alter database {name} with allow_connections false")
        try:
            admin.execute(f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'")
            for method, path, body in (
                ("GET", "/healthz", None),
                ("GET", "/v1/jobs", None),
                ("POST", "/v1/jobs/batch", [{"id": 1, "name": "x"}]),
                ("GET", "/v1/rejects", None),
                ("POST", "/v1/backups/jobs", None),
            ):
                response = client.request(method, path, json=body)
                assert response.json() == {"detail": "the database can't answer now; try again", "errors": []}
                assert response.status_code == 503
        finally:
            admin.execute(f"alter database {name} with allow_connections true")
        assert client.get("/healthz").status_code == 200
        assert client.get("/v1/jobs").status_code == 200


def test_a_table_that_is_locked_is_not_waited_for_for_ever(service):
    with psycopg.connect(service.database.url) as holder, service.client("admin") as client:
        holder.execute("lock table jobs in access exclusive mode")
        started = time.monotonic()
        response = client.get("/v1/jobs")
        assert (response.status_code, response.json()["errors"]) == (503, [])
        assert time.monotonic() - started < 10
        holder.rollback()
        assert client.get("/v1/jobs").status_code == 200


def test_more_requests_than_connections_wait_their_turn(service):
    with service.client("reader") as client, ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(lambda _: client.get("/v1/jobs").status_code, range(200)))
    assert set(answers) == {200}


def test_a_published_file_that_can_not_be_read_is_said_without_its_place(service):
    publish(service.home, "2021-01-01", "a" * 64, [(2021, "x", "y", 1, 2, 3, 4)], [])
    path = service.home / "published" / "tradewinds.duckdb"
    path.write_bytes(path.read_bytes()[:100])
    with service.client("reader") as client:
        response = client.get("/v1/reports/hires-by-quarter?year=2021")
        assert response.status_code == 503
        assert response.json()["detail"] == "what is published can't be read now; try again"
        publish(service.home, "2021-01-01", "c" * 64, [(2021, "x", "y", 1, 2, 3, 4)], [])
        assert client.get("/v1/reports/hires-by-quarter?year=2021").status_code == 200


def test_a_failure_that_nobody_thought_of_is_a_line_and_its_trace_is_in_the_log(service):
    service.database.execute("alter table rejected_rows rename to away")
    try:
        with service.client("writer") as client:
            response = client.post("/v1/jobs/batch", json=[{"id": 0, "name": "x"}])
        assert response.status_code in (500, 503)
        assert not TRACE.search(response.text)
        _wait_for_line(service, response.headers["X-Request-ID"])
    finally:
        service.database.execute("alter table away rename to rejected_rows")
    assert any("UndefinedTable" in line.get("traceback", "") for line in service.log_lines())


def test_no_secret_is_in_logs_answers_or_the_arguments_of_processes(service):
    """After all that the tests before it did: every request was logged, with its key's id."""
    with service.client("writer") as client:
        response = client.post("/v1/employees/batch", json=[employee(1)])
        _wait_for_line(service, response.headers["X-Request-ID"])
    secrets = [key.split("_", 2)[2] for key in service._keys.values()]
    secrets.append(urlsplit(service.database.url).password)
    for path in service.home.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        assert not [secret for secret in secrets if secret.encode() in content], path
    arguments = b"\n".join(_arguments())
    assert b"serve" in arguments
    assert not [secret for secret in secrets if secret.encode() in arguments]
    last = [line for line in service.log_lines() if line.get("table") == "employees"][-1]
    assert set(last) >= {"time", "level", "event", "request_id", "key_id", "method", "path", "status", "seconds"}
    assert last["key_id"] == service.key("writer").split("_")[1]


def test_the_log_goes_on_in_a_new_file_when_it_is_rotated(service):
    """Fails if a line is lost: what rotates logs renames the file, and tells nobody."""
    with service.client("reader") as client:
        _wait_for_line(service, client.get("/v1/jobs").headers["X-Request-ID"])
        rotated = service.log_path.rename(service.log_path.with_suffix(".1"))
        _wait_for_line(service, client.get("/v1/jobs").headers["X-Request-ID"])
    assert len(service.log_lines()) == 1
    service.log_path.write_bytes(rotated.read_bytes() + service.log_path.read_bytes())
    rotated.unlink()


def _wait_for_line(service: PeopleService, request_id: str) -> None:
    """Wait for a request's line, which is written when its answer is on its way."""
    until = time.monotonic() + 10
    while not service.log_path.exists() or request_id not in service.log_path.read_text():
        assert time.monotonic() < until
        time.sleep(0.02)


def _arguments() -> list[bytes]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes())
        except OSError:
            continue  # it has ended meanwhile
    return found


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("PEOPLE_RATE_LIMIT", "many"),
        ("PEOPLE_RATE_LIMIT", "-1"),
        ("PEOPLE_MAX_BODY_BYTES", "1"),
        ("PEOPLE_TIMEOUT_SECONDS", "0"),
        ("PEOPLE_CONNECTIONS", "1.5"),
    ],
)
def test_a_setting_is_read_strictly(monkeypatch, setting, value):
    monkeypatch.setenv(setting, value)
    with pytest.raises(BadRequest, match=rf"^{setting} must be a whole number from \d+, not '{re.escape(value)}'$"):
        ServiceSettings.from_environment()


def test_a_setting_that_can_not_be_read_stops_the_service_before_it_starts(new_service):
    done = new_service(PEOPLE_RATE_LIMIT="many").run("serve", "--port", "0")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "tradewinds: PEOPLE_RATE_LIMIT must be a whole number from 0, not 'many'\n"


def test_a_service_that_can_not_start_says_why_in_one_line(service, new_service):
    port = str(urlsplit(service.url).port)
    taken = new_service().run("serve", "--port", port)
    assert (taken.returncode, taken.stdout) == (1, "")
    assert taken.stderr == f"tradewinds: the people service can't listen on 127.0.0.1:{port}\n"
    lost = new_service()
    lost.environment["PEOPLE_DATABASE_URL"] = "postgresql://somebody:hidden@127.0.0.1:9/people"
    done = lost.run("serve", "--port", "0")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "hidden" not in done.stderr


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_service_after_the_requests_under_way(new_service, how):
    service = new_service()
    service.start()
    with psycopg.connect(service.database.url) as owner, ThreadPoolExecutor(1) as pool, service.client() as client:
        owner.execute("insert into jobs values (5, 'theirs')")
        asked = pool.submit(client.post, "/v1/jobs/batch", json=[{"id": 5, "name": "x"}])
        service.database.wait_for_waiting()
        service.process.send_signal(how)
        time.sleep(0.3)
        owner.rollback()
        assert asked.result(30).json()["accepted"] == 1
    _, errors = service.process.communicate(timeout=60)
    assert service.process.returncode in {signal.SIGTERM: (0, 143), signal.SIGINT: (0, 130)}[how]
    assert "Traceback" not in errors
    assert service.log_lines()[-1]["event"] == "stopped"
    with pytest.raises(httpx.ConnectError), service.client(None) as client:
        client.get("/healthz")


def test_with_nothing_configured_the_service_runs_the_embedded_database_and_stops_it(new_service):
    service = new_service()
    del service.environment["PEOPLE_DATABASE_URL"]
    service.by_script = True  # its arguments are looked at
    embedded = EmbeddedPostgres(service.home)
    try:
        service.start()
        with service.client(None) as client:
            assert client.get("/healthz").status_code == 200
        assert embedded.is_running()
        made = service.run("key", "create", "--name", "x", "--role", "reader").stdout.strip()
        with service.client(None) as client:
            assert client.get("/v1/jobs", headers={KEY_HEADER: made}).json()["items"] == []
        password = urlsplit(embedded.url("people")).password.encode()
        assert password not in b"\n".join(_arguments())
        assert password not in service.log_path.read_bytes()
        assert service.stop() in (0, 143)
        assert not embedded.is_running()
    finally:
        if service.process.poll() is None:
            service.stop(signal.SIGKILL)
        embedded.remove()
