"""Inputs of the PRF: what a record is under each key. Spec 60, "Input".

Both sides make them, from records normalised the same way; nobody ever sees the other's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_linkage.crypto.epochs import framed
from padan_linkage.direct.commitment import ListLayout
from padan_linkage.direct.derived.several import combinations
from padan_linkage.direct.derived.values import part_values
from padan_linkage.direct.schema import DirectKey, DirectSchema, most_values
from padan_linkage.schema import Schema

_PREFIX = b"padan/v1 direct\x00"
#: What stands where a record has no value: no key's input, for ids are not empty.
DUMMY = b"padan/v1 direct dummy\x00"


@dataclass(frozen=True, repr=False)
class KeyInputs:
    """The inputs of ``n`` records under one key.

    ``messages``: large_binary[m]; ``record``: int64[m], the record of each, ascending. A record
    has none if a part is missing, several if a part has several values, and no input twice.
    """

    messages: pa.LargeBinaryArray
    record: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.messages)

    def __repr__(self) -> str:
        return f"KeyInputs(inputs={len(self)})"


def head_bytes(key: DirectKey) -> int:
    """Bytes of an input under ``key`` before its first value."""
    return len(_PREFIX + framed(key.id))


def key_inputs(fields: Schema, key: DirectKey, records: Mapping[str, pa.StringArray]) -> KeyInputs:
    """The inputs of every record under ``key``, as a registry has them.

    A requester uses :func:`requester_inputs`.

    ``records``: normalised columns of the same length by field name, "" = missing, as
    ``padan_client.records.prepare`` gives them. Raises KeyError for a field or derivation that
    there is not.
    """
    parts = [part_values(fields, part, records) for part in key.exact]
    messages, starts = combinations(_PREFIX + framed(key.id), parts, most_values(fields, key))
    return KeyInputs(messages, np.repeat(np.arange(len(starts) - 1), np.diff(starts)))


def requester_inputs(
    fields: Schema, key: DirectKey, records: Mapping[str, pa.StringArray]
) -> KeyInputs:
    """The inputs that a requester asks for.

    Those of :func:`key_inputs`, without the records that have a field of ``key.without``, be it a
    doubtful one.
    """
    inputs = key_inputs(fields, key, records)
    if not key.without:
        return inputs
    filled = np.zeros(len(records[key.without[0]]), np.bool_)
    for name in key.without:
        filled |= pc.not_equal(records[name], "").to_numpy(zero_copy_only=False)
    unfilled = ~filled[inputs.record]
    return KeyInputs(inputs.messages.filter(pa.array(unfilled)), inputs.record[unfilled])


@dataclass(frozen=True, repr=False)
class ListInputs:
    """What a list asks: under each key the same number of messages for every record.

    ``messages``: large_binary[elements], as ``layout`` says, DUMMY where a record has no value
    (more) and in records beyond the list's; ``slots``: by key, in the schema's order, int64[m], the
    place in ``messages`` of each input, and ``records``: int64[m], the record that it is of.
    """

    layout: ListLayout
    messages: pa.LargeBinaryArray
    slots: tuple[NDArray[np.int64], ...]
    records: tuple[NDArray[np.int64], ...]

    def __len__(self) -> int:
        return len(self.messages)

    def __repr__(self) -> str:
        return f"ListInputs(messages={len(self)})"

    def asked(self, records: int) -> NDArray[np.bool_]:
        """Under which keys each of the list's ``records`` asks anything, bool[records, keys]."""
        asked = np.zeros((records, len(self.records)), np.bool_)
        for number, owners in enumerate(self.records):
            asked[owners, number] = True
        return asked


def list_inputs(
    fields: Schema, schema: DirectSchema, records: Mapping[str, pa.StringArray], rows: int
) -> ListInputs:
    """Everything that a list of records asks, filled up to ``rows`` records. Spec 60, "Sizes".

    How many messages there are follows from ``rows`` and the schema alone. Raises ValueError for
    fewer rows than records.
    """
    count = len(next(iter(records.values())))
    if rows < count:
        raise ValueError(f"{count} records do not fit {rows} rows")
    layout = ListLayout.of(fields, schema, rows)
    pieces, slots, owners, made = [], [], [], 0
    asked = np.full(layout.element_count, -1, np.int64)
    for key, start, width in zip(schema.keys, layout.starts, layout.widths, strict=True):
        inputs = requester_inputs(fields, key, records)
        among = np.arange(len(inputs)) - np.searchsorted(inputs.record, inputs.record)
        at = start + inputs.record * width + among
        asked[at] = made + np.arange(len(inputs))
        pieces.append(inputs.messages)
        slots.append(at)
        owners.append(inputs.record)
        made += len(inputs)
    pieces.append(pa.array([DUMMY], pa.large_binary()))
    asked[asked < 0] = made
    messages = pa.concat_arrays(pieces).take(pa.array(asked))
    return ListInputs(layout, messages, tuple(slots), tuple(owners))
