"""The people service over HTTP: rows, batches, rejects and reports."""

import csv
import io
import json
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from uuid import uuid4

import httpx
import psycopg
import pytest

from tests.python.people_service import PeopleService, employee, publish

IDS = count(1_000)
DOOR = "/v1/departments"


@pytest.fixture(scope="module")
def client(shared_service: PeopleService):
    """A client that may do everything, of a service that has department 1 and job 1."""
    shared_service.database.execute("insert into departments values (1, 'one')")
    shared_service.database.execute("insert into jobs values (1, 'one')")
    with shared_service.client() as client:
        yield client


def made(client: httpx.Client, name: str = "Sales") -> int:
    """Make a department and return its id."""
    id_ = next(IDS)
    assert client.post(DOOR, json={"id": id_, "name": name}).status_code == 201
    return id_


def said(response: httpx.Response, status: int) -> str:
    """Return the one line of a refusal, and what is behind it."""
    assert response.status_code == status, response.text
    assert set(response.json()) == {"detail", "errors"}
    return "; ".join([response.json()["detail"], *response.json()["errors"]])


@pytest.mark.parametrize("table", ["departments", "jobs", "employees"])
def test_a_row_lives_from_its_creation_to_its_removal(client, table):
    id_ = next(IDS)
    row = employee(id_) if table == "employees" else {"id": id_, "name": "Research"}
    place, values = f"/v1/{table}/{id_}", {field: value for field, value in row.items() if field != "id"}
    created = client.post(f"/v1/{table}", json=row)
    assert (created.status_code, created.headers["Location"]) == (201, place)
    assert created.json() == row | {"is_active": True} == client.get(place).json()
    assert said(client.post(f"/v1/{table}", json=row), 409).startswith(f"{table} has {id_} already; PUT replaces it")
    assert client.patch(place, json={"name": "Renamed"}).json() == row | {"name": "Renamed", "is_active": True}
    assert client.patch(place, json={}).json()["name"] == "Renamed"
    assert client.put(place, json=values).json() == row | {"is_active": True}
    assert client.delete(place).status_code == 204
    assert said(client.get(place), 404) == f"{table} has no {id_}"
    assert said(client.patch(place, json={"name": "x"}), 404) == f"{table} has no {id_}"
    assert said(client.delete(place), 404) == f"{table} has no {id_}"
    assert client.put(place, json=values | {"name": "Back"}).json() == row | {"name": "Back", "is_active": True}
    assert client.get(place).json()["name"] == "Back"
    assert client.delete(place).status_code == 204
    assert client.delete(place, headers={"X-Hard-Delete": "true"}).status_code == 204
    assert said(client.put(place, json=values), 404) == f"{table} has no {id_}"
    assert client.post(f"/v1/{table}", json=row).status_code == 201


def test_what_is_deleted_softly_stays_in_the_database_and_hard_goes(client, shared_service):
    soft, hard = made(client), made(client)
    client.delete(f"{DOOR}/{soft}", headers={"X-Hard-Delete": "false"})
    client.delete(f"{DOOR}/{hard}", headers={"X-Hard-Delete": "true"})
    kept = shared_service.database.query(f"select id, is_active from departments where id in ({soft}, {hard})")
    assert kept == [(soft, False)]
    assert "header.X-Hard-Delete" in said(client.delete(f"{DOOR}/{soft}", headers={"X-Hard-Delete": "yes"}), 422)


def test_what_is_pointed_to_is_not_removed(client):
    department, id_ = made(client), next(IDS)
    client.post("/v1/employees", json=employee(id_, department_id=department))
    refusal = said(client.delete(f"{DOOR}/{department}", headers={"X-Hard-Delete": "true"}), 409)
    assert refusal == f'Key (id)=({department}) is still referenced from table "employees".'
    assert client.get(f"{DOOR}/{department}").status_code == 200


