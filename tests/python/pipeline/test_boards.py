"""Boards: drawn from what is published, whole or not at all, the same bytes for the same version."""

from itertools import product
from pathlib import Path

import duckdb
import pytest
import yaml
from coloraide import Color

from ingestion.settings import PROJECT
from pipeline.boards.colors import DARK_PAPER, LIGHT_PAPER, dark_counterpart, name_colors, schemes_of
from pipeline.boards.definition import SCREENS, read_boards
from tests.python.built import BuiltHomes
from tests.python.sandbox import Sandbox

# A board is drawn for each year that it finds: one is enough to compare engines, and a third of the work.
_ONE_YEAR = (
    "delete from sales.fct_orders where ordered_date >= '1997-01-01'; "
    "delete from people.hires_by_quarter where hire_year > (select min(hire_year) from people.hires_by_quarter)"
)


@pytest.fixture
def home(shared_built: Sandbox, tmp_path: Path) -> Sandbox:
    """A home that holds nothing but the published file of a built day, which the test may change."""
    file = Path("published", "tradewinds.duckdb")
    (tmp_path / "home" / "published").mkdir(parents=True)
    (tmp_path / "home" / file).write_bytes((shared_built.home / file).read_bytes())
    return Sandbox(tmp_path / "home")


def _change(home: Sandbox, statement: str) -> None:
    with duckdb.connect(str(home.home / "published" / "tradewinds.duckdb")) as connection:
        connection.execute(statement)


def _pages(home: Sandbox) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (home.home / "reports" / "boards").iterdir()}


@pytest.mark.e2e
def test_boards_need_something_published(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path / "home")
    assert sandbox.fail(3, "boards") == "tradewinds: nothing is published yet; run: tradewinds run"
    assert not (sandbox.home / "reports" / "boards").exists()


@pytest.mark.e2e
def test_a_missing_mart_is_named_and_nothing_is_written(home: Sandbox) -> None:
    _change(home, "drop table sales.fct_orders")
    line = home.fail(3, "boards")
    assert "fct_orders (board sales)" in line
    assert line.endswith("run: tradewinds run")
    assert not (home.home / "reports" / "boards").exists()


@pytest.mark.e2e
def test_a_board_that_cannot_be_drawn_leaves_the_former_ones(home: Sandbox) -> None:
    folder = home.home / "reports" / "boards"
    folder.mkdir(parents=True)
    former = {name: f"former {name}".encode() for name in ("availability.html", "people.html")}
    for name, page in former.items():
        (folder / name).write_bytes(page)
    _change(home, "alter table marketplace.fct_events drop column lead_fee_eur")
    assert "board availability: " in home.fail(1, "boards")
    assert _pages(home) == former


@pytest.mark.e2e
def test_boards_without_rows_are_drawn(home: Sandbox) -> None:
    """Every mart is empty, as on the first day of a source without rows."""
    with duckdb.connect(str(home.home / "published" / "tradewinds.duckdb")) as connection:
        tables = connection.execute(
            "select schema_name, table_name from duckdb_tables() where schema_name <> 'main'"
        ).fetchall()
        for schema, table in tables:
            connection.execute(f'create table "{schema}".kept as from "{schema}"."{table}" limit 0')
            connection.execute(f'drop table "{schema}"."{table}"')
            connection.execute(f'alter table "{schema}".kept rename to "{table}"')
    home.succeed("boards")
    assert b"No rows." in _pages(home)["sales.html"]


@pytest.mark.e2e
def test_boards_are_the_same_for_the_same_version_on_both_engines(
    home: Sandbox, built_homes: BuiltHomes, tmp_path: Path
) -> None:
    _change(home, _ONE_YEAR)
    home.succeed("boards")
    on_duckdb = _pages(home)
    assert set(on_duckdb) == {"drawn.json"} | {
        f"{board.name}.{kind}" for board in read_boards() for kind in ("html", "svg")
    }
    other = built_homes.copy(tmp_path, "postgres")
    other.warehouse.execute(_ONE_YEAR)
    other.succeed("boards")
    on_postgres = _pages(other)
    for page in set(on_duckdb) - {"pipeline.html", "pipeline.svg"}:  # they tell about runs, and these are two
        assert on_postgres[page] == on_duckdb[page], page


@pytest.mark.unit
def test_every_board_is_an_exposure_of_what_it_reads() -> None:
    exposures = [
        exposure
        for path in (PROJECT / "models" / "marts").glob("*/*.yml")
        for exposure in yaml.safe_load(path.read_text()).get("exposures", [])
        if exposure["type"] == "dashboard"
    ]
    declared = {exposure["name"]: sorted(exposure["depends_on"]) for exposure in exposures}
    assert declared == {
        f"{board.name}_board": sorted(f"ref('{mart}')" for mart in board.refs) for board in read_boards()
    }


@pytest.mark.unit
def test_a_narrow_screen_has_one_column_of_charts() -> None:
    narrow = next(screen for screen in SCREENS if screen.is_narrow)
    for board in read_boards():
        rows = yaml.safe_load(board.laid_out(narrow))["rows"]
        charts = board.content["charts"]
        for row in rows:
            side_by_side = [row] if isinstance(row, str) else row["cols"]
            assert len(side_by_side) == 1 or {charts[name]["type"] for name in side_by_side} == {"kpi"}


@pytest.mark.unit
def test_a_dark_color_has_the_contrast_of_its_light_one() -> None:
    for parts in product((0, 0.2, 0.4, 0.6, 0.8, 1), repeat=3):
        # No colour is further from dark paper than white is, at 18; nearly white ones lose a little of their hue.
        color = Color("srgb", parts)
        wanted, found = color.contrast(LIGHT_PAPER), dark_counterpart(color).contrast(DARK_PAPER)
        assert found > 15 if wanted > 15 else found == pytest.approx(wanted, rel=0.05), color


@pytest.mark.unit
def test_a_picture_names_its_colors_and_leaves_other_text() -> None:
    picture = (
        '<text fill="#222222" data-fill="#222222" style="stroke: rgb(1, 2, 3); color:#FFF">'
        '#222222 <a href="#222">fill</a></text>'
    )
    named = name_colors(picture)
    assert named == (
        '<text fill="var(--c222222)" data-fill="#222222" style="stroke: var(--c010203); color:var(--cffffff)">'
        '#222222 <a href="#222">fill</a></text>'
    )
    light, dark = schemes_of([named])
    assert light == {"--c010203": "#010203", "--c222222": "#222222", "--cffffff": "#ffffff"}
    assert dark["--cffffff"] == "#161616"
