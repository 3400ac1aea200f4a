"""What is known at home of lives in a registry, of its people and of its cover people alike.

Since which upload somebody is there, how often changed, and whether there at all. Cover people are
chosen to change by it, so that no life shows whose it is. Spec: ``proto/spec/11-cover.md``,
"Changes".
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_linkage.crypto.randomness import Drbg

Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Fields = dict[str, pa.StringArray]

#: Nearest lives are looked for among so many.
_LOOKED_AT = 4096


class ChangeKind(IntEnum):
    """What somebody may do: get another code, be corrected or be as before, come and go."""

    STATUS = 0
    CORRECTED = 1
    UNDONE = 2
    JOINED = 3
    RETURNED = 4
    LEFT = 5


CORRECTIONS = (ChangeKind.CORRECTED, ChangeKind.UNDONE)


@dataclass(frozen=True, repr=False)
class Lives:
    """Of ``n`` people: ``entered``: int64[n], which upload each came with, 0 for the first.

    ``changes``: int64[n], how many later uploads changed them; ``here``: bool[n].
    """

    entered: Numbers
    changes: Numbers
    here: Flags

    @classmethod
    def new(cls, count: int, upload: int = 0) -> Self:
        """Of ``count`` who come now."""
        return cls(
            np.full(count, upload, np.int64), np.zeros(count, np.int64), np.ones(count, np.bool_)
        )

    def __len__(self) -> int:
        return len(self.here)

    def take(self, rows: Numbers) -> Lives:
        """Of some."""
        return Lives(self.entered[rows], self.changes[rows], self.here[rows])

    def joined(self, others: Lives) -> Lives:
        """These, and the others behind them."""
        return Lives(*(np.concatenate([a, vars(others)[n]]) for n, a in vars(self).items()))

    def after(self, kind: NDArray[np.uint8], upload: int) -> Lives:
        """The lives after a change each in ``upload``; ``kind``: uint8[n] of ChangeKind."""
        came = np.isin(kind, (ChangeKind.JOINED, ChangeKind.RETURNED))
        entered = np.where(came, upload, self.entered)
        changes = self.changes + ~np.isin(kind, (ChangeKind.JOINED, ChangeKind.LEFT))
        return Lives(entered, changes, kind != ChangeKind.LEFT)

    def put(self, rows: Numbers, lives: Lives) -> Lives:
        """With the lives at ``rows`` replaced."""
        made = Lives(*(column.copy() for column in vars(self).values()))
        for name, column in vars(made).items():
            column[rows] = vars(lives)[name]
        return made

    def alike(self, free: Flags, wanted: Lives, drbg: Drbg) -> Numbers:
        """For each life in ``wanted`` somebody ``free`` (bool[n]) of the same life, each once.

        ``int64[k]``; the nearest life where nobody has the same, -1 where nobody is left.
        """
        found = np.full(len(wanted), -1, np.int64)
        pool = np.flatnonzero(free)
        pool = pool[drbg.permutation(pool.size)]
        key = _key(self)[pool]
        order = np.argsort(key, kind="stable")
        pool, key = pool[order], key[order]
        used = np.zeros(pool.size, np.bool_)
        keys, group = np.unique(_key(wanted), return_inverse=True)
        for number, sought in enumerate(keys):
            rows = np.flatnonzero(group == number)
            begin, end = np.searchsorted(key, [sought, sought + 1])
            some = np.arange(begin, min(end, begin + rows.size))
            found[rows[: some.size]] = pool[some]
            used[some] = True
        return self._nearest(found, pool[~used], wanted, drbg)

    def _nearest(self, found: Numbers, rest: Numbers, wanted: Lives, drbg: Drbg) -> Numbers:
        for row in np.flatnonzero(found < 0)[: rest.size]:
            some = np.arange(rest.size)
            if rest.size > _LOOKED_AT:
                some = np.unique(drbg.integers(_LOOKED_AT, rest.size))
            life = self.take(rest[some])
            away = np.abs(life.changes - wanted.changes[row]) * (1 << 20)
            away += np.abs(life.entered - wanted.entered[row])
            best = some[np.argmin(away)]
            found[row] = rest[best]
            rest = np.delete(rest, best)
        return found


def _key(lives: Lives) -> Numbers:
    return (lives.changes << 32) | lives.entered


@dataclass(frozen=True, repr=False)
class KnownPeople:
    """The people of a registry who have joined, changed or left since it was published whole.

    ``ids``; ``former``: uint64[n], :func:`fingerprints` of their records before the last
    correction, 0 where there was none. Of everybody else nothing need be known.
    """

    ids: pa.StringArray
    lives: Lives
    former: NDArray[np.uint64]

    @classmethod
    def nobody(cls) -> Self:
        """Of a registry just published whole."""
        return cls(pa.array([], pa.string()), Lives.new(0), np.zeros(0, np.uint64))


@dataclass(frozen=True, repr=False)
class CoverPeople:
    """A registry's cover people by number: records (normalised columns) and lives.

    ``former_of``: int64[f], who of them was corrected; ``former``: f records before the last
    correction. Who left stays, with ``here`` False: somebody may return.
    """

    records: Fields
    lives: Lives
    former_of: Numbers
    former: Fields

    @classmethod
    def of(cls, records: Fields) -> Self:
        """The cover people of a registry that is published whole."""
        count = len(next(iter(records.values())))
        nothing = {name: column.slice(0, 0) for name, column in records.items()}
        return cls(records, Lives.new(count), np.zeros(0, np.int64), nothing)

    def __len__(self) -> int:
        return len(self.lives)


def fingerprints(records: Mapping[str, pa.StringArray]) -> NDArray[np.uint64]:
    """A number for each record, equal for equal ones, never 0; ``uint64[n]``."""
    rows = zip(*(records[name].to_pylist() for name in sorted(records)), strict=True)
    digests = [hashlib.sha256("\x00".join(row).encode()).digest()[:8] for row in rows]
    numbers = np.frombuffer(b"".join(digests), np.uint64)
    return np.maximum(numbers, np.uint64(1))


def taken(records: Mapping[str, pa.StringArray], rows: Numbers) -> Fields:
    """Some of the records; an empty one for -1."""
    at = pa.array(rows, mask=rows < 0)
    return {name: pc.fill_null(column.take(at), "") for name, column in records.items()}


def behind(records: Fields, more: Fields) -> Fields:
    """The records, and others behind them."""
    return {name: pa.concat_arrays([column, more[name]]) for name, column in records.items()}


def put_in(records: Fields, rows: Numbers, new: Fields) -> Fields:
    """The records with those at ``rows`` replaced by ``new``, in their order."""
    if not rows.size:
        return records
    at = np.full(len(next(iter(records.values()))), -1)
    at[rows] = np.arange(rows.size)
    place = pa.array(at, mask=at < 0)
    return {name: pc.coalesce(new[name].take(place), column) for name, column in records.items()}