@pytest.mark.parametrize("method", ["post", "put", "patch"])
def test_a_parent_must_exist(client, method):
    id_ = next(IDS)
    place, row = f"/v1/employees/{id_}", employee(id_)
    if method != "post":
        client.post("/v1/employees", json=row)
    changed = row | {"department_id": 999_999}
    if method == "post":
        response = client.post("/v1/employees", json=changed)
    else:
        del changed["id"]
        response = client.request(method, place, json=changed)
    assert said(response, 409) == 'Key (department_id)=(999999) is not present in table "departments".'


def test_lists_come_in_pages_by_id(client):
    made_ids = [made(client, f"page {number}") for number in range(5)]
    client.delete(f"{DOOR}/{made_ids[2]}")
    everything = client.get(DOOR, params={"limit": 1_000}).json()
    ids = [row["id"] for row in everything["items"]]
    assert ids == sorted(ids)
    assert (everything["total"], everything["limit"], everything["offset"]) == (len(ids), 1_000, 0)
    assert set(made_ids) - set(ids) == {made_ids[2]}
    paged = []
    while page := client.get(DOOR, params={"limit": 2, "offset": len(paged)}).json()["items"]:
        paged += page
    assert paged == everything["items"]
    inactive = client.get(DOOR, params={"limit": 1_000, "include_inactive": "true"}).json()
    assert {row["id"]: row["is_active"] for row in inactive["items"]}[made_ids[2]] is False


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=1001",
        "limit=-1",
        "limit=1_0",
        "limit=%207",
        "limit=7.0",
        "limit=",
        "limit=%D9%A7",
        "offset=-1",
        "offset=99999999999",
        "include_inactive=yes",
        "sort=name",
    ],
)
def test_a_query_is_read_strictly(client, query):
    assert said(client.get(f"{DOOR}?{query}"), 422).startswith("the request breaks the data dictionary; query.")


@pytest.mark.parametrize("id_", ["0", "2147483648", "9" * 400])
def test_an_id_out_of_range_is_no_place(client, id_):
    assert said(client.get(f"{DOOR}/{id_}"), 422).startswith("the request breaks the data dictionary; path.id: ")


@pytest.mark.parametrize("id_", ["-1", "1.0", "x", "1e3", "%00", "1/2", "٧"])
def test_what_is_no_id_is_not_found(client, id_):
    assert said(client.get(f"{DOOR}/{id_}"), 404) == "Not Found"


BAD_BODIES = {
    '{"id": "12", "name": "x"}': "body.id",
    '{"id": 12.5, "name": "x"}': "body.id",
    '{"id": NaN, "name": "x"}': "body.id",
    '{"id": true, "name": "x"}': "body.id",
    '{"id": 2147483648, "name": "x"}': "body.id",
    '{"id": 5, "name": 111111111111111111111111}': "body.name",
    '{"id": 5, "name": "a\\u0000b"}': "body.name",
    '{"id": 5, "name": "\\ud800"}': "body.name",
    '{"id": 5, "name": null}': "body.name",
    '{"id": 5}': "body.name",
    '{"id": 5, "name": "x", "is_active": true}': "body.is_active",
    '{"id": 5, "name": "x", "\\ud800": 1}': "body",
    '{"id": 5, "id": 6, "name": "x"}': "body",
    '[{"id": 5, "name": "x"}]': "body",
    "5": "body",
    "": "body",
    "{": "body",
    "[" * 100_000: "body",
    '{"id":' * 100_000: "body",
}


@pytest.mark.parametrize("body", BAD_BODIES, ids=lambda body: body[:40])
def test_a_body_is_read_strictly(client, body):
    response = client.post(DOOR, content=body, headers={"Content-Type": "application/json"})
    assert f"; {BAD_BODIES[body]}" in said(response, 422)


def test_a_body_in_another_encoding_or_of_another_type_is_refused(client):
    for content in (b'{"id": 5, "name": "\xff"}', '{"id": 5, "name": "x"}'.encode("utf-16")):
        said(client.post(DOOR, content=content, headers={"Content-Type": "application/json"}), 422)
    said(client.post(DOOR, content=b'{"id": 5, "name": "x"}', headers={"Content-Type": "text/plain"}), 422)
    said(client.post(DOOR, content=b'{"id": 5, "name": "x"}'), 422)
    assert client.get(f"{DOOR}/5").status_code == 404


