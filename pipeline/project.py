"""What the dbt project's folders say: the marts by schema, and the exports that are declared as exposures."""

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


def marts() -> list[str]:
    """Return every mart as `schema.table`: schemas mirror the folders of `models/marts`."""
    return sorted(f"{path.parent.name}.{path.stem}" for path in (PROJECT / "models" / "marts").glob("*/*.sql"))


def exports() -> list[Export]:
    """Return the exposures of `models/exports` that say how they are exported."""
    found = []
    for path in sorted((PROJECT / "models" / "exports").glob("*.yml")):
        for exposure in yaml.safe_load(path.read_text()).get("exposures", []):
            settings = exposure.get("config", {}).get("meta", {}).get("export")
            if settings:
                found.append(Export(name=settings["relation"].partition(".")[2], **settings))
    return found
