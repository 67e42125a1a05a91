"""Write the checks' results as pages, `<home>/reports/expectations/index.html`, without files from other hosts.

Great Expectations' pages load styles and scripts from seven hosts and show nothing without them, so the results are
written with our templates, in the site's style.
"""

import json
import shutil
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from ingestion.files import write_atomically
from ingestion.settings import Home
from pipeline.checks.findings import Finding
from pipeline.checks.outcomes import Outcome, describe_value, expected_of, found_in
from pipeline.checks.suites import Stage, Suite, read_suites
from pipeline.pages import Pages

# The possible results of an expectation, worst first.
_VERDICTS = ("critical", "warning", "accepted", "met")
_KEPT_RUNS = 50
# The index shows this many runs; the others are a click away.
_SHOWN_RUNS = 14
_SUMMARY = "run.json"
TEMPLATES = Path(__file__).with_name("templates")
CHECKS_PAGE = "expectations/index.html"


@dataclass(frozen=True)
class SuiteRun:
    """One suite on one run date: its expectations' outcomes, and the findings."""

    suite: Suite
    outcomes: list[Outcome]
    findings: list[Finding]

    def verdict(self, outcome: Outcome) -> str:
        """Return an expectation's verdict."""
        if outcome.passed:
            return "met"
        is_accepted = any(finding.accepted_by for finding in self.findings if finding.check == outcome.check)
        return "accepted" if is_accepted else outcome.check.severity

    @property
    def unmet(self) -> list[Outcome]:
        """The unmet expectations, worst first."""
        failed = [outcome for outcome in self.outcomes if not outcome.passed]
        return sorted(failed, key=lambda outcome: _VERDICTS.index(self.verdict(outcome)))

    def count(self, verdict: str) -> int:
        return sum(self.verdict(outcome) == verdict for outcome in self.outcomes)


def write_data_docs(home: Home, stage: Stage, run_date: str, runs: list[SuiteRun]) -> Path:
    """Write a run's pages, all suites' pages and the index of the last runs; return the index's path."""
    reports = home.root / "reports"
    pages, name = Pages(reports, TEMPLATES), f"{run_date} {stage}"
    run_folder = _claim_run(reports / "expectations" / "runs")
    run_page = run_folder.relative_to(reports).as_posix()
    shown = {"expected": expected_of, "found": found_in, "show": describe_value}
    for run in runs:
        pages.write(f"{run_page}/{run.suite.name}.html", "validation.html", run_name=name, run=run, **shown)
    summary = {
        "name": name,
        "suites": [{"name": run.suite.name} | {verdict: run.count(verdict) for verdict in _VERDICTS} for run in runs],
    }
    write_atomically(run_folder / _SUMMARY, json.dumps(summary, indent=2))
    suites = [suite for each in Stage for suite in read_suites(each)]
    for suite in suites:
        pages.write(f"expectations/suites/{suite.stage}-{suite.name}.html", "suite.html", suite=suite)
    latest = _keep_latest(run_folder.parent)
    return pages.write(
        CHECKS_PAGE, "index.html", shown=latest[:_SHOWN_RUNS], earlier=latest[_SHOWN_RUNS:], suites=suites
    )


def _claim_run(folder: Path) -> Path:
    """Create the folder of a new run with the next number; two processes never get the same one."""
    folder.mkdir(parents=True, exist_ok=True)
    last = max((int(path.name) for path in folder.iterdir()), default=0)
    for number in count(last + 1):
        with suppress(FileExistsError):
            (claimed := folder / f"{number:05}").mkdir()
            break
    return claimed


def _keep_latest(folder: Path) -> list[dict]:
    """Remove all but the latest runs and return the others' summaries, latest first."""
    paths = sorted(folder.iterdir(), reverse=True)
    for path in paths[_KEPT_RUNS:]:
        shutil.rmtree(path, ignore_errors=True)
    # An interrupted run has no summary.
    finished = [path for path in paths[:_KEPT_RUNS] if (path / _SUMMARY).exists()]
    return [{"folder": path.name} | json.loads((path / _SUMMARY).read_text(encoding="utf-8")) for path in finished]
