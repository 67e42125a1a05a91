"""Write dbt's documentation of the build, the columns' lineage and the data dictionary, one page each."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from ingestion.errors import Refused
from ingestion.files import write_atomically
from pipeline.run.request import Request
from pipeline.site.dictionary import write_dictionary
from pipeline.site.lineage import write_lineage

DOCS_PAGE = "dbt/static_index.html"
# dbt's page compiles templates to code in the browser.
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob:; style-src 'unsafe-inline'; worker-src blob:; "
    "font-src data:; img-src data: blob:"
)
_WAY_HOME = (
    '<a href="../index.html" style="position: fixed; left: 1rem; bottom: 1rem; z-index: 9999; padding: 0.4rem 0.9rem; '
    'border-radius: 6px; background: #1d2733; color: #ffffff; font: 600 15px system-ui, sans-serif">← Tradewinds</a>'
)


def write_documentation(request: Request) -> None:
    """Write dbt's static page, the columns' lineage and the data dictionary, all of the last build.

    Raises Refused before the first build, StepFailed when dbt can't document the build.
    """
    mark = request.warehouse.build_mark()
    if mark is None:
        raise Refused("nothing is built yet", request.whole_command("run"))
    reports = request.home.root / "reports"
    request.home.work.mkdir(parents=True, exist_ok=True)
    # dbt writes its pages piece by piece, so write drafts and put them in place atomically.
    with TemporaryDirectory(dir=request.home.work, prefix="docs-") as folder:
        drafts = Path(folder)
        request.dbt.document(mark.run_date, drafts)
        docs = (drafts / "static_index.html").read_text(encoding="utf-8")
        catalog = json.loads((drafts / "catalog.json").read_bytes())
        lineage = request.dbt.lineage()
    write_atomically(reports / DOCS_PAGE, adopt_page(_without_requests(docs)))
    write_lineage(reports, lineage)
    write_dictionary(reports, catalog, lineage)


def adopt_page(html: str) -> str:
    """Return a foreign page with a policy that forbids every request, whatever the server, and with the way home."""
    head, body = "<head>", html.index(">", html.index("<body")) + 1
    policy = f'{head}<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    return f"{html[:body].replace(head, policy, 1)}{_WAY_HOME}{html[body:]}"


def _without_requests(docs: str) -> str:
    """Return dbt's page without the icon links that it would load before their templates are filled."""
    docs = docs.replace('xlink:href="{{', 'ng-attr-href="{{')
    return docs.replace("href=\"${require('./assets/favicons/favicon.ico')}\"", 'href="data:,"')
