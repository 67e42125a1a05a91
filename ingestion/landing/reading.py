"""Read landed days from a store, by their manifests, and verify files by SHA-256."""

import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from functools import lru_cache
from pathlib import Path, PurePosixPath

from ingestion.digest import file_sha256, stream_sha256
from ingestion.errors import Refused, StepFailed
from ingestion.landing.manifest import LandedFile, Manifest, Table
from ingestion.landing.rows import Rows
from ingestion.redact import one_line
from ingestion.settings import Home
from ingestion.stores import Store, open_store

# A bucket has high latency, but serves many requests at once.
AT_ONCE = 8
# An API's unchanged answers, apart from its tables because they may have other readers.
_RAW = "api/_raw"
# The suffix of the record of a pruned day, which has its manifest's place.
_PRUNED = ".pruned"
_RECORDS = (".json", _PRUNED)
# A run reads every day's manifest twice, and parsing takes longer than reading.
_parse = lru_cache(maxsize=4096)(Manifest.from_json)


class Damaged(StepFailed):
    """Landed files are missing or don't match their manifest."""


class Landed:
    """The landed days: a source's day exists when its manifest does, and consists of the files listed there."""

    def __init__(self, home: Home):
        self._store = open_store(home.landing, home.work)
        self._raw = open_store(home.landing_raw, home.work) if home.landing_raw else self._store
        self._sharing: set[str] = set()  # the sources whose files of other days this process may list or remove

    def location(self, name: str = "") -> str:
        """Return the path or URL of a file or folder in landing."""
        return self._of(name).location(name)

    def caution(self) -> str | None:
        """Return a warning about guarantees that landing's stores lack, None when they lack none."""
        return "; ".join(filter(None, (store.caution() for store in dict.fromkeys((self._store, self._raw))))) or None

    def manifest(self, source: str, run_date: str) -> Manifest | None:
        """Return the manifest of a source's day, None if it hasn't landed; raises StepFailed when it can't be read."""
        return self._manifest(manifest_name(source, run_date), source, run_date)

    def _manifest(self, name: str, source: str, run_date: str) -> Manifest | None:
        try:
            return _parse(self._store.read(name))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StepFailed(f"landing can't be read: {one_line(error)}") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StepFailed(
                f"the manifest of {source} for {run_date} can't be read ({self.location(name)})",
                f"tradewinds extract --run-date {run_date} --source {source}",
            ) from error

    def landed_manifest(self, source: str, run_date: str) -> Manifest:
        """Return the manifest of a source's landed day; raises Refused when it hasn't landed."""
        if manifest := self.manifest(source, run_date):
            return manifest
        raise Refused(f"{source} has not landed", f"tradewinds extract --run-date {run_date} --source {source}")

    def record(self, source: str, run_date: str) -> Manifest:
        """Return the manifest of a landed day, or what is kept of a pruned day's; raises Refused without either."""
        landed = self.manifest(source, run_date)
        return (
            landed
            or self._manifest(pruned_name(source, run_date), source, run_date)
            or self.landed_manifest(source, run_date)
        )

    def answers(self, source: str, run_date: str) -> Manifest | None:
        """Return a manifest that lists an API's answers of a day, if need be the copy beside them; else None."""
        with suppress(StepFailed):
            if manifest := self.manifest(source, run_date):
                return manifest if manifest.answers else None
        with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            return Manifest.from_json(self._raw.read(answers_name(source, run_date)))
        return None

    def days(self, source: str) -> list[str]:
        """Return the landed days of a source, oldest first."""
        return [day for _, day in self._landed(f"_manifests/{source}")]

    def sources(self) -> list[str]:
        """Return the sources that have landed or pruned days."""
        return sorted({source for source, _ in self._landed("_manifests", *_RECORDS)})

    def pruned_days(self) -> list[str]:
        """Return the days that have been pruned, oldest first."""
        return sorted({day for _, day in self._landed("_manifests", _PRUNED)})

    def refuse_pruned(self, run_date: str) -> None:
        """Raise Refused for a pruned day, or one before it: history can't be built again from there."""
        if (pruned := self.pruned_days()) and run_date <= pruned[-1]:
            raise Refused(
                f"days up to {pruned[-1]} have been pruned, and none of them can land or be built again",
                "tradewinds status",
            )

    def listed(self, source: str, without: Collection[str] = ()) -> dict[str, int]:
        """Return the bytes of the files that a source's days list, without some days, each file once."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            days = pool.map(lambda day: self.manifest(source, day), [x for x in self.days(source) if x not in without])
            return {file.path: file.bytes for manifest in days if manifest for file in manifest.files}

    def fingerprint(self, run_date: str) -> str:
        """Return a hash of all rows landed up to a day, pruned or not, which determine a run of that day."""
        known = sorted({(day, source) for source, day in self._landed("_manifests", *_RECORDS) if day <= run_date})
        with ThreadPoolExecutor(AT_ONCE) as pool:
            manifests = list(pool.map(lambda day_source: self.record(*reversed(day_source)), known))
        parts = [
            [manifest.run_date, manifest.source, name, table.content_hash, table.rejected_rows]
            for manifest in manifests
            for name, table in sorted(manifest.tables.items())
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def previous(self, source: str, run_date: str) -> Manifest | None:
        """Return the manifest of the latest landed day before this one."""
        earlier = [day for day in self.days(source) if day < run_date]
        return self.manifest(source, earlier[-1]) if earlier else None

    def started_run(self, source: str, run_date: str) -> str | None:
        """Return the run id of the last extract begun for this day, finished or not; "" when it can't be read."""
        try:
            return json.loads(self._store.read(mark_name(source, run_date)))["run_id"]
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            return ""

    def faults(self, source: str, run_date: str, *, read_files: bool) -> list[str]:
        """Return the reasons why this source's day can't be loaded; an empty list means that it can.

        With `read_files` every file's SHA-256 is compared, else only its size.
        """
        manifest = self.manifest(source, run_date)
        if manifest is None:
            return [f"{source} has not landed"]
        if self.started_run(source, run_date) not in (None, manifest.run_id):
            return [f"the last extract of {source} failed or was cut off"]
        faults = [f"table {table} of {source} has not landed" for table in manifest.missing_tables]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            found = pool.map(lambda file: self._fault(source, file, read_files=read_files), manifest.files)
            return faults + [fault for fault in found if fault]

    @contextmanager
    def local(self, source: str, run_date: str, files: Sequence[LandedFile]) -> Iterator[list[Path]]:
        """Yield local paths of landed files, all of them answers or none, after verifying their SHA-256.

        Raises Damaged naming each bad file.
        """
        names = [self._name(file) for file in files]
        with ExitStack() as held:
            try:
                paths = held.enter_context(self._of(*names[:1]).local(names))
                wrong = [file for file, path in zip(files, paths, strict=True) if file_sha256(path) != file.sha256]
                faults = [_describe_damage(source, file) for file in wrong]
            except FileNotFoundError as error:
                found = (self._fault(source, file, read_files=False) for file in files)
                faults = list(filter(None, found)) or [one_line(error)]
            if faults:
                command = f"tradewinds extract --run-date {run_date} --source {source}"
                raise Damaged.of("faults in landing", faults, command)
            yield paths

    @contextmanager
    def rows(self, source: str, run_date: str, table: Table) -> Iterator[Rows]:
        """Yield a landed table's rows, from verified files; raises Damaged naming each bad file."""
        with self.local(source, run_date, table.row_files) as paths:
            files = len(table.files)
            yield Rows(paths[:files], [file.path for file in table.files], paths[files:])

    def _of(self, name: str = "") -> Store:
        """Return the store of a file or folder: an API's answers may have one of their own."""
        return self._raw if f"{name}/".startswith(f"{_RAW}/") else self._store

    def _name(self, file: LandedFile) -> str:
        """Return a landed file's name; raises StepFailed when a manifest points outside landing."""
        if not self._of(file.path).holds(file.path):
            raise StepFailed(f"a manifest names a file outside landing: {file.path}")
        return file.path

    def _fault(self, source: str, file: LandedFile, *, read_files: bool) -> str | None:
        size = self._of(file.path).size(self._name(file))
        if size is None:
            return f"{source}: landed file {file.path} is missing"
        if size != file.bytes or (read_files and self._sha256(file) != file.sha256):
            return _describe_damage(source, file)
        return None

    def _sha256(self, file: LandedFile) -> str:
        with self._of(file.path).open(file.path) as opened:
            return stream_sha256(opened)

    def _landed(self, folder: str, *suffixes: str) -> list[tuple[str, str]]:
        """Return the source and day of every manifest below a folder, oldest first, or of files with these suffixes."""
        paths = map(PurePosixPath, self._store.names(folder))
        return sorted((path.parent.name, path.stem) for path in paths if path.suffix in (suffixes or (".json",)))


def _describe_damage(source: str, file: LandedFile) -> str:
    return f"{source}: landed file {file.path} is damaged (its SHA-256 is not the manifest's)"


def manifest_name(source: str, run_date: str) -> str:
    """Return the name of a day's manifest, which commits it."""
    return f"_manifests/{source}/{run_date}.json"


def pruned_name(source: str, run_date: str) -> str:
    """Return the name of the record of a pruned day."""
    return f"_manifests/{source}/{run_date}{_PRUNED}"


def answers_name(source: str, run_date: str) -> str:
    """Return the name of the second list of a day's answers, for recovery when only the answers are left."""
    return f"{_RAW}/_manifests/{source}/{run_date}.json"


def mark_name(source: str, run_date: str) -> str:
    """Return the name of the file that holds the run id of a day's last begun extract."""
    return f"_manifests/{source}/{run_date}.started"
