"""The availability mart equals a brute-force oracle: every day, every professional, the whole log."""

import csv
import json
import os
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingestion.samples.generate import write_event_log
from ingestion.settings import PROJECT
from ingestion.sources import SOURCES
from tests.python.sandbox import Sandbox

SHAPE = SOURCES["event_log"].shape
RUN_DATE = "2021-01-01"
MODEL = "model.tradewinds.availability_snapshot"
ABLE, UNABLE = "became_able_to_propose", "became_unable_to_propose"
FIRST_DAY = datetime(2020, 2, 26)  # noqa: DTZ001 - as in the log: UTC, without saying so
PROPOSAL = "8_stucwerk_plastering_6.71"


class Event(NamedTuple):
    """A line of the log, its columns in the log's order."""

    event_id: int
    event_type: str
    professional_id: int
    created_at: datetime
    meta_data: str | None = None


Answer = list[tuple[date, int]]


def count_by_hand(log: list[Event]) -> Answer:
    """Ask on each day, of each professional, what the last change until midnight was; days × events on purpose."""
    if not log:
        return []
    moments = [event.created_at for event in log]
    changes = [event for event in log if event.event_type in (ABLE, UNABLE)]
    day, last_day = min(moments).date(), max(moments).date() - timedelta(days=1)
    answer = []
    while day <= last_day:
        latest: dict[int, Event] = {}
        for event in changes:
            known = latest.get(event.professional_id)
            order = (event.created_at, event.event_id)
            if event.created_at.date() <= day and (known is None or (known.created_at, known.event_id) < order):
                latest[event.professional_id] = event
        answer.append((day, sum(event.event_type == ABLE for event in latest.values())))
        day += timedelta(days=1)
    return answer


