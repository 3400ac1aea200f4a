"""Inputs of the PRF: what a record is under each key. Spec 60, "Input".

Both sides make them, from records normalised the same way; nobody ever sees the other's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_linkage.crypto.epochs import framed
from padan_linkage.direct.derive import value_sets
from padan_linkage.direct.schema import DirectKey
from padan_linkage.schema import Schema

_PREFIX = b"padan/v1 direct\x00"


@dataclass(frozen=True, repr=False)
class KeyInputs:
    """The inputs of ``n`` records under one key.

    ``messages``: large_binary[m]; ``record``: int64[m], the record of each, ascending. A record
    has none if a part is missing, several if a derivation gives several, and no input twice.
    """

    messages: pa.LargeBinaryArray
    record: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.messages)

    def __repr__(self) -> str:
        return f"KeyInputs(inputs={len(self)})"


def key_inputs(fields: Schema, key: DirectKey, records: Mapping[str, pa.StringArray]) -> KeyInputs:
    """The inputs of every record under ``key``, as a registry has them.

    A requester uses :func:`requester_inputs`.

    ``records``: normalised columns of the same length by field name, "" = missing, as
    ``padan_client.records.prepare`` gives them. Raises KeyError for a field or derivation that
    there is not.
    """
    parts = []
    for part in key.exact:
        name, _, derivation = part.partition(":")
        sets = value_sets(fields.kind(name), derivation, records[name])
        parts.append([[framed(value) for value in values] for values in sets])
    prefix = _PREFIX + framed(key.id)
    messages: list[bytes] = []
    counts = np.zeros(len(parts[0]), np.int64)
    for row, values in enumerate(zip(*parts, strict=True)):
        made = [prefix + b"".join(combination) for combination in product(*values)]
        messages += made
        counts[row] = len(made)
    return KeyInputs(
        pa.array(messages, pa.large_binary()), np.repeat(np.arange(len(counts)), counts)
    )


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