def test_another_method_is_told_which_there_are(client):
    for path, allowed in ((DOOR, "GET, POST"), (f"{DOOR}/5", "DELETE, GET, PATCH, PUT"), (f"{DOOR}/batch", "POST")):
        for method in ("TRACE", "HEAD") if path.endswith("batch") else ("TRACE",):
            response = client.request(method, path)
            assert (response.status_code, response.headers["Allow"]) == (405, allowed)


@pytest.mark.parametrize("path", [DOOR, f"{DOOR}/1", "/healthz", "/metrics", "/v1/rejects", "/openapi.json"])
def test_head_is_answered_as_http_has_it(client, path):
    """A HEAD is a GET without its body, or isn't there; either way the connection stays of use."""
    response = client.head(path)
    assert response.status_code in (200, 405)
    assert response.content == b""
    assert client.get(path).status_code == 200


def batch(client: httpx.Client, rows, table: str = "employees", key: str | None = None) -> httpx.Response:
    return client.post(f"/v1/{table}/batch", json=rows, headers={"Idempotency-Key": key} if key else {})


def test_a_batch_takes_the_good_rows_and_says_why_not_the_others(client, shared_service):
    first = next(IDS)
    rows = [
        employee(first),
        employee(first),
        {"id": first + 1},
        "x",
        employee(first + 2, job_id=99),
        employee(first + 3),
    ]
    before = shared_service.counts("employees")
    answer = batch(client, rows).json()
    assert (answer["accepted"], answer["rejected"]) == (2, 4)
    assert answer["rejects"] == [
        {"row": 2, "reasons": [f"id: {first} is row 1's already"]},
        {
            "row": 3,
            "reasons": ["name: missing", "hiring_date: missing", "department_id: missing", "job_id: missing"],
        },
        {"row": 4, "reasons": ["row: not an object"]},
        {"row": 5, "reasons": ["job_id: jobs has no 99"]},
    ]
    assert shared_service.counts("employees") == (before[0] + 2, before[1] + 4)
    logged = client.get("/v1/rejects", params={"batch_id": answer["batch_id"]}).json()
    assert logged["total"] == 4
    assert [{"row": item["row"], "reasons": item["reasons"]} for item in logged["items"]] == answer["rejects"]
    assert [json.loads(item["payload"]) for item in logged["items"]] == rows[1:5]
    assert {(item["table"], item["source"], item["batch_id"]) for item in logged["items"]} == {
        ("employees", "api", answer["batch_id"])
    }


def test_a_rejected_row_is_logged_as_it_was_written(client):
    texts = [
        '{"id": 12.50, "name": "\\u0041\\u0000\\ud800"}',
        '{"id": 5,   "id": 6, "name": "é"}',
        '{"id": NaN, "name": 111111111111111111111111}',
        "[" * 900 + "]" * 900,
    ]
    body = f"[{' , '.join(texts)}]".encode()
    answer = client.post("/v1/jobs/batch", content=body, headers={"Content-Type": "application/json"}).json()
    logged = client.get("/v1/rejects", params={"batch_id": answer["batch_id"]}).json()["items"]
    assert [item["payload"] for item in logged] == texts
    assert [item["reasons"] for item in logged] == [
        ["id: not an integer", "name: not Unicode text"],
        ["row: names a field twice"],
        ["id: not an integer", "name: not a text"],
        ["row: not an object"],
    ]


@pytest.mark.parametrize("rows", [0, 1_001])
def test_a_batch_of_none_or_too_many_writes_nothing(client, shared_service, rows):
    before = shared_service.counts("jobs")
    refusal = said(batch(client, [{"id": next(IDS), "name": ""}] * rows, "jobs"), 422)
    assert f"at {'most' if rows else 'least'} {1_000 if rows else 1} item" in refusal
    assert shared_service.counts("jobs") == before


