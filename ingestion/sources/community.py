"""The community: users, posts, comments, albums, photos and todos of an API like JSONPlaceholder, or its sample."""

from dataclasses import dataclass

from ingestion.sources.api import Field, Shape
from ingestion.sources.api_source import ApiSource


def _ids(*paths: str) -> list[Field]:
    return [Field(path, "integer", required=True) for path in paths]


def _texts(*paths: str) -> list[Field]:
    return [Field(path, "text") for path in paths]


_ADDRESS = _texts("address.street", "address.suite", "address.city", "address.zipcode")
_PLACE = [Field("address.geo.lat", "number"), Field("address.geo.lng", "number")]
_COMPANY = _texts("company.name", "company.catchPhrase", "company.bs")
_NAMES, _CONTACT = _texts("name", "username", "email"), _texts("phone", "website")
SHAPES = {
    "users": Shape((*_ids("id"), *_NAMES, *_ADDRESS, *_PLACE, *_CONTACT, *_COMPANY)),
    "posts": Shape((*_ids("userId", "id"), *_texts("title", "body"))),
    "comments": Shape((*_ids("postId", "id"), *_texts("name", "email", "body"))),
    "albums": Shape((*_ids("userId", "id"), *_texts("title"))),
    "photos": Shape((*_ids("albumId", "id"), *_texts("title", "url", "thumbnailUrl"))),
    "todos": Shape((*_ids("userId", "id"), *_texts("title"), Field("completed", "boolean", required=True))),
}


@dataclass(frozen=True)
class Community(ApiSource):
    """The API at `sources.community.base_url`, its sample, or instead the answers of a landed day."""

    name: str = "community"
    raw_schema: str = "raw_community"

    shapes = SHAPES


SOURCE = Community()
