"""Odd CSV files, extracted and loaded: rows and rejects are the lines, or one line says why the file is refused."""

import csv
import gzip
import re
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb

from tests.faults.small import HEADER
from tests.faults.trials import Fault
from tests.faults.worker import Worker
from tests.python.sandbox import Sandbox

ORDERS, EVENTS = "order_details", "event_log"
EVENT_HEADER = "event_id;event_type;professional_id_anonymized;created_at;meta_data"
FIRST = date(2021, 1, 1)
LINES = [f"{10248 + number},{number % 77 + 1},{number}.25,{number % 9 + 1},0.05" for number in range(20)]
EVENT_LINES = [f"{number};created_account;{number % 7};2020-02-01 10:{number:02}:00;" for number in range(20)]


def _with(*bad: str, lines: list[str] = LINES, header: str = HEADER) -> bytes:
    """Return a file with these lines among good ones."""
    return "\n".join([header, *lines[:7], *bad, *lines[7:], ""]).encode()


def _of(bad: str | bytes, **of: object) -> tuple[bytes, set[bytes]]:
    """Return a file with this line among good ones, and the line, which must be rejected."""
    text = bad.encode() if isinstance(bad, str) else bad
    return _with("BAD", **of).replace(b"BAD", text), set(text.split(b"\n"))


PLAIN = _with()
NO_FILE = "can't be read"
NO_HEADER = "has the wrong header"
# Each file: what is in it, and which of its lines are rejected, or what it is refused with.
FILES: dict[str, tuple[bytes, set[bytes] | str]] = {
    "plain": (PLAIN, set()),
    "a BOM": (b"\xef\xbb\xbf" + PLAIN, set()),
    "CRLF": (PLAIN.replace(b"\n", b"\r\n"), set()),
    "mixed line ends": (PLAIN.replace(b"\n", b"\r\n", 9), set()),
    "CR alone": (PLAIN.replace(b"\n", b"\r"), NO_HEADER),
    "no newline at the end": (PLAIN.rstrip(), set()),
    "cut off in its last line": (PLAIN + b"10299,7,1.", {b"10299,7,1."}),
    "blank lines": (_with("", "", "\r", ""), set()),
    "a line of blanks": _of("   "),
    "trailing spaces": (_with("10300,7,1.5,2,0.05  ", "10301 ,7, 1.5,2,0.05"), set()),
    "a short line": _of("10300,7,1.5"),
    "a long line": _of("10300,7,1.5,2,0.05,9"),
    "an empty last field too many": _of("10300,7,1.5,2,0.05,"),
    "quoted fields": (_with('"10300","7","1.5","2","0.05"'), set()),
    "doubled quotes": _of('"10""300",7,1.5,2,0.05'),
    "backslashed quotes": _of(r'"10\"300",7,1.5,2,0.05'),
    "a quote within a field": _of('10"300,7,1.5,2,0.05'),
    "an unclosed quote": _of('"10300,7,1.5,2,0.05'),
    "newlines within a field": _of('10300,7,"1.5\n",2,0.05'),
    "a comma within a number": _of('10300,7,"1,234.5",2,0.05'),
    "a decimal comma": _of("10300,7,1,5,2,0.05"),
    "a formula": _of("=1+1,7,1.5,2,0.05"),
    "a command of a spreadsheet": _of("@SUM(1),7,1.5,2,0.05"),
    "Latin-1": _of("10300,7,1.5,2,é".encode("latin-1")),
    "an emoji": _of("10300,7,1.5,2,💥"),
    "NUL bytes": _of(b"10300,7,1.5\0,2,0.05"),
    "control characters": _of(b"10300,7,1.5\x1b[2J,2,0.05"),
    "a lone CR": _of(b"10300,7,1.5,2,0.05\r10301,7,1.5,2,0.05"),
    "a huge line": _of("1" * 2**21 + ",7,1.5,2,0.05"),
    "a huge field": _of(f"10300,7,{'0' * 500_000}1x,2,0.05"),
    "an integer of 20 digits": _of("99999999999999999999,7,1.5,2,0.05"),
    "a fraction where an integer is due": _of("10300,7,1.5,2.5,0.05"),
    "a number in hexadecimal": _of("0x2a,7,1.5,2,0.05"),
    "words for no number": _of("10300,7,NaN,2,inf"),
    "a comment": _of("# made by hand"),
    "the header once more": _of(HEADER),
    "another encoding, with a BOM": (PLAIN.decode().encode("utf-16"), NO_HEADER),
    "another encoding, without one": (PLAIN.decode().encode("utf-16-le"), NO_HEADER),
    "another delimiter": (PLAIN.replace(b",", b";"), NO_HEADER),
    "tabs": (PLAIN.replace(b",", b"\t"), NO_HEADER),
    "no header": ("\n".join(LINES).encode(), NO_HEADER),
    "a wrong header": (_with(header=HEADER.replace("discount", "rebate")), NO_HEADER),
    "a column less": (_with(header=HEADER.rpartition(",")[0]), NO_HEADER),
    "columns in another order": (_with(header=",".join(reversed(HEADER.split(",")))), NO_HEADER),
    "a column twice": (_with(header=HEADER.replace("discount", "quantity")), NO_HEADER),
    "a header in capitals": (_with(header=HEADER.upper()), NO_HEADER),
    "a header behind blanks": (_with(header=HEADER.replace(",", ", ")), NO_HEADER),
    "a blank line before the header": (b"\n" + PLAIN, NO_HEADER),
    "nothing": (b"", NO_HEADER),
    "only a BOM": (b"\xef\xbb\xbf", NO_HEADER),
    "only a header": (HEADER.encode(), set()),
    "more bad lines than are allowed": (_with(*["x,1,1,1,1"] * 300), "more than"),
    "gzip .gz": (gzip.compress(PLAIN), set()),
    "gzip cut off .gz": (gzip.compress(PLAIN)[:-20], NO_FILE),
    "gzip with a wrong byte .gz": (gzip.compress(PLAIN)[:-8] + b"\0" * 8, NO_FILE),
    "no gzip .gz": (PLAIN, NO_FILE),
    "gzip without its name": (gzip.compress(PLAIN), NO_HEADER),
    # Of event_log, which has dates.
    "dates of other forms": _of(
        "\n".join(
            f"99;created_account;7;{text};"
            for text in ("01.02.2020", "1/2/2020", "01/02/2020 10:00", "Feb 1 2020", "20200201", "1580515200", "epoch")
        ),
        lines=EVENT_LINES,
        header=EVENT_HEADER,
    ),
    "dates that don't exist": _of(
        "\n".join(
            f"99;created_account;7;{text};" for text in ("2020-13-01", "2020-02-30 10:00:00", "2020-02-01 25:00")
        ),
        lines=EVENT_LINES,
        header=EVENT_HEADER,
    ),
    "a time in a zone": _of("99;created_account;7;2020-02-01 10:00:00+02;", lines=EVENT_LINES, header=EVENT_HEADER),
    "text of a marketplace": (
        _with('98;proposed;7;2020-02-01 10:00:00;"1_Tür ""a""_=x_4,5💥"', lines=EVENT_LINES, header=EVENT_HEADER),
        set(),
    ),
}
_KINDS: dict[str, list[Callable[[str], object]]] = {
    ORDERS: [int, int, Decimal, int, Decimal],
    EVENTS: [int, str, int, datetime.fromisoformat, str],
}


