"""Landing on a file system: partitions, locks and the commit protocol."""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ingestion.digest import file_sha256
from ingestion.errors import StepFailed
from ingestion.files import sync_folder, write_atomically
from ingestion.landing.manifest import Answer, File, Manifest


class Landing:
    """The immutable record of what every source said on every day.

    A source's day exists when its manifest does; readers take only files that a manifest lists. Files get new names
    and are synced before the manifest is put in place by one rename; only then are unlisted files removed.
    """

    def __init__(self, root: Path):
        self.root = root

    def partition(self, area: str, table: str, run_date: str) -> Path:
        """Return the folder of one table's day; raises StepFailed on a table name that is no folder name."""
        if "/" in table or "\0" in table or table.startswith((".", "_")):
            raise StepFailed(f"a table named {table!r} has no place in landing")
        return self.root / area / table / f"run_date={run_date}"

    def path_of(self, file: File | Answer) -> Path:
        """Return a landed file's place; raises StepFailed when a manifest points outside landing."""
        path = (self.root / file.path).resolve()
        if not path.is_relative_to(self.root.resolve()):
            raise StepFailed(f"a manifest names a file outside landing: {file.path}")
        return path

    def manifest(self, source: str, run_date: str) -> Manifest | None:
        """Return a source's landed day, None when there is none; raises StepFailed when it can't be read."""
        path = self._manifest_path(source, run_date)
        try:
            return Manifest.from_json(path.read_text())
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
            raise StepFailed(
                f"the manifest of {source} for {run_date} can't be read ({path})",
                f"tradewinds extract --run-date {run_date} --source {source}",
            ) from error

    def days(self, source: str) -> list[str]:
        """Return the landed days of a source, oldest first."""
        return sorted(path.stem for path in (self.root / "_manifests" / source).glob("*.json"))

    def fingerprint(self, run_date: str) -> str:
        """Return a hash of all rows landed up to a day: what a run of it is a function of."""
        found = (self.root / "_manifests").glob("*/*.json")
        days = sorted((path.stem, path.parent.name) for path in found if path.stem <= run_date)
        parts = [
            [day, source, name, table.content_hash, table.rejected_rows]
            for day, source in days
            for name, table in sorted(self.manifest(source, day).tables.items())
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def previous(self, source: str, run_date: str) -> Manifest | None:
        """Return the manifest of the latest landed day before this one."""
        earlier = [day for day in self.days(source) if day < run_date]
        return self.manifest(source, earlier[-1]) if earlier else None

    def started_run(self, source: str, run_date: str) -> str | None:
        """Return the run id of the last extract begun for this day, whether it ended well; "" when it can't be read."""
        try:
            return json.loads(self._mark_path(source, run_date).read_text())["run_id"]
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            return ""

    def faults(self, source: str, run_date: str, *, read_files: bool) -> list[str]:
        """Say what keeps this source's day from being whole; an empty list means it can be loaded.

        With `read_files` every file's SHA-256 is compared too, else only its size.
        """
        manifest = self.manifest(source, run_date)
        if manifest is None:
            return [f"{source} has not landed"]
        if self.started_run(source, run_date) not in (None, manifest.run_id):
            return [f"the last extract of {source} failed or was cut off"]
        faults = [f"table {table} of {source} has not landed" for table in manifest.missing_tables]
        found = (self._fault(source, file, read_files=read_files) for file in manifest.files)
        return faults + [fault for fault in found if fault]

    def reject_files(self, manifest: Manifest) -> list[Path]:
        """Return the files of a day's rejected rows; raises StepFailed when one isn't what its manifest says."""
        return self._whole_files(manifest, manifest.rejects)

    def answer_files(self, manifest: Manifest) -> list[Path]:
        """Return the files of a day's answers; raises StepFailed when one isn't what its manifest says."""
        return self._whole_files(manifest, manifest.answers)

    @contextmanager
    def day_lock(self, source: str, run_date: str) -> Iterator[None]:
        """Hold this source's day; raises StepFailed at once when another process has it."""
        path = self.root / "_locks" / f"{source}.{run_date}.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise StepFailed(f"another process is extracting {source} for this day; wait for it to end") from error
            yield

    def begin(self, source: str, run_date: str, run_id: str) -> None:
        """Mark the day as being extracted: until a commit under this run id, it isn't whole."""
        self._mark(source, run_date, run_id)

    def clear_work(self, source: str, run_date: str) -> Path:
        """Return an empty working folder on landing's own file system; what a killed process left in it is gone."""
        work = self.work_folder(source, run_date)
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        return work

    def work_folder(self, source: str, run_date: str) -> Path:
        """Return where an extract keeps what isn't landed yet."""
        return self.root / "_work" / f"{source}.{run_date}"

    def withdraw(self, source: str, run_date: str, earlier_run_id: str | None) -> None:
        """Take back the mark of an extract that never asked the source for anything."""
        if earlier_run_id is None:
            self._mark_path(source, run_date).unlink(missing_ok=True)
        else:
            self._mark(source, run_date, earlier_run_id)

    def place(self, file: Path, folder: Path, name: str, rows: int) -> File:
        """Bring a finished file from the working folder into landing, synced, under a name nobody lists yet."""
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / name
        try:
            os.link(file, target)
        except OSError:  # a file system without hard links
            shutil.copyfile(file, target)
        with target.open("rb") as written:
            os.fsync(written.fileno())
        sync_folder(folder)
        relative = target.relative_to(self.root).as_posix()
        return File(path=relative, rows=rows, bytes=target.stat().st_size, sha256=file_sha256(target))

    def commit(self, manifest: Manifest, folders: list[Path]) -> None:
        """Make the day exist: put its manifest in place, then remove what it doesn't list.

        Looked through are `folders` and those of the manifest that it replaces.
        """
        with suppress(StepFailed):  # an unreadable one is replaced all the same
            if replaced := self.manifest(manifest.source, manifest.run_date):
                folders = [*folders, *{self.path_of(file).parent for file in replaced.files}]
        write_atomically(self._manifest_path(manifest.source, manifest.run_date), manifest.to_json())
        listed = {self.path_of(file) for file in manifest.files}
        for folder in folders:
            for path in (*folder.glob("*.parquet"), *folder.glob("*.json.gz")):
                if path.resolve() not in listed:
                    path.unlink()
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()

    def _whole_files(self, manifest: Manifest, files: list[File] | list[Answer]) -> list[Path]:
        for file in files:
            if fault := self._fault(manifest.source, file, read_files=True):
                command = f"tradewinds extract --run-date {manifest.run_date} --source {manifest.source}"
                raise StepFailed(fault, command)
        return [self.path_of(file) for file in files]

    def _fault(self, source: str, file: File | Answer, *, read_files: bool) -> str | None:
        path = self.path_of(file)
        if not path.is_file():
            return f"{source}: landed file {file.path} is missing"
        if path.stat().st_size != file.bytes or (read_files and file_sha256(path) != file.sha256):
            return f"{source}: landed file {file.path} is damaged (its SHA-256 is not the manifest's)"
        return None

    def _mark(self, source: str, run_date: str, run_id: str) -> None:
        write_atomically(self._mark_path(source, run_date), json.dumps({"run_id": run_id}) + "\n")

    def _manifest_path(self, source: str, run_date: str) -> Path:
        return self.root / "_manifests" / source / f"{run_date}.json"

    def _mark_path(self, source: str, run_date: str) -> Path:
        return self.root / "_manifests" / source / f"{run_date}.started"
