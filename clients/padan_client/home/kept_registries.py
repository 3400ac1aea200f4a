"""The provider's last published registries, kept for deltas: sealed, on its own disk.

A delta answers anew what changed records share with others, so it needs the whole registry as it
was. It is the provider's own data and goes with the epoch. One file a base table,
``<base>.<sequence>.sealed``, of which the highest sequence counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from padan_client.base.errors import BadInputError
from padan_client.base.files import erase
from padan_client.base.language import t
from padan_client.base.place import FlowPlace
from padan_client.home.identity import Identity, Randomness
from padan_client.home.sealed_file import Purpose, SealedFiles
from padan_client.records.preparing import QUARANTINE_SCHEMA
from padan_client.records.registry import Registry
from padan_linkage.answering.payloads import PAYLOAD_BYTES

_PIECE_ROWS = 250_000
_ID, _PAYLOAD = "\x00id", "\x00payload"


class KeptRegistries:
    """The registries that this home published in direct mode."""

    def __init__(self, folder: Path, identity: Identity, randomness: Randomness) -> None:
        self._folder = folder
        self._files = SealedFiles(Purpose.REGISTRY, identity, randomness)

    def save(
        self, place: FlowPlace, epoch: int, base: str, sequence: int, registry: Registry
    ) -> None:
        """Keep ``registry`` as what the base and its deltas up to ``sequence`` say."""
        path = self._path(place, epoch, base, sequence)
        pieces = max(1, -(-len(registry) // _PIECE_ROWS))
        self._files.write_pieces(path, _context(path), pieces, _pieces(registry))

    def prune(self, place: FlowPlace, epoch: int, base: str, sequence: int) -> None:
        """Erase what is older than ``sequence``."""
        path = self._path(place, epoch, base, sequence)
        for older in path.parent.glob(f"{base}.*.sealed"):
            if _sequence(older) < sequence:
                erase(older)

    def load(self, place: FlowPlace, epoch: int, base: str, sequence: int) -> Registry:
        """The registry of that base and sequence.

        Raises BadInputError if it is not kept here, SealedFileError if it was altered.
        """
        path = self._path(place, epoch, base, sequence)
        if not path.exists():
            raise BadInputError(
                t(
                    f"Registri tabel {base} tidak tersimpan di sini, jadi perubahannya tidak dapat "
                    "dihitung. Terbitkan registri lengkap.",
                    f"The registry of table {base} is not kept here, so what changed cannot be "
                    "told. Publish the whole registry.",
                )
            )
        contents = self._files.read_pieces(path, _context(path))
        pieces = [pa.ipc.open_stream(content).read_all() for content in contents]
        return _registry(pa.concat_tables(pieces).combine_chunks())

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


def without(registry: Registry, ids: set[str]) -> tuple[Registry, Registry]:
    """The records not named by ``ids``, and those that are."""
    named = np.isin(registry.ids.to_numpy(zero_copy_only=False), list(ids))
    return take(registry, ~named), take(registry, named)


def take(registry: Registry, mask: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Registry:
    """The records where ``mask`` bool[n] is true."""
    kept = pa.array(mask)
    return Registry(
        ids=registry.ids.filter(kept),
        records={name: column.filter(kept) for name, column in registry.records.items()},
        payloads=registry.payloads[mask],
        quarantine=registry.quarantine,
    )


def joined(first: Registry, second: Registry) -> Registry:
    """Two registries as one."""
    return Registry(
        ids=pa.concat_arrays([first.ids, second.ids]),
        records={
            name: pa.concat_arrays([column, second.records[name]])
            for name, column in first.records.items()
        },
        payloads=np.concatenate([first.payloads, second.payloads]),
        quarantine=second.quarantine,
    )


def _sequence(path: Path) -> int:
    return int(path.name.split(".")[1])


def _context(path: Path) -> bytes:
    """Agreement, flow, epoch, and the file's name, which has base and sequence."""
    return "/".join(path.parts[-4:]).encode()


def _pieces(registry: Registry) -> Iterator[bytes]:
    """The registry as Arrow streams of some rows each, at least one."""
    payloads = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(PAYLOAD_BYTES), len(registry), [None, pa.py_buffer(registry.payloads)]
    )
    table = pa.table({_ID: registry.ids, _PAYLOAD: payloads, **registry.records})
    for start in range(0, max(1, len(registry)), _PIECE_ROWS):
        sink = pa.BufferOutputStream()
        piece = table.slice(start, _PIECE_ROWS)
        options = pa.ipc.IpcWriteOptions(compression="zstd")
        with pa.ipc.new_stream(sink, piece.schema, options=options) as writer:
            writer.write_table(piece)
        yield sink.getvalue().to_pybytes()


def _registry(table: pa.Table) -> Registry:
    def column(name: str) -> pa.Array:
        whole = table[name].combine_chunks()
        return whole.combine_chunks() if isinstance(whole, pa.ChunkedArray) else whole

    raw = b"".join(column(_PAYLOAD).to_pylist())
    return Registry(
        ids=column(_ID),
        records={n: column(n) for n in table.column_names if n not in {_ID, _PAYLOAD}},
        payloads=np.frombuffer(raw, np.uint8).reshape(-1, PAYLOAD_BYTES),
        quarantine=QUARANTINE_SCHEMA.empty_table(),
    )
