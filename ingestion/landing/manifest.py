"""The manifest of one source's day: it lists what landed, and commits the day."""

import json
import re
from collections.abc import Collection
from dataclasses import asdict, dataclass, field, replace
from pathlib import PurePosixPath

# An object without others inside; line breaks in texts are escaped.
_LEAF = re.compile(r"\{\n[^{}]*\n\s*\}")
_DECIMAL = re.compile(r"-?\d+(\.\d+)?(E[+-]?\d+)?", re.ASCII)


@dataclass(frozen=True)
class Column:
    """A column as it landed; `type` is the Arrow type's name (`int16`, `decimal128(19, 4)`, `date32[day]`)."""

    name: str
    type: str


@dataclass(frozen=True)
class File:
    """A landed Parquet file; `path` is relative to the landing root, `bytes` its size."""

    path: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Answer:
    """An API's unchanged answer, gzipped; `request` is its path and query, without the host.

    `total_count` is the whole list's length according to the answer, None when it gives none.
    """

    path: str
    bytes: int
    sha256: str
    table: str
    request: str
    status: int
    total_count: int | None = None


LandedFile = File | Answer


@dataclass(frozen=True)
class Totals:
    """Sums over a table's accepted rows as decimal text, None where nothing is summed (see ingestion.totals)."""

    key: str | None = None
    amount: str | None = None


@dataclass(frozen=True)
class Table:
    """One table's day: the rows of `files` without those that `removed` names, both perhaps of earlier days.

    `read_rows` is the source's count of rows, accepted and rejected. `totals` are computed at the `source` and at
    `landing`. Days that landed before totals existed have neither. An incremental extract of the next day begins at the
    `bookmark`.
    """

    rows: int
    rejected_rows: int
    columns: list[Column]
    files: list[File]
    content_hash: str
    run_id: str
    read_rows: int | None = None
    totals: dict[str, Totals] = field(default_factory=dict)
    removed: list[File] = field(default_factory=list)
    bookmark: dict[str, str | int] = field(default_factory=dict)

    @property
    def row_files(self) -> list[File]:
        """All its files."""
        return [*self.files, *self.removed]


@dataclass(frozen=True)
class Manifest:
    """A source's day. `source_tables` are all tables of the source, landed or not.

    For an API it also lists the answers that the tables were made from, and the fields without a column.
    """

    source: str
    run_date: str
    run_id: str
    is_sample: bool
    source_tables: list[str]
    tables: dict[str, Table]
    rejects: list[File] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    undeclared_fields: dict[str, list[str]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """The number of landed rows in all tables."""
        return sum(table.rows for table in self.tables.values())

    @property
    def rejected_rows(self) -> int:
        """The number of rejected rows in all tables."""
        return sum(table.rejected_rows for table in self.tables.values())

    @property
    def last_run(self) -> str:
        """The run ids of its tables, each once and sorted, as raw has them when it has loaded the day."""
        return ",".join(sorted({table.run_id for table in self.tables.values()}))

    @property
    def files(self) -> list[LandedFile]:
        """All files of the day, including rejects and answers."""
        return [*self.row_files, *self.answers]

    @property
    def row_files(self) -> list[File]:
        """The files with accepted and rejected rows, which the warehouse loads."""
        return [*(file for table in self.tables.values() for file in table.row_files), *self.rejects]

    @property
    def missing_tables(self) -> list[str]:
        """The source's tables that haven't landed on this day."""
        return [name for name in self.source_tables if name not in self.tables]

    def without(self, tables: Collection[str]) -> "Manifest":
        """Return the manifest without some tables, their rejects (in `<table>-<run id>.parquet`) and their answers."""
        fields = {table: names for table, names in self.undeclared_fields.items() if table not in tables}
        return replace(
            self,
            tables={name: table for name, table in self.tables.items() if name not in tables},
            rejects=[one for one in self.rejects if PurePosixPath(one.path).name.rpartition("-")[0] not in tables],
            answers=[answer for answer in self.answers if answer.table not in tables],
            undeclared_fields=fields,
        )

    @property
    def pruned(self) -> "Manifest":
        """What is kept of it when its day is pruned: what the rows were, and not where."""
        bare = {
            name: replace(table, columns=[], files=[], removed=[], totals={}, bookmark={})
            for name, table in self.tables.items()
        }
        return replace(self, tables=bare, rejects=[], answers=[], undeclared_fields={}, warnings=[])

    def to_json(self) -> str:
        """Return the manifest as readable JSON, a column or a file a line, equal for equal manifests."""
        text = json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"
        return _LEAF.sub(lambda leaf: re.sub(r"\n\s*", " ", leaf[0]).replace("{ ", "{").replace(" }", "}"), text)

    @classmethod
    def from_json(cls, text: str) -> "Manifest":
        """Read what `to_json` wrote; raises ValueError, KeyError, TypeError or AttributeError on anything else."""
        data = json.loads(text)
        data["tables"] = {
            name: Table(
                **table
                | {
                    "columns": [Column(**column) for column in table["columns"]],
                    "files": [File(**file) for file in table["files"]],
                    "removed": [File(**file) for file in table.get("removed", [])],
                    "totals": {stage: _read_totals(sums) for stage, sums in table.get("totals", {}).items()},
                }
            )
            for name, table in data["tables"].items()
        }
        data["rejects"] = [File(**file) for file in data["rejects"]]
        data["answers"] = [Answer(**answer) for answer in data.get("answers", [])]
        return cls(**data)


def _read_totals(sums: dict[str, str | None]) -> Totals:
    if wrong := [text for text in sums.values() if text is not None and not _DECIMAL.fullmatch(text)]:
        raise ValueError(f"no sum: {wrong[0]}")
    return Totals(**sums)
