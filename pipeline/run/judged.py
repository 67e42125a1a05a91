"""The rows that a build rejected, as `quarantine.rejected_rows` has them beside those rejected by an extract."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as compute

from ingestion.landing import Landing
from ingestion.sources.selection import Selection
from pipeline.run.request import Request

COLUMNS = ("run_date", "source", "table_name", "file", "line_number", "rule", "raw_text")
_QUARANTINE, _JUDGED = "quarantine.rejected_rows", "quarantine._judged_days"
# A database value that landing can't hold has no line number either, but the extract rejects it, so it is in landing.
_FOUND_BY_EXTRACT = "^(out of range|not UTF-8: )"


def judged_days(request: Request, days: Iterable[str]) -> list[str]:
    """Return those of the landed days whose rows, as they have landed, the last build has validated."""
    mark = request.warehouse.build_mark()
    if mark is None or mark.state != "built" or not request.warehouse.has(_JUDGED):
        return []
    with request.warehouse.reading(_JUDGED) as batches:
        built = {str(row["run_date"]) for batch in batches for row in batch.to_pylist()}
    landing = Landing(request.home)

    def is_loaded(day: str) -> bool:
        manifests = [landing.manifest(source.name, day) for source in request.sources_of(day)]
        loaded = request.warehouse.loaded_runs(day)
        return all(loaded.get(manifest.source) == manifest.last_run for manifest in manifests if manifest)

    return [day for day in days if day in built and is_loaded(day)]


def rejected_by_build(request: Request, days: list[str], order_by: Sequence[str] = ()) -> Iterator[pa.Table]:
    """Yield the rows of judged days that broke a rule in staging or in the people database."""
    if not days:
        return
    names = [source.name for source in request.sources]
    files = pa.array([source.name for source in request.sources if source.kind in ("csv", "api", "dlt")], pa.string())
    with request.warehouse.reading(_QUARANTINE, Selection(order_by, days)) as batches:
        for batch in batches:
            rows = pa.Table.from_batches([batch]).select(COLUMNS)
            wanted = compute.field("source").isin(names)
            # The extract reads sources that are files or APIs, but not the files imported into the people database.
            wanted &= ~(compute.field("source").isin(files) & compute.field("line_number").is_valid())
            wanted &= ~compute.match_substring_regex(compute.field("rule"), _FOUND_BY_EXTRACT)
            yield rows.filter(wanted)


def count_by_source(request: Request, run_date: str) -> dict[str, int] | None:
    """Return the number of rows of a day that its build rejected, by source; None if no build has validated them."""
    if not (days := judged_days(request, [run_date])):
        return None
    counts: Counter[str] = Counter()
    for rows in rejected_by_build(request, days):
        counts.update(rows["source"].to_pylist())
    return dict(sorted(counts.items()))
