"""What the script asks of Superset's REST interface: a database, a dataset, a chart, and the chart's rows."""

import json
from pathlib import Path
from typing import Any

import requests
from server import USER

_TIMEOUT_SECONDS = 120


class Superset:
    """A session of the one user; whatever Superset refuses raises requests.HTTPError."""

    def __init__(self, url: str, folder: Path):
        self._url = f"{url}/api/v1"
        self._session = requests.Session()
        password = (folder / "password").read_text(encoding="utf-8")
        login = {"username": USER, "password": password, "provider": "db", "refresh": False}
        token = self._ask("POST", "/security/login", json=login)["access_token"]
        self._session.headers["Authorization"] = f"Bearer {token}"
        self._session.headers["X-CSRFToken"] = self._ask("GET", "/security/csrf_token/")["result"]
        self._session.headers["Referer"] = url

    def ensure_database(self, name: str, uri: str) -> int:
        """Return the id of the database of this name, registered by its SQLAlchemy URL where it isn't yet."""
        read_only = {"engine_params": {"connect_args": {"read_only": True}}} if uri.startswith("duckdb") else {}
        body = {"database_name": name, "sqlalchemy_uri": uri, "expose_in_sqllab": True, "extra": json.dumps(read_only)}
        return self._ensure("database", "database_name", name, body)

    def ensure_dataset(self, database: int, schema: str, table: str) -> int:
        """Return the id of a mart's dataset."""
        body = {"database": database, "schema": schema, "table_name": table}
        return self._ensure("dataset", "table_name", table, body)

    def ensure_chart(self, name: str, dataset: int, group: str, total: str) -> int:
        """Return the id of a chart that sums one column for each value of another."""
        metric = {"expressionType": "SQL", "sqlExpression": f"SUM({total})", "label": total}
        query = {"columns": [group], "metrics": [metric], "orderby": [[group, True]], "row_limit": 10000}
        context = {
            "datasource": {"id": dataset, "type": "table"},
            "queries": [query],
            "result_format": "json",
            "result_type": "full",
        }
        params = {"viz_type": "table", "groupby": [group], "metrics": [metric], "datasource": f"{dataset}__table"}
        body = {
            "slice_name": name,
            "viz_type": "table",
            "datasource_id": dataset,
            "datasource_type": "table",
            "params": json.dumps(params),
            "query_context": json.dumps(context),
        }
        return self._ensure("chart", "slice_name", name, body)

    def chart_rows(self, chart: int) -> list[dict[str, Any]]:
        """Return the rows that a chart shows, asked of the marts now."""
        return self._ask("GET", f"/chart/{chart}/data/?force=true")["result"][0]["data"]

    def _ensure(self, kind: str, column: str, name: str, body: dict[str, Any]) -> int:
        wanted = f"(filters:!((col:{column},opr:eq,value:'{name}')))"
        found = self._ask("GET", f"/{kind}/", params={"q": wanted})["result"]
        return found[0]["id"] if found else self._ask("POST", f"/{kind}/", json=body)["id"]

    def _ask(self, method: str, path: str, **how: Any) -> dict[str, Any]:
        answer = self._session.request(method, self._url + path, timeout=_TIMEOUT_SECONDS, **how)
        if not answer.ok:
            raise requests.HTTPError(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer.json()
