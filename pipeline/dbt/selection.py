"""Select the dbt nodes for a build of some sources."""

from collections.abc import Iterable
from typing import Any

# The tag of models that compare or count all sources.
_ACROSS_SOURCES = "across_sources"


def nodes_of_sources(manifest: Any, sources: list[str]) -> list[str]:
    """Return the names of all models and snapshots that depend on these sources, and of their ancestors.

    dbt's `@tag:<source>` would include every other source through the models that compare all of them.
    """
    manifest.build_parent_and_child_maps()
    tagged = {id_ for id_, table in manifest.sources.items() if set(table.config.tags) & set(sources)}
    across = {id_ for id_, node in manifest.nodes.items() if _ACROSS_SOURCES in node.tags}
    descendants = _reachable(tagged, manifest.child_map) - across
    found = _reachable(descendants, manifest.parent_map) & manifest.nodes.keys()
    nodes = [manifest.nodes[id_] for id_ in found]
    return sorted(node.name for node in nodes if node.resource_type in ("model", "seed", "snapshot"))


def _reachable(start: Iterable[str], edges: dict[str, list[str]]) -> set[str]:
    """Return the reachable nodes, including the start, without paths through tests."""
    found, ahead = set(), list(start)
    while ahead:
        id_ = ahead.pop()
        if id_ not in found and not id_.startswith(("test.", "unit_test.", "exposure.", "metric.", "saved_query.")):
            found.add(id_)
            ahead += edges.get(id_, [])
    return found
