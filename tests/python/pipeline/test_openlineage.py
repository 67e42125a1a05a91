"""A day's OpenLineage events: what they say, where they go, and that they never decide a day."""

import json
import socket
import types
import typing
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from threading import Thread
from typing import Any
from uuid import uuid4

import attr
import pytest
from openlineage.client import facet_v2, generated
from openlineage.client.event_v2 import RunEvent

from pipeline.openlineage import FILE_NAME, Dataset, run_event
from pipeline.run.relay import Relay
from pipeline.run.reporter import Reporter
from tests.python.sandbox import BUILT_DAY, Sandbox

KEY = "sesame-0pen-1ineage"
SOURCES = ("northwind", "order_details", "event_log", "people", "community")
STEPS = [*(f"extract.{source}" for source in SOURCES), "load", "check_arrivals", "build", "check_marts", "publish"]
# Each class that the client generates from the specification, by the name of its schema.
_MODULES = [import_module(f"{generated.__name__}.{found.name}") for found in iter_modules(generated.__path__)]
CLASSES = {
    found._get_schema(): found
    for module in _MODULES
    for found in vars(module).values()
    if isinstance(found, type) and hasattr(found, "_get_schema")
}


def _read(home: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (home / "runs" / BUILT_DAY / FILE_NAME).read_text().splitlines()]


def _check(told: Any, kind: Any) -> None:
    """Raise unless a JSON value is one of a class or type that the specification's classes name."""
    if typing.get_origin(kind) in (types.UnionType, typing.Union):
        assert told is not None, kind
        (option,) = (option for option in typing.get_args(kind) if option is not type(None))
        return _check(told, option)
    if typing.get_origin(kind) is list:
        for each in told:
            _check(each, typing.get_args(kind)[0])
        return None
    if typing.get_origin(kind) is dict:
        for each in told.values():
            _check(each, typing.get_args(kind)[1])
        return None
    if not attr.has(kind):
        assert told in {state.value for state in kind} if issubclass(kind, Enum) else isinstance(told, kind), told
        return None
    if "_schemaURL" in told:
        assert issubclass(CLASSES[told["_schemaURL"]], kind), f"{told['_schemaURL']} is no {kind}"
        kind = CLASSES[told["_schemaURL"]]
    hints, fields = typing.get_type_hints(kind), attr.fields_dict(kind)
    assert told.keys() <= fields.keys(), f"{told.keys() - fields.keys()} are no fields of {kind}"
    missing = {name for name, field in fields.items() if field.default is attr.NOTHING} - told.keys()
    assert not missing, f"{kind} lacks {missing}"
    for name, value in told.items():
        _check(value, hints[name])
    given = {name.lstrip("_"): value for name, value in told.items() if fields[name].init}
    kind(**given)  # its own validators: times, run ids
    return None


def _validate(event: dict[str, Any]) -> None:
    _check(event, RunEvent)
    assert event["schemaURL"] == RunEvent._get_schema()
    parts = [("run", event["run"]["facets"]), ("job", event["job"]["facets"])]
    for dataset in event["inputs"] + event["outputs"]:
        parts += [(name, dataset.get(name, {})) for name in ("facets", "inputFacets", "outputFacets")]
    for name, facet in ((name, facet) for _, facets in parts for name, facet in facets.items()):
        # The facet has the name under which the specification files it.
        assert CLASSES[facet["_schemaURL"]].__name__.lower().startswith(name.lower()), name


def _origins(lineage: dict[tuple[str, str, str], list[tuple]], column: tuple[str, str, str]) -> Iterator[tuple]:
    """Yield the columns at the end of every way down from a column."""
    if not lineage.get(column):
        yield column
    for origin in lineage.get(column, []):
        yield from _origins(lineage, origin)


