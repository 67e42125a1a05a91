from dataclasses import dataclass
@dataclass
class SuiteRun:
    suite: object; outcomes: list; findings: list
def write_data_docs(home, stage, run_date, runs): ...
