"""The community: users, posts, comments, albums, photos and todos of an API like JSONPlaceholder, or its sample."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ingestion.errors import Refused
from ingestion.landing import Landing, Manifest
from ingestion.samples.defaults import sample_api
from ingestion.settings import Home
from ingestion.sources.api import ApiReading, Field, Shape
from ingestion.sources.api.settings import configured_url, read_api_settings
from ingestion.sources.base import Described

_ID = Field("id", "integer", required=True)
SHAPES = {
    "users": Shape(
        (
            _ID,
            *(Field(path, "text") for path in ("name", "username", "email")),
            *(Field(f"address.{part}", "text") for part in ("street", "suite", "city", "zipcode")),
            *(Field(f"address.geo.{part}", "number") for part in ("lat", "lng")),
            *(Field(path, "text") for path in ("phone", "website")),
            *(Field(f"company.{part}", "text") for part in ("name", "catchPhrase", "bs")),
        )
    ),
    "posts": Shape(
        (Field("userId", "integer", required=True), _ID, Field("title", "text"), Field("body", "text")),
    ),
    "comments": Shape(
        (
            Field("postId", "integer", required=True),
            _ID,
            *(Field(path, "text") for path in ("name", "email", "body")),
        )
    ),
    "albums": Shape((Field("userId", "integer", required=True), _ID, Field("title", "text"))),
    "photos": Shape(
        (
            Field("albumId", "integer", required=True),
            _ID,
            *(Field(path, "text") for path in ("title", "url", "thumbnailUrl")),
        )
    ),
    "todos": Shape(
        (
            Field("userId", "integer", required=True),
            _ID,
            Field("title", "text"),
            Field("completed", "boolean", required=True),
        )
    ),
}


@dataclass(frozen=True)
class Community(Described):
    """The API at `sources.community.base_url`, or instead the answers of a landed day."""

    name: str = "community"
    area: str = "api"
    raw_schema: str = "raw_community"
    kept: Manifest | None = None

    def is_sample(self, home: Home) -> bool:
        return self.kept.is_sample if self.kept else configured_url(self.name) is None

    def reading_kept(self, home: Home, run_date: str) -> "Community":
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
                yield ApiReading(SHAPES, KeptPages(answers), self.control_totals)
            return
        with ExitStack() as stack:
            configured = configured_url(self.name)
            url = configured or stack.enter_context(sample_api(home).running())
            folder = work / "answers"
            folder.mkdir()
            writer = stack.enter_context(ThreadPoolExecutor(max_workers=1))
            pages = ApiPages(read_api_settings(self.name, url), folder, writer, is_sample=configured is None)
            yield ApiReading(SHAPES, pages, self.control_totals)
