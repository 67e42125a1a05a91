"""However odd the rows of a batch are, each is accepted or rejected with a reason, and the database agrees.

TRADEWINDS_FUZZ_ROWS says how many rows are sent; the seed of their chance is fixed.
"""

import json
import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count, islice
from random import Random
from typing import NamedTuple

import httpx
import pytest

from people_api.api.gate import KEY_HEADER

ROWS = int(os.environ.get("TRADEWINDS_FUZZ_ROWS", "20000"))
BATCH, PARENTS, CLIENTS = 1_000, 50, 3
FIELDS = {"departments": ("id", "name"), "jobs": ("id", "name")}
FIELDS["employees"] = ("id", "name", "hiring_date", "department_id", "job_id")
ANY_JUNK = ("null", "true", "[]", "{}", "[[1]]", '{"a":1,"a":2}', "NaN", "-Infinity", "1e999", "[" * 400 + "]" * 400)
ID_JUNK = ('"12"', '""', "0", "-1", "-0", "2147483648", "1e10", "12.5", "9" * 19, "9" * 300, "0.1e-400", '"١"')
NAME_JUNK = ('""', '" "', '"\\u0000"', '"a\\tb"', '"\\ud800"', '"a\\udfff"', "12", "9" * 300, '"\\u0085"')
NAME_JUNK += (f'"{"x" * 256}"', f'"{"é" * 2_000}"', '"\\u2003"', '"a\\u007f"')
DATE_JUNK = ('"2021-07-27"', '"2021-02-29T00:00:00Z"', '"2021-07-27T24:00:00Z"', '"1899-12-31T23:59:59Z"', "1627401728")
DATE_JUNK += ('"2021-07-27T16:02:08+00:00"', '"infinity"', '"2021-07-27T16:02:08Z\\n"', '"-4713-01-01T00:00:00Z"')
JUNK = {"id": ID_JUNK, "department_id": ID_JUNK, "job_id": ID_JUNK, "name": NAME_JUNK, "hiring_date": DATE_JUNK}
NO_ROWS = (*ANY_JUNK, "1", '"row"', "[1,2]", '{"id":1,"id":1,"name":"x"}', '{"\\ud800":1}', '{"":""}')
LETTERS = "aZé'\"\\/ß中🚢\u202e\u0301\u200b\u00a0=+-@,;{}()%$`<>&\u2028\ufeff\ufffd 0"


class Sent(NamedTuple):
    """A row as it is sent; `is_good` is None where that depends on which of two comes first."""

    text: str
    is_good: bool | None
    id_: int = 0
    name: str = ""


def rows(chance: Random, table: str, ids: Iterator[int]) -> Iterator[Sent]:
    """Yield good rows, rows with one fault or several, what is no row at all, and rows whose id may be taken."""
    given = [0]
    while True:
        roll = chance.random()
        if roll < 0.04:
            yield Sent(chance.choice(NO_ROWS), False)
            continue
        id_ = next(ids)
        name = "n" + "".join(chance.choices(LETTERS, k=chance.randrange(30))) if roll < 0.3 else f"name {id_}"
        row = _good(chance, table, id_, name)
        if roll < 0.55:
            given.append(id_)
            yield Sent(_text(chance, row), True, id_, name)
        elif roll < 0.65 and given[-1]:
            row["id"] = str(chance.choice(given[-500:]) or id_)
            yield Sent(_text(chance, row), None)
        elif roll < 0.7:
            row[chance.choice(("salary", "ID", "is_active", "\\u0000", "id ", "__class__", "é" * 300))] = "1"
            yield Sent(_text(chance, row), False)
        elif roll < 0.75:
            del row[chance.choice(list(row))]
            yield Sent(_text(chance, row), False)
        elif roll < 0.8 and table == "employees":
            row[chance.choice(("department_id", "job_id"))] = str(chance.randrange(PARENTS + 1, 2**31))
            yield Sent(_text(chance, row), False)
        else:
            for field in chance.sample(list(row), chance.randrange(1, len(row) + 1)):
                row[field] = chance.choice(ANY_JUNK + JUNK[field])
            yield Sent(_text(chance, row), False)


def _good(chance: Random, table: str, id_: int, name: str) -> dict[str, str]:
    """Return a good row, each value as JSON text; JSON has several spellings for one value."""
    number = str(id_) if chance.random() < 0.9 else f"{id_}.0"
    row = {"id": number, "name": json.dumps(name, ensure_ascii=chance.random() < 0.5)}
    if table == "employees":
        fraction = chance.choice(("", ".5", ".123456"))
        row["hiring_date"] = (
            f'"{chance.randrange(1900, 2200)}-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}'
            f'T{chance.randrange(24):02}:{chance.randrange(60):02}:{chance.randrange(60):02}{fraction}Z"'
        )
        row["department_id"], row["job_id"] = (str(chance.randrange(1, PARENTS + 1)) for _ in range(2))
    return row


