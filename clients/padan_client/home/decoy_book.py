"""What a delta needs to know of the registry it updates, kept from one upload to the next.

For each published registry: which cover people it holds, so that a delta can touch them again; a
pool of some thousand of its records, from which more are drawn; and the keys that its codes are
sealed under, so that a delta's are sealed alike. Pool and keys are the provider's own, on its own
disk, sealed; they go with the epoch or when the registry is deleted.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from padan_client.base.errors import BadInputError
from padan_client.base.files import erase
from padan_client.base.language import t
from padan_client.home.identity import Identity, Randomness
from padan_client.home.sealed_file import Purpose, SealedFiles
from padan_client.records.registry import Registry
from padan_linkage.cover import Decoys
from padan_linkage.crypto.randomness import Drbg
from padan_linkage.crypto.sealing import KeptSeal

#: Records in a pool: enough that a delta's cover people look like the registry's.
POOL_RECORDS = 4096
_ID = "\x00id"


@dataclass(frozen=True, repr=False)
class Page:
    """One registry: epoch, cover people, a pool (columns by field, with ids), its seal."""

    epoch: int
    decoys: Decoys
    pool: pa.Table
    seal: KeptSeal

    def pool_records(self) -> dict[str, pa.ChunkedArray]:
        """The pool's columns by schema field."""
        return {name: self.pool[name] for name in self.pool.column_names if name != _ID}


class DecoyBook:
    """The pages of every registry that this home published."""

    def __init__(self, folder: Path, identity: Identity, randomness: Randomness) -> None:
        self._folder = folder
        self._pools = SealedFiles(Purpose.DECOY_POOL, identity, randomness)
        self._seals = SealedFiles(Purpose.SEAL_KEYS, identity, randomness)

    def save(self, dataset: str, page: Page) -> None:
        """Remember the page of ``dataset`` (a resource name)."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, page.pool.schema) as writer:
            writer.write_table(page.pool)
        pool = sink.getvalue().to_pybytes()
        self._pools.write(self._path(dataset, "pool"), dataset.encode(), pool)
        self._seals.write(self._path(dataset, "seal"), dataset.encode(), _packed(page.seal))
        cover = {"count": page.decoys.count, "removed": page.decoys.removed.tolist()}
        notes = {"epoch": page.epoch, "cover": cover}
        self._pools.write(self._path(dataset, "notes"), _notes(dataset), json.dumps(notes).encode())

    def load(self, dataset: str) -> Page:
        """The page of ``dataset``.

        Raises BadInputError if it was not published from this home (or by a version that kept no
        seal), SealedFileError if a file was altered.
        """
        path = self._path(dataset, "notes")
        if not path.exists() or not self._path(dataset, "seal").exists():
            raise BadInputError(
                t(
                    "Registri dasar itu tidak diterbitkan dari folder ini, jadi pembaruannya tidak "
                    "dapat dibuat. Terbitkan registri lengkap.",
                    "That base registry was not published from this home folder, so no delta can "
                    "be made of it. Publish the whole registry.",
                )
            )
        plain = self._pools.read(self._path(dataset, "pool"), dataset.encode())
        seal = _unpacked(self._seals.read(self._path(dataset, "seal"), dataset.encode()))
        notes = json.loads(self._pools.read(path, _notes(dataset)))
        cover = notes["cover"]
        decoys = Decoys(cover["count"], np.array(cover["removed"], np.int64))
        return Page(notes["epoch"], decoys, pa.ipc.open_stream(plain).read_all(), seal)

    def forget(self, dataset: str) -> None:
        """Erase what is known of a deleted registry."""
        for suffix in ("notes", "pool", "seal"):
            erase(self._path(dataset, suffix))

    def forget_epoch(self, agreement: str, flow: str, epoch: int) -> int:
        """Erase what is known of registries of a destroyed epoch. Returns how many."""
        name = f"agreements/{agreement}/flows/{flow}/datasets"
        folder = self._folder / agreement / flow
        known = [f"{name}/{path.stem}" for path in folder.glob("*.notes")]
        doomed = [dataset for dataset in known if self._epoch(dataset) == epoch]
        for dataset in doomed:
            self.forget(dataset)
        return len(doomed)

    def _epoch(self, dataset: str) -> int:
        content = self._pools.read(self._path(dataset, "notes"), _notes(dataset))
        return int(json.loads(content)["epoch"])

    def _path(self, dataset: str, suffix: str) -> Path:
        agreement, flow, identifier = dataset.split("/")[1::2]
        return self._folder / agreement / flow / f"{identifier}.{suffix}"


def _notes(dataset: str) -> bytes:
    return f"{dataset}/notes".encode()


def _packed(seal: KeptSeal) -> bytes:
    whole = {**vars(seal), "pass_keys": {p: key.hex() for p, key in seal.pass_keys.items()}}
    return json.dumps(whole, default=bytes.hex).encode()


def _unpacked(content: bytes) -> KeptSeal:
    whole = json.loads(content)
    keys = {p: bytes.fromhex(key) for p, key in whole.pop("pass_keys").items()}
    rows = whole.pop("rows")
    public = {name: bytes.fromhex(value) for name, value in whole.items()}
    return KeptSeal(**public, pass_keys=keys, rows=rows)


def sample_pool(registry: Registry, drbg: Drbg) -> pa.Table:
    """A pool of random records of a whole registry, drawn by ``drbg``."""
    chosen = drbg.permutation(len(registry))[:POOL_RECORDS]
    return pa.table({_ID: registry.ids, **registry.records}).take(pa.array(chosen))


def renewed_pool(pool: pa.Table, changed: Registry, deleted: tuple[str, ...]) -> pa.Table:
    """The pool after a delta: those who changed or left are no longer in it, changed ones are."""
    gone = pa.array([*deleted, *changed.ids.to_pylist()], pa.string())
    kept = pool.filter(pc.invert(pc.is_in(pool[_ID], value_set=gone)))
    fresh = pa.table({_ID: changed.ids, **changed.records}).cast(kept.schema)
    return pa.concat_tables([fresh.slice(0, POOL_RECORDS // 2), kept]).slice(0, POOL_RECORDS)
