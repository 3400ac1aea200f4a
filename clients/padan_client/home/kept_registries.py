"""The provider's last published registries, kept for deltas: sealed, on its own disk.

A delta answers anew what changed records share with others, and merges a changed row into the
person that it is a copy of; so it needs all rows as they were, and whose copies they are. They are
the provider's own data and go with the epoch. One file a registry, ``<base>.<sequence>.sealed``, of
which the highest sequence counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from padan_client.base.errors import BadInputError
from padan_client.base.files import erase
from padan_client.base.language import t
from padan_client.base.ownership import lies
from padan_client.base.place import FlowPlace
from padan_client.home.identity import Identity, Randomness
from padan_client.home.sealed_file import Purpose, SealedFiles, understood
from padan_client.records.persons import Persons
from padan_client.records.preparing import QUARANTINE_SCHEMA
from padan_client.records.registry import Registry
from padan_linkage.agreement import Flow
from padan_linkage.answering.payloads import PAYLOAD_BYTES
from padan_linkage.merging.copies import NO_COPIES, Copies

_PIECE_ROWS = 250_000
_OURS = ("\x00id", "\x00payload", "\x00original", "\x00odds", "\x00evidence")
_ID, _PAYLOAD, _ORIGINAL, _ODDS, _EVIDENCE = _OURS


class KeptRegistries:
    """The registries that this home published in one mode."""

    def __init__(self, folder: Path, identity: Identity, randomness: Randomness) -> None:
        self._folder = folder
        self._files = SealedFiles(Purpose.REGISTRY, identity, randomness)

    def save(
        self, place: FlowPlace, epoch: int, base: str, sequence: int, persons: Persons
    ) -> None:
        """Keep ``persons`` as what the base and its deltas up to ``sequence`` say."""
        path = self._path(place, epoch, base, sequence)
        pieces = max(1, -(-len(persons.rows) // _PIECE_ROWS))
        self._files.write_pieces(path, _context(path), pieces, _pieces(persons))

    def prune(self, place: FlowPlace, epoch: int, base: str, sequence: int) -> None:
        """Erase what is older than ``sequence``."""
        path = self._path(place, epoch, base, sequence)
        for older in path.parent.glob(f"{base}.*.sealed"):
            if _sequence(older) < sequence:
                erase(older)

    def forget(self, place: FlowPlace, base: str) -> None:
        """Erase a registry that was deleted, or that another one stands for now."""
        folder = self._folder / place.agreement.id / place.flow.id
        for path in folder.glob(f"*/{base}.*.sealed"):
            erase(path)

    def load(self, place: FlowPlace, epoch: int, base: str, sequence: int = 0) -> Persons:
        """The persons of that base and sequence.

        Raises BadInputError if it is not kept here, SealedFileError if it was altered.
        """
        path = self._path(place, epoch, base, sequence)
        if not lies(path):
            raise BadInputError(
                t(
                    f"Registri {base} tidak tersimpan di sini, jadi perubahannya tidak dapat "
                    "dihitung. Terbitkan registri lengkap.",
                    f"Registry {base} is not kept here, so what changed cannot be told. Publish "
                    "the whole registry.",
                )
            )
        with understood(path):
            contents = self._files.read_pieces(path, _context(path))
            pieces = [pa.ipc.open_stream(content).read_all() for content in contents]
            return _persons(place.flow, pa.concat_tables(pieces).combine_chunks())

    def forget_epoch(self, place: FlowPlace, epoch: int) -> int:
        """Erase the registries of a destroyed epoch. Returns how many."""
        doomed = list(self._place(place, epoch).glob("*.sealed"))
        for path in doomed:
            erase(path)
        return len(doomed)

    def _place(self, place: FlowPlace, epoch: int) -> Path:
        return self._folder / place.agreement.id / place.flow.id / str(epoch)

    def _path(self, place: FlowPlace, epoch: int, base: str, sequence: int) -> Path:
        return self._place(place, epoch) / f"{base}.{sequence}.sealed"


def _sequence(path: Path) -> int:
    return int(path.name.split(".")[1])


def _context(path: Path) -> bytes:
    """Agreement, flow, epoch, and the file's name, which has base and sequence."""
    return "/".join(path.parts[-4:]).encode()


def _pieces(persons: Persons) -> Iterator[bytes]:
    """The rows as Arrow streams of some rows each, at least one, and what each is a copy of."""
    rows, copies = persons.rows, persons.copies
    payloads = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(PAYLOAD_BYTES), len(rows), [None, pa.py_buffer(rows.payloads)]
    )
    odds, evidence = np.zeros(len(rows)), np.zeros(len(rows), np.uint8)
    odds[copies.copy], evidence[copies.copy] = copies.log_odds, copies.evidence
    told = {_ORIGINAL: persons.original, _ODDS: odds, _EVIDENCE: evidence}
    table = pa.table({_ID: rows.ids, _PAYLOAD: payloads, **told, **rows.records})
    for start in range(0, max(1, len(rows)), _PIECE_ROWS):
        sink = pa.BufferOutputStream()
        piece = table.slice(start, _PIECE_ROWS)
        options = pa.ipc.IpcWriteOptions(compression="zstd")
        with pa.ipc.new_stream(sink, piece.schema, options=options) as writer:
            writer.write_table(piece)
        yield sink.getvalue().to_pybytes()


def _persons(flow: Flow, table: pa.Table) -> Persons:
    def column(name: str) -> pa.Array:
        whole = table[name].combine_chunks()
        return whole.combine_chunks() if isinstance(whole, pa.ChunkedArray) else whole

    raw = b"".join(column(_PAYLOAD).to_pylist())
    rows = Registry(
        ids=column(_ID),
        records={n: column(n) for n in table.column_names if n not in _OURS},
        payloads=np.frombuffer(raw, np.uint8).reshape(-1, PAYLOAD_BYTES),
        quarantine=QUARANTINE_SCHEMA.empty_table(),
        given=table.num_rows,
    )
    if _ORIGINAL not in table.column_names:  # an earlier version published every row
        return Persons.of(flow, rows, NO_COPIES)
    original, odds, evidence = (column(n).to_numpy() for n in (_ORIGINAL, _ODDS, _EVIDENCE))
    copy = np.flatnonzero(original != np.arange(len(rows)))
    return Persons.of(flow, rows, Copies(original[copy], copy, odds[copy], evidence[copy]))
