"""The people marts say what pandas says of the same files, on every engine.

`TRADEWINDS_TEST_PEOPLE` names a folder with departments.csv, jobs.csv and employees*.csv to use in place of the sample.
"""

import csv
import os
from fractions import Fraction
from pathlib import Path

import pandas as pd
import pytest

from ingestion.embedded.postgres import EmbeddedPostgres
from ingestion.samples.defaults import sample_people
from ingestion.settings import Home
from tests.python.marts import TARGETS, Rows, read_marts
from tests.python.people import make_people, read_rows
from tests.python.sandbox import Sandbox, make_database, make_warehouse, warehouse_settings

DAY_BEFORE, DAY = "2022-06-01", "2022-06-02"
READ = (
    "people.hires_by_month", "people.hires_by_quarter", "people.departments_above_mean", "people.fct_hires",
    "quarantine.rejected_rows",
)  # fmt: skip
# Departments and jobs of one name, a name that a spreadsheet would run, and hires on both sides of midnight.
ADDED = {
    "departments": ["901,Twin", "902,Twin", "903,=1+1", "904,Idle"],
    "jobs": ["901,Twin", "902,Twin"],
    "employees": [
        *(f"{9_000_000 + number},Ann {number},2021-12-31T23:59:59Z,901,901" for number in range(3)),
        *(f"{9_000_100 + number},Bo {number},2022-01-01T00:00:00Z,902,901" for number in range(5)),
        "9000200,Cy,2022-06-30T23:59:59Z,902,902",
        "9000201,Di,2022-07-01T00:00:00Z,903,902",
        "9000202,Ed,2022-07-01T00:00:00Z,905,",
    ],
}


def _files(server: EmbeddedPostgres) -> dict[str, Path]:
    folder = os.environ.get("TRADEWINDS_TEST_PEOPLE")
    if not folder:
        return sample_people(Home(server.home))
    (employees,) = Path(folder).glob("employees*.csv")
    return {"departments": Path(folder) / "departments.csv", "jobs": Path(folder) / "jobs.csv", "employees": employees}


