"""The cover people of an epoch's lists, kept from one list to the next.

They are nobody, but made of people's values, and whom they follow is on the list: so they are
sealed, and go with the epoch's key. A list whose job goes on after a crash gets the same again.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from padan_client.base.files import ensure_private_folder, erase, open_lock
from padan_client.base.ownership import lies
from padan_client.base.place import FlowPlace
from padan_client.home.identity import Identity, Randomness
from padan_client.home.jobs import Job
from padan_client.home.sealed_file import Purpose, SealedFiles, understood
from padan_linkage.cover import NextList, Recurring

Fields = dict[str, pa.StringArray]

_JOB, _LIST = "\x00job", "\x00list"
_MODEL, _TURN, _WAS = "\x00model", "\x00turn", "\x00was "


@dataclass(frozen=True, repr=False)
class _Kept:
    """A file's content: ``pending`` has the cover people of lists whose jobs are not done."""

    recurring: Recurring
    pending: pa.Table

    def of_list(self, job: Job) -> pa.Table:
        """The cover people that the job's list got before, none if it got none."""
        return self.pending.filter(pc.equal(self.pending[_LIST], _list_id(job))).drop_columns(
            [_JOB, _LIST]
        )

    def with_list(self, job: Job, made: NextList) -> _Kept:
        """After a list."""
        count = len(next(iter(made.cover.values())))
        told = {_JOB: pa.array([job.id] * count), _LIST: pa.array([_list_id(job)] * count)}
        table = pa.table({**told, **made.cover})
        left = self.without(job).pending
        return _Kept(made.kept, pa.concat_tables([left, table]) if left.num_rows else table)

    def without(self, job: Job) -> _Kept:
        """After a job."""
        others = pc.not_equal(self.pending[_JOB], job.id)
        return _Kept(self.recurring, self.pending.filter(others))


class ListCover:
    """The files of a home, one an epoch of a flow: ``<agreement>/<flow>/<epoch>.sealed``."""

    def __init__(self, folder: Path, identity: Identity, randomness: Randomness) -> None:
        self._folder = folder
        self._files = SealedFiles(Purpose.LIST_COVER, identity, randomness)

    def of_list(
        self, place: FlowPlace, epoch: int, job: Job, make: Callable[[Recurring | None], NextList]
    ) -> Fields:
        """The cover people of the job's list: those that it got before, or ``make``'s.

        ``make`` is given what was kept, None at first and where the file is gone. Raises
        SealedFileError if the file was altered.
        """
        with self._held(place, epoch) as path:
            kept = self._load(path)
            before = kept.of_list(job) if kept else None
            if before is not None and before.num_rows:
                whole = before.combine_chunks()
                return {name: pa.concat_arrays(whole[name].chunks) for name in whole.column_names}
            made = make(kept.recurring if kept else None)
            self._save(path, (kept or _nothing(made)).with_list(job, made))
            return made.cover

    def done(self, place: FlowPlace, epoch: int, job: Job) -> None:
        """The job is done: its list is no more asked for."""
        with self._held(place, epoch) as path:
            kept = self._load(path)
            if kept is not None:
                self._save(path, kept.without(job))

    def forget_epoch(self, place: FlowPlace, epoch: int) -> None:
        """Erase what was kept of a destroyed epoch."""
        path = self._path(place, epoch)
        for file in (path, path.with_suffix(".lock")):
            erase(file)

    def _path(self, place: FlowPlace, epoch: int) -> Path:
        return self._folder / place.agreement.id / place.flow.id / f"{epoch}.sealed"

    @contextmanager
    def _held(self, place: FlowPlace, epoch: int) -> Iterator[Path]:
        """The path of an epoch's file, which nobody else reads or writes meanwhile."""
        path = self._path(place, epoch)
        ensure_private_folder(path.parent)
        descriptor = open_lock(path.with_suffix(".lock"))
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield path
        finally:
            os.close(descriptor)

    def _load(self, path: Path) -> _Kept | None:
        if not lies(path):
            return None
        with understood(path):
            return _read(self._files.read_pieces(path, _context(path)))

    def _save(self, path: Path, kept: _Kept) -> None:
        of = kept.recurring
        seen = pa.table({n: of.seen[:, i].copy() for i, n in enumerate(of.people)})
        was = {_WAS + n: column for n, column in of.as_was.items()}
        cover = pa.table({_MODEL: of.model, _TURN: of.turn, **of.people, **was})
        pieces = [_stream(table) for table in (seen, cover, kept.pending)]
        self._files.write_pieces(path, _context(path), len(pieces), pieces)


def _read(contents: Iterable[bytes]) -> _Kept:
    seen, cover, pending = (pa.ipc.open_stream(content).read_all() for content in contents)
    names = seen.column_names

    def fields(before: str = "") -> Fields:
        return {n: pa.concat_arrays([*_empty(), *cover[before + n].chunks]) for n in names}

    recurring = Recurring(
        seen=np.stack([seen[n].to_numpy() for n in names], axis=1),
        people=fields(),
        model=cover[_MODEL].to_numpy(),
        as_was=fields(_WAS),
        turn=cover[_TURN].to_numpy(),
    )
    return _Kept(recurring, pending)


def _nothing(made: NextList) -> _Kept:
    columns = {name: pa.array([], pa.string()) for name in (_JOB, _LIST, *made.cover)}
    return _Kept(made.kept, pa.table(columns))


def _empty() -> list[pa.StringArray]:
    return [pa.array([], pa.string())]


def _list_id(job: Job) -> str:
    """A job begun anew has another seed, and is another list to the unit."""
    return hashlib.sha256(b"list\x00" + job.seed_bytes()).hexdigest()


def _context(path: Path) -> bytes:
    """Agreement, flow and epoch."""
    return "/".join(path.parts[-3:]).encode()


def _stream(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    content: bytes = sink.getvalue().to_pybytes()
    return content
