"""Checks of arrivals and finished marts beyond dbt's tests, with Great Expectations."""

from pipeline.checks.findings import CheckResult, Finding, Stage, refuse_critical
from pipeline.checks.run import run_checks

__all__ = ["CheckResult", "Finding", "Stage", "refuse_critical", "run_checks"]
