"""Bring Superset up on the published marts, with a chart of net sales by country, and ask the chart for its rows.

Settings: TRADEWINDS_HOME; SUPERSET_MARTS_URL, an SQLAlchemy URL, when the marts aren't the home's published file;
SUPERSET_PORT. With `--once` it prints the rows as JSON and stops, else it serves until Ctrl-C.
"""

import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

from rest import Superset
from server import USER, prepare, serving


def main() -> None:
    """Do all of it; ends with 3 when nothing is published."""
    home = Path(os.environ.get("TRADEWINDS_HOME") or "data").resolve()
    published = home / "published" / "tradewinds.duckdb"
    url = os.environ.get("SUPERSET_MARTS_URL")
    if url is None and not published.exists():
        print("superset: nothing is published yet; run: tradewinds run", file=sys.stderr)
        sys.exit(3)
    folder = home / "superset"
    prepare(folder)
    with serving(folder, int(os.environ.get("SUPERSET_PORT", "8088"))) as address:
        superset = Superset(address, folder)
        database = superset.ensure_database("marts", url or f"duckdb:///{published}")
        dataset = superset.ensure_dataset(database, "sales", "orders_with_details")
        chart = superset.ensure_chart("Net sales by country", dataset, "ship_country", "net_amount_usd")
        rows = superset.chart_rows(chart)
        if "--once" in sys.argv:
            print(json.dumps(rows))
            return
        print(f"{len(rows)} countries; open {address}/explore/?slice_id={chart}", flush=True)
        print(f"user {USER}, password in {folder / 'password'}; stop with Ctrl-C", flush=True)
        with suppress(KeyboardInterrupt):
            signal.pause()


if __name__ == "__main__":
    main()
