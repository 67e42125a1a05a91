"""Makes no DAG: it fails to import when pipelines.yaml has faults, so that Airflow lists them and keeps the others."""

from tradewinds_dags.definitions import definitions_file, read_definitions

if faults := read_definitions(definitions_file()).faults:
    raise ValueError("; ".join(faults))
