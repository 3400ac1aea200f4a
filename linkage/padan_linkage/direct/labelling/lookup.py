"""From PRF outputs to whom a list meets, at the requester. Spec 60, "Answers"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from padan_linkage.direct.labelling.bodies import BODY, PSEUDONYM_BYTES, Bodies
from padan_linkage.direct.labelling.hkdf import extract
from padan_linkage.direct.labelling.labels import gone_tags, label_keys, read_bodies
from padan_linkage.direct.schema import MOST_LABELS
from padan_linkage.direct.table import LabelTable


@dataclass(frozen=True)
class SourceTable:
    """A table with the id under which its labels were made."""

    table: LabelTable
    table_id: bytes


@dataclass(frozen=True, repr=False)
class LabelMeetings:
    """Labels that ``m`` values of a list met; whom they are of is a pseudonym in a table.

    ``record``, ``key``, ``slot``: int64[m], the record, the number of the key, which of the
    record's values under it; ``table``: int64[m], the number of the table; ``body``: what the label
    says, openers and pseudonyms among it.
    """

    record: NDArray[np.int64]
    key: NDArray[np.int64]
    slot: NDArray[np.int64]
    table: NDArray[np.int64]
    body: Bodies

    def __len__(self) -> int:
        return len(self.record)

    def __repr__(self) -> str:
        return f"LabelMeetings(labels={len(self)})"

    @classmethod
    def joined(cls, pieces: Sequence[LabelMeetings]) -> LabelMeetings:
        """Those of several keys; at least one."""
        columns = ("record", "key", "slot", "table", "body")
        return cls(*(np.concatenate([getattr(p, name) for p in pieces]) for name in columns))

    def only(self, kept: NDArray[np.bool_] | NDArray[np.int64]) -> LabelMeetings:
        """Those that are kept, bool[m], or of those numbers."""
        return LabelMeetings(
            self.record[kept], self.key[kept], self.slot[kept], self.table[kept], self.body[kept]
        )

    @property
    def pseudonym(self) -> NDArray[np.uint64]:
        """Whom each label is of, uint64[m]."""
        return np.ascontiguousarray(self.body["pseudonym"]).view("<u8").reshape(-1)

    @property
    def rarity(self) -> NDArray[np.uint8]:
        """How rare the words of the value are in the registry, uint8[m]."""
        return self.body["rarity"]


def look_up(
    tables: Sequence[SourceTable],
    outputs: NDArray[np.uint8],
    key: int,
    record: NDArray[np.int64],
) -> LabelMeetings:
    """Search the outputs ``uint8[n, 64]`` of key number ``key`` in a base and its deltas.

    ``record``: int64[n], ascending, the record of each. Labels that a later table voids are among
    what is found; :func:`standing` leaves them out.
    """
    secrets = extract(outputs)
    slot = np.arange(len(record)) - np.searchsorted(record, record)
    pieces = [_nothing()]
    for number, source in enumerate(tables):
        left = np.arange(len(record))
        # Numbers have no gaps: where one is not there, no further one is.
        for label in range(MOST_LABELS):
            tags, pads = label_keys(secrets[left], np.full(len(left), label), source.table_id)
            rows = source.table.find(tags)
            there = rows >= 0
            left = left[there]
            if not len(left):
                break
            bodies = read_bodies(source.table.rows[rows[there]], pads[there])
            same = np.full(len(left), key), np.full(len(left), number)
            pieces.append(LabelMeetings(record[left], same[0], slot[left], same[1], bodies))
    return LabelMeetings.joined(pieces)


def standing(tables: Sequence[SourceTable], met: LabelMeetings) -> LabelMeetings:
    """The meetings whose person no later table calls changed or gone."""
    void = np.zeros(len(met), np.bool_)
    pseudonym = met.pseudonym
    for number, source in enumerate(tables):
        earlier = np.flatnonzero(met.table < number)
        if not len(earlier):
            continue
        persons, which = np.unique(pseudonym[earlier], return_inverse=True)
        raw = persons.astype("<u8").view(np.uint8).reshape(-1, PSEUDONYM_BYTES)
        gone = source.table.find(gone_tags(raw, source.table_id)) >= 0
        void[earlier] |= gone[which.reshape(-1)]
    return met.only(~void)


def _nothing() -> LabelMeetings:
    none = np.zeros(0, np.int64)
    return LabelMeetings(none, none, none, none, np.zeros(0, BODY))
