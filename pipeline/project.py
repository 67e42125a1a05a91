"""What the dbt project's folders say: what is published, and the exports that are declared as exposures."""

from dataclasses import dataclass

import yaml

from ingestion.settings import PROJECT


@dataclass(frozen=True)
class Export:
    """A mart that every run writes as files, in this row order."""

    name: str
    relation: str
    formats: list[str]
    order_by: list[str]


def published_relations() -> list[str]:
    """Return every mart and snapshot as `schema.table`: schemas mirror the folders."""
    marts = (f"{path.parent.name}.{path.stem}" for path in (PROJECT / "models" / "marts").glob("*/*.sql"))
    snapshots = (f"snapshots.{path.stem}" for path in (PROJECT / "snapshots").glob("*_snapshot.yml"))
    return sorted([*marts, *snapshots])


def exports() -> list[Export]:
    """Return the exposures of `models/exports` that say how they are exported."""
    found = []
    for path in sorted((PROJECT / "models" / "exports").glob("*.yml")):
        for exposure in yaml.safe_load(path.read_text()).get("exposures", []):
            settings = exposure.get("config", {}).get("meta", {}).get("export")
            if settings:
                found.append(Export(name=settings["relation"].partition(".")[2], **settings))
    return found