@pytest.mark.parametrize("rows", [1, 1_000])
def test_a_batch_of_one_or_a_thousand_is_taken(client, rows):
    first = 100_000 * rows
    answer = batch(client, [{"id": first + number, "name": "x"} for number in range(rows)], "jobs").json()
    assert (answer["accepted"], answer["rejected"], answer["rejects"]) == (rows, 0, [])


def test_a_retried_batch_counts_once(client, shared_service):
    rows, key = [employee(next(IDS)), employee(next(IDS), name="")], uuid4().hex
    first = batch(client, rows, key=key)
    before = shared_service.counts("employees")
    again = batch(client, rows, key=key)
    assert (again.status_code, again.json()) == (200, first.json())
    assert shared_service.counts("employees") == before


def test_a_key_that_was_used_for_another_batch_is_refused(client, shared_service):
    key, id_ = uuid4().hex, next(IDS)
    assert batch(client, [{"id": id_, "name": "x"}], "jobs", key).status_code == 200
    before = shared_service.counts("departments")
    for rows, table in (([{"id": id_, "name": "y"}], "jobs"), ([{"id": id_, "name": "x"}], "departments")):
        assert said(batch(client, rows, table, key), 409) == "this Idempotency-Key was used for another batch"
    assert shared_service.counts("departments") == before


def test_a_key_is_its_holders_own(client, shared_service):
    key, id_ = uuid4().hex, next(IDS)
    assert batch(client, [{"id": id_, "name": "x"}], "jobs", key).json()["accepted"] == 1
    with shared_service.client("writer") as other:
        assert batch(other, [{"id": id_, "name": "x"}], "jobs", key).json()["rejected"] == 1


def test_a_batch_that_was_refused_leaves_its_key_free(client):
    key, id_ = uuid4().hex, next(IDS)
    said(batch(client, [], "jobs", key), 422)
    assert batch(client, [{"id": id_, "name": "x"}], "jobs", key).json()["accepted"] == 1


@pytest.mark.parametrize("key", ["", "a b", "x" * 201, "é"])
def test_a_key_has_a_shape(client, key):
    response = client.post("/v1/jobs/batch", json=[{"id": 1, "name": "x"}], headers={"Idempotency-Key": key.encode()})
    assert "Idempotency-Key" in said(response, 422)


def test_a_retry_that_comes_while_the_batch_is_under_way_waits_for_its_answer(client, shared_service):
    """The first waits for a row's owner; five retries wait for the first; all get one answer."""
    id_, key = next(IDS), uuid4().hex
    with psycopg.connect(shared_service.database.url) as owner, ThreadPoolExecutor(6) as pool:
        owner.execute(f"insert into jobs values ({id_}, 'theirs')")
        asked = [pool.submit(batch, client, [{"id": id_, "name": "x"}], "jobs", key) for _ in range(6)]
        shared_service.database.wait_for_waiting(6)
        owner.rollback()
        answers = [waited.result(60).json() for waited in asked]
    assert answers == [answers[0]] * 6
    assert (answers[0]["accepted"], answers[0]["rejected"]) == (1, 0)


def test_rejects_are_listed_by_table_and_in_pages(client):
    jobs = batch(client, [{"id": 0}] * 5, "jobs").json()["batch_id"]
    batch(client, [{"id": 0}], "departments")
    page = client.get("/v1/rejects", params={"batch_id": jobs, "limit": 2, "offset": 3}).json()
    assert (page["total"], [item["row"] for item in page["items"]]) == (5, [4, 5])
    assert client.get("/v1/rejects", params={"batch_id": jobs, "table": "departments"}).json()["total"] == 0
    assert {item["table"] for item in client.get("/v1/rejects?table=departments").json()["items"]} == {"departments"}
    said(client.get("/v1/rejects?batch_id=7"), 422)
    said(client.get("/v1/rejects?table=api_keys"), 422)


