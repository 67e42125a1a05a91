"""The community: users, posts, comments, albums, photos and todos of an API like JSONPlaceholder, or its sample."""

from dataclasses import dataclass

from ingestion.sources.api import Field, Shape
from ingestion.sources.api_source import ApiSource

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
class Community(ApiSource):
    """The API at `sources.community.base_url`, its sample, or instead the answers of a landed day."""

    name: str = "community"
    raw_schema: str = "raw_community"

    shapes = SHAPES


SOURCE = Community()
