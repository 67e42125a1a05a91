"""One Airflow DAG for each pipeline of pipelines.yaml that can be read."""

# Airflow opens only files with both of its words in them, `airflow` and `dag`: here they stand in the sentence above.
from tradewinds_dags.definitions import definitions_file, read_definitions
from tradewinds_dags.factory import make_dags

for dag in make_dags(read_definitions(definitions_file())):
    globals()[dag.dag_id] = dag
