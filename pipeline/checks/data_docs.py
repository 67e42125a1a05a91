"""Write the checks' results as pages, `<home>/reports/expectations/index.html`, without files from other hosts.

Great Expectations' pages load styles and scripts from seven hosts and show nothing without them, so the results are
written with our templates.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import jinja2

from ingestion.files import write_atomically
from ingestion.settings import Home
from pipeline.checks.findings import Finding, Stage
from pipeline.checks.outcomes import Outcome, describe_outcome, describe_value
from pipeline.checks.suites import Suite, read_suites

# The possible results of an expectation, worst first.
_VERDICTS = ("critical", "warning", "accepted", "met")
_KEPT_RUNS = 50
_SUMMARY = "run.json"
TEMPLATES = Path(__file__).with_name("templates")


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
        own = [finding for finding in self.findings if finding.expectation == outcome.check.id]
        return "accepted" if any(finding.accepted_by for finding in own) else outcome.check.severity

    @property
    def unmet(self) -> list[Outcome]:
        """The unmet expectations, worst first."""
        failed = [outcome for outcome in self.outcomes if not outcome.passed]
        return sorted(failed, key=lambda outcome: _VERDICTS.index(self.verdict(outcome)))

    def count(self, verdict: str) -> int:
        return sum(self.verdict(outcome) == verdict for outcome in self.outcomes)


def write_data_docs(home: Home, stage: Stage, run_date: str, runs: list[SuiteRun]) -> Path:
    """Write a run's pages, all suites' pages and the index of the last runs; return the index's path."""
    folder = home.root / "reports" / "expectations"
    templates = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True)
    run_folder = _claim_run(folder / "runs")
    for run in runs:
        page = templates.get_template("validation.html").render(
            root="../../",
            title=run.suite.title,
            run_name=f"{run_date} {stage}",
            run=run,
            describe=describe_outcome,
            show=describe_value,
        )
        write_atomically(run_folder / f"{run.suite.name}.html", page)
    summary = {
        "name": f"{run_date} {stage}",
        "suites": [{"name": run.suite.name} | {verdict: run.count(verdict) for verdict in _VERDICTS} for run in runs],
    }
    write_atomically(run_folder / _SUMMARY, json.dumps(summary, indent=2))
    suites = [suite for each in Stage for suite in read_suites(each)]
    for suite in suites:
        page = templates.get_template("suite.html").render(root="../", title=suite.title, suite=suite)
        _update(folder / "suites" / f"{suite.stage}-{suite.name}.html", page)
    _update(folder / "style.css", (TEMPLATES / "style.css").read_text(encoding="utf-8"))
    index = folder / "index.html"
    page = templates.get_template("index.html").render(
        root="", title="Index", runs=_keep_latest(folder / "runs"), suites=suites
    )
    write_atomically(index, page)
    return index


def _update(path: Path, text: str) -> None:
    """Write a file that rarely changes; a write waits for the disk."""
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        write_atomically(path, text)


def _claim_run(folder: Path) -> Path:
    """Create the folder of a new run with the next number; two processes never get the same one."""
    folder.mkdir(parents=True, exist_ok=True)
    number = max((int(path.name) for path in folder.iterdir()), default=0) + 1
    while True:
        try:
            claimed = folder / f"{number:05}"
            claimed.mkdir()
            return claimed
        except FileExistsError:
            number += 1


def _keep_latest(folder: Path) -> list[dict]:
    """Remove all but the latest runs and return the others' summaries, latest first."""
    paths = sorted(folder.iterdir(), reverse=True)
    for path in paths[_KEPT_RUNS:]:
        shutil.rmtree(path, ignore_errors=True)
    # An interrupted run has no summary.
    finished = [path for path in paths[:_KEPT_RUNS] if (path / _SUMMARY).exists()]
    return [{"folder": path.name} | json.loads((path / _SUMMARY).read_text(encoding="utf-8")) for path in finished]
