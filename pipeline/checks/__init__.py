"""What must hold of arrivals and of finished marts that no dbt test says, by Great Expectations."""

from pipeline.checks.findings import CheckResult, Finding, Stage, describe_critical
from pipeline.checks.run import run_checks

__all__ = ["CheckResult", "Finding", "Stage", "describe_critical", "run_checks"]
