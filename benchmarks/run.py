"""Ours, the limits and the peers in turns, round by round, on generated data of several sizes; the report at the end.

Run: make bench [SCALE=10000] [BEFORE=<commit>], or: python -m benchmarks.run [--orders 10000 …] [--rounds 5] …
"""

import argparse
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks import rounds
from benchmarks.measuring import Measure
from benchmarks.report import write_report
from benchmarks.world import PROJECT, Place, open_world

SMALL, DAYS_AT = 830, 8_300
SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
LARGEST = 10_000_000  # takes three rounds at most


def one_round(place: Place, before: str | None, is_long: bool) -> Iterator[tuple[str, Measure]]:
    if place.orders == SMALL:
        yield from rounds.small_day(place)
    else:
        yield from rounds.whole_days(place, is_long)
        yield from rounds.steps(place)
        yield from rounds.into_postgres(place)
        if is_long:
            yield from rounds.api(place, before)


def session(arguments: argparse.Namespace, log: Path) -> None:
    """Measure everything, a line a measure in `log` as soon as it is there."""
    sizes = sorted({SMALL, *arguments.orders, *([DAYS_AT] if arguments.days else [])})
    with tempfile.TemporaryDirectory(prefix="tradewinds-bench-") as root, open_world(Path(root), sizes) as places:

        def keep(place: Place, found: Iterator[tuple[str, Measure]]) -> None:
            for what, measure in found:
                line = f"{place.orders:>12,}  {what:<16} {measure.seconds:>8.2f} s {measure.mebibytes:>6.0f} MiB"
                print(line, flush=True)
                with log.open("a", encoding="utf-8") as lines:
                    lines.write(json.dumps([place.orders, what, *measure]) + "\n")

        for number in range(arguments.rounds):
            print(f"round {number + 1} of {arguments.rounds}", flush=True)
            for orders in {SMALL, *arguments.orders}:
                if orders < LARGEST or number < 3:
                    is_long = number < arguments.long_rounds
                    keep(places[orders], one_round(places[orders], arguments.before, is_long))
        if arguments.days:
            keep(places[DAYS_AT], rounds.many_days(places[DAYS_AT], arguments.days))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--orders", type=int, nargs="+", default=SIZES)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--long-rounds", type=int, default=5, help="the first so many have the peers and the API")
    parser.add_argument("--days", type=int, default=60, help="days in a row at 8,300 orders; 0 for none")
    parser.add_argument("--before", help="a commit whose extract of the API is measured, too")
    parser.add_argument("--report", type=Path, default=PROJECT / "benchmarks", help="the folder of RESULTS.md")
    arguments = parser.parse_args()
    arguments.report.mkdir(parents=True, exist_ok=True)
    log = arguments.report / "measures.jsonl"
    log.unlink(missing_ok=True)
    session(arguments, log)
    print(write_report(log))


if __name__ == "__main__":
    main()
