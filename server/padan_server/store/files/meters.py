"""What has met what, on disk: which questions were asked of which registry rows in an epoch.

Under the data directory, with a folder a flow and epoch:

    meters/secret                            what rows and questions are hashed with
    meters/sums.json                         its checksum
    meters/<flow>/<epoch>/<run>              meetings of a list
    meters/<flow>/<epoch>/<day>.asked        meetings of a day's single questions

A list's file is a SHA-256, a line of JSON (pairs by pass), and the pairs of each pass, packed. A
day's file grows by four 64-bit words a meeting: pass number, row, question, and the CRC-32 of these
that begins with the CRC-32 of the file's place plus the number of the meeting; what a torn write
left of one is not read.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import secrets
import shutil
import struct
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from pydantic_core import from_json

from padan_linkage.matching import MetPairs
from padan_server.base.damage import DamagedFileError, DamageWatch
from padan_server.base.model import FlowKey
from padan_server.base.ordinary import open_ordinary, ordinary_file, read_ordinary
from padan_server.store.files.disk import (
    Aside,
    Disk,
    make_folder,
    space,
    sync_folders,
    write_whole,
)
from padan_server.store.files.sums import (
    SUMS,
    FolderChecks,
    Pace,
    at_once,
    file_sums,
    keep_sums,
    read_whole,
    unreadable,
)

_METERS, _SECRET = "meters", "secret"
_DIGEST_BYTES = 32
_SECRET_BYTES = 32
#: Longer is no line of JSON about 32 passes.
_MOST_HEAD = 8192
#: A day's file, and what it was before there were checksums.
_DAY, _UNCHECKED = ".asked", ".questions"
_WORDS = 3
_MEETING_BYTES = 8 * (_WORDS + 1)
_PIECE = 1024**2


class MeterSecretError(RuntimeError):
    """What was asked is hashed with a secret that is lost or damaged: no count would go on."""

    def __init__(self, data_dir: Path, damage: DamagedFileError) -> None:
        indonesian, english = damage.problem
        super().__init__(
            f"{damage.file}: {indonesian}; apa yang sudah ditanyakan tidak dapat dihitung terus. "
            "Pulihkan berkas itu dari cadangan, atau terima kehilangannya dengan `padan-server "
            f"accept restore --data-dir {data_dir}`. "
            f"/ {damage.file}: {english}; what was asked cannot be counted on. Restore the file "
            "from a backup, or accept the loss with `padan-server accept restore --data-dir "
            f"{data_dir}`."
        )


class EpochMeterFiles:
    """The meetings of one flow in one epoch."""

    def __init__(self, disk: Disk, folder: Path, watch: DamageWatch) -> None:
        self._disk = disk
        self._folder = folder
        self._watch = watch

    def holds(self, file: str) -> bool:
        """Whether a file, by its place under the data directory, is one of these."""
        return place_of(self._folder / Path(file).name) == file

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
        """Meetings by run and pass. Raises DamagedFileError."""
        lists = (p for p in self._folder.glob("*") if not p.suffix)
        with self._watch.telling():
            return {p.name: _list_meetings(p, place_of(p)) for p in lists}

    def days(self) -> dict[date, NDArray[np.uint64]]:
        """What was written of each day: uint64[n, 3], pass number, row, question.

        Raises DamagedFileError.
        """
        with self._watch.telling():
            for path in sorted(self._folder.glob(f"*{_UNCHECKED}")):
                # A start writes them anew: it was put here since.
                raise DamagedFileError(place_of(path), "dari versi lain", "of another version")
            return {
                date.fromisoformat(path.name.removesuffix(_DAY)): _day_words(path, place_of(path))
                for path in sorted(self._folder.glob(f"*{_DAY}"))
            }

    def open_day(self, day: date) -> int:
        """Descriptor that appends to a day's file."""
        with space():
            make_folder(self._folder)
            path = self._folder / f"{day.isoformat()}{_DAY}"
            descriptor = open_ordinary(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
            torn = os.fstat(descriptor).st_size % _MEETING_BYTES
            os.ftruncate(descriptor, os.fstat(descriptor).st_size - torn)
            sync_folders(path.parent, levels=3)
        return descriptor

    def append(self, day: date, descriptor: int, words: Iterable[tuple[int, int, int]]) -> None:
        """Write meetings of a day, all or none, not yet synced. Raises StoreFullError."""
        begun = os.fstat(descriptor).st_size
        place = place_of(self._folder / f"{day.isoformat()}{_DAY}")
        content = _summed(place, begun // _MEETING_BYTES, list(words))
        with space():
            if self._disk.write(descriptor, content) != len(content):
                os.ftruncate(descriptor, begun)
                raise OSError(errno.ENOSPC, "a day's meetings were written in part")

    def sync(self, descriptor: int) -> None:
        """Return when what was appended is on the disk. Raises StoreFullError."""
        with space():
            self._disk.sync(descriptor)


class MeterFiles:
    """The meetings of all flows and epochs of a unit, and the secret that they are hashed with.

    ``asked``: whether anything was asked yet, so that there is a secret. ``lost``: the day on which
    an operator's acceptance that something is lost was taken. Raises MeterSecretError.
    """

    def __init__(
        self,
        data_dir: Path,
        disk: Disk | None = None,
        watch: DamageWatch | None = None,
        *,
        asked: bool = False,
        lost: date | None = None,
    ) -> None:
        self._data_dir = data_dir
        self._folder = data_dir / _METERS
        self._disk = disk or Disk()
        self._watch = watch or DamageWatch()
        make_folder(self._folder)
        self.secret = self._secret(asked, lost)
        for path in sorted(self._folder.glob(f"*/*/*{_UNCHECKED}")):
            self._bring_up_to_date(path)

    def epoch(self, flow: FlowKey, epoch: int) -> EpochMeterFiles:
        """Those of one flow and epoch; an amended agreement's are others."""
        return EpochMeterFiles(self._disk, self._folder / _name(flow) / str(epoch), self._watch)

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

    def _bring_up_to_date(self, path: Path) -> None:
        """Write a day's meetings anew, with checksums; of a version that had none for them."""
        # Spec 30, "Doubt", step 10.
        checked, place = path.with_suffix(_DAY), place_of(path)
        words = np.frombuffer(read_whole(path, place), np.uint8)
        whole = len(words) // (8 * _WORDS) * (8 * _WORDS)  # what a torn write left was never read
        meetings = words[:whole].view("<u8").reshape(-1, _WORDS).tolist()
        content = _summed(place_of(checked), 0, meetings)
        if not checked.exists():
            write_whole(self._disk, checked, (content,))
        elif read_whole(checked, place)[: len(content)] != content:
            return  # both are there, and not by a start that died here: refused when it is used
        path.unlink()

    def _secret(self, asked: bool, lost: date | None) -> bytes:
        """The secret; made where nothing rests on one, or an operator has accepted its loss."""
        # Spec 30, "Doubt", step 7.
        path = self._folder / _SECRET
        if not asked and all(p.name.endswith(".writing") for p in self._folder.iterdir()):
            self._make_secret()
        elif path.is_file() and not (self._folder / SUMS).exists():
            self._sum_secret()  # of a version that had no sums, or a crash came between the two
        try:
            check_secret(FolderChecks(self._data_dir, self._watch))
        except DamagedFileError as damage:
            if lost is None:
                raise MeterSecretError(self._data_dir, damage) from None
            if os.path.lexists(path):
                Aside(self._data_dir).put(path, _METERS, lost)
            self._make_secret()
        return read_ordinary(path)

    def _make_secret(self) -> None:
        (self._folder / SUMS).unlink(missing_ok=True)
        write_whole(self._disk, self._folder / _SECRET, (secrets.token_bytes(_SECRET_BYTES),))
        self._sum_secret()

    def _sum_secret(self) -> None:
        path = self._folder / _SECRET
        if path.stat().st_size != _SECRET_BYTES:
            return  # it is no secret: without sums it is refused
        keep_sums(self._disk, self._folder, _METERS, {_SECRET: file_sums(path)})


def _name(flow: FlowKey) -> str:
    parts = (flow.agreement.encode(), flow.digest, flow.flow.encode())
    return hashlib.sha256(b"\x00".join(parts)).hexdigest()[:32]


def place_of(path: Path) -> str:
    """Where a file of meetings lies under the data directory."""
    return "/".join(path.parts[-4:])


def check_secret(checks: FolderChecks) -> None:
    """Compare the secret with its checksum. Raises DamagedFileError."""
    checks.check(_METERS, [_SECRET], again=True)


def check_meter(path: Path, pace: Pace = at_once) -> None:
    """Read a file of meetings, a list's or a day's. Raises DamagedFileError."""
    place = place_of(path)
    if path.suffix == _UNCHECKED:
        pace(len(read_whole(path, place)))  # the next start writes it anew
    elif path.suffix == _DAY:
        pace(_day_words(path, place).nbytes)
    else:
        _list_meetings(path, place, pace)


def _list_meetings(path: Path, place: str, pace: Pace = at_once) -> dict[str, MetPairs]:
    """A list's meetings by pass, memory-mapped."""
    content = _mapped(path, place)
    digest, kept = content[:_DIGEST_BYTES].tobytes(), content[_DIGEST_BYTES:]
    summed = hashlib.sha256()
    for at in range(0, len(kept), _PIECE):
        summed.update(kept[at : at + _PIECE].data)
        pace(_PIECE)
    if summed.digest() != digest:
        raise _damaged(place)
    begin = int(np.flatnonzero(kept[:_MOST_HEAD] == ord("\n"))[0]) + 1
    words, at, found = kept[begin:].view("<u8"), 0, {}
    for pass_id, pairs in from_json(kept[:begin].tobytes()).items():
        found[pass_id] = MetPairs.unpacked(words[at : at + 2 * pairs])
        at += 2 * pairs
    return found


def _mapped(path: Path, place: str) -> NDArray[np.uint8]:
    try:
        with ordinary_file(path) as file:
            if os.fstat(file.fileno()).st_size > _DIGEST_BYTES:
                return np.memmap(file, np.uint8, "r").view(np.ndarray)
    except OSError as e:
        raise unreadable(place, e) from None
    raise _damaged(place)


def _day_words(path: Path, place: str) -> NDArray[np.uint64]:
    content = read_whole(path, place)
    whole = len(content) // _MEETING_BYTES
    words = np.frombuffer(content, "<u8", whole * (_WORDS + 1)).reshape(-1, _WORDS + 1)
    met = words[:, :_WORDS].astype(np.uint64)
    if _summed(place, 0, met.tolist()) != content[: whole * _MEETING_BYTES]:
        raise _damaged(place)
    return met


def _summed(place: str, number: int, words: Iterable[Iterable[int]]) -> bytes:
    """Meetings as they are written, the first of them being that ``number`` of its file."""
    start, written = crc32(place.encode()), bytearray()
    for at, meeting in enumerate(words, number):
        packed = struct.pack("<3Q", *meeting)
        written += packed + struct.pack("<Q", crc32(packed, (start + at) & 0xFFFFFFFF))
    return bytes(written)


def _damaged(place: str) -> DamagedFileError:
    return DamagedFileError(place, "bukan yang ditulis", "not what was written")