def test_health_and_metrics_are_said(client, shared_service):
    assert client.get("/healthz").json() == {"status": "ok"}
    id_ = next(IDS)
    before = _metric(client, 'people_rows_total{table="jobs",verdict="accepted"}')
    batch(client, [{"id": id_, "name": "x"}, {"id": id_}], "jobs")
    assert _metric(client, 'people_rows_total{table="jobs",verdict="accepted"}') == before + 1
    client.get(f"{DOOR}/1")
    assert _metric(client, 'people_requests_total{method="GET",route="/v1/departments/{id:int}",status="200"}') >= 1


def test_an_answer_on_an_open_connection_is_not_held_back(client):
    """Nagle's algorithm would hold it until the client has confirmed what came before: 40 ms."""
    seconds = [client.get("/healthz").elapsed.total_seconds() for _ in range(40)]
    assert sorted(seconds)[10] < 0.03


def _metric(client: httpx.Client, name: str) -> float:
    lines = [line for line in client.get("/metrics").text.splitlines() if line.startswith(f"{name} ")]
    return float(lines[0].rpartition(" ")[2]) if lines else 0.0


HIRES = [
    (2021, "Sales", "Clerk", 1, 0, 2, 0),
    (2021, "=cmd()", "+Boss", 0, 3, 0, 0),
    (2021, "Sales", "Boss", 0, 0, 0, 1),
    (2020, "Sales", "Clerk", 9, 9, 9, 9),
]
ABOVE = [(2021, 3, "Sales", 10), (2021, 1, "=cmd()", 30), (2021, 2, "\tTab", 20), (2020, 3, "Sales", 4)]
QUARTERS, MEAN = "/v1/reports/hires-by-quarter", "/v1/reports/departments-above-mean"


@pytest.fixture
def reports(client, shared_service):
    """A client, and the first version of the reports."""
    publish(shared_service.home, "2021-01-01", "a" * 64, HIRES, ABOVE)
    return client


def test_before_the_first_publish_there_is_no_report(new_service):
    with new_service().running() as service, service.client("reader") as client:
        assert said(client.get(f"{QUARTERS}?year=2021"), 404) == "nothing is published yet; run: tradewinds run"


def test_reports_are_the_published_rows_of_a_year_in_the_order_they_are_read(reports):
    assert [list(row.values()) for row in reports.get(f"{QUARTERS}?year=2021").json()] == [
        [2021, "=cmd()", "+Boss", 0, 3, 0, 0],
        [2021, "Sales", "Boss", 0, 0, 0, 1],
        [2021, "Sales", "Clerk", 1, 0, 2, 0],
    ]
    above = reports.get(f"{MEAN}?year=2021").json()
    assert [(row["id"], row["hired"]) for row in above] == [(1, 30), (2, 20), (3, 10)]
    assert above[0] == {"hire_year": 2021, "id": 1, "department": "=cmd()", "hired": 30}
    assert reports.get(f"{QUARTERS}?year=1999").json() == []


def test_a_report_as_csv_holds_no_formula(reports):
    response = reports.get(f"{QUARTERS}?year=2021", headers={"Accept": "text/csv"})
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Vary"] == "Accept"
    rows = list(csv.reader(io.StringIO(response.text)))
    assert rows[0] == ["hire_year", "department", "job", "q1", "q2", "q3", "q4"]
    assert rows[1] == ["2021", "'=cmd()", "'+Boss", "0", "3", "0", "0"]
    assert rows[3] == ["2021", "Sales", "Clerk", "1", "0", "2", "0"]
    above = list(csv.reader(io.StringIO(reports.get(f"{MEAN}?year=2021&format=csv").text)))
    assert [row[2] for row in above] == ["department", "'=cmd()", "'\tTab", "Sales"]