def test_a_days_events_are_valid_and_say_what_each_step_read_and_wrote(shared_built: Sandbox) -> None:
    events = _read(shared_built.home)
    for event in events:
        _validate(event)
    runs: dict[str, list[str]] = {}
    for event in events:
        runs.setdefault(event["run"]["runId"], []).append(event["eventType"])
    assert all(states == ["START", "COMPLETE"] for states in runs.values())
    ended = {event["job"]["name"]: event for event in events if event["eventType"] == "COMPLETE"}
    assert sorted(name for name in ended if not name.startswith("build.")) == sorted(STEPS)

    def rows(step: str) -> dict[str, int]:
        return {
            told["name"]: told["outputFacets"]["outputStatistics"]["rowCount"]
            for told in ended[step]["outputs"]
            if told.get("outputFacets")
        }

    for source in SOURCES:
        tables = shared_built.manifest(source, BUILT_DAY)["tables"]
        assert [*rows(f"extract.{source}").values()] == [table["rows"] for table in tables.values()]
    assert rows("load")["tradewinds.raw_northwind.orders"] == 830
    for name, count in rows("publish").items():
        ((counted,),) = shared_built.published(f"select count(*) from {name.partition('.')[2]}")
        assert counted == count, name
    build = ended["build"]["run"]["runId"]
    parents = {
        event["run"]["facets"]["parent"]["run"]["runId"] for name, event in ended.items() if name.startswith("build.")
    }
    assert parents == {build}
    # Every relation of the warehouse was written with just the columns that it has.
    columns: dict[str, set[str]] = {}
    for place, column in shared_built.query(
        "select table_catalog || '.' || table_schema || '.' || table_name, column_name from information_schema.columns"
    ):
        columns.setdefault(place, set()).add(column)
    for name, event in ended.items():
        for told in event["outputs"] if name.startswith("build.") else []:
            written = {field["name"] for field in told["facets"]["schema"]["fields"]}
            assert written == columns[told["name"]], told["name"]


def test_the_columns_lineage_leads_from_a_published_column_to_its_sources(shared_built: Sandbox) -> None:
    lineage: dict[tuple[str, str, str], list[tuple]] = {}
    for event in _read(shared_built.home):
        for told in event["outputs"]:
            for column, of in told["facets"].get("columnLineage", {}).get("fields", {}).items():
                origins = [(each["namespace"], each["name"], each["field"]) for each in of["inputFields"]]
                lineage[told["namespace"], told["name"], column] = origins
    published = f"duckdb://{shared_built.home}/published/tradewinds.duckdb"
    start = (published, "tradewinds.sales.orders_with_details", "net_amount_usd")
    through = set()

    def walk(column: tuple) -> None:
        through.add(column[1])
        for origin in lineage.get(column, []):
            walk(origin)

    walk(start)
    assert through >= {
        "tradewinds.sales.fct_order_lines", "tradewinds.intermediate.int_order_lines_priced",
        "tradewinds.staging.stg_northwind__order_details", "tradewinds.raw_northwind.order_details",
        f"{shared_built.home}/landing/csv/order_details",
    }  # fmt: skip
    lines = ("file", str(shared_built.order_details))
    assert set(_origins(lineage, start)) == {(*lines, name) for name in ("unit_price", "quantity", "discount")}


