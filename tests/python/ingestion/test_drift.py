"""A lost or retyped column stops the extract, with before and after, unless it is accepted."""

import pyarrow as pa
import pytest

from ingestion.drift import describe_drift, refuse_drift
from ingestion.errors import StepFailed
from ingestion.extract import extract_source
from ingestion.landing import Column, Landing, Manifest, Table
from ingestion.settings import Home
from tests.python.ingestion.test_landing import Source

ORDERS = pa.schema([("order_id", pa.int16()), ("freight", pa.float32()), ("order_date", pa.date32())])
REGION = pa.schema([("region_id", pa.int16())])


def manifest_of(schemas: dict[str, pa.Schema], *, is_sample: bool = False) -> Manifest:
    tables = {
        name: Table(0, 0, [Column(field.name, str(field.type)) for field in schema], [], "hash", "run")
        for name, schema in schemas.items()
    }
    return Manifest("northwind", "2021-01-01", "run", is_sample, list(schemas), tables)


BEFORE = {"orders": ORDERS, "region": REGION}


@pytest.mark.parametrize(
    ("after", "found"),
    [
        pytest.param(BEFORE, [], id="nothing"),
        pytest.param({"region": REGION, "orders": ORDERS}, [], id="tables in another order"),
        pytest.param(
            BEFORE | {"orders": pa.schema([ORDERS.field(name) for name in ("order_date", "order_id", "freight")])},
            [],
            id="columns in another order",
        ),
        pytest.param(BEFORE | {"orders": ORDERS.append(pa.field("note", pa.string()))}, [], id="new column"),
        pytest.param(BEFORE | {"more": REGION}, [], id="new table"),
        pytest.param({"orders": ORDERS}, ["table region → gone"], id="dropped table"),
        pytest.param(BEFORE | {"orders": ORDERS.remove(1)}, ["orders.freight: float → gone"], id="dropped column"),
        pytest.param(
            BEFORE | {"orders": ORDERS.set(0, pa.field("order_id", pa.int32()))},
            ["orders.order_id: int16 → int32"],
            id="retyped column",
        ),
        pytest.param(
            BEFORE | {"orders": ORDERS.set(0, pa.field("Order_ID", pa.int16()))},
            ["orders.order_id: int16 → gone"],
            id="renamed column",
        ),
        pytest.param(
            {"orders": ORDERS.set(1, pa.field("freight", pa.decimal128(19, 4))).remove(2)},
            [
                "orders.freight: float → decimal128(19, 4)",
                "orders.order_date: date32[day] → gone",
                "table region → gone",
            ],
            id="all at once",
        ),
    ],
)
def test_what_counts_as_drift(after, found):
    assert describe_drift(manifest_of(BEFORE), after) == found
    if not found:
        refuse_drift(manifest_of(BEFORE), after, source="northwind", is_sample=False)
        return
    with pytest.raises(StepFailed) as raised:
        refuse_drift(manifest_of(BEFORE), after, source="northwind", is_sample=False)
    assert str(raised.value) == (
        f"northwind has changed since 2021-01-01 (before → after): {'; '.join(found)}; "
        "if this is intended, add --accept-drift"
    )


def test_precision_scale_and_time_zone_are_part_of_a_type():
    types = [pa.decimal128(10, 2), pa.decimal128(12, 2), pa.decimal128(10, 4), pa.timestamp("us")]
    types.append(pa.timestamp("us", "UTC"))
    for before in types:
        for after in types:
            drift = describe_drift(manifest_of({"t": pa.schema([("x", before)])}), {"t": pa.schema([("x", after)])})
            assert drift == ([] if before == after else [f"t.x: {before} → {after}"])


@pytest.mark.parametrize("is_sample", [True, False])
def test_a_sample_and_the_real_source_are_not_compared(is_sample):
    refuse_drift(manifest_of(BEFORE, is_sample=not is_sample), {}, source="northwind", is_sample=is_sample)
    refuse_drift(None, {}, source="northwind", is_sample=is_sample)
    with pytest.raises(StepFailed):
        refuse_drift(manifest_of(BEFORE, is_sample=is_sample), {}, source="northwind", is_sample=is_sample)


def test_a_day_is_compared_with_the_landed_day_before_it_and_no_other(tmp_path):
    home = Home(tmp_path)
    landing = Landing(home)
    old, new = pa.table({"a": pa.array([1], pa.int16())}), pa.table({"a": pa.array(["x"])})

    def extract(run_date, table, **options):
        return extract_source(Source({"t": table}), run_date, home, **options)

    extract("2021-01-10", old)
    with pytest.raises(StepFailed, match=r"since 2021-01-10 .*t\.a: int16 → string"):
        extract("2021-01-11", new)
    assert landing.manifest("fake", "2021-01-11") is None
    extract("2021-01-11", new, accept_drift=True)
    extract("2021-01-12", new)  # accepted once is accepted
    extract("2021-01-10", new)  # the first day has none before it
    extract("2021-01-10", old)  # and is not compared with itself or later days
    with pytest.raises(StepFailed, match=r"since 2021-01-11 .*t\.a: string → int16"):
        extract("2021-01-12", old)
    assert landing.faults("fake", "2021-01-12", read_files=True) == ["the last extract of fake failed or was cut off"]
    assert landing.faults("fake", "2021-01-11", read_files=True) == []
    extract_source(Source({"t": old}, is_a_sample=True), "2021-01-12", home)
    assert landing.manifest("fake", "2021-01-12").is_sample
