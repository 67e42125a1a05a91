"""What is held against what: each target's measures, and how many times its limit ours may take."""

from dataclasses import dataclass

# Measures by size (orders) and name: a median's seconds, or its MiB.
Medians = dict[tuple[int, str], float]


@dataclass(frozen=True)
class Target:
    """Seconds of `ours` may be `factor` times those of `limit`, and those of `plus` on top.

    `limit_at` and `plus_at` are the sizes that those are taken from, where they aren't that of `ours`.
    """

    title: str
    ours: str
    limit: str
    factor: float
    plus: str | None = None
    plus_at: int | None = None
    limit_at: int | None = None
    only_at: int | None = None

    def allowed(self, medians: Medians, orders: int) -> float:
        """Return the seconds that ours may take; raises KeyError where something wasn't measured."""
        plus = medians[self.plus_at or orders, self.plus] if self.plus else 0
        return self.factor * medians[self.limit_at or orders, self.limit] + plus


SMALL, LARGE = 830, 1_000_000
TARGETS = (
    Target("whole landed day", "run landed", "dbt build", 1.5, only_at=SMALL),
    Target("whole day, the first", "run first", "dbt build", 2.5, limit_at=SMALL, only_at=LARGE),
    Target("whole day, the second", "run second", "dbt build", 2.5, limit_at=SMALL, only_at=LARGE),
    Target("whole day beside pandas' steps", "run first", "pandas", 1 / 5, only_at=LARGE),
    Target("whole day beside dlt's defaults and one query", "run first", "dlt", 1 / 5, only_at=LARGE),
    Target(
        "extract `orders` beside `psql`'s binary COPY",
        "extract orders",
        "copy orders",
        3,
        "start",
        SMALL,
        only_at=LARGE,
    ),
    Target(
        "extract the lines' CSV beside DuckDB, CSV to Parquet",
        "extract lines",
        "csv to parquet",
        4,
        "start",
        SMALL,
        only_at=LARGE,
    ),
    Target("load into DuckDB beside `insert … from read_parquet`", "load", "insert", 1.5, only_at=LARGE),
    Target("load into Postgres beside binary COPY", "load postgres", "copy in", 1.3),
    Target("build beside the same SQL in bare DuckDB, and its cost at 830", "build", "bare sql", 1.3, "build", SMALL),
    Target(
        "publish with a diff beside copying the tables with DuckDB, and its exports",
        "publish",
        "copy tables",
        3,
        "write exports",
    ),
    Target("extract the API beside the code of `BEFORE`", "api", "api before", 1 / 3),
    Target("the last of 60 days beside the tenth, 8,300 orders", "last day", "tenth day", 1.2, only_at=8_300),
)
# At most so many MiB at every size, and so many times as much at ten times the size.
MEMORY = {"extract": "extract", "load": "load", "extract the API": "api"}
MEBIBYTES, GROWTH = 400, 1.2
