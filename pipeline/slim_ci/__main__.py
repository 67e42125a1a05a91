"""`python -m pipeline.slim_ci state|compare`, called by the Makefile."""

import argparse
import sys
from pathlib import Path

from ingestion.errors import StepFailed, TradewindsError
from ingestion.files import write_atomically
from ingestion.redact import one_line
from ingestion.settings import Home
from pipeline.run.dates import parse_run_date
from pipeline.run.output import print_anything
from pipeline.slim_ci.changed import build_changed
from pipeline.slim_ci.comparison import compare_marts, render_report
from pipeline.slim_ci.state import build_state, read_state


def main() -> None:
    """Run the command; a failure is one line on standard error and an exit code."""
    print_anything()
    parser = argparse.ArgumentParser(prog="slim-ci")
    verbs = parser.add_subparsers(dest="verb", required=True)
    state = verbs.add_parser("state", help="Build what a change is compared with.")
    state.add_argument("--base", required=True, help="The commit to build.")
    state.add_argument("--run-date", required=True, help="The day whose sample data it is built from.")
    compare = verbs.add_parser("compare", help="Build what differs, and say what that does to the marts.")
    for verb in (state, compare):
        verb.add_argument("--state", type=Path, required=True, help="The folder of what is compared with.")
    asked = parser.parse_args()
    try:
        folder = asked.state.resolve()
        if asked.verb == "state":
            built = build_state(folder, asked.base, parse_run_date(asked.run_date))
            print(f"{folder} has the marts of {built.commit[:12]} on {built.run_date}")
        else:
            _compare(folder, Home.from_environment())
    except TradewindsError as error:
        command = f"; run: {error.command}" if error.command else ""
        print(f"slim-ci: {one_line(TradewindsError(error.reason + command))}", file=sys.stderr)
        sys.exit(error.exit_code)


def _compare(folder: Path, home: Home) -> None:
    """Build what is modified and write `reports/changes.md`; raises StepFailed after that if the build failed."""
    state, report = read_state(folder), home.root / "reports" / "changes.md"
    built = build_changed(state, home.root)
    text = render_report(state, built, *compare_marts(state, built.warehouse))
    write_atomically(report, text)
    print(f"\n{text}\nopen {report}")
    if not built.is_good:
        raise StepFailed(f"the build failed: {'; '.join(built.troubled) or 'its lines are above'}")


main()
