"""Dashboard and alerts query metrics that exist, in valid PromQL."""

import json
import re
from collections.abc import Iterator
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from ingestion.settings import PROJECT, Home
from pipeline.ledger import Ledger
from pipeline.ledger.metrics import FILE_NAME, write_metrics
from tests.python.people_service import PeopleService, employee

MONITORING = PROJECT / "deploy" / "monitoring"
DASHBOARD = json.loads((MONITORING / "grafana" / "tradewinds.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
RULES = [
    rule
    for group in yaml.safe_load((MONITORING / "prometheus" / "alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]
ASKED = [target["expr"] for panel in PANELS for target in panel["targets"]] + [rule["expr"] for rule in RULES]
_COLUMNS = 24  # of a Grafana dashboard
_OPTIONAL = {"keep_firing_for", "for"}

Labels = dict[str, dict[str, set[str]]]


def _read(text: str) -> Labels:
    """Return the label values that each sample of a scrape has, by its name and theirs."""
    found: Labels = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = found.setdefault(sample.name, {})
            for name, value in sample.labels.items():
                labels.setdefault(name, set()).add(value)
    return found


@pytest.fixture(scope="module")
def written(shared_service: PeopleService, tmp_path_factory: pytest.TempPathFactory) -> Labels:
    """What the steps write, and what the people service answers after good rows, bad ones and an error."""
    home = Home(tmp_path_factory.mktemp("home"))
    ledger = Ledger(home)
    for step, source in (("extract", "northwind"), ("load", None), ("publish", None)):
        with ledger.recording("2021-01-01", step, "tradewinds", "duckdb", source) as record:
            record.rows = 1
            record.details = {"rejected_rows": 1} if source else {}
    write_metrics(ledger, home.runs)
    with shared_service.client() as client:
        assert client.post("/v1/departments", json={"id": 1, "name": "Research"}).status_code == 201
        client.post("/v1/employees/batch", json=[employee(1, name="")])
        scraped = client.get("/metrics").text
    return _read((home.runs / FILE_NAME).read_text()) | _read(scraped)


def _parts(node: Any) -> Iterator[Any]:
    """Yield an expression and all that it is made of."""
    yield node
    for name in ("lhs", "rhs", "expr", "args", "param", "vector_selector"):
        part = getattr(node, name, None)
        for inner in part if isinstance(part, list) else [part] if part is not None else []:
            yield from _parts(inner)


@pytest.mark.parametrize("expression", ASKED)
def test_everything_asked_for_is_written(written: Labels, expression: str) -> None:
    parts = list(_parts(promql_parser.parse(expression)))
    selectors = [part for part in parts if isinstance(part, promql_parser.VectorSelector)]
    assert selectors
    for selector in selectors:
        assert selector.name in written, expression
        for matcher in selector.matchers.matchers:
            values = written[selector.name].get(matcher.name)
            assert values, f"{selector.name} has no label {matcher.name}"
            if matcher.op == promql_parser.MatchOp.Equal:
                assert matcher.value in values, f"{selector.name} has no {matcher.name}={matcher.value}"
    labels = {label for selector in selectors for label in written[selector.name]}
    for part in parts:
        modifier = getattr(part, "modifier", None)
        grouped = getattr(modifier, "matching", None) or modifier
        assert set(getattr(grouped, "labels", [])) <= labels, expression


def test_panels_have_their_places_titles_and_units() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        columns = range(place["x"], place["x"] + place["w"])
        cells = {(x, y) for x in columns for y in range(place["y"], place["y"] + place["h"])}
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < _COLUMNS
        taken |= cells
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    assert all(panel["title"] and panel["description"] and panel["fieldConfig"]["defaults"]["unit"] for panel in PANELS)
    variables = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    assert set(re.findall(r"\$\{?(\w+)", json.dumps(DASHBOARD))) - {"__all"} == variables


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_each_alert_says_what_to_do(rule: dict[str, Any], written: Labels) -> None:
    assert set(rule) - _OPTIONAL == {"alert", "expr", "labels", "annotations"}
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert all(re.fullmatch(r"\d+[smhd]", rule[name]) for name in _OPTIONAL & set(rule))
    page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    assert anchor == rule["alert"].lower()
    assert f'<a id="{anchor}"></a>`{rule["alert"]}`' in (PROJECT / page).read_text()
    used = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
    assert used <= {label for labels in written.values() for label in labels}


def test_every_metric_of_the_steps_is_described(written: Labels) -> None:
    page = (PROJECT / "docs" / "monitoring.md").read_text()
    described = set(re.findall(r"^\| `(tradewinds_\w+)` \|", page, re.MULTILINE))
    assert described == {name for name in written if name.startswith("tradewinds_")}
