"""What a delta needs to know of the registry it updates, kept from one upload to the next.

For each published registry: the keys that its codes are sealed under, its cover people, and which
people joined, changed or left since it was published whole; so that a delta's rows are sealed alike
and cover people go on doing what people do (spec ``proto/spec/11-cover.md``, "Changes"). All of it
is the provider's own, on its own disk, sealed; it goes with the epoch or when the registry is
deleted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pydantic_core import from_json

from padan_client.base.errors import BadInputError
from padan_client.base.files import erase
from padan_client.base.language import t
from padan_client.home.identity import Identity, Randomness
from padan_client.home.sealed_file import Purpose, SealedFiles, understood
from padan_linkage.cover import CoverPeople, KnownPeople, Lives
from padan_linkage.crypto.sealing import KeptSeal

_PIECE_ROWS = 250_000
#: Columns beside the fields'; no field begins so.
_ENTERED, _CHANGES, _HERE, _ID, _FORMER = (
    "\x00entered",
    "\x00changes",
    "\x00here",
    "\x00id",
    "\x00former",
)


@dataclass(frozen=True, repr=False)
class Page:
    """One registry: its seal, its cover people, and what is known of its people.

    ``pace``: how many cover people change for one who does, 0 before the first delta; ``uploads``:
    how many made it, 1 when it was published whole.
    """

    seal: KeptSeal
    cover: CoverPeople
    known: KnownPeople
    pace: float
    uploads: int


class CoverBook:
    """The pages of every registry that this home published: ``<epoch>/<dataset>.cover``."""

    def __init__(self, folder: Path, identity: Identity, randomness: Randomness) -> None:
        self._folder = folder
        self._files = SealedFiles(Purpose.COVER, identity, randomness)

    def save(self, dataset: str, epoch: int, page: Page) -> None:
        """Remember the page of ``dataset`` (a resource name)."""
        parts = [_cover_table(page.cover), _former_table(page.cover), _known_table(page.known)]
        sizes = [max(1, -(-part.num_rows // _PIECE_ROWS)) for part in parts]
        head = {"seal": _packed(page.seal), "pace": page.pace, "uploads": page.uploads}
        head["pieces"] = sizes

        def pieces() -> Iterator[bytes]:
            yield json.dumps(head).encode()
            for part in parts:
                for start in range(0, max(1, part.num_rows), _PIECE_ROWS):
                    yield _stream(part.slice(start, _PIECE_ROWS))

        path = self._place(dataset) / str(epoch) / f"{_identifier(dataset)}.cover"
        self._files.write_pieces(path, _context(dataset, epoch), 1 + sum(sizes), pieces())

    def load(self, dataset: str) -> Page:
        """The page of ``dataset``.

        Raises BadInputError if it was not published from this home, or by a version that kept less;
        SealedFileError if the file was altered.
        """
        epoch = self.epoch_of(dataset)
        if epoch is None:
            raise BadInputError(
                t(
                    "Registri dasar itu tidak diterbitkan dari folder ini, jadi pembaruannya tidak "
                    "dapat dibuat. Terbitkan registri lengkap.",
                    "That base registry was not published from this home folder, so no delta can "
                    "be made of it. Publish the whole registry.",
                )
            )
        path = self._place(dataset) / str(epoch) / f"{_identifier(dataset)}.cover"
        with understood(path):
            return _page(self._files.read_pieces(path, _context(dataset, epoch)))

    def epoch_of(self, dataset: str) -> int | None:
        """The epoch in which ``dataset`` was published from here; None if it was not."""
        found = self._place(dataset).glob(f"*/{_identifier(dataset)}.cover")
        return next((int(path.parent.name) for path in found), None)

    def forget(self, dataset: str) -> None:
        """Erase what is known of a deleted registry."""
        for path in self._place(dataset).glob(f"*/{_identifier(dataset)}.cover"):
            erase(path)

    def forget_epoch(self, agreement: str, flow: str, epoch: int) -> int:
        """Erase what is known of registries of a destroyed epoch. Returns how many."""
        doomed = list((self._folder / agreement / flow / str(epoch)).glob("*.cover"))
        for path in doomed:
            erase(path)
        return len(doomed)

    def _place(self, dataset: str) -> Path:
        agreement, flow, _ = dataset.split("/")[1::2]
        return self._folder / agreement / flow


def _page(pieces: Iterator[bytes]) -> Page:
    head = from_json(next(pieces))
    cover, former, known = (
        pa.concat_tables([_table(next(pieces)) for _ in range(size)]).combine_chunks()
        for size in head["pieces"]
    )
    made = _cover(cover, former), _known(known), head["pace"], head["uploads"]
    return Page(_unpacked(head["seal"]), *made)


def _identifier(dataset: str) -> str:
    return dataset.rpartition("/")[2]


def _context(dataset: str, epoch: int) -> bytes:
    return f"{dataset}/{epoch}".encode()


def _stream(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _table(content: bytes) -> pa.Table:
    return pa.ipc.open_stream(content).read_all()


def _cover_table(cover: CoverPeople) -> pa.Table:
    return pa.table({**_lives_columns(cover.lives), **cover.records})


def _former_table(cover: CoverPeople) -> pa.Table:
    return pa.table({_FORMER: cover.former_of, **cover.former})


def _known_table(known: KnownPeople) -> pa.Table:
    return pa.table({_ID: known.ids, _FORMER: known.former, **_lives_columns(known.lives)})


def _lives_columns(lives: Lives) -> dict[str, Any]:
    return {_ENTERED: lives.entered, _CHANGES: lives.changes, _HERE: lives.here}


def _cover(table: pa.Table, former: pa.Table) -> CoverPeople:
    names = [n for n in table.column_names if not n.startswith("\x00")]
    return CoverPeople(
        {n: _column(table, n) for n in names},
        _lives(table),
        _column(former, _FORMER).to_numpy(zero_copy_only=False).astype(np.int64),
        {n: _column(former, n) for n in names},
    )


def _known(table: pa.Table) -> KnownPeople:
    former = _column(table, _FORMER).to_numpy(zero_copy_only=False)
    return KnownPeople(_column(table, _ID), _lives(table), former)


def _lives(table: pa.Table) -> Lives:
    columns = (_column(table, n) for n in (_ENTERED, _CHANGES, _HERE))
    return Lives(*(column.to_numpy(zero_copy_only=False) for column in columns))


def _column(table: pa.Table, name: str) -> pa.Array:
    column = table[name]
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def _packed(seal: KeptSeal) -> dict[str, Any]:
    whole = {**vars(seal), "pass_keys": {p: key.hex() for p, key in seal.pass_keys.items()}}
    return {n: value.hex() if isinstance(value, bytes) else value for n, value in whole.items()}


def _unpacked(whole: dict[str, Any]) -> KeptSeal:
    keys = {p: bytes.fromhex(key) for p, key in whole.pop("pass_keys").items()}
    rows = whole.pop("rows")
    public = {name: bytes.fromhex(value) for name, value in whole.items()}
    return KeptSeal(**public, pass_keys=keys, rows=rows)
