"""One DAG for each pipeline of pipelines.yaml that can be read."""

from tradewinds_dags.definitions import definitions_file, read_definitions
from tradewinds_dags.factory import make_dags

for dag in make_dags(read_definitions(definitions_file())):
    globals()[dag.dag_id] = dag
