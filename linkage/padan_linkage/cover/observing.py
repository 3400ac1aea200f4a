"""What the people of a registry did since its last upload: what cover people are to do as well.

Spec: ``proto/spec/11-cover.md``, "Changes".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_linkage.cover.lives import (
    CORRECTIONS,
    ChangeKind,
    Fields,
    KnownPeople,
    Lives,
    Numbers,
    fingerprints,
    taken,
)

Kinds = NDArray[np.uint8]
Prints = NDArray[np.uint64]


@dataclass(frozen=True, repr=False)
class Named:
    """Records with their ids, in one order."""

    ids: pa.StringArray
    records: Fields


@dataclass(frozen=True, repr=False)
class Changes:
    """``m`` changes: ``kind``: uint8[m]; ``lives``: m lives before it.

    ``place``: int64[m], where among all people somebody is now, -1 for who left; ``old``, ``new``:
    m records; of who came ``old`` is empty, of who left ``new``.
    """

    kind: Kinds
    lives: Lives
    place: Numbers
    old: Fields
    new: Fields

    def __len__(self) -> int:
        return len(self.kind)

    def take(self, rows: Numbers) -> Changes:
        """Some of them."""
        return Changes(
            self.kind[rows],
            self.lives.take(rows),
            self.place[rows],
            taken(self.old, rows),
            taken(self.new, rows),
        )


def observed(
    gone: Named, put: Named, people: pa.StringArray, known: KnownPeople, upload: int
) -> tuple[Changes, KnownPeople]:
    """What happened in ``upload``, the upload's number, and what is known of people after it.

    ``gone``: people before, who do not stay as they were; ``put``: those who are put instead, and
    who are new; ``people``: the ids of all people now.
    """
    was = places(put.ids, gone.ids)
    left = np.flatnonzero(places(gone.ids, put.ids) < 0)
    ids = pa.concat_arrays([put.ids, gone.ids.take(pa.array(left))])
    nobody = np.full(left.size, -1)
    old = taken(gone.records, np.concatenate([was, left]))
    new = taken(put.records, np.concatenate([np.arange(len(put.ids)), nobody]))
    place = places(ids, known.ids)
    lives, former = _known(known, place)
    kind = _kinds(was, lives, former, old, new)
    now = np.concatenate([places(put.ids, people), nobody])
    changes = Changes(kind, lives, now, old, new)
    return changes, _after(known, place, ids, changes, former, upload)


def places(ids: pa.StringArray, among: pa.StringArray) -> Numbers:
    """Where each is among others, -1 for nowhere; ``int64[n]``."""
    found = pc.fill_null(pc.index_in(ids, value_set=among), -1)
    at: Numbers = found.to_numpy(zero_copy_only=False).astype(np.int64)
    return at


def _known(known: KnownPeople, place: Numbers) -> tuple[Lives, Prints]:
    """The lives so far and former fingerprints; who is at no place is there since the beginning."""
    lives, former = Lives.new(place.size), np.zeros(place.size, np.uint64)
    some = np.flatnonzero(place >= 0)
    for name, mine in vars(lives).items():
        mine[some] = vars(known.lives)[name][place[some]]
    former[some] = known.former[place[some]]
    return lives, former


def _kinds(was: Numbers, lives: Lives, former: Prints, old: Fields, new: Fields) -> Kinds:
    kind = np.full(len(lives), ChangeKind.LEFT, np.uint8)
    kind[: was.size] = np.where(was >= 0, ChangeKind.STATUS, ChangeKind.JOINED)
    kind[: was.size][(was < 0) & ~lives.here[: was.size]] = ChangeKind.RETURNED
    same = np.ones(len(lives), np.bool_)
    for name, column in new.items():
        same &= pc.equal(column, old[name]).to_numpy(zero_copy_only=False)
    corrected = np.flatnonzero((kind == ChangeKind.STATUS) & ~same)
    undone = fingerprints(taken(new, corrected)) == former[corrected]
    kind[corrected] = np.where(undone, ChangeKind.UNDONE, ChangeKind.CORRECTED)
    return kind


def _after(
    known: KnownPeople,
    place: Numbers,
    ids: pa.StringArray,
    changes: Changes,
    former: Prints,
    upload: int,
) -> KnownPeople:
    lives = changes.lives.after(changes.kind, upload)
    corrected = np.flatnonzero(np.isin(changes.kind, CORRECTIONS))
    former = former.copy()
    former[corrected] = fingerprints(taken(changes.old, corrected))
    others = np.setdiff1d(np.arange(len(known.ids)), place)
    return KnownPeople(
        pa.concat_arrays([known.ids.take(pa.array(others)), ids]),
        known.lives.take(others).joined(lives),
        np.concatenate([known.former[others], former]),
    )
