"""Write dbt's documentation of the build and the columns' lineage, one page each."""

from pathlib import Path
from tempfile import TemporaryDirectory

from ingestion.errors import Refused
from ingestion.files import write_atomically
from pipeline.run.request import Request
from pipeline.site.lineage import draw_lineage
from pipeline.site.pages import seal_page

DOCS_PAGE = "dbt/static_index.html"
LINEAGE_PAGE = "lineage/index.html"


def write_documentation(request: Request) -> None:
    """Write dbt's static page and the columns' lineage, both of the last build.

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
        lineage = draw_lineage(drafts)
    # dbt's page compiles templates to code in the browser.
    write_atomically(reports / DOCS_PAGE, seal_page(_without_requests(docs), evaluates=True))
    write_atomically(reports / LINEAGE_PAGE, seal_page(lineage, evaluates=True))


def _without_requests(docs: str) -> str:
    """Return dbt's page without the icon links that it would load before their templates are filled."""
    docs = docs.replace('xlink:href="{{', 'ng-attr-href="{{')
    return docs.replace("href=\"${require('./assets/favicons/favicon.ico')}\"", 'href="data:,"')
