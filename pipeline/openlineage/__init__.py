"""OpenLineage: the runs of jobs and their datasets, as events to a file and to any OpenLineage URL."""

from pipeline.openlineage.emitting import FILE_NAME, emit
from pipeline.openlineage.events import Dataset, run_event

__all__ = ["FILE_NAME", "Dataset", "emit", "run_event"]