def _text(chance: Random, row: dict[str, str]) -> str:
    fields = [f'"{field}":{value}' for field, value in row.items()]
    if chance.random() < 0.2:
        chance.shuffle(fields)
    return f"{{{chance.choice((',', ', ', ' ,')).join(fields)}}}"


def send(client: httpx.Client, table: str, sent: list[Sent]) -> dict:
    """Send a batch and hold its answer against what is known of its rows."""
    body = f"[{','.join(row.text for row in sent)}]".encode()
    response = client.post(f"/v1/{table}/batch", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 200, (response.status_code, response.text[:500])
    answer = response.json()
    rejected = {reject["row"]: reject["reasons"] for reject in answer["rejects"]}
    assert answer["accepted"] + answer["rejected"] == len(sent)
    assert answer["rejected"] == len(rejected)
    assert all(reasons and all(reasons) for reasons in rejected.values()), "each has a reason"
    for number, row in enumerate(sent, 1):
        if row.is_good is not None:
            assert row.is_good == (number not in rejected), (row, rejected.get(number))
    return answer


@pytest.mark.parametrize(("table", "share"), [("departments", 0.1), ("jobs", 0.1), ("employees", 0.8)])
def test_every_row_is_accepted_or_rejected_and_the_database_agrees(shared_service, table, share):
    if table == "employees":
        for parent in ("departments", "jobs"):
            parents = f"select n, 'a parent' from generate_series(1, {PARENTS}) as n on conflict do nothing"
            shared_service.database.execute(f"insert into {parent} (id, name) {parents}")
    accepted_before, rejected_before = shared_service.counts(table)
    counts: Counter = Counter()
    good: dict[int, str] = {}
    batches = max(1, round(ROWS * share / BATCH))

    def work(number: int) -> None:
        chance = Random(f"{table} {number}")
        made = rows(chance, table, count(PARENTS + 1 + number, CLIENTS))
        with shared_service.client("writer") as client:
            for _ in range(number, batches, CLIENTS):
                sent = list(islice(made, BATCH))
                answer = send(client, table, sent)
                good.update((row.id_, row.name) for row in sent if row.is_good)
                counts.update(sent=len(sent), accepted=answer["accepted"], rejected=answer["rejected"])

    with ThreadPoolExecutor(CLIENTS) as pool:
        for done in [pool.submit(work, number) for number in range(CLIENTS)]:
            done.result()
    assert counts["accepted"] + counts["rejected"] == counts["sent"] == batches * BATCH
    accepted, rejected = shared_service.counts(table)
    assert accepted - accepted_before == counts["accepted"]
    assert rejected - rejected_before == counts["rejected"]
    assert counts["accepted"] > 0.4 * counts["sent"]
    stored = dict(shared_service.database.query(f"select id, name from {table}"))
    assert {id_: stored.get(id_) for id_ in good} == good, "what was accepted is stored as it was sent"
    without = f"select count(*) from rejected_rows where table_name = '{table}' and cardinality(reasons) = 0"
    assert shared_service.database.query(without) == [(0,)]
    print(f"{table}: {dict(counts)}")


def test_bodies_that_are_no_batch_are_refused_and_write_nothing(shared_service):
    """Any bytes at all: cut, changed at a random place, or nested beyond reading."""
    chance = Random(7)
    whole = f"[{','.join(row.text for row in islice(rows(chance, 'jobs', count(10**9)), 20))}]".encode()
    before = shared_service.counts("jobs")
    bodies = [whole[: chance.randrange(len(whole))] for _ in range(100)]
    bodies += [chance.randbytes(chance.randrange(100)) for _ in range(100)]
    bodies += [b"[" * depth for depth in (900, 1_000, 10_000, 1_000_000)]
    bodies += [b'[{"a":' * depth for depth in (500, 1_000, 100_000)]
    bodies += [b"[" * depth + b"]" * depth for depth in (1_100, 5_000, 100_000)]
    with shared_service.client("writer") as client:
        headers = {"Content-Type": "application/json", KEY_HEADER: shared_service.key("writer")}
        for body in bodies:
            response = client.post("/v1/jobs/batch", content=body, headers=headers)
            assert response.status_code == 422, (body[:50], response.text[:200])
        deep = [b"[" * depth + b"]" * depth for depth in range(880, 1_010)]
        statuses = Counter(
            client.post("/v1/jobs/batch", content=b"[%s]" % body, headers=headers).status_code for body in deep
        )
    assert set(statuses) == {200, 422}, "at the limit of what can be read, too, nobody fails"
    assert shared_service.counts("jobs") == (before[0], before[1] + statuses[200])
