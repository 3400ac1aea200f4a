"""Looks for many byte strings at once in files and in the memory of a living process."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

_HEAD = 8
_PIECE = 8 * 1024 * 1024
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_TABLE_BITS = 22
_PAGE = 4096


def spellings(secret: bytes) -> set[bytes]:
    """A secret raw, in hex, and in base64, also as a part of something longer."""
    found = {secret, secret.hex().encode(), secret.hex().upper().encode()}
    for before in range(3):
        # Characters made of the secret alone, wherever it stands in the groups of three bytes.
        text = base64.b64encode(bytes(before) + secret)
        inner = text[-(-before * 8 // 6) : (before + len(secret)) * 8 // 6]
        found |= {inner, inner.translate(bytes.maketrans(b"+/", b"-_"))}
    return found


class Search:
    """Byte strings of at least eight bytes to be looked for, each with a name for what it is."""

    def __init__(self) -> None:
        self._names: dict[bytes, str] = {}

    def add(self, name: str, needles: Iterable[bytes]) -> None:
        """More to look for. Raises ValueError if one is too short to be recognised."""
        for needle in needles:
            if len(needle) < _HEAD:
                raise ValueError(f"{name}: a needle of {len(needle)} bytes")
            self._names[needle] = name

    def __len__(self) -> int:
        return len(self._names)

    def names(self) -> Iterable[str]:
        """What is looked for."""
        return self._names.values()

    def found(self, content: Iterable[bytes]) -> set[str]:
        """Names of what occurs in any of the pieces of ``content``."""
        lengths: dict[int, set[int]] = {}
        for needle in self._names:
            lengths.setdefault(int.from_bytes(needle[:_HEAD], "little"), set()).add(len(needle))
        heads = np.sort(np.fromiter(lengths, np.uint64, len(lengths)))
        table = np.zeros(1 << _TABLE_BITS, np.bool_)
        table[_slots(heads)] = True
        found = set()
        for piece in _pieces(content, max(map(len, self._names))):
            for at in _candidates(piece, heads, table):
                for length in lengths[int.from_bytes(piece[at : at + _HEAD], "little")]:
                    found.add(self._names.get(piece[at : at + length], ""))
        return found - {""}


def _slots(words: np.ndarray) -> np.ndarray:
    return (words * _SPREAD) >> np.uint64(64 - _TABLE_BITS)


def _candidates(piece: bytes, heads: np.ndarray, table: np.ndarray) -> Iterator[int]:
    """Places in ``piece`` where the first eight bytes are those of something looked for."""
    for shift in range(_HEAD):
        count = (len(piece) - shift) // _HEAD
        if count <= 0:
            continue
        words = np.frombuffer(piece, "<u8", count, shift)
        likely = np.flatnonzero(table[_slots(words)])
        nearest = np.searchsorted(heads, words[likely]).clip(max=len(heads) - 1)
        for index in likely[heads[nearest] == words[likely]]:
            yield int(index) * _HEAD + shift


def _pieces(content: Iterable[bytes], overlap: int) -> Iterator[bytes]:
    for whole in content:
        for start in range(0, max(1, len(whole)), _PIECE):
            yield whole[start : start + _PIECE + overlap]


def files_under(folder: Path) -> list[bytes]:
    """Contents of all files."""
    return [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()]


def _written(content: bytes) -> list[bytes]:
    """Memory without the pages that are all zero: most stacks and arenas are hardly used."""
    used = np.frombuffer(content, np.uint64).reshape(-1, _PAGE // 8).any(axis=1)
    edges = np.flatnonzero(np.diff(np.r_[False, used, False].astype(np.int8)))
    runs = edges.reshape(-1, 2) * _PAGE
    return [content[start:stop] for start, stop in runs.tolist()]


def private_memory(pid: int) -> list[bytes]:
    """All private memory of a process that it has written to: heap, stacks, data of libraries.

    Files that are only mapped to be read are left out: they are what the disk has. Raises
    PermissionError where the kernel forbids it.
    """
    process = Path(f"/proc/{pid}")
    found = []
    with (process / "mem").open("rb", 0) as memory:
        for line in (process / "maps").read_text().splitlines():
            parts = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ (\d+)\s*(.*)", line).groups()
            start, stop, rights, inode = int(parts[0], 16), int(parts[1], 16), *parts[2:4]
            only_mapped = inode != "0" and "w" not in rights
            if not rights.startswith("r") or not rights.endswith("p") or only_mapped:
                continue
            try:
                memory.seek(start)
                found += _written(memory.read(stop - start))
            except OSError:  # [vvar] and the like are the kernel's
                continue
    return found