class Project:
    """The project's own SQL as views on a DuckDB in memory, over a log that each test hands in."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, manifest: dict):
        self._connection = connection
        self._manifest = manifest
        self._made: set[str] = set()
        self._mart = self._make(MODEL)

    def count(self, log: list[Event]) -> Answer:
        """Return the mart's rows for a log, as they come from the SQL but in the order of days."""
        columns = list(zip(*log, strict=True)) or [()] * len(Event._fields)
        names = list(SHAPE.columns)
        lines = pyarrow.table(dict(zip(names, columns, strict=True)), schema=self._schema)
        self._connection.execute(f"delete from {self._log}")
        self._connection.register("lines", lines)
        self._connection.execute(f"insert into {self._log} select *, date '{RUN_DATE}' from lines")
        # The next day's log, in which everyone is able and later: none of this day's business.
        self._connection.execute(
            f"""
            insert into {self._log}
            select event_id, '{ABLE}', professional_id_anonymized, created_at + interval '3 days', null,
                date '{RUN_DATE}' + 1
            from lines
            """
        )
        rows = self._connection.execute(f"from {self._mart} order by date").fetchall()
        return [(day, count) for day, count in rows]

    @property
    def _schema(self) -> pyarrow.Schema:
        types = {"BIGINT": pyarrow.int64(), "VARCHAR": pyarrow.string(), "TIMESTAMP": pyarrow.timestamp("us")}
        return pyarrow.schema([(name, types[kind]) for name, kind in SHAPE.columns.items()])

    def _make(self, unique_id: str) -> str:
        """Make a view of a model after those that it stands on, and return its name."""
        node = self._manifest["nodes"].get(unique_id) or self._manifest["sources"][unique_id]
        name = node["relation_name"]
        if unique_id in self._made:
            return name
        self._made.add(unique_id)
        for parent in node.get("depends_on", {}).get("nodes", []):
            self._make(parent)
        self._connection.execute(f'create schema if not exists "{node["database"]}"."{node["schema"]}"')
        if node["resource_type"] == "source":
            self._log = name
            columns = ", ".join(f"{column} {kind}" for column, kind in SHAPE.columns.items())
            self._connection.execute(f"create table {name} ({columns}, _run_date date)")
        elif node["resource_type"] == "seed":
            self._connection.execute(f"create view {name} as from read_csv('{PROJECT / node['original_file_path']}')")
        else:
            self._connection.execute(f"create view {name} as {node['compiled_code']}")
        return name


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Compile the mart once, for one run date, against an empty warehouse."""
    sandbox = Sandbox(tmp_path_factory.mktemp("compiled"))
    (sandbox.home / "warehouse").mkdir()
    words = ["--select", f"+{MODEL.split('.')[-1]}", "--vars", f"{{run_date: {RUN_DATE}}}"]
    done = sandbox.dbt("compile", "--quiet", *words)
    assert done.returncode == 0, done.stdout
    manifest = json.loads((sandbox.home / "target" / "manifest.json").read_text())
    with duckdb.connect() as connection:
        connection.execute(f"attach ':memory:' as {manifest['nodes'][MODEL]['database']}")
        yield Project(connection, manifest)


# Few professionals, days and seconds, so that ties, same-day changes and gaps are the rule.
_lines = st.tuples(
    st.sampled_from([ABLE, ABLE, ABLE, UNABLE, UNABLE, UNABLE, "created_account", "proposed"]),
    st.integers(1, 3),
    st.sampled_from([0, 1, 2, 3, 4, 8, 9]),
    st.sampled_from([0, 1, 43_200, 86_399]),
)


def make_log(lines: list[tuple[str, int, int, int]], event_ids: list[int]) -> list[Event]:
    """Return the lines as events: (type, professional, days after the first day, second of the day)."""
    return [
        Event(
            number, kind, who, FIRST_DAY + timedelta(days=day, seconds=second), PROPOSAL if kind == "proposed" else None
        )
        for number, (kind, who, day, second) in zip(event_ids, lines, strict=True)
    ]


@st.composite
def logs(draw: st.DrawFn) -> list[Event]:
    """Draw a log in any order, whose event numbers go with neither the order nor the time."""
    lines = draw(st.lists(_lines, max_size=25))
    return make_log(lines, draw(st.permutations(range(1, len(lines) + 1))))


@settings(max_examples=int(os.environ.get("TRADEWINDS_EXAMPLES", "100")), deadline=None)
@given(log=logs())
@example(log=[])
@example(log=make_log([(ABLE, 1, 0, 0), (UNABLE, 2, 0, 86_399)], [1, 2]))
@example(log=make_log([(ABLE, 1, 0, 0), (UNABLE, 1, 0, 1), (ABLE, 1, 0, 2), (ABLE, 1, 2, 0)], [1, 2, 3, 4]))
@example(log=make_log([(ABLE, 1, 0, 5), (UNABLE, 1, 0, 5), (ABLE, 2, 0, 5), (ABLE, 1, 1, 0)], [9, 10, 1, 2]))
def test_availability_is_what_the_oracle_counts(project: Project, log: list[Event]) -> None:
    assert project.count(log) == count_by_hand(log)


def test_an_empty_log_has_no_day(project: Project) -> None:
    assert project.count([]) == []


def test_a_log_of_one_day_has_no_complete_day(project: Project) -> None:
    assert project.count(make_log([(ABLE, 1, 0, 0), (ABLE, 2, 0, 86_399)], [1, 2])) == []


def test_the_order_of_lines_does_not_matter(project: Project) -> None:
    log = make_log(
        [
            (ABLE, 1, 0, 0),
            (ABLE, 2, 0, 1),
            (UNABLE, 1, 1, 1),
            (ABLE, 1, 1, 1),
            (UNABLE, 2, 4, 86_399),
            (ABLE, 3, 5, 0),
            ("proposed", 2, 7, 0),
        ],
        [1, 2, 4, 3, 5, 6, 7],
    )
    days = [date(2020, 2, 26) + timedelta(days=number) for number in range(7)]
    expected = list(zip(days, [2, 1, 1, 1, 0, 1, 1], strict=True))
    assert project.count(log) == expected
    assert project.count(log[::-1]) == expected
    assert count_by_hand(log[::-1]) == expected


def test_availability_of_a_whole_log_has_every_day_once(project: Project, tmp_path: Path) -> None:
    """On the generated log, and on the file that TRADEWINDS_TEST_EVENT_LOG names, too."""
    path = tmp_path / "event_log.csv"
    write_event_log(path, scale=1)
    for file in filter(None, (path, os.environ.get("TRADEWINDS_TEST_EVENT_LOG"))):
        log = _read_log(Path(file))
        answer = project.count(log)
        moments = [event.created_at for event in log]
        first, last = min(moments).date(), max(moments).date()
        assert [day for day, _ in answer] == [first + timedelta(days=number) for number in range((last - first).days)]
        assert answer == count_by_hand(log), file
        assert max(count for _, count in answer) > 1, file


def _read_log(path: Path) -> list[Event]:
    with path.open(newline="", encoding="utf-8") as lines:
        return [
            Event(
                int(line["event_id"]),
                line["event_type"],
                int(line["professional_id_anonymized"]),
                datetime.fromisoformat(line["created_at"]),
                line["meta_data"] or None,
            )
            for line in csv.DictReader(lines, delimiter=";")
        ]
