"""The community marts equal what plain Python computes from the served JSON, on every engine."""

from collections import Counter
from decimal import ROUND_HALF_UP, Decimal

import pytest

from ingestion.embedded.postgres import EmbeddedPostgres
from ingestion.settings import Home
from tests.python.built import BuiltHomes
from tests.python.community import FaultyApi, read_rows
from tests.python.marts import TARGETS, Rows, read_marts
from tests.python.sandbox import Sandbox, make_warehouse, warehouse_settings

DAY = "2021-01-02"
MARTS = ("dim_users", "dim_posts", "fct_comments", "todos_completion_by_user")
BAD_TODO = '{"userId": 1,  "id": 202, "title": "when?", "completed": "later"}'


@pytest.fixture(scope="module")
def rows(server: EmbeddedPostgres, built_homes: BuiltHomes) -> Rows:
    """The sample and what is odd: a comment on no post, a post and a task of nobody, thirds, and text of all kinds."""
    found = read_rows(Home(server.home).sources / "community")
    found["users"] += [{"id": 11, "name": "Idle", "username": "idle"}, {"id": 12, "name": "No", "username": "none"}]
    found["posts"].append({"userId": 99, "id": 101, "title": "=1+1", "body": 'quote " and \\ and\ttab'})
    found["comments"].append({"postId": 999, "id": 501, "name": "lost", "email": "a@b.example", "body": "…\n"})
    found["todos"].append({"userId": 99, "id": 201, "title": "nobody's", "completed": True})
    found["todos"] += [{"userId": 11, "id": 300 + n, "title": "t", "completed": n == 0} for n in range(3)]
    return found


@pytest.fixture(scope="module")
def ran(
    server: EmbeddedPostgres, built_homes: BuiltHomes, rows: Rows, tmp_path_factory: pytest.TempPathFactory
) -> Sandbox:
    """The sample on the first day, the odd rows and a reject on the second; both on DuckDB, the second on Postgres."""
    sandbox = built_homes.copy(tmp_path_factory.mktemp("community"))
    api = FaultyApi(rows)
    api.rows["todos"].append(BAD_TODO.encode())
    with api.running() as url:
        sandbox.settings["SOURCES__COMMUNITY__BASE_URL"] = url
        sandbox.succeed("run", "--run-date", DAY)
    sandbox.settings |= warehouse_settings(make_warehouse(server)) | {"TRADEWINDS_TARGET": "duckdb"}
    for step in ("load", "build"):
        sandbox.succeed(step, "--run-date", DAY, "--source", "community", "--target", "postgres")
    return sandbox


@pytest.fixture(scope="module", params=TARGETS)
def marts(ran: Sandbox, request: pytest.FixtureRequest) -> Rows:
    """The built marts' rows."""
    found = read_marts(ran, request.param, [f"community.{mart}" for mart in MARTS])
    return {relation.removeprefix("community."): rows for relation, rows in found.items()}


def _sorted(rows: list[dict], key: str) -> list[dict]:
    return sorted(rows, key=lambda row: row[key])


def test_users_are_those_served_with_their_address_and_company(marts: Rows, rows: Rows) -> None:
    expected = []
    for user in rows["users"]:
        address, company = user.get("address", {}), user.get("company", {})
        place = address.get("geo", {})
        expected.append(
            {
                "user_id": user["id"], "username": user["username"], "full_name": user["name"],
                "email": user.get("email"), "phone": user.get("phone"), "website": user.get("website"),
                "street": address.get("street"), "suite": address.get("suite"), "city": address.get("city"),
                "postal_code": address.get("zipcode"), "company_name": company.get("name"),
                "company_catch_phrase": company.get("catchPhrase"), "company_business": company.get("bs"),
                "latitude": float(place["lat"]) if place else None,
                "longitude": float(place["lng"]) if place else None,
            }
        )  # fmt: skip
    assert _sorted(marts["dim_users"], "user_id") == expected


def test_posts_count_their_comments(marts: Rows, rows: Rows) -> None:
    counts = Counter(comment["postId"] for comment in rows["comments"])
    assert _sorted(marts["dim_posts"], "post_id") == [
        {
            "post_id": post["id"], "user_id": post["userId"], "post_title": post["title"], "post_body": post["body"],
            "comment_count": counts[post["id"]],
        }
        for post in rows["posts"]
    ]  # fmt: skip
    assert 0 in {row["comment_count"] for row in marts["dim_posts"]}


def test_comments_know_who_wrote_the_post(marts: Rows, rows: Rows) -> None:
    authors = {post["id"]: post["userId"] for post in rows["posts"]}
    assert _sorted(marts["fct_comments"], "comment_id") == [
        {
            "comment_id": comment["id"], "post_id": comment["postId"], "post_author_id": authors.get(comment["postId"]),
            "comment_title": comment["name"], "author_email": comment["email"], "comment_body": comment["body"],
        }
        for comment in rows["comments"]
    ]  # fmt: skip
    assert [row["comment_id"] for row in marts["fct_comments"] if row["post_author_id"] is None] == [501]


def test_what_is_done_is_counted_by_user(marts: Rows, rows: Rows) -> None:
    todos = Counter(todo["userId"] for todo in rows["todos"])
    completed = Counter(todo["userId"] for todo in rows["todos"] if todo["completed"])
    found = _sorted(marts["todos_completion_by_user"], "user_id")
    assert found == [
        {
            "user_id": user["id"], "username": user["username"], "todo_count": todos[user["id"]],
            "completed_count": completed[user["id"]],
            "completion_rate": _rate(completed[user["id"]], todos[user["id"]]),
        }
        for user in rows["users"]
    ]  # fmt: skip
    assert [str(row["completion_rate"]) for row in found[-2:]] == ["0.3333", "None"]


def _rate(completed: int, count: int) -> Decimal | None:
    return (Decimal(completed) / count).quantize(Decimal("0.0001"), ROUND_HALF_UP) if count else None


def test_a_rejected_row_is_in_quarantine_and_listed_once(ran: Sandbox) -> None:
    query = "select run_date::varchar, table_name, file, line_number, rule, raw_text from quarantine.rejected_rows"
    place = (DAY, "todos", "/todos?_limit=500&_page=1", 205, "completed has the wrong type", BAD_TODO)
    assert ran.query(f"{query} where source = 'community'") == [place]
    listed = ran.succeed("rejects", "list", "--run-date", DAY, "--source", "community", "--format", "json")
    assert listed.count("when?") == 1


def test_every_list_is_reconciled(ran: Sandbox, rows: Rows) -> None:
    counted = ran.query(
        "select table_name, read_count, rejected_at_extract_count, staging_count, mart_count, is_reconciled "
        f"from ops.fct_reconciliation where source_name = 'community' and run_date = '{DAY}'"
    )
    in_marts = {"users", "posts", "comments"}
    assert sorted(counted) == sorted(
        (
            table, len(served) + (table == "todos"), int(table == "todos"), len(served),
            len(served) if table in in_marts else None, True,
        )
        for table, served in rows.items()
    )  # fmt: skip


def test_what_has_no_parent_is_kept_and_published(ran: Sandbox) -> None:
    assert ran.published("select comment_id from community.fct_comments where post_author_id is null") == [(501,)]
    assert ran.published("select post_id from community.dim_posts where user_id = 99") == [(101,)]
