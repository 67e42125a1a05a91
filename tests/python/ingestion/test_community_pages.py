"""Pages read as columns give the same rows as pages read row by row."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingestion.errors import StepFailed
from ingestion.extract import extract_source
from ingestion.samples.api_files import FileRows
from ingestion.settings import Home
from ingestion.sources import SOURCES
from ingestion.sources.api import ApiReading
from ingestion.sources.api.columns import read_columns
from ingestion.sources.api.ids import SeenIds
from ingestion.sources.api.lists import parse_list
from ingestion.sources.api.pages import Page
from tests.python.community import FaultyApi, small_rows

SHAPES = SOURCES["community"].shapes
ODD = [
    None, True, 0, -0.0, 1.0, 1.5, 2**63 - 1, 2**63, -(2**63), 2**64, 10**25, "", "7", " 1.5 ", "nan", "1e999", "é",
    "\0", "\ud83d", "\\u0000", [], [1], {}, {"lat": "1"}, {"geo": {"lat": 2}, "city": "Porto"},
    *({"geo": {"lat": value}} for value in ("south", "1e999", "1_0", -0.0, True, [1])), {"geo": "south"},
]  # fmt: skip
MISSING = object()
FIELDS = {
    "users": ["id", "name", "address", "company", "phone", "vat"],
    "todos": ["id", "userId", "title", "completed", "due"],
}


UNDECLARED = {"users": ["address.lat", "company.city", "company.geo", "company.lat", "vat"], "todos": ["due"]}


@dataclass(frozen=True)
class SentPages:
    """Pages of one list, sent as these texts."""

    bodies: list[bytes]

    def of(self, table: str) -> Iterator[Page]:
        for number, body in enumerate(self.bodies, start=1):
            yield Page(f"/{table}?_page={number}", None, body, parse_list(body))


def _pages(table: str) -> list[list]:
    """Return a page for each odd value in each field, alone and in every row, and for each field that is missing."""
    ids, good = count(1), small_rows()[table][0]
    changes = [(name, value) for name in FIELDS[table] for value in [*ODD, MISSING]]
    pages = [[good, change, good] for change in changes] + [[change, change] for change in changes if change[0] != "id"]
    rows = [[good if row is good else _changed(good, *row) for row in page] for page in pages]
    numbered = [[{**row, "id": next(ids)} if row.get("id") == good["id"] else row for row in page] for page in rows]
    return [*numbered, [None, 7, [], "text"], []]


def _changed(row: dict, name: str, value: object) -> dict:
    return {key: found for key, found in (row | {name: value}).items() if found is not MISSING}


@pytest.mark.parametrize("table", FIELDS)
def test_a_page_gives_what_its_rows_give_alone(table: str) -> None:
    pages, shape = _pages(table), SHAPES[table]
    reading = ApiReading({table: shape}, SentPages([json.dumps(page).encode() for page in pages]))
    batches = [batch.to_pylist() for batch in reading.read(table)]
    judged = [(number, place, row, *shape.judge(row)) for number, page in enumerate(pages, 1)
              for place, row in enumerate(page, 1)]  # fmt: skip
    # -0.0 equals 0.0, and is another value.
    assert repr(list(chain(*batches))) == repr([values for *_, values, rule in judged if rule is None])
    found = [(row["file"], row["line_number"], row["rule"], row["raw_text"]) for row in reading.rejects(table)]
    assert found == [
        (f"/{table}?_page={number}", place, rule, json.dumps(row)) for number, place, row, _, rule in judged if rule
    ]
    assert reading.undeclared_fields() == {table: UNDECLARED[table]}


@pytest.mark.parametrize("table", SHAPES)
def test_a_good_page_is_no_matter_of_single_rows(table: str) -> None:
    rows = small_rows()[table]
    rows[0] = {name: value for name, value in rows[0].items() if name not in ("title", "address")}
    rows[1] |= {"body": None, "company": None, "added": [1]}
    read = read_columns(SHAPES[table], rows)
    assert read.to_pylist() == [SHAPES[table].judge(row)[0] for row in rows]


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(-8, 60) | st.sampled_from([-(2**63), 2**63 - 1]), max_size=8), max_size=12))
@example([[2, 4], [3], [1, 5], [0], [6, 3]])
def test_the_first_id_that_comes_again_is_named(pages: list[list[int]]) -> None:
    seen, ids = set(), SeenIds()
    for page in pages:
        again = [id_ for place, id_ in enumerate(page) if id_ in seen or id_ in page[:place]]
        assert ids.add(np.array(page, dtype=np.int64)) == (again[0] if again else None)
        if again:
            return
        seen.update(page)


def test_batches_of_pages_are_held_against_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingestion.sources.api.reading.ROWS_PER_BATCH", 4)
    bodies = [json.dumps([{"userId": 1, "id": id_} for id_ in ids]).encode() for ids in ([1, 2, 3], [5, 4], [], [9])]
    reading = ApiReading({"posts": SHAPES["posts"]}, SentPages(bodies))
    assert [batch["id"].to_pylist() for batch in reading.read("posts")] == [[1, 2, 3, 5, 4], [9]]
    assert reading.count("posts") == 6
    again = ApiReading({"posts": SHAPES["posts"]}, SentPages([*bodies, bodies[1]]))
    with pytest.raises(StepFailed, match="id 5 was sent twice"):
        list(again.read("posts"))


@pytest.mark.parametrize("total", [0, 1, 255, 256, 257, 600])
def test_lines_of_a_file_are_read_as_they_are_asked_for(tmp_path: Path, total: int) -> None:
    path, lines = tmp_path / "rows.jsonl", [b"x" * (number % 7 + 1) + b"%d" % number for number in range(total)]
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    rows = FileRows(path)
    path.unlink()
    assert (len(rows), list(rows)) == (total, lines)
    for start in range(0, total + 300, 37):
        for length in (0, 1, 10, 256, 500):
            assert rows[start : start + length] == lines[start : start + length]
    rows.close()


def test_a_proxy_of_the_environment_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    api = FaultyApi(small_rows())
    with api.running() as url:
        monkeypatch.setenv("http_proxy", url)
        monkeypatch.setenv("SOURCES__COMMUNITY__BASE_URL", "http://community.invalid")
        manifest = extract_source(SOURCES["community"], "2021-01-01", Home(tmp_path), tables=["users"])
    assert api.requests == ["http://community.invalid/users?_limit=500&_page=1"]
    assert [answer.request for answer in manifest.answers] == ["/users?_limit=500&_page=1"]
