"""Landing in a store: partitions, locks and the commit protocol."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from shutil import rmtree

from ingestion.digest import file_sha256
from ingestion.errors import StepFailed
from ingestion.landing.manifest import File, LandedFile, Manifest
from ingestion.landing.reading import Landed, answers_name, manifest_name, mark_name
from ingestion.stores import Overtaken

# What the tables' and the rejects' files end with, and the answers'.
_DATA = (".parquet", ".json.gz")


class Landing(Landed):
    """The immutable record of what every source said on every day.

    Files get new names and are durable before the manifest is put in place; only then are unlisted ones removed.
    """

    def partition(self, area: str, table: str, run_date: str) -> str:
        """Return the folder of one table's day; raises StepFailed on a table name that is no folder name."""
        if "/" in table or "\0" in table or table.startswith((".", "_")):
            raise StepFailed(f"a table named {table!r} has no place in landing")
        return f"{area}/{table}/run_date={run_date}"

    @contextmanager
    def day_lock(self, source: str, run_date: str) -> Iterator[None]:
        """Hold this source's day; raises StepFailed at once when another process has it."""
        with ExitStack() as held:
            try:
                held.enter_context(self._store.lock(f"_locks/{source}.{run_date}.lock"))
            except BlockingIOError as error:
                raise StepFailed(f"another process is extracting {source} for this day; wait for it to end") from error
            yield

    def begin(self, source: str, run_date: str, run_id: str) -> None:
        """Mark the day as being extracted: until a commit under this run id, it isn't whole."""
        self._store.write(mark_name(source, run_date), json.dumps({"run_id": run_id}) + "\n")

    def clear_work(self, source: str, run_date: str) -> Path:
        """Return an empty working folder, on landing's own file system if there is one; what a kill left is gone."""
        work = self.work_folder(source, run_date)
        rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        return work

    def work_folder(self, source: str, run_date: str) -> Path:
        """Return where an extract keeps what isn't landed yet."""
        return self._store.work / f"{source}.{run_date}"

    def withdraw(self, source: str, run_date: str, earlier_run_id: str | None) -> None:
        """Take back the mark of an extract that never asked the source for anything."""
        if earlier_run_id is None:
            self._store.remove(mark_name(source, run_date))
        else:
            self.begin(source, run_date, earlier_run_id)

    def place(self, file: Path, folder: str, name: str, rows: int) -> File:
        """Bring a finished file from the working folder into landing, durable, under a name nobody lists yet."""
        landed = File(path=f"{folder}/{name}", rows=rows, bytes=file.stat().st_size, sha256=file_sha256(file))
        self._store.add(file, landed.path)
        return landed

    def discard(self, files: list[LandedFile]) -> None:
        """Remove what was placed and is in no manifest."""
        for file in files:
            self._store.remove(self._name(file))

    def version(self, source: str, run_date: str) -> str | None:
        """Return which manifest is in place, for the commit that is to replace it; None when there is none."""
        return self._store.version(manifest_name(source, run_date))

    def commit(self, manifest: Manifest, folders: list[str], replaced: str | None) -> None:
        """Make the day exist: put its manifest in place of that version, then remove what it doesn't list.

        Looked through are `folders` and those of the manifest that it replaces. Raises StepFailed when the manifest in
        place is another one by now.
        """
        with suppress(StepFailed):  # an unreadable one is replaced all the same
            if before := self.manifest(manifest.source, manifest.run_date):
                folders = [*folders, *{self._name(file).rpartition("/")[0] for file in before.files}]
        if manifest.answers:
            alone = replace(manifest, source_tables=[], tables={}, rejects=[])
            self._store.write(answers_name(manifest.source, manifest.run_date), alone.to_json())
        try:
            self._store.swap(manifest_name(manifest.source, manifest.run_date), manifest.to_json(), replaced)
        except Overtaken as error:
            raise StepFailed(f"another process has landed {manifest.source} for this day meanwhile") from error
        listed = {self._name(file) for file in manifest.files}
        for folder in folders:
            for name in self._store.names(folder):
                if name.endswith(_DATA) and name not in listed:
                    self._store.remove(name)
            self._store.prune(folder)