@pytest.fixture(scope="module")
def files(server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The people files with a few more lines."""
    folder, written = tmp_path_factory.mktemp("people"), {}
    for table, path in _files(server).items():
        written[table] = folder / path.name
        lines = [path.read_text(encoding="utf-8").rstrip("\n"), *ADDED[table]]
        written[table].write_text("\n".join(lines) + "\n", encoding="utf-8")
    return written


@pytest.fixture(scope="module")
def ran(server: EmbeddedPostgres, shared_sandbox: Sandbox, files: dict[str, Path]) -> Sandbox:
    """Two days on both engines: hires that are deactivated and a reject from the API come with the second."""
    shared_sandbox.people = make_database(server)
    make_people(shared_sandbox.people.url, files, with_rejects=True)
    shared_sandbox.settings["PEOPLE_DATABASE_URL"] = shared_sandbox.people.url
    shared_sandbox.settings |= warehouse_settings(make_warehouse(server)) | {"TRADEWINDS_TARGET": "duckdb"}
    shared_sandbox.succeed("extract", "--run-date", DAY_BEFORE)
    shared_sandbox.people.execute("update employees set is_active = false where id % 7 = 0")
    shared_sandbox.people.execute("update departments set is_active = false where id in (1, 904)")
    shared_sandbox.people.execute(
        "insert into rejected_rows (batch_id, table_name, source, row_number, payload, reasons) values "
        "(gen_random_uuid(), 'jobs', 'api', 3, '{\"id\": \"x\"}', "
        "array['id: \"x\" is no number', 'name: missing', 'odd, isn''t it'])"
    )
    shared_sandbox.succeed("extract", "--run-date", DAY)
    for target in TARGETS:
        for day in (DAY_BEFORE, DAY):
            shared_sandbox.succeed("load", "--run-date", day, "--target", target)
        shared_sandbox.succeed("build", "--run-date", DAY, "--target", target)
    for step in ("check", "publish"):  # which writes the exports
        shared_sandbox.succeed(step, "--run-date", DAY, "--target", "postgres")
    return shared_sandbox


@pytest.fixture(scope="module", params=TARGETS)
def marts(ran: Sandbox, request: pytest.FixtureRequest) -> Rows:
    """The built marts' rows."""
    return read_marts(ran, request.param, READ)


@pytest.fixture(scope="module")
def hires(files: dict[str, Path]) -> pd.DataFrame:
    """The complete lines of the files, with names, years and quarters."""
    departments, jobs, employees = (
        pd.read_csv(files[table], header=None, dtype=str, names=names)
        for table, names in {
            "departments": ["department_id", "department"],
            "jobs": ["job_id", "job"],
            "employees": ["id", "name", "hiring_date", "department_id", "job_id"],
        }.items()
    )
    good = employees.dropna().merge(departments, on="department_id").merge(jobs, on="job_id")
    moments = pd.to_datetime(good["hiring_date"], utc=True)
    return good.assign(year=moments.dt.year, quarter=moments.dt.quarter, moment=moments)


def test_every_complete_line_is_a_hire(marts: Rows, hires: pd.DataFrame) -> None:
    columns = ["id", "name", "department", "job", "moment", "department_id", "job_id"]
    found = [tuple(row.values()) for row in marts["people.fct_hires"]]
    assert sorted(found) == sorted(
        (int(id_), *names, moment.to_pydatetime().replace(tzinfo=None), int(department), int(job))
        for id_, *names, moment, department, job in hires[columns].itertuples(index=False)
    )


def test_hires_by_quarter_are_those_of_pandas(marts: Rows, hires: pd.DataFrame) -> None:
    keys = ["year", "department_id", "department", "job_id", "job"]
    counts = pd.crosstab([hires[key] for key in keys], hires["quarter"]).reindex(columns=[1, 2, 3, 4], fill_value=0)
    expected = [
        (year, department, job, *row, int(department_id), int(job_id))
        for (year, department_id, department, job_id, job), row in zip(
            counts.index, counts.to_numpy().tolist(), strict=True
        )
    ]
    found = [tuple(row.values()) for row in marts["people.hires_by_quarter"]]
    assert sorted(found) == sorted(expected)
    assert len({row[:3] for row in found}) < len(found), "namesakes have rows of their own"


def test_hires_by_month_are_those_of_pandas(marts: Rows, hires: pd.DataFrame) -> None:
    keys = [hires["department_id"], hires["job_id"], hires["department"], hires["job"], hires["year"]]
    counts = hires.groupby([*keys, hires["moment"].dt.month]).size()
    found = [tuple(row.values()) for row in marts["people.hires_by_month"]]
    assert sorted(found) == sorted((int(key[0]), int(key[1]), *key[2:], count) for key, count in counts.items())


def test_departments_above_mean_are_those_of_pandas(marts: Rows, hires: pd.DataFrame, files: dict[str, Path]) -> None:
    department_count = sum(1 for _ in read_rows(files["departments"], "departments"))
    expected = []
    for year, of_year in hires.groupby("year"):
        mean = Fraction(len(of_year), department_count)
        for (id_, department), hired in of_year.groupby(["department_id", "department"]).size().items():
            if hired > mean:
                expected.append((year, int(id_), department, hired))
    found = [tuple(row.values()) for row in marts["people.departments_above_mean"]]
    assert sorted(found) == sorted(expected)
    assert {year for year, *_ in found} == set(hires["year"]), "every year has departments above its mean"


def test_exports_are_in_the_order_of_the_report(ran: Sandbox, hires: pd.DataFrame) -> None:
    folder = ran.home / "exports" / DAY
    with (folder / "hires_by_quarter.csv").open(newline="", encoding="utf-8") as lines:
        quarters = list(csv.DictReader(lines))
    assert list(quarters[0]) == ["hire_year", "department", "job", "q1", "q2", "q3", "q4"]
    places = [
        (int(row["hire_year"]), row["department"].removeprefix("'").encode(), row["job"].encode()) for row in quarters
    ]
    assert places == sorted(places)
    assert sum(int(row[quarter]) for row in quarters for quarter in ("q1", "q2", "q3", "q4")) == len(hires)
    assert {row["department"] for row in quarters if "1+1" in row["department"]} == {"'=1+1"}
    with (folder / "departments_above_mean.csv").open(newline="", encoding="utf-8") as lines:
        above = [(int(row["hire_year"]), -int(row["hired"]), int(row["id"])) for row in csv.DictReader(lines)]
    assert above == sorted(above)


def test_what_the_database_refused_is_in_quarantine_on_every_day(marts: Rows, files: dict[str, Path]) -> None:
    rows = [row for row in marts["quarantine.rejected_rows"] if row["source"] == "people"]
    by_day = {day: [row for row in rows if str(row["run_date"]) == day] for day in (DAY_BEFORE, DAY)}
    lines = files["employees"].read_text(encoding="utf-8").splitlines()
    for found in by_day.values():
        of_files = [row for row in found if row["file"] == files["employees"].name]
        assert {row["table_name"] for row in of_files} == {"employees"}
        faulty = {(row["line_number"], row["raw_text"]) for row in of_files}
        assert faulty <= set(enumerate(lines, start=1))
        assert len(faulty) == len(of_files) == len(lines) - len(marts["people.fct_hires"])
        (last,) = [row for row in of_files if row["line_number"] == len(lines)]
        assert last["rule"] == "job_id: missing; department_id: 905 is unknown"
    assert not [row for row in by_day[DAY_BEFORE] if row["file"] == "api"]
    (sent,) = [row for row in by_day[DAY] if row["file"] == "api"]
    assert (sent["table_name"], sent["line_number"], sent["raw_text"]) == ("jobs", 3, '{"id": "x"}')
    assert sent["rule"] == 'id: "x" is no number; name: missing; odd, isn\'t it'


def test_rejects_of_the_database_are_listed(ran: Sandbox) -> None:
    listed = ran.succeed("rejects", "list", "--run-date", DAY, "--source", "people", "--format", "csv")
    assert ',people,jobs,api,3,"id: ""x"" is no number; name: missing; odd, isn\'t it",' in listed


def test_only_the_four_tables_land(ran: Sandbox) -> None:
    assert {table for (table,) in ran.people.query("select tablename from pg_tables where schemaname = 'public'")} > {
        "api_keys", "idempotency_keys", "imports",
    }  # fmt: skip
    landed = ran.manifest("people", DAY)
    assert sorted(landed["tables"]) == ["departments", "employees", "jobs", "rejected_rows"]
    assert landed["source_tables"] == sorted(landed["tables"])
    assert sorted(path.name for path in (ran.home / "landing" / "people").iterdir()) == sorted(landed["tables"])
    assert not landed["is_sample"]
