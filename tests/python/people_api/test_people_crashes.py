"""A service killed during batches and started again stores each row of the retried batches once."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from random import Random
from uuid import uuid4

import httpx
import pytest

from tests.python.people_service import PeopleService, employee

BATCHES, ROWS, KILLS = 50, 100, 3


def rows_of(batch: int) -> list[dict]:
    """Return a batch's rows: each tenth is bad, each eleventh wants an id of the batch before."""
    first = batch * ROWS
    return [
        employee(first + number, name="")
        if number % 10 == 0
        else employee(first - number if number % 11 == 0 and batch else first + number)
        for number in range(1, ROWS + 1)
    ]


def insist(service: PeopleService, batch: int, key: str, answers: dict[int, dict]) -> None:
    """Send a batch until it is answered, as a client that was cut off does: the same body under the same key."""
    until = time.monotonic() + 120
    with service.client("writer") as client:
        while time.monotonic() < until:
            try:
                url = f"{service.url}/v1/employees/batch"
                response = client.post(url, json=rows_of(batch), headers={"Idempotency-Key": key})
            except httpx.HTTPError:
                time.sleep(0.05)
                continue
            assert response.status_code == 200, response.text
            answers[batch] = response.json()
            return
    pytest.fail(f"batch {batch} was never answered")


def test_batches_that_were_under_way_when_the_service_was_killed_are_whole_once(new_service):
    service = new_service()
    service.start()
    try:
        for table in ("departments", "jobs"):
            service.database.execute(f"insert into {table} values (1, 'one')")
        answers: dict[int, dict] = {}
        keys = [uuid4().hex for _ in range(BATCHES)]
        with ThreadPoolExecutor(BATCHES) as pool:
            asked = [pool.submit(insist, service, batch, keys[batch], answers) for batch in range(BATCHES)]
            cut_off = []
            for kill in range(KILLS):
                _wait_for_rows(service, kill * 400 + 1)
                service.process.kill()
                service.process.communicate()
                cut_off.append(BATCHES - len(answers))
                service.start()
            for done in asked:
                done.result(120)
        assert cut_off[0] > 25, "the first kill came when most batches were under way"
        _assert_whole(service, answers)
        before = (_ids(service), _rejects(service))
        for batch in range(BATCHES):
            again: dict[int, dict] = {}
            insist(service, batch, keys[batch], again)
            assert again[batch] == answers[batch]
        assert (_ids(service), _rejects(service)) == before
    finally:
        if service.process.poll() is None:
            service.stop()


def _wait_for_rows(service: PeopleService, rows: int) -> None:
    until = time.monotonic() + 60
    while sum(service.counts("employees")) < rows and time.monotonic() < until:
        time.sleep(0.005)


def _ids(service: PeopleService) -> list[int]:
    return [id_ for (id_,) in service.database.query("select id from employees order by id")]


def _rejects(service: PeopleService) -> list[tuple]:
    return service.database.query("select batch_id::text, row_number, reasons from rejected_rows order by 1, 2")


def _assert_whole(service: PeopleService, answers: dict[int, dict]) -> None:
    """Hold the answers against the rows: every id that was wanted is there once, every reject logged once."""
    assert len(answers) == BATCHES
    assert all(answer["accepted"] + answer["rejected"] == ROWS for answer in answers.values())
    wanted = Counter(row["id"] for batch in range(BATCHES) for row in rows_of(batch) if row["name"])
    assert _ids(service) == sorted(wanted), "no id is lost, none is there twice"
    assert sum(answer["accepted"] for answer in answers.values()) == len(wanted)
    told = sorted(
        (answer["batch_id"], reject["row"], reject["reasons"])
        for answer in answers.values()
        for reject in answer["rejects"]
    )
    assert _rejects(service) == told
    assert len({batch for batch, *_ in told}) == BATCHES


def test_a_client_that_hears_nothing_may_ask_again_while_the_first_is_still_at_work(new_service):
    """Every batch is sent three times; twice its client hangs up, most often before it is answered."""
    with new_service().running() as service:
        for table in ("departments", "jobs"):
            service.database.execute(f"insert into {table} values (1, 'one')")
        answers: dict[int, dict] = {}
        heard: list[int] = []

        def send(batch: int, key: str) -> None:
            chance = Random(batch)
            for _ in range(2):
                with service.client("writer") as client, suppress(httpx.TimeoutException):
                    client.post(
                        "/v1/employees/batch",
                        json=rows_of(batch),
                        headers={"Idempotency-Key": key},
                        timeout=httpx.Timeout(10, read=0.0001 + chance.random() / 1_000),
                    )
                    heard.append(batch)
            insist(service, batch, key, answers)

        with ThreadPoolExecutor(10) as pool:
            for done in [pool.submit(send, batch, uuid4().hex) for batch in range(BATCHES)]:
                done.result(120)
        assert len(heard) < BATCHES, "most of those who hung up heard nothing"
        _assert_whole(service, answers)