def _expected(source: str, lines: list[bytes], rejected: set[bytes]) -> Counter:
    """Return the rows of a file as Python's own csv module reads the lines that aren't rejected."""
    rows = csv.reader(
        [line.decode() for line in lines if line not in rejected], delimiter=";" if source == EVENTS else ","
    )
    return Counter(
        tuple(kind(field.strip()) if field else None for kind, field in zip(_KINDS[source], row, strict=True))
        for row in rows
    )


def test_every_line_of_an_odd_file_is_a_row_or_a_reject(
    fault: Callable[[str], Fault], worker: Worker, tmp_path: Path
) -> None:
    """Each file lands on a day of its own through the command; then all days are loaded and compared."""
    sandbox, counting, landed = Sandbox(tmp_path / "home"), fault("an odd CSV file"), {}
    cases = list(FILES.items())
    for _ in counting.trials(len(cases), 8):
        name, (content, outcome) = cases[counting.trial]
        day = str(FIRST + timedelta(counting.trial))
        source = EVENTS if EVENT_HEADER.encode() in content else ORDERS
        path = tmp_path / f"{counting.trial}.csv{'.gz' * name.endswith('.gz')}"
        path.write_bytes(content)
        sandbox.settings = {f"SOURCES__{source.upper()}__PATH": str(path)}
        done = sandbox.run("extract", "--run-date", day, "--source", source)
        counting.converged((name, done.returncode), (name, int(isinstance(outcome, str))))
        if isinstance(outcome, str):
            line, *below = done.stderr.splitlines()
            assert all(one.startswith("  ") for one in below), (name, below)
            assert line.startswith(f"tradewinds: extract {day} failed: {source}: "), (name, line)
            assert outcome in line, (name, line)
            assert line.isprintable(), (name, line)
            assert len(line) < 600, (name, line)
            assert not list((sandbox.home / "landing").rglob(f"*{day}*/*.parquet")), name
        else:
            text = gzip.decompress(content) if name.endswith(".gz") else content
            lines = [line.removesuffix(b"\r") for line in text.split(b"\n")[1:]]
            landed[name] = source, day, [line for line in lines if line], outcome
    for source in (ORDERS, EVENTS):
        days = [day for other, day, *_ in landed.values() if other == source]
        assert worker.ask(*days, source=source, steps="load", environment={"TRADEWINDS_HOME": str(sandbox.home)}) == 0
    for name, (source, day, lines, rejected) in landed.items():
        table = sandbox.manifest(source, day)["tables"][source]
        assert table["rows"] + table["rejected_rows"] == len(lines), name
        schema = "raw_marketplace" if source == EVENTS else "raw_northwind"
        columns = EVENT_HEADER.replace(";", ",") if source == EVENTS else HEADER
        rows = sandbox.query(f"select {columns} from {schema}.{source} where _run_date = '{day}'")
        counting.seen({name: Counter(rows)}, {name: _expected(source, lines, rejected)})
        files = str(sandbox.home / "landing" / "_rejects" / source / f"run_date={day}" / "*.parquet")
        kept = duckdb.execute("select raw_text from read_parquet(?)", [files]).fetchall() if rejected else []
        assert len(kept) == sum(line in rejected for line in lines), name
        shown = {line.decode(errors="backslashreplace").replace("\0", "\\x00") for line in rejected if line}
        assert {re.sub(r"\r$", "", text) for (text,) in kept} == shown, name
