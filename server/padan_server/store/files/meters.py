"""What has met what, on disk: which questions were asked of which registry rows in an epoch.

Under the data directory, with a folder a flow and epoch:

    meters/secret                            what rows and questions are hashed with
    meters/<flow>/<epoch>/<run>              meetings of a list
    meters/<flow>/<epoch>/<day>.questions    meetings of a day's single questions

A list's file is a SHA-256, a line of JSON (pairs by pass), and the pairs of each pass, packed. A
day's file grows by three 64-bit words a meeting: pass number, row, question; what a torn write left
of one is not read.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic_core import from_json

from padan_linkage.matching import MetPairs
from padan_server.base.model import FlowKey
from padan_server.store.files.disk import Disk, make_folder, space, sync_folders, write_whole

_DIGEST_BYTES = 32
_SECRET_BYTES = 32
#: Longer is no line of JSON about 32 passes.
_MOST_HEAD = 8192
_DAY = ".questions"
_WORDS = 3


class DamagedMeterError(OSError):
    """What was asked cannot be read back, so nothing more can be answered on it."""


class EpochMeterFiles:
    """The meetings of one flow in one epoch."""

    def __init__(self, disk: Disk, folder: Path) -> None:
        self._disk = disk
        self._folder = folder

    def save(self, run_id: str, met: Mapping[str, MetPairs]) -> None:
        """Keep a list's meetings by pass; durable on return, all or none. Raises StoreFullError.

        Repeating replaces.
        """
        with space():
            make_folder(self._folder)
        sizes = json.dumps({pass_id: len(pairs) for pass_id, pairs in met.items()}).encode()
        content = [
            sizes.ljust(-(-len(sizes) // 8) * 8 + 7) + b"\n",
            *(p.packed() for p in met.values()),
        ]
        digest = hashlib.sha256(b"".join(content)).digest()
        write_whole(self._disk, self._folder / run_id, (digest, *content))

    def drop(self, run_id: str) -> None:
        """Forget a list's meetings; harmless to repeat."""
        (self._folder / run_id).unlink(missing_ok=True)

    def lists(self) -> dict[str, dict[str, MetPairs]]:
        """Meetings by run and pass. Raises DamagedMeterError."""
        return {p.name: _list_meetings(p) for p in self._folder.glob("*") if not p.suffix}

    def days(self) -> dict[date, NDArray[np.uint64]]:
        """What was written of each day: uint64[n, 3], pass number, row, question."""
        return {
            date.fromisoformat(path.name.removesuffix(_DAY)): _day_words(path)
            for path in sorted(self._folder.glob(f"*{_DAY}"))
        }

    def open_day(self, day: date) -> int:
        """Descriptor that appends to a day's file."""
        with space():
            make_folder(self._folder)
            path = self._folder / f"{day.isoformat()}{_DAY}"
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            torn = os.fstat(descriptor).st_size % (8 * _WORDS)
            os.ftruncate(descriptor, os.fstat(descriptor).st_size - torn)
            sync_folders(path.parent, levels=3)
        return descriptor

    def append(self, descriptor: int, words: Iterable[tuple[int, int, int]]) -> None:
        """Write meetings of a day, not yet synced. Raises StoreFullError."""
        content = np.array(list(words), "<u8").tobytes()
        with space():
            if self._disk.write(descriptor, content) != len(content):
                raise OSError("a day's meetings were written in part")

    def sync(self, descriptor: int) -> None:
        """Return when what was appended is on the disk. Raises StoreFullError."""
        with space():
            self._disk.sync(descriptor)


class MeterFiles:
    """The meetings of all flows and epochs of a unit, and the secret that they are hashed with."""

    def __init__(self, data_dir: Path, disk: Disk | None = None) -> None:
        self._folder = data_dir / "meters"
        self._disk = disk or Disk()
        make_folder(self._folder)
        self.secret = self._secret()

    def epoch(self, flow: FlowKey, epoch: int) -> EpochMeterFiles:
        """Those of one flow and epoch; an amended agreement's are others."""
        return EpochMeterFiles(self._disk, self._folder / _name(flow) / str(epoch))

    def run_ids(self) -> set[str]:
        """Lists of which meetings are kept."""
        return {p.name for p in self._folder.glob("*/*/*") if not p.suffix}

    def drop(self, run_id: str) -> None:
        """Forget a list's meetings, whatever its flow and epoch."""
        for path in self._folder.glob(f"*/*/{run_id}"):
            path.unlink()

    def erase(self, flow: FlowKey, epoch: int) -> None:
        """Erase all of one flow and epoch; harmless to repeat."""
        shutil.rmtree(self._folder / _name(flow) / str(epoch), ignore_errors=True)

    def _secret(self) -> bytes:
        path = self._folder / "secret"
        if not path.exists():
            write_whole(self._disk, path, (secrets.token_bytes(_SECRET_BYTES),))
        secret = path.read_bytes()
        if len(secret) != _SECRET_BYTES:
            raise DamagedMeterError("the secret of the meters is damaged")
        return secret


def _name(flow: FlowKey) -> str:
    parts = (flow.agreement.encode(), flow.digest, flow.flow.encode())
    return hashlib.sha256(b"\x00".join(parts)).hexdigest()[:32]


def _list_meetings(path: Path) -> dict[str, MetPairs]:
    """A list's meetings by pass, memory-mapped."""
    content = np.memmap(path, np.uint8, "r").view(np.ndarray)
    digest, kept = content[:_DIGEST_BYTES].tobytes(), content[_DIGEST_BYTES:]
    if hashlib.sha256(kept.data).digest() != digest:
        raise DamagedMeterError("what a list asked cannot be read back")
    begin = int(np.flatnonzero(kept[:_MOST_HEAD] == ord("\n"))[0]) + 1
    words, at, found = kept[begin:].view("<u8"), 0, {}
    for pass_id, pairs in from_json(kept[:begin].tobytes()).items():
        found[pass_id] = MetPairs.unpacked(words[at : at + 2 * pairs])
        at += 2 * pairs
    return found


def _day_words(path: Path) -> NDArray[np.uint64]:
    content = path.read_bytes()
    whole = len(content) - len(content) % (8 * _WORDS)
    return np.frombuffer(content[:whole], "<u8").astype(np.uint64).reshape(-1, _WORDS)