@pytest.mark.parametrize(
    ("accept", "format_", "kind"),
    [
        (None, None, "json"),
        ("*/*", None, "json"),
        ("text/csv", None, "csv"),
        ("text/*", None, "csv"),
        ("application/json;q=0.5, text/csv;q=0.6", None, "csv"),
        ("text/csv;q=0, */*", None, "json"),
        ("TEXT/CSV", None, "csv"),
        ("text/html", None, None),
        ("application/json;q=0", None, None),
        ("text/csv;q=x", None, None),
        ("text/csv;q=nan", None, None),
        ("text/csv;q=inf", None, None),
        ("text/html", "csv", "csv"),
        ("text/csv", "json", "json"),
    ],
)
def test_the_format_is_what_is_asked_for(reports, accept, format_, kind):
    query = f"{QUARTERS}?year=2021" + (f"&format={format_}" if format_ else "")
    response = reports.get(query, headers={"Accept": accept} if accept else {})
    if kind is None:
        assert said(response, 406) == "reports are application/json or text/csv"
    else:
        assert response.headers["Content-Type"].startswith({"json": "application/json", "csv": "text/csv"}[kind])


@pytest.mark.parametrize(
    "query", ["", "year=21", "year=2021.0", "year=1899", "year=2200", "year=2021&format=xml", "y=1"]
)
def test_a_report_is_asked_for_strictly(reports, query):
    said(reports.get(f"{QUARTERS}?{query}"), 422)


def test_the_etag_is_the_published_version_and_spares_the_answer(reports, shared_service):
    etag = reports.get(f"{QUARTERS}?year=2021").headers["ETag"]
    assert etag == f'"2021-01-01-{"a" * 12}"'
    for tag in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        spared = reports.get(f"{QUARTERS}?year=2021", headers={"If-None-Match": tag})
        assert (spared.status_code, spared.content, spared.headers["ETag"]) == (304, b"", etag)
    assert reports.get(f"{QUARTERS}?year=2021", headers={"If-None-Match": '"other"'}).status_code == 200
    publish(shared_service.home, "2021-01-02", "b" * 64, [(2021, "New", "Clerk", 1, 2, 3, 4)], [])
    fresh = reports.get(f"{QUARTERS}?year=2021", headers={"If-None-Match": etag})
    assert (fresh.status_code, fresh.headers["ETag"]) == (200, f'"2021-01-02-{"b" * 12}"')
    assert [row["department"] for row in fresh.json()] == ["New"]
    assert reports.get(f"{MEAN}?year=2021").json() == []


def test_readers_see_one_whole_version_while_versions_are_published(reports, shared_service):
    """Four readers ask again and again; every answer's rows are those of its ETag, and the last version is seen."""
    versions = 10
    is_over, seen = [], []

    def read(place: str) -> None:
        with shared_service.client("reader") as client:
            while not is_over:
                time.sleep(0.01)
                response = client.get(f"{place}?year=2021")
                assert response.status_code == 200, response.text
                seen.append((response.headers["ETag"], {row.get("q1", row.get("hired")) for row in response.json()}))

    def version(number: int) -> None:
        rows = [(2021, f"D{row}", "Clerk", number, 0, 0, 0) for row in range(50)]
        above = [(2021, row, f"D{row}", number) for row in range(50)]
        publish(shared_service.home, "2021-02-01", f"{number:0>12}", rows, above)

    version(0)
    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read, place) for place in (QUARTERS, MEAN) * 2]
        for number in range(1, versions):
            version(number)
            time.sleep(0.05)
        time.sleep(0.2)
        is_over.append(True)
        for reader in readers:
            reader.result(60)
    assert all(etag == f'"2021-02-01-{next(iter(numbers)):0>12}"' for etag, numbers in seen if len(numbers) == 1)
    assert {len(numbers) for _, numbers in seen} == {1}
    assert len({etag for etag, _ in seen}) > 3
    assert reports.get(f"{QUARTERS}?year=2021").json()[0]["q1"] == versions - 1


