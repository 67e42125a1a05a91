"""`tradewinds mcp`: a client of the protocol's own package asks, gets exact answers, and is refused everything else."""

import csv
import json
import signal
import time
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import anyio
import pytest
from mcp import ClientSession, MCPError, StdioServerParameters
from mcp.client.stdio import stdio_client

from tests.python.sandbox import BUILT_DAY, COMMAND, Sandbox

TOOLS = {
    "list_marts", "describe_mart", "query", "list_metrics", "query_metrics", "lineage", "days", "rejected_rows",
}  # fmt: skip
SECONDS = 1
# What isn't a question on the published marts, and what its refusal says.
REFUSED = {
    "insert into sales.fct_orders select * from sales.fct_orders": "one query",
    "delete from sales.fct_orders": "one query",
    "create table sales.mine as select 1 as n": "one query",
    "copy sales.fct_orders to '{home}/out.csv'": "one query",
    "attach '{home}/warehouse/tradewinds.duckdb' as other": "one query",
    "pragma database_list": "one query",
    "set lock_configuration = false": "one query",
    "set memory_limit = '64GB'": "one query",
    "install httpfs": "one query",
    "load httpfs": "one query",
    "select 1; select 2": "one query",
    "": "empty query",
    "from read_csv('{home}/secret.csv')": "disabled by configuration",
    "from '{home}/secret.csv'": "disabled by configuration",
    "from read_text('{home}/secret.csv')": "disabled by configuration",
    "from glob('{home}/*')": "disabled by configuration",
    "from sqlite_scan('{home}/secret.csv', 't')": "disabled through configuration",
    "select nope from sales.fct_orders": "nope",
    "with recursive r (n) as (select 1 union all select n + 1 from r) select count(*) from r": "longer than 1 s",
    "select count(*) from range(100000000) as a, range(100000000) as b": "longer than 1 s",
    "select repeat('x', 3000000000)": "more memory",
}
ASKED = {
    "marts": ("list_marts", {}),
    "mart": ("describe_mart", {"mart": "fct_orders"}),
    "no mart": ("describe_mart", {"mart": "fct_nope"}),
    "by country": (
        "query",
        {"sql": "select ship_country, sum(net_amount_usd) from sales.orders_with_details group by 1 order by 1"},
    ),
    "cut by its limit": ("query", {"sql": "select order_id from sales.fct_orders", "limit": 3}),
    "cut by ours": ("query", {"sql": "select order_id from sales.fct_orders", "limit": 10000}),
    "cut by its length": ("query", {"sql": "select repeat('x', 90000) from range(5)"}),
    "metrics": ("list_metrics", {}),
    "metric": ("query_metrics", {"metrics": ["net_sales"]}),
    "by year": ("query_metrics", {"metrics": ["net_sales", "late_share"], "group_by": ["metric_time__year"]}),
    "no metric": ("query_metrics", {"metrics": ["net_sale"]}),
    "no dimension": ("query_metrics", {"metrics": ["net_sales"], "group_by": ["moon"]}),
    "no lineage": ("lineage", {"mart": "sales.fct_orders"}),
    "days": ("days", {}),
    "day": ("days", {"run_date": BUILT_DAY}),
    "no day": ("days", {"run_date": "yesterday"}),
    "rejects": ("rejected_rows", {}),
}


class Session:
    """What a client saw: the tools, each answer and whether it is an error, and the server's standard error."""

    def __init__(self, errors: Path):
        self.tools, self.read, self.errors = {}, [], errors
        self.answers: dict[str, tuple[bool, str]] = {}

    def answer(self, name: str) -> object:
        is_error, text = self.answers[name]
        assert not is_error, text
        return json.loads(text, parse_float=Decimal)

    def refusal(self, name: str) -> str:
        is_error, text = self.answers[name]
        assert is_error, text
        assert len(text.splitlines()) == 1
        return text

    async def hold(self, home: Path, environment: dict[str, str]) -> None:
        place = StdioServerParameters(
            command=str(COMMAND), args=["mcp", "--max-seconds", str(SECONDS), "--max-rows", "100"], env=environment
        )
        with self.errors.open("w") as log:
            async with stdio_client(place, errlog=log) as streams, ClientSession(*streams) as client:
                await client.initialize()
                self.tools = {tool.name: tool for tool in (await client.list_tools()).tools}
                refused = {sql: ("query", {"sql": sql.format(home=home)}) for sql in REFUSED}
                for name, (tool, words) in (refused | ASKED).items():
                    result = await client.call_tool(tool, words)
                    self.answers[name] = bool(result.is_error), result.content[0].text
                for place in ("marts/sales.fct_orders", "marts/nope"):
                    try:
                        self.read.append((await client.read_resource(f"tradewinds://{place}")).contents[0].text)
                    except MCPError as error:
                        self.read.append(str(error))


