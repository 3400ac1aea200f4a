"""Jobs that outlive a crash: what a publish or confirm needs to go on where it stopped.

A job holds the seed of its permutations, the keys of its seals, the request ids that make repeats
harmless, and the names the unit gave. It holds no record. It orders tables and opens codes, so it
is sealed under the identity (``<id>.job``). The same command with the same input finds its job
again by a keyed digest; with another input it finds none and starts anew.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import hmac
import os
import re
import shutil
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from padan_client.base.errors import BadInputError
from padan_client.base.files import ensure_private_folder, erase, open_lock
from padan_client.base.language import t
from padan_client.base.ownership import lies
from padan_client.home.identity import Identity, Randomness
from padan_client.home.sealed_file import Purpose, SealedFileError, SealedFiles, understood

if TYPE_CHECKING:
    import pyarrow as pa

_SUFFIX = ".job"
#: Files that belong to a job, and the drafts of its own.
_LEFT = re.compile(r"\.?([a-z-]+-[0-9a-f]{24})\.(?:d$|lock$|job\.[0-9a-f]{16}\.)")


class Job(BaseModel):
    """State of one job; ``seed`` and ``secrets`` are base64. The repr shows the id only."""

    model_config = ConfigDict(extra="forbid")

    id: str
    kind: str
    agreement: str
    flow: str
    epoch: int
    seed: str
    request_ids: dict[str, str]
    names: dict[str, str] = {}
    secrets: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"Job({self.id!r})"

    __str__ = __repr__

    def __reduce__(self) -> str | tuple[Any, ...]:
        raise TypeError("a Job is not serialised, but sealed by its store")

    def seed_bytes(self) -> bytes:
        """The 32-byte seed of everything random in this job."""
        return base64.b64decode(self.seed)

    def secret(self, name: str) -> bytes | None:
        """A secret kept by :meth:`JobStore.keep`, None where there is none."""
        value = self.secrets.get(name)
        return None if value is None else base64.b64decode(value)


class JobStore:
    """Jobs of one home folder, one file each, each open in one process at a time."""

    def __init__(self, folder: Path, identity: Identity, randomness: Randomness) -> None:
        self._folder = folder
        self._files = SealedFiles(Purpose.JOB, identity, randomness)
        self._randomness = randomness
        self._locks: dict[str, int] = {}
        self._opened: dict[str, Job] = {}

    def open(self, kind: str, digest: bytes, *, agreement: str, flow: str, epoch: int) -> Job:
        """The pending job of ``kind`` with this input, or a new one, already on disk.

        Raises BadInputError while another process works on it. Give it back with :meth:`release`
        or :meth:`close`.
        """
        job_id = f"{kind}-{digest.hex()[:24]}"
        self.sweep()
        self._lock(job_id)
        try:
            there = lies(self._path(job_id))
            job = self._load(job_id) if there else self._new(job_id, kind, agreement, flow, epoch)
        except BaseException:
            self._unlock(job_id)  # whoever mends what was wrong repeats the command
            raise
        self._opened[job_id] = job
        return job

    @property
    def unfinished(self) -> list[Job]:
        """The jobs that were opened here and are not closed yet."""
        return list(self._opened.values())

    def renew(self, job: Job) -> Job:
        """Replace a job whose data the unit no longer has by a fresh one of the same input."""
        shutil.rmtree(self.folder_of(job), ignore_errors=True)
        fresh = self._new(job.id, job.kind, job.agreement, job.flow, job.epoch)
        self._opened[job.id] = fresh
        return fresh

    def folder_of(self, job: Job) -> Path:
        """A private folder for what the job makes on its way; goes with it."""
        return ensure_private_folder(self._folder / f"{job.id}.d")

    def sweep(self) -> None:
        """Remove what processes left that died while they began or closed a job."""
        names = [path.name for path in self._folder.glob("*")]
        for job_id in {left[1] for name in names if (left := _LEFT.match(name))}:
            with suppress(BadInputError):
                self._lock(job_id)
                if not lies(self._path(job_id)):
                    self._remove(job_id)
                self._unlock(job_id)

    def _remove(self, job_id: str) -> None:
        """The job's file first: what lies beside it is nothing without it, and is swept."""
        erase(self._path(job_id))
        shutil.rmtree(self._folder / f"{job_id}.d", ignore_errors=True)
        (self._folder / f"{job_id}.lock").unlink(missing_ok=True)

    def release(self, job: Job) -> None:
        """Let others work on the job; it stays pending unless it was closed."""
        self._unlock(job.id)

    def _unlock(self, job_id: str) -> None:
        descriptor = self._locks.pop(job_id, None)
        if descriptor is not None:
            os.close(descriptor)

    def _lock(self, job_id: str) -> None:
        ensure_private_folder(self._folder)
        path = self._folder / f"{job_id}.lock"
        descriptor = open_lock(path)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise BadInputError(
                t(
                    "Perintah yang sama sedang berjalan di proses lain. Tunggu sampai selesai.",
                    "The same command is running in another process. Wait for it to end.",
                )
            ) from None
        if not os.fstat(descriptor).st_nlink:  # another process closed the job meanwhile
            os.close(descriptor)
            self._lock(job_id)
            return
        self._locks[job_id] = descriptor

    def _new(self, job_id: str, kind: str, agreement: str, flow: str, epoch: int) -> Job:
        ids = {
            step: str(uuid.UUID(bytes=self._randomness(16), version=4))
            for step in ("create", "commit", "run", "delete")
        }
        seed = base64.b64encode(self._randomness(32)).decode("ascii")
        job = Job(
            id=job_id,
            kind=kind,
            agreement=agreement,
            flow=flow,
            epoch=epoch,
            seed=seed,
            request_ids=ids,
        )
        self.save(job)
        return job

    def save(self, job: Job) -> None:
        """Make the job's present state durable."""
        self._files.write(self._path(job.id), _context(job.id), job.model_dump_json().encode())

    def remember(self, job: Job, **names: str) -> None:
        """Add names that the unit gave, durably."""
        job.names.update(names)
        self.save(job)

    def keep(self, job: Job, secrets: Mapping[str, bytes]) -> None:
        """Add secrets that a resumed job needs, durably."""
        job.secrets.update({k: base64.b64encode(v).decode("ascii") for k, v in secrets.items()})
        self.save(job)

    def close(self, job: Job) -> None:
        """Erase a finished job."""
        self._remove(job.id)
        self._opened.pop(job.id, None)
        self.release(job)

    def pending(self) -> list[Job]:
        """All unfinished jobs, by id."""
        return [self._load(path.stem) for path in sorted(self._folder.glob(f"*{_SUFFIX}"))]

    def forget_epoch(
        self,
        agreement: str,
        flow: str,
        epoch: int,
        *,
        kinds: tuple[str, ...] = ("publish", "confirm"),
    ) -> int:
        """Erase the jobs of a destroyed epoch, of these kinds. Returns how many."""
        doomed = [
            j
            for j in self.pending()
            if (j.agreement, j.flow, j.epoch) == (agreement, flow, epoch) and j.kind in kinds
        ]
        for job in doomed:
            self.close(job)
        return len(doomed)

    def _path(self, job_id: str) -> Path:
        return self._folder / f"{job_id}{_SUFFIX}"

    def _load(self, job_id: str) -> Job:
        path = self._path(job_id)
        try:
            content = self._files.read(path, _context(job_id))
        except SealedFileError:
            raise BadInputError(
                t(
                    f"Berkas pekerjaan {path} rusak atau milik identitas lain. Hapus berkas itu "
                    "untuk memulai dari awal.",
                    f"The job file {path} is damaged or another identity's. Delete it to start "
                    "anew.",
                )
            ) from None
        with understood(path):
            return Job.model_validate_json(content)


def _context(job_id: str) -> bytes:
    return b"padan/v1 job\x00" + job_id.encode()


class _HashingSink:
    """A file that only hashes, for Arrow to write to."""

    closed = False

    def __init__(self, key: bytes) -> None:
        self.mac = hmac.new(key, digestmod=hashlib.sha256)

    def write(self, data: bytes | memoryview) -> int:
        self.mac.update(data)
        return len(data)

    def flush(self) -> None:
        """Nothing to do; Arrow calls it."""

    def close(self) -> None:
        """Nothing to do; Arrow calls it."""


def input_digest(key: bytes, context: tuple[str | bytes | int, ...], table: pa.Table) -> bytes:
    """HMAC-SHA-256 over a job's context and its records, 32 bytes; ``key`` is the agency's own.

    Keyed, because the digest of a short list of identity numbers could be guessed.
    """
    import pyarrow as pa  # homes are opened by commands that have no records

    sink = _HashingSink(key)
    for part in context:
        data = part if isinstance(part, bytes) else str(part).encode()
        sink.write(len(data).to_bytes(4, "big") + data)
    table = table.combine_chunks().replace_schema_metadata(None)
    with pa.PythonFile(sink, mode="w") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)
    return sink.mac.digest()