class _Collector(ThreadingHTTPServer):
    """A server that keeps the events posted to it, and answers with `status`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.got: list[tuple[str, str | None, dict[str, Any]]] = []
        self.status = 201


class _Handler(BaseHTTPRequestHandler):
    server: _Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, self.headers["Authorization"], json.loads(body)))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def collector() -> Iterator[_Collector]:
    with _Collector() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_events_go_to_a_url_and_a_dead_one_decides_nothing(built: Sandbox, collector: _Collector) -> None:
    before = len(_read(built.home))
    url = f"http://127.0.0.1:{collector.server_port}"
    built.settings |= {"OPENLINEAGE_URL": url, "OPENLINEAGE_API_KEY": KEY, "OPENLINEAGE_NAMESPACE": "lab"}
    one = ("extract", "--run-date", BUILT_DAY, "--source")
    assert "warning" not in built.succeed(*one, "order_details")
    written = _read(built.home)[before:]
    assert collector.got == [("/api/v1/lineage", f"Bearer {KEY}", event) for event in written]
    assert [event["eventType"] for event in written] == ["START", "COMPLETE"]
    assert {event["job"]["namespace"] for event in written} == {"lab"}

    built.fail(2, *one, "order_details", "--table", "nothing")
    assert collector.got[-1][2]["eventType"] == "ABORT"
    _validate(collector.got[-1][2])

    collector.got.clear()
    built.order_details.write_text("these,are,other,columns,here\n")
    parent, root = (f"0190a1b2-0000-7000-8000-00000000000{number}" for number in (1, 2))
    built.settings["OPENLINEAGE_PARENT_ID"] = f"airflow/daily.extract/{parent}"
    built.settings["OPENLINEAGE_ROOT_PARENT_ID"] = f"airflow/daily/{root}"
    failure = built.fail(1, *one, "order_details")
    (start, _), failed = [event for _, _, event in collector.got], collector.got[-1][2]
    _validate(failed)
    assert (failed["eventType"], failed["run"]["runId"]) == ("FAIL", start["run"]["runId"])
    above = failed["run"]["facets"]["parent"]
    assert above["job"] == {"namespace": "airflow", "name": "daily.extract"}
    assert above["root"] == {"job": {"namespace": "airflow", "name": "daily"}, "run": {"runId": root}}
    message = failed["run"]["facets"]["errorMessage"]["message"]
    assert "header" in message
    assert message in failure

    password = "sw0rdf1sh-of-the-source"
    built.settings["SOURCES__NORTHWIND__CREDENTIALS"] = f"postgresql://reader:{password}@127.0.0.1:1/northwind"
    built.fail(1, *one, "northwind")
    assert collector.got[-1][2]["eventType"] == "FAIL"
    told = json.dumps([event for _, _, event in collector.got]) + json.dumps(_read(built.home))
    assert password not in told
    assert KEY not in told

    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        dead = f"http://reader:{password}@127.0.0.1:{closed.getsockname()[1]}"
    for place, shown, reason in ((dead, dead.replace(password, "***"), "ConnectionError"), (url, url, "HTTP 403")):
        collector.status, built.settings["OPENLINEAGE_URL"] = 403, place
        before = len(_read(built.home))
        output = built.succeed(*one, "event_log", "--source", "people")
        kept = built.home / "runs" / "<run date>" / FILE_NAME
        warnings = [line for line in output.splitlines() if line.startswith("warning")]
        assert warnings == [f"warning  OpenLineage: {shown} takes no events ({reason}); they are kept in {kept}"]
        assert [event["eventType"] for event in _read(built.home)[before:]].count("COMPLETE") == 2
        assert KEY not in output

    built.settings["OPENLINEAGE_DISABLED"] = "true"
    before = len(_read(built.home))
    built.succeed(*one, "event_log")
    assert len(_read(built.home)) == before


def test_every_facet_is_the_specifications() -> None:
    origin = Dataset("file", "/lines.csv", {"price": "int64"}, 3)
    copy = Dataset("postgres://db:5432", "shop.public.lines", {"price": "bigint", "note": None}, 3).copied_from(origin)
    given = ("2021-01-01", uuid4(), "load")
    event = run_event("FAIL", datetime.now(UTC), *given, error="no", inputs=[origin], outputs=[copy])
    _validate(event)
    (written,) = event["outputs"]
    fields = written["facets"]["columnLineage"]["fields"]
    assert fields == {"price": {"inputFields": [{"namespace": "file", "name": "/lines.csv", "field": "price"}]}}
    event["outputs"][0]["facets"]["schema"]["fields"][0]["nick"] = "x"
    with pytest.raises(AssertionError, match="nick"):
        _validate(event)
    assert facet_v2.schema_dataset.SchemaDatasetFacet._get_schema() == written["facets"]["schema"]["_schemaURL"]


def test_a_warning_that_several_processes_send_is_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = Reporter()
    there = Relay(reporter.hear)
    for each in (reporter, there, there):
        each.warn("the server is gone", once=True)
        each.warn("a file is late")
    lines = capsys.readouterr().out.splitlines()
    assert (lines.count("warning  the server is gone"), lines.count("warning  a file is late")) == (1, 3)
