"""Metrics asked through MetricFlow equal plain SQL on the same warehouse."""

import csv
import json
import shutil
import subprocess
import sys
from decimal import Decimal, InvalidOperation
from pathlib import Path

import pytest
import yaml

from ingestion.settings import PROJECT
from tests.python.sandbox import Sandbox

DBT_PROJECT = ("dbt_project.yml", "profiles.yml", "models", "macros", "seeds", "snapshots", "tests/data")
# A ratio is a float; money and counts are exact.
RATIOS = ("average_order_value", "late_share")
NET_SALES_BY_MONTH = """
    select date_trunc('month', ordered_date)::timestamp as metric_time__month, sum(net_amount_usd) as net_sales
    from sales.fct_order_lines
    group by all
"""
ORDERS_BY_MONTH = """
    select
        date_trunc('month', ordered_date)::timestamp as metric_time__month,
        count(*) as orders,
        count(*) filter (is_shipped) as shipped_orders,
        count(*) filter (is_late) as late_orders
    from sales.fct_orders
    group by all
"""

# What is asked of `mf query`, and the same question in SQL.
QUESTIONS = {
    "net sales by month": ("--metrics net_sales --group-by metric_time__month", NET_SALES_BY_MONTH),
    "orders by month": (
        "--metrics orders,shipped_orders,late_orders --group-by metric_time__month",
        ORDERS_BY_MONTH,
    ),
    "sales by country": (
        "--metrics net_sales,orders,average_order_value,late_share --group-by customer__customer_country",
        """
        with sold as (
            select customer_id, sum(net_amount_usd) as net_sales from sales.fct_order_lines group by all
        ),

        ordered as (
            select
                customer_id,
                count(*) as orders,
                count(*) filter (is_shipped) as shipped_orders,
                count(*) filter (is_late) as late_orders
            from sales.fct_orders
            group by all
        )

        select
            country as customer__customer_country,
            sum(net_sales) as net_sales,
            sum(orders)::bigint as orders,
            sum(net_sales) / sum(orders) as average_order_value,
            sum(late_orders) / nullif(sum(shipped_orders), 0) as late_share
        from ordered
        left join sold using (customer_id)
        left join sales.dim_customers using (customer_id)
        group by all
        """,
    ),
    "the marketplace as a whole": (
        "--metrics active_professionals,proposals,lead_fees",
        """
        select
            (select arg_max(active_professionals_count, date) from marketplace.availability_snapshot)
                as active_professionals,
            count(*) filter (event_type = 'proposed') as proposals,
            sum(lead_fee_eur) as lead_fees
        from marketplace.fct_events
        """,
    ),
    "hires by department": (
        "--metrics hires --group-by department__department_name",
        """
        select department_name as department__department_name, count(*) as hires
        from people.fct_hires
        left join people.dim_departments using (department_id)
        group by all
        """,
    ),
    "the saved query sales_by_month": (
        "--saved-query sales_by_month",
        f"""
        with sold as ({NET_SALES_BY_MONTH}),

        ordered as ({ORDERS_BY_MONTH})

        select
            metric_time__month,
            net_sales,
            orders,
            net_sales / orders as average_order_value,
            late_orders / nullif(shipped_orders, 0) as late_share
        from sold
        full join ordered using (metric_time__month)
        """,
    ),
    "the saved query marketplace_by_month": (
        "--saved-query marketplace_by_month",
        """
        with active as (
            select
                date_trunc('month', date)::timestamp as metric_time__month,
                arg_max(active_professionals_count, date) as active_professionals
            from marketplace.availability_snapshot
            group by all
        ),

        proposed as (
            select
                date_trunc('month', occurred_at) as metric_time__month,
                count(*) filter (event_type = 'proposed') as proposals,
                sum(lead_fee_eur) as lead_fees
            from marketplace.fct_events
            group by all
        )

        select *
        from active
        full join proposed using (metric_time__month)
        """,
    ),
}

Rows = list[dict[str, object]]
# Parses and asks every question in one process: importing MetricFlow takes longer than an answer.
ASKING = """
import json, sys
from dbt.cli.main import dbtRunner
from dbt_metricflow.cli.main import cli
assert dbtRunner().invoke(["parse", "--quiet"]).success
for words in json.load(sys.stdin):
    cli(words, standalone_mode=False)
"""


@pytest.fixture(scope="module")
def answers(shared_built: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Rows]:
    """Put the questions to `mf query` in a copy of the dbt project, which it writes into."""
    folder = tmp_path_factory.mktemp("project")
    for name in DBT_PROJECT:
        copy = shutil.copytree if (PROJECT / name).is_dir() else shutil.copy2
        (folder / name).parent.mkdir(exist_ok=True)
        copy(PROJECT / name, folder / name)
    places = {"DBT_PROJECT_DIR": str(folder), "DBT_PROFILES_DIR": str(folder)}
    paths = {name: folder / f"answer_{number}.csv" for number, name in enumerate(QUESTIONS)}
    asked = [["query", *QUESTIONS[name][0].split(), "--csv", str(path)] for name, path in paths.items()]
    done = subprocess.run(
        [sys.executable, "-c", ASKING],
        cwd=folder,
        env=shared_built.environment | places,
        input=json.dumps(asked),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return {name: _read(path) for name, path in paths.items()}


def _read(path: Path) -> Rows:
    with path.open(encoding="utf-8", newline="") as lines:
        return [{name: _typed(value) for name, value in line.items()} for line in csv.DictReader(lines)]


def _typed(value: object) -> object:
    """Return a number as a decimal whatever its type was, nothing as None, anything else as text."""
    if value is None or value == "":
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return str(value)


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_metric_says_what_sql_says(answers: dict[str, Rows], shared_built: Sandbox, name: str) -> None:
    answered, statement = answers[name], QUESTIONS[name][1]
    columns = list(answered[0])
    rows = shared_built.query(f"select {', '.join(columns)} from ({statement})")
    expected = [{column: _typed(value) for column, value in zip(columns, row, strict=True)} for row in rows]
    for answer, expectation in zip(_in_order(answered), _in_order(expected), strict=True):
        for column in columns:
            exact = column not in RATIOS or expectation[column] is None
            found, known = answer[column], expectation[column]
            assert found == known if exact else float(found) == pytest.approx(float(known), rel=1e-12), (column, answer)


def _in_order(rows: Rows) -> Rows:
    """Sort by what the rows are grouped by, which is their first column."""
    return sorted(rows, key=lambda row: str(next(iter(row.values()))))


def test_every_metric_and_saved_query_is_asked() -> None:
    asked = " ".join(words for words, _ in QUESTIONS.values()).replace(",", " ").split()
    for file in (PROJECT / "models" / "metrics").glob("*.yml"):
        declared = yaml.safe_load(file.read_text())
        for thing in declared.get("metrics", []) + declared.get("saved_queries", []):
            assert thing["name"] in asked, thing["name"]
