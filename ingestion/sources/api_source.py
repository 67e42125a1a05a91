"""A source that is the lists of a JSON API."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from ingestion.errors import Refused
from ingestion.landing import Landing, Manifest
from ingestion.settings import Home
from ingestion.sources.api import ApiReading, Shape
from ingestion.sources.api.settings import configured_url, read_api_settings
from ingestion.sources.base import Source


@dataclass(frozen=True)
class ApiSource(Source):
    """The API at `sources.<name>.base_url`, its sample, or instead the answers of a landed day."""

    name: str
    raw_schema: str
    area: str = "api"
    kept: Manifest | None = None

    @property
    def shapes(self) -> dict[str, Shape]:
        """The lists' columns and keys."""
        raise NotImplementedError

    def is_sample(self, home: Home) -> bool:
        return self.kept.is_sample if self.kept else configured_url(self.name) is None

    def reading_kept(self, home: Home, run_date: str) -> Self:
        """Return this source reading a landed day's answers instead of the API; raises Refused when there are none."""
        manifest = Landing(home).answers(self.name, run_date)
        if manifest is None:
            raise Refused(
                "no answers of the API have landed on this day",
                f"tradewinds extract --run-date {run_date} --source {self.name}",
            )
        return replace(self, kept=manifest)

    @contextmanager
    def open(self, home: Home, run_date: str, work: Path) -> Iterator[ApiReading]:
        from ingestion.sources.api.pages import ApiPages, KeptPages  # imports dlt, which takes a second

        if self.kept:
            with Landing(home).local(self.name, run_date, self.kept.answers) as files:
                answers = list(zip(self.kept.answers, files, strict=True))
                yield ApiReading(self.shapes, KeptPages(answers))
            return
        with ExitStack() as stack:
            configured = configured_url(self.name)
            if configured is None:
                self.refuse_sample(home)
                from ingestion.samples.defaults import sample_api

                configured = stack.enter_context(sample_api(home).running())
            folder = work / "answers"
            folder.mkdir()
            writer = stack.enter_context(ThreadPoolExecutor(max_workers=1))
            pages = ApiPages(read_api_settings(self.name, configured), folder, writer, is_sample=self.is_sample(home))
            yield ApiReading(self.shapes, pages)
