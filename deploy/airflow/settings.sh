# Airflow's settings for this project, to be sourced by bash; whatever is set already wins.
project="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
home="$(realpath --canonicalize-missing "${TRADEWINDS_HOME:-$project/data}")"

export TRADEWINDS_HOME="$home"
export AIRFLOW_HOME="${AIRFLOW_HOME:-$home/airflow}"
export AIRFLOW__CORE__DAGS_FOLDER="${AIRFLOW__CORE__DAGS_FOLDER:-$project/deploy/airflow/dags}"
export AIRFLOW__CORE__LOAD_EXAMPLES="${AIRFLOW__CORE__LOAD_EXAMPLES:-False}"
export AIRFLOW__CORE__EXECUTOR="${AIRFLOW__CORE__EXECUTOR:-LocalExecutor}"
export AIRFLOW__CORE__PARALLELISM="${AIRFLOW__CORE__PARALLELISM:-4}"
# A fault of pipelines.yaml is one line, not a traceback.
export AIRFLOW__CORE__DAGBAG_IMPORT_ERROR_TRACEBACKS="${AIRFLOW__CORE__DAGBAG_IMPORT_ERROR_TRACEBACKS:-False}"
export AIRFLOW__API__HOST="${AIRFLOW__API__HOST:-127.0.0.1}"
export AIRFLOW__API__PORT="${AIRFLOW__API__PORT:-8080}"
execution_url="http://127.0.0.1:$AIRFLOW__API__PORT/execution/"
export AIRFLOW__CORE__EXECUTION_API_SERVER_URL="${AIRFLOW__CORE__EXECUTION_API_SERVER_URL:-$execution_url}"
# A busy machine answers late, and that fails no task.
export AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT="${AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT:-60}"
export AIRFLOW__API__WORKERS="${AIRFLOW__API__WORKERS:-1}"
# The DAGs change with the project and with pipelines.yaml, so a running Airflow looks again soon.
export AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL="${AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL:-30}"
export SCARF_ANALYTICS=false DO_NOT_TRACK=1

# Its parts are started by the name `airflow`.
export PATH="$project/.venv-airflow/bin:$PATH"

mkdir -p "$AIRFLOW_HOME"
# Its database and its passwords are in there.
chmod 700 "$AIRFLOW_HOME"
