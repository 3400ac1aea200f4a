"""The provider's last published registries, kept for deltas: sealed, on its own disk.

A delta answers anew what changed records share with others, so it needs the whole registry as it
was. It is the provider's own data, encrypted under a secret of the identity; it goes with the
epoch. One file a base table, ``<base>.<sequence>.sealed``, of which the highest sequence counts.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from padan_client.base.errors import BadInputError, VerificationError
from padan_client.base.files import ensure_private_folder, erase, require_private
from padan_client.base.language import t
from padan_client.base.place import FlowPlace
from padan_client.home.identity import Identity
from padan_client.records.preparing import QUARANTINE_SCHEMA
from padan_client.records.registry import Registry
from padan_linkage.payload import PAYLOAD_BYTES

_PIECE_ROWS = 250_000
_NONCE_BYTES, _LENGTH_BYTES = 12, 8
_ID, _PAYLOAD = "\x00id", "\x00payload"


class KeptRegistries:
    """The registries that this home published in direct mode."""

    def __init__(
        self, folder: Path, identity: Identity, randomness: Callable[[int], bytes]
    ) -> None:
        self._folder = folder
        self._cipher = AESGCM(identity.derive(b"direct registry"))
        self._randomness = randomness

    def save(
        self, place: FlowPlace, epoch: int, base: str, sequence: int, registry: Registry
    ) -> None:
        """Keep ``registry`` as what the base and its deltas up to ``sequence`` say."""
        path = self._path(place, epoch, base, sequence)
        ensure_private_folder(path.parent)
        pieces = max(1, -(-len(registry) // _PIECE_ROWS))
        draft = path.with_suffix(".tmp")
        draft.touch(mode=0o600)
        with draft.open("wb") as file:
            file.write(pieces.to_bytes(_LENGTH_BYTES, "big"))
            for number, piece in enumerate(_pieces(registry)):
                nonce = self._randomness(_NONCE_BYTES)
                context = _context(path, number, pieces)
                sealed = nonce + self._cipher.encrypt(nonce, piece, context)
                file.write(len(sealed).to_bytes(_LENGTH_BYTES, "big") + sealed)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)

    def prune(self, place: FlowPlace, epoch: int, base: str, sequence: int) -> None:
        """Erase what is older than ``sequence``."""
        path = self._path(place, epoch, base, sequence)
        for older in path.parent.glob(f"{base}.*.sealed"):
            if _sequence(older) < sequence:
                erase(older)

    def load(self, place: FlowPlace, epoch: int, base: str, sequence: int) -> Registry:
        """The registry of that base and sequence. Raises BadInputError if it is not kept here."""
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
        require_private(path)
        pieces = [pa.ipc.open_stream(content).read_all() for content in self._open(path)]
        return _registry(pa.concat_tables(pieces).combine_chunks())

    def forget_epoch(self, place: FlowPlace, epoch: int) -> int:
        """Erase the registries of a destroyed epoch. Returns how many."""
        doomed = list(self._place(place, epoch).glob("*.sealed"))
        for path in doomed:
            erase(path)
        return len(doomed)

    def _open(self, path: Path) -> Iterator[bytes]:
        with path.open("rb") as file:
            pieces = int.from_bytes(file.read(_LENGTH_BYTES), "big")
            for number in range(pieces):
                sealed = file.read(int.from_bytes(file.read(_LENGTH_BYTES), "big"))
                nonce, text = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
                try:
                    yield self._cipher.decrypt(nonce, text, _context(path, number, pieces))
                except (InvalidTag, ValueError):
                    raise VerificationError(
                        t(
                            f"{path} diubah atau milik identitas lain.",
                            f"{path} was altered or belongs to another identity.",
                        )
                    ) from None

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


def _context(path: Path, number: int, pieces: int) -> bytes:
    return "/".join([*path.parts[-4:], str(number), str(pieces)]).encode()


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
