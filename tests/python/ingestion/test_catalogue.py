"""The catalogue: a missing or wrong entry is an error that names its place."""

import shutil
from pathlib import Path

import pytest

from ingestion.catalogue import read_catalogue, tables_of
from ingestion.errors import BadRequest
from ingestion.settings import PROJECT
from tests.python.s3_servers import clean_environment
from tests.python.sandbox import forks

FILE = "models/staging/shop/_shop__sources.yml"
TABLE = """
sources:
  - name: shop
    tables:
      - name: {table}
        config: {{tags: [{tag}], meta: {meta}}}
        columns: [{{name: id}}, {{name: price}}, {{name: _run_date}}]
"""
LISTED = {
    "models/staging/ops/stg_ops__raw_totals.sql": "{{ source('people', 'jobs') }}",
    "models/intermediate/int_staging_totals.sql": "{{ ref('stg_marketplace__events') }}",
    "models/intermediate/int_mart_totals.sql": "{{ ref('dim_suppliers') }}",
}


def _describe(project: Path, meta: str, table: str = "sales", tag: str = "shop") -> None:
    path = project / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(TABLE.format(meta=meta, table=table, tag=tag))


@pytest.mark.parametrize(
    ("meta", "reason"),
    [
        ("{amount: [price]}", "expected one integer column as key"),
        ("{key: []}", "expected one integer column as key"),
        ("{key: id}", "expected a list of columns as key"),
        ("{key: [id, line]}", "several and how they are summed: key_as text, product"),
        ("{key: [id], key_as: sum}", "key_as text, product"),
        ("{key: ['id) from sales; --']}", "'id) from sales; --' is no name"),
        ("{key: [1]}", "1 is no name"),
        ("{key: [id], renamed: {id: sale id}}", "'sale id' is no name"),
        ("{key: [id], renamed: [sale_id]}", "expected a mapping as renamed"),
        ("{key: [id], mart: [fct_sales]}", "['fct_sales'] is no name"),
        ("{key: [id], mart_amount: net_usd}", "expected a list of columns as mart_amount"),
        ("{key: [id], has_history: 1}", "expected has_history true or false"),
        ("{key: [id], keys: [id]}", "config.meta has no entry keys"),
        ("{key: [nothing]}", "a column that isn't there: nothing"),
        ("{key: [id], amount: [price, _run_date]}", "a column that isn't there: _run_date"),
        ("[id]", "expected a mapping as sales: config.meta"),
    ],
)
def test_a_table_that_is_described_wrongly_is_named(tmp_path: Path, meta: str, reason: str) -> None:
    _describe(tmp_path, meta)
    with pytest.raises(BadRequest) as raised:
        read_catalogue(tmp_path)
    assert raised.value.reason.startswith(f"{FILE} can't be read: ")
    assert reason in raised.value.reason


@pytest.mark.parametrize(
    ("table", "tag", "reason"),
    [
        ("2020", "shop", "2020 is no name"),
        ("sales", "shop, hourly", "expected one tag, the name of its source"),
        ("sales", "", "expected one tag, the name of its source"),
        ("sales", "'my shop'", "'my shop' is no name"),
        ("[", "shop", "while parsing"),
    ],
)
def test_a_table_of_no_source_is_named(tmp_path: Path, table: str, tag: str, reason: str) -> None:
    _describe(tmp_path, "{key: [id]}", table, tag)
    with pytest.raises(BadRequest) as raised:
        read_catalogue(tmp_path)
    assert raised.value.reason.startswith(f"{FILE} can't be read: ")
    assert reason in raised.value.reason


@pytest.mark.parametrize("text", ["", "[sales]", "sources: sales", "sources: [sales]"])
def test_a_file_that_describes_no_source_is_named(tmp_path: Path, text: str) -> None:
    _describe(tmp_path, "{key: [id]}")
    (tmp_path / FILE).write_text(text)
    with pytest.raises(BadRequest, match=f"^{FILE} can't be read: expected a "):
        read_catalogue(tmp_path)


def test_a_source_that_nothing_describes_is_a_wrong_request() -> None:
    with pytest.raises(BadRequest, match="has the tag nobody and a key"):
        tables_of("nobody")


def test_a_described_table_that_a_model_does_not_list_is_named_with_the_line_to_add(tmp_path: Path) -> None:
    """dbt has to know what a model reads before it knows the catalogue."""
    (tmp_path / "warehouse").mkdir()
    for folder in ("models", "macros", "seeds", "snapshots", "tests/data"):
        shutil.copytree(PROJECT / folder, tmp_path / folder)
    for file in ("dbt_project.yml", "profiles.yml"):
        shutil.copyfile(PROJECT / file, tmp_path / file)
    for path, call in LISTED.items():
        text = (tmp_path / path).read_text()
        (tmp_path / path).write_text(text.replace(f"-- depends_on: {call}\n", ""))
    for path, call in LISTED.items():
        model = Path(path).stem
        words = ["compile", "--select", model, "--project-dir", str(tmp_path), "--vars", "{run_date: 2021-01-01}"]
        places = {"TRADEWINDS_HOME": str(tmp_path), "NO_COLOR": "1"}
        process = forks().start(words, clean_environment() | places, program="dbt")
        output, _ = process.communicate(timeout=900)
        assert process.returncode != 0, model
        assert f"{model} must list what it reads; add the line: -- depends_on: {call}" in " ".join(output.split())
