"""Which rows a flow's documents have counted: each is counted once, so that no two are compared.

A sealed file for each flow: the row digests (spec 80) that were counted, and what each document
told, so that the same result is told alike when its minutes are written again.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic_core import from_json

from padan_client.base.files import ensure_private_folder
from padan_client.base.place import FlowPlace
from padan_client.home.folder import Home
from padan_client.home.sealed_file import Purpose, SealedFiles, understood
from padan_client.results.shared_counts import SharedCounts, shared_counts
from padan_client.results.table import ASKED, EDITION, REGISTRY

_LETTERS = 16
_Told = dict[str, SharedCounts]


class ToldRows:
    """The ledger of one home, for all flows."""

    def __init__(self, home: Home) -> None:
        self._folder = home.folder / "told"
        self._files = SealedFiles(Purpose.TOLD_ROWS, home.identity, home.randomness)

    def counts(
        self, place: FlowPlace, table: pa.Table, quarantine: pa.Table | None = None
    ) -> SharedCounts:
        """What a document may tell of a list's result and its ``quarantine``, from now on told.

        ``table`` has the row digests. The same result again is told the same.
        """
        rows, name = _digests(table), _name(table)
        with self._held(place) as path:
            counted, told = self._load(path, place)
            if name not in told:
                # Spec 80, "Counts", step 1.
                new = ~np.isin(rows, counted)
                noted = 0 if quarantine is None else int((new & _noted(table, quarantine)).sum())
                told[name] = shared_counts(place.flow, table.filter(pa.array(new)), noted)
                if told[name].counted:
                    counted = np.union1d(counted, rows)
                self._save(path, place, counted, told)
            return told[name]

    @contextmanager
    def _held(self, place: FlowPlace) -> Iterator[Path]:
        """The flow's file, no other process at work on it."""
        folder = ensure_private_folder(self._folder / place.agreement.id)
        path = folder / f"{place.flow.id}.lock"
        path.touch(mode=0o600)
        with path.open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield folder / place.flow.id

    def _load(self, path: Path, place: FlowPlace) -> tuple[NDArray[np.uint64], _Told]:
        if not path.exists():
            return np.empty(0, np.uint64), {}
        with understood(path):
            notes, rows = self._files.read_pieces(path, place.name.encode())
            told = {n: SharedCounts(**{**c, "small": tuple(c["small"])})
                    for n, c in from_json(notes).items()}  # fmt: skip
            return np.frombuffer(rows, np.uint64), told

    def _save(self, path: Path, place: FlowPlace, counted: NDArray[np.uint64], told: _Told) -> None:
        notes = json.dumps({name: asdict(counts) for name, counts in told.items()}).encode()
        pieces = [notes, counted.tobytes()]
        self._files.write_pieces(path, place.name.encode(), len(pieces), pieces)


def _digests(table: pa.Table) -> NDArray[np.uint64]:
    """The row digests as numbers, uint64[rows]."""
    letters = "".join(table[ASKED].to_pylist()).encode()
    halves = np.frombuffer(letters, np.uint8).reshape(-1, _LETTERS) - np.uint8(ord("a"))
    whole = np.ascontiguousarray(halves[:, ::2] << 4 | halves[:, 1::2])
    return whole.view(np.uint64).reshape(-1)


def _noted(table: pa.Table, quarantine: pa.Table) -> NDArray[np.bool_]:
    """Which rows the quarantine has notes about, bool[rows]."""
    return np.isin(table["row"].to_numpy(), quarantine["row"].to_numpy())


def _name(table: pa.Table) -> str:
    """By what a result is known: its rows, their answers, and the registry that gave them.

    Of another registry it is another result, changed or not: that nobody changed is told neither.
    """
    digest = hashlib.sha256()
    for name in (ASKED, "hasil", "kode", EDITION, REGISTRY):
        for text in table[name].to_pylist():
            digest.update(text.encode() + b"\n")
    return digest.hexdigest()
