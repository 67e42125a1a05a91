"""Checks of arrivals and finished marts beyond dbt's tests, with Great Expectations."""

from pipeline.checks.findings import CheckResult, refuse_critical
from pipeline.checks.run import run_checks
from pipeline.checks.suites import Stage

__all__ = ["CheckResult", "Stage", "refuse_critical", "run_checks"]
