"""Write landing to a store: partitions, locks and the commit protocol."""

import json
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from shutil import rmtree

from ingestion.digest import file_sha256, is_comparable
from ingestion.errors import StepFailed
from ingestion.landing.manifest import File, LandedFile, Manifest, Table
from ingestion.landing.reading import AT_ONCE, Landed, answers_name, manifest_name, mark_name, pruned_name
from ingestion.stores import Overtaken

# The suffixes of tables' and rejects' files, and of answers.
_DATA = (".parquet", ".json.gz")


class Landing(Landed):
    """The immutable record of every source's data on every day.

    Files have new names and are durable before the manifest is replaced; unlisted files are removed only after that.
    """

    def partition(self, area: str, table: str, run_date: str) -> str:
        """Return the folder of one table's day; raises StepFailed when the table's name can't be a folder's."""
        if "/" in table or "\0" in table or table.startswith((".", "_")):
            raise StepFailed(f"a table named {table!r} has no place in landing")
        return f"{area}/{table}/run_date={run_date}"

    @contextmanager
    def day_lock(self, source: str, run_date: str) -> Iterator[None]:
        """Hold the lock of this source's day; raises StepFailed at once when another process holds it."""
        with ExitStack() as held:
            try:
                held.enter_context(self._store.lock(f"_locks/{source}.{run_date}.lock"))
            except BlockingIOError as error:
                raise StepFailed(f"another process is extracting {source} for this day; wait for it to end") from error
            yield

    @contextmanager
    def sharing(self, before: Manifest | None, *, read_files: bool) -> Iterator[dict[str, Table]]:
        """Yield the tables of a landed day whose files another day may list: they are there and stay during the block.

        Nothing, if another process is sharing or removing files of this source. With `read_files` every file's SHA-256
        is compared, else only its size.
        """
        if before is None:
            yield {}
            return
        with self._files_lock(before.source) as is_held, ThreadPoolExecutor(AT_ONCE) as pool:
            tables = before.tables if is_held else {}
            files = [file for table in tables.values() for file in table.row_files]
            faults = pool.map(lambda file: self._fault(before.source, file, read_files=read_files), files)
            sound = {file for file, fault in zip(files, faults, strict=True) if not fault}
            yield {name: table for name, table in tables.items() if sound.issuperset(table.row_files)}

    @contextmanager
    def _files_lock(self, source: str) -> Iterator[bool]:
        """Yield whether this process alone may now list or remove files of other days of a source."""
        with ExitStack() as held:
            if source not in self._sharing:
                try:
                    held.enter_context(self._store.lock(f"_locks/{source}.files.lock"))
                except BlockingIOError:
                    yield False
                    return
                self._sharing.add(source)
                held.callback(self._sharing.discard, source)
            yield True

    def begin(self, source: str, run_date: str, run_id: str) -> None:
        """Mark the day as being extracted: it is incomplete until a commit with this run id."""
        self._store.write(mark_name(source, run_date), json.dumps({"run_id": run_id}) + "\n")

    def clear_work(self, source: str, run_date: str) -> Path:
        """Return an empty working folder, on landing's file system if it has one; leftovers of a kill are removed."""
        work = self._store.work / f"{source}.{run_date}"
        rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        return work

    def withdraw(self, source: str, run_date: str, earlier_run_id: str | None) -> None:
        """Restore the earlier mark after an extract that never read from the source."""
        if earlier_run_id is None:
            self._store.remove(mark_name(source, run_date))
        else:
            self.begin(source, run_date, earlier_run_id)

    def place(self, file: Path, folder: str, name: str, rows: int) -> File:
        """Add a finished file of the working folder to landing, durably, under a name that no manifest lists yet."""
        landed = File(path=f"{folder}/{name}", rows=rows, bytes=file.stat().st_size, sha256=file_sha256(file))
        self._of(folder).add(file, landed.path)
        return landed

    def discard(self, files: list[LandedFile]) -> None:
        """Remove placed files that no manifest lists."""
        for file in files:
            self._of(file.path).remove(self._name(file))

    def keep_hashes(self, source: str, run_date: str, landed: dict[str, Table]) -> dict[str, Table]:
        """Return the tables, with the earlier hash where another algorithm hashed the same rows of the landed day.

        The earlier files are hashed again to compare. Raw, history and the ledger compare hashes, so they see a
        difference only when rows differ.
        """
        before: dict[str, Table] = {}
        with suppress(StepFailed):  # a manifest that can't be read is replaced
            if manifest := self.manifest(source, run_date):
                before = manifest.tables
        kept = dict(landed)
        for name, table in landed.items():
            was = before.get(name)
            if was and was.columns == table.columns and not is_comparable(was.content_hash):
                with suppress(StepFailed), self.rows(source, run_date, was) as rows:
                    again = rows.digest([column.name for column in was.columns]).content_hash
                    kept[name] = replace(table, content_hash=was.content_hash) if again == table.content_hash else table
        return kept

    def version(self, source: str, run_date: str) -> str | None:
        """Return the current manifest's version, for the commit that replaces it; None when there is none."""
        return self._store.version(manifest_name(source, run_date))

    def commit(self, manifest: Manifest, folders: list[str], replaced: str | None) -> None:
        """Commit the day: replace that version of its manifest, then remove files that no manifest lists any more.

        These are files in the day's `folders`, and those of the replaced manifest, perhaps of earlier days. Raises
        StepFailed when another process has replaced the manifest meanwhile.
        """
        # Listed before the swap, because our lease may have lapsed: another process that has placed any of them fails
        # to commit, while one that begins after the swap doesn't.
        there = {name for folder in folders for name in self._of(folder).names(folder) if name.endswith(_DATA)}
        with suppress(StepFailed):  # an unreadable manifest is replaced too
            if before := self.manifest(manifest.source, manifest.run_date):
                there |= {self._name(file) for file in before.files}
        if manifest.answers:
            alone = replace(manifest, source_tables=[], tables={}, rejects=[])
            self._raw.write(answers_name(manifest.source, manifest.run_date), alone.to_json())
        try:
            self._store.swap(manifest_name(manifest.source, manifest.run_date), manifest.to_json(), replaced)
        except Overtaken as error:
            raise StepFailed(f"another process has landed {manifest.source} for this day meanwhile") from error
        self._sweep(manifest.source, there - {self._name(file) for file in manifest.files})
        for folder in folders:
            self._of(folder).prune(folder)

    def _sweep(self, source: str, loose: set[str]) -> None:
        """Remove those of some files that no day of the source lists.

        Does nothing while another process is sharing files of the source: its day may be about to list them.
        """
        with self._files_lock(source) as is_held, suppress(StepFailed):  # an unreadable manifest may list any file
            if loose and is_held:
                self._remove(loose - self.listed(source).keys())

    def prune(self, source: str, run_date: str) -> None:
        """Leave of a day only a record of what it was; its files go with `sweep_pruned`. The caller holds its lock.

        The manifest goes after the record is there and before anything else does, so a day is landed or pruned.
        """
        if manifest := self.manifest(source, run_date):
            self._store.write(pruned_name(source, run_date), manifest.pruned.to_json())
            self._store.remove(manifest_name(source, run_date))
        self._raw.remove(answers_name(source, run_date))
        self._store.remove(mark_name(source, run_date))

    def sweep_pruned(self) -> int | None:
        """Remove the files of pruned days that no manifest lists, also what an interrupted prune has left.

        Returns their number of bytes, or None while another process is sharing files.
        """
        pruned, sources, loose = set(self.pruned_days()), self.sources(), set()
        with ExitStack() as held:
            if not all(held.enter_context(self._files_lock(source)) for source in sources):
                return None
            for name in {*self._store.names(), *self._raw.names("api/_raw")}:
                folder = name.split("/")[-2:][0]
                if name.endswith(_DATA) and folder.removeprefix("run_date=") in pruned:
                    loose.add(name)
            loose -= {path for source in sources for path in self.listed(source)}
            return self._remove(loose)

    def _remove(self, names: Collection[str]) -> int:
        """Remove files, and their folders if they are empty then; return their number of bytes."""

        def remove(name: str) -> int:
            size = self._of(name).size(name) or 0
            self._of(name).remove(name)
            return size

        with ThreadPoolExecutor(AT_ONCE) as pool:
            removed = sum(pool.map(remove, names))
        for folder in {name.rpartition("/")[0] for name in names}:
            self._of(folder).prune(folder)
        return removed