@pytest.fixture(scope="module")
def session(shared_built: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Session:
    """Hold one session with one server, which answers everything that the tests look at."""
    folder = tmp_path_factory.mktemp("mcp")
    (folder / "secret.csv").write_text("overheard\nsecret\n")
    session = Session(folder / "errors")
    anyio.run(session.hold, folder, shared_built.environment)
    return session


def test_every_tool_is_described_as_reading_only(session: Session) -> None:
    assert set(session.tools) == TOOLS
    assert all(tool.description and tool.annotations.read_only_hint for tool in session.tools.values())


def test_an_answer_is_what_the_sources_say(session: Session, shared_built: Sandbox) -> None:
    countries = dict(shared_built.northwind.query("select order_id, ship_country from orders"))
    expected: dict[str, Decimal] = defaultdict(Decimal)
    with shared_built.order_details.open(newline="") as lines:
        for line in csv.DictReader(lines):
            price, quantity, discount = (Decimal(line[name]) for name in ("unit_price", "quantity", "discount"))
            expected[countries[int(line["order_id"])]] += price * quantity * (1 - discount)
    found = session.answer("by country")
    assert not found["is_cut"]
    assert {country: net for country, net in found["rows"] if net is not None} == expected
    assert session.answer("metric")["rows"] == [[sum(expected.values())]]
    years = session.answer("by year")
    assert years["columns"] == ["metric_time__year", "net_sales", "late_share"]
    assert sum(row[1] for row in years["rows"]) == sum(expected.values())


def test_marts_metrics_days_and_rejects_are_told(session: Session, shared_built: Sandbox) -> None:
    marts = session.answer("marts")
    latest = json.loads((shared_built.home / "published" / "latest.json").read_text())
    assert (marts["run_date"], marts["version"]) == (BUILT_DAY, latest["version"])
    assert {"mart": "sales.fct_orders", "one_row_is": "One row per order, with the totals of its accepted lines"} in (
        marts["marts"]
    )
    mart = session.answer("mart")
    assert (mart["relation"], mart["key"]) == ("sales.fct_orders", ["order_id"])
    (net,) = [column for column in mart["columns"] if column["column"] == "net_amount_usd"]
    assert net["type"] == "decimal(19,4)"
    assert net["description"]
    assert json.loads(session.read[0]) == mart | {"columns": mart["columns"]}
    (sales,) = [metric for metric in session.answer("metrics") if metric["metric"] == "net_sales"]
    assert "customer__customer_country" in sales["group_by"]
    assert session.answer("days")[BUILT_DAY] == {"is_complete": True} | dict.fromkeys(
        ("extract", "load", "check_arrivals", "build", "check_marts", "publish"), "done"
    )
    assert {entry["state"] for entry in session.answer("day")} == {"done"}
    counted = "select count(*) from quarantine.rejected_rows"
    assert [(sum(row[-1] for row in session.answer("rejects")["rows"]),)] == shared_built.published(counted)


@pytest.mark.parametrize(("name", "rows"), [("by its limit", 3), ("by ours", 100), ("by its length", 1)])
def test_an_answer_that_was_cut_says_so(session: Session, name: str, rows: int) -> None:
    answer = session.answer(f"cut {name}")
    assert (len(answer["rows"]), answer["is_cut"]) == (rows, True)
    assert f"the first {rows} rows" in answer["note"]


@pytest.mark.parametrize("sql", REFUSED)
def test_what_is_no_question_is_refused_in_a_sentence(session: Session, sql: str) -> None:
    assert REFUSED[sql] in session.refusal(sql)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("no mart", "no published mart is called fct_nope; run: tradewinds marts"),
        ("no metric", "no metric is called net_sale; the metrics are active_professionals, "),
        ("no dimension", "net_sales can't be grouped by moon; possible are customer__customer_country, "),
        ("no lineage", "the lineage isn't written yet; run: tradewinds docs"),
        ("no day", "'yesterday' is not a day"),
    ],
)
def test_what_is_not_there_is_named(session: Session, name: str, reason: str) -> None:
    assert reason in session.refusal(name)


def test_nothing_told_has_a_folder_or_a_secret_and_nothing_is_logged(session: Session, shared_built: Sandbox) -> None:
    told = "\n".join([*(text for _, text in session.answers.values()), *session.read])
    for closed in (
        "overheard",
        str(shared_built.home),
        str(session.errors.parent),
        shared_built.environment["PEOPLE_DATABASE_URL"],
    ):
        assert closed not in told
    assert session.read[1] == "no published mart is called nope; run: tradewinds marts"
    assert session.errors.read_text().splitlines() == [
        "tradewinds: answering on standard input and output, 100 rows and 1 s a query; stop with Ctrl-C"
    ]


@pytest.mark.parametrize("ending", ["the end of the input", "Ctrl-C"])
def test_it_ends_cleanly_and_its_output_is_the_protocol(bare_sandbox: Sandbox, ending: str) -> None:
    about = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    called = {"name": "list_marts", "arguments": {}}
    messages = [
        {"id": 1, "method": "initialize", "params": about},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/call", "params": called},
    ]
    server = bare_sandbox.start("mcp")
    for message in messages:
        server.stdin.write(json.dumps({"jsonrpc": "2.0"} | message) + "\n")
    server.stdin.flush()
    answers = [json.loads(server.stdout.readline()) for _ in range(2)]
    assert [answer["id"] for answer in answers] == [1, 2]
    assert "nothing is published yet; run: tradewinds run" in answers[1]["result"]["content"][0]["text"]
    started = time.monotonic()
    if ending == "the end of the input":
        server.stdin.close()
    else:
        server.send_signal(signal.SIGINT)
    assert server.wait(timeout=20) == 0
    assert time.monotonic() - started < 10
    assert server.stdout.read() == ""