def test_the_small_client_adds_reads_and_reports(shared_service, reports):
    key, first = shared_service.key("writer"), next(IDS)
    lines = [json.dumps(employee(first)), "", json.dumps(employee(first + 1_000_000, name="Zoë"))]
    done = shared_service.run("add", "employees", text="\n".join(lines), key=key)
    assert (done.returncode, done.stdout) == (0, "2 accepted, 0 rejected\n"), done.stderr
    bad = shared_service.run("add", "employees", text="\n".join([lines[0], json.dumps({"id": 0})]), key=key)
    assert bad.returncode == 1
    assert bad.stdout.splitlines()[:2] == ["0 accepted, 2 rejected", f"row 1: id: employees has {first} already"]
    assert bad.stderr == ""
    got = shared_service.run("get", "employees", str(first), key=key)
    assert json.loads(got.stdout) == employee(first, is_active=True)
    listed = shared_service.run("list", "departments", "--limit", "1", key=key)
    assert json.loads(listed.stdout)["id"] == 1
    report = shared_service.run("report", "hires-by-quarter", "--year", "2021", key=key)
    assert report.stdout.startswith("hire_year,department,job,q1,q2,q3,q4\n2021,'=cmd()")


def test_the_lines_of_a_file_count_once(shared_service, tmp_path):
    key, first = shared_service.key("writer"), next(IDS)
    file, before = tmp_path / "jobs.csv", shared_service.counts("jobs")
    lines = [f"{first},One", f"{first + 1_000_000},", f"{first + 2_000_000},Three", '"unclosed', f"{10**30},Long"]
    file.write_text("\n".join(["id,name", *lines]))
    words = ["add", "jobs", "--file", str(file), "--first-line", "3", "--lines", "3"]
    for _ in range(2):
        done = shared_service.run(*words, key=key)
        assert (done.returncode, done.stdout.splitlines()[0]) == (1, "1 accepted, 2 rejected"), done.stderr
        assert [line.partition(":")[0] for line in done.stdout.splitlines()[1:]] == ["line 3", "line 5"]
    whole = shared_service.run("add", "jobs", "--file", str(file), "--allow-rejects", key=key)
    assert (whole.returncode, whole.stdout.splitlines()[0]) == (0, "1 accepted, 4 rejected"), whole.stderr
    # Line 4 was taken before, in another batch: its id is a reject now, as are the three lines that are none.
    assert shared_service.counts("jobs") == (before[0] + 2, before[1] + 2 + 4)
    payloads = shared_service.database.query("select payload from rejected_rows where table_name = 'jobs'")
    assert any("unclosed" in text for (text,) in payloads)


@pytest.mark.parametrize(
    ("words", "text", "exit_code", "line"),
    [
        (["add", "jobs", "--file", "/nowhere/jobs.csv"], "", 1, "/nowhere/jobs.csv can't be read: No such file"),
        (["add", "jobs", "--lines", "5"], "", 2, "--first-line and --lines need --file"),
        (["add", "jobs"], "{", 2, "a row must be a JSON object, not '{'"),
        (["get", "jobs", "99999"], "", 3, "says 404: jobs has no 99999"),
        (["add", "api_keys", "{}"], "", 2, "'api_keys' is not one of"),
    ],
)
def test_the_small_client_ends_in_one_line(shared_service, words, text, exit_code, line):
    done = shared_service.run(*words, text=text, key=shared_service.key("writer"))
    assert (done.returncode, done.stdout) == (exit_code, "")
    (only,) = done.stderr.splitlines()
    assert line in only


def test_the_small_client_needs_a_key_and_a_service(shared_service, new_service):
    assert "PEOPLE_API_KEY isn't set" in shared_service.run("get", "jobs", "1").stderr
    refused = shared_service.run("get", "jobs", "1", key="tw_x_y")
    assert (refused.returncode, "says 401: the header X-API-Key must hold a key" in refused.stderr) == (3, True)
    gone = new_service()
    gone.url = "http://127.0.0.1:9"
    done = gone.run("get", "jobs", "1", key="tw_x_y")
    assert done.returncode == 1
    assert done.stderr.endswith("run: tradewinds people serve\n")
    assert len(done.stderr.splitlines()) == 1
