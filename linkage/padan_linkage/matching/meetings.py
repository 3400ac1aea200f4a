"""Which questions met which registry rows: what a unit counts to bound what its answers tell.

A question is a row of a requester's table in a pass with a filter, as the unit sees it: bucket,
filter, presence. It meets a registry row if the pair passes the screen and is among the likeliest
few of the question, whatever is answered: what does not pass cannot be answered, and «not found» of
what does pass tells something too. Spec: ``proto/spec/32-metering.md``, "Meetings".
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from padan_linkage.compiled.jit import kernel
from padan_linkage.matching.result import PassResult
from padan_linkage.tables import PassTable

Ids = NDArray[np.uint64]
#: Distinct questions of a list in one bucket: so many, and so many more for each row registered
#: there (spec 32, "Crowding").
ALONE, ALIKE = 16, 32
#: Rows that are hashed in one piece.
_BLOCK = 1 << 18


def _nothing() -> Ids:
    return np.zeros(0, np.uint64)


@dataclass(frozen=True, repr=False)
class MetPairs:
    """Pairs of a registry row and a question, each once, in ascending order.

    ``row``, ``question``: uint64[n], keyed hashes; of two rows that differ they are equal with a
    chance of 2⁻⁶⁴ for whoever does not know the key.
    """

    row: Ids = field(default_factory=_nothing)
    question: Ids = field(default_factory=_nothing)

    def __len__(self) -> int:
        return len(self.row)

    @classmethod
    def of(
        cls, result: PassResult, provider: PassTable, requester: PassTable, key: bytes
    ) -> MetPairs:
        """The meetings of a result of these two tables; none in an exact pass. ``key``: secret."""
        # Spec 32, "Meetings", steps 1 and 2.
        asking, place = np.nonzero(result.met >= 0)
        if not len(asking):
            return cls()
        questions, at = np.unique(asking, return_inverse=True)
        rows, of = np.unique(result.met[asking, place], return_inverse=True)
        asked = _hashes(requester, ("keys", "filters", "presence"), questions, key)
        return cls.sorted(_hashes(provider, ("handles",), rows, key)[of], asked[at])

    @classmethod
    def sorted(cls, row: Ids, question: Ids) -> MetPairs:
        """Pairs in any order, repeats among them."""
        order = np.lexsort((question, row))
        row, question = row[order], question[order]
        new = np.ones(len(row), np.bool_)
        new[1:] = (row[1:] != row[:-1]) | (question[1:] != question[:-1])
        return cls(row[new], question[new])

    @classmethod
    def joined(cls, parts: Iterable[MetPairs]) -> MetPairs:
        """The pairs of all ``parts``, each once."""
        known = list(parts)
        rows = np.concatenate([_nothing(), *(p.row for p in known)])
        return cls.sorted(rows, np.concatenate([_nothing(), *(p.question for p in known)]))

    def part(self, first: int, last: int) -> MetPairs:
        """The pairs from ``first`` to ``last`` (exclusive)."""
        return MetPairs(self.row[first:last], self.question[first:last])

    def of_rows(self, rows: Ids) -> MetPairs:
        """The pairs of these registry rows, uint64[k], ascending."""
        at = np.searchsorted(rows, self.row)
        mine = np.flatnonzero(rows[np.minimum(at, len(rows) - 1)] == self.row if len(rows) else [])
        return MetPairs(self.row[mine], self.question[mine])

    def of_row(self, row: int) -> Ids:
        """The questions of one registry row."""
        first = np.searchsorted(self.row, np.uint64(row))
        last = np.searchsorted(self.row, np.uint64(row), "right")
        return self.question[first:last]

    def rows(self) -> Ids:
        """Every registry row that was met, once, ascending."""
        return self.row[np.flatnonzero(np.diff(self.row, prepend=~self.row[:1]))]

    def most(self) -> int:
        """Distinct questions of the registry row that met most; 0 without a meeting."""
        edges = np.flatnonzero(np.diff(self.row, prepend=~self.row[:1]))
        return int(np.diff(edges, append=len(self)).max(initial=0))

    def packed(self) -> bytes:
        """As bytes, rows and then questions, little-endian; :meth:`unpacked` reads them."""
        return self.row.astype("<u8").tobytes() + self.question.astype("<u8").tobytes()

    @classmethod
    def unpacked(cls, words: NDArray[np.uint64]) -> MetPairs:
        """What :meth:`packed` gave, uint64[2n]; the arrays are views."""
        half = len(words) // 2
        return cls(words[:half], words[half:])


def in_excess(mine: MetPairs, before: Iterable[MetPairs], of_list: int, of_epoch: int) -> bool:
    """Whether some registry row is met by too many questions of a list, or of the epoch with it.

    Of one pass. ``before``: what met in the epoch otherwise.
    """
    # Spec 32, "Lists", step 2.
    if mine.most() > of_list:
        return True
    rows = mine.rows()
    return MetPairs.joined([mine, *(m.of_rows(rows) for m in before)]).most() > of_epoch


def is_crowded(provider: PassTable, requester: PassTable) -> bool:
    """Whether the list has more questions in some bucket than people registered there explain.

    Of a pass with a filter. A bucket without a registered row tells nothing, however full it is.
    """
    # Spec 32, "Crowding", step 1.
    registered, asked = (_bucket_counts(table) for table in (provider, requester))
    scale = ALIKE * max(1.0, len(requester) / max(1, len(provider)))
    limit = np.where(registered > 0, ALONE + scale * registered, np.inf)
    full = np.flatnonzero(asked > limit)
    if not len(full):
        return False
    bucket = _bucket_of(requester)
    rows = np.flatnonzero(np.isin(bucket, full))
    # Hashed under no secret: whoever could make two rows collide would only ask less.
    hashed = _hashes(requester, ("filters", "presence"), rows, b"")
    pairs = MetPairs.sorted(bucket[rows].astype(np.uint64), hashed)
    distinct = np.bincount(pairs.row.astype(np.int64), minlength=len(limit))
    return bool((distinct > limit).any())


def _bucket_of(table: PassTable) -> NDArray[np.int64]:
    keys = np.ascontiguousarray(table.columns["keys"]).view("<u2").reshape(-1)
    return keys.astype(np.int64)


def _bucket_counts(table: PassTable) -> NDArray[np.int64]:
    return np.bincount(_bucket_of(table), minlength=1 << 16)


def _hashes(table: PassTable, names: tuple[str, ...], rows: NDArray[np.int64], key: bytes) -> Ids:
    """Hashes of some rows' columns, uint64[len(rows)], two halves, each multilinear modulo 2⁶⁴.

    Strongly universal under keys that nobody else knows (Lemire and Kaser, «Strongly universal
    string hashing is fast», 2014): no two rows can be chosen to collide.
    """
    # Spec 32, "Meetings", step 4.
    halves = np.zeros((len(rows), 2), np.uint64)
    for name in names:
        if name in table.columns:
            column = np.asarray(table.columns[name])
            keys = _keys(key, f"{table.pass_id} {name}", -(-column.shape[1] // 4))
            for first in range(0, len(rows), _BLOCK):
                part = slice(first, first + _BLOCK)
                _add(_words(column[rows[part]]), keys, halves[part])
    high = np.uint64(32)
    return halves[:, 0] >> high << high | halves[:, 1] >> high


@functools.lru_cache(maxsize=256)
def _keys(key: bytes, label: str, words: int) -> Ids:
    """Keys of a column of so many words, uint64[2, words]."""
    drawn = hashlib.shake_256(key + b"\x00" + label.encode()).digest(16 * words)
    return np.frombuffer(drawn, "<u8").reshape(2, words).astype(np.uint64)


def _words(column: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Bytes, uint8[n, width], as 32-bit words, the last filled up with zeros."""
    if column.shape[1] % 4:
        filled = np.zeros((len(column), -(-column.shape[1] // 4) * 4), np.uint8)
        filled[:, : column.shape[1]] = column
        column = filled
    return np.ascontiguousarray(column).view("<u4").astype(np.uint32, copy=False)


@kernel
def _add(words: NDArray[np.uint32], keys: NDArray[np.uint64], halves: NDArray[np.uint64]) -> None:
    """Add the products of words and keys to both halves of every row."""
    for row in range(words.shape[0]):
        first = second = np.uint64(0)
        for i in range(words.shape[1]):
            word = np.uint64(words[row, i])
            first += word * keys[0, i]
            second += word * keys[1, i]
        halves[row, 0] += first
        halves[row, 1] += second
