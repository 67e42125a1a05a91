"""Draw the columns' lineage with dbt-colibri, from dbt's artifacts."""

import logging
from pathlib import Path

from ingestion.errors import Refused, StepFailed
from ingestion.redact import one_line


def draw_lineage(artifacts: Path) -> str:
    """Return the lineage page of every column, from a folder with dbt's manifest.json and catalog.json.

    Raises StepFailed when dbt-colibri fails.
    """
    try:
        from dbt_colibri.lineage_extractor.extractor import DbtColumnLineageExtractor
        from dbt_colibri.report.generator import DbtColibriReportGenerator
    except ImportError as error:
        raise Refused(f"dbt-colibri isn't there: {one_line(error)}", "make setup") from error
    # Its page shows what it couldn't parse.
    logging.getLogger("colibri").setLevel(logging.CRITICAL)
    try:
        read = DbtColumnLineageExtractor(str(artifacts / "manifest.json"), str(artifacts / "catalog.json"))
        # Otherwise its page would send usage data to another host.
        DbtColibriReportGenerator(read, disable_telemetry=True).generate_report(str(artifacts / "lineage"))
    except Exception as error:  # it has no errors of its own
        raise StepFailed(f"the columns' lineage can't be drawn: {type(error).__name__}: {one_line(error)}") from error
    return (artifacts / "lineage" / "index.html").read_text(encoding="utf-8")
