"""Whom a list's inputs meet in a registry that is at hand, as its label table would show them.

For a provider who asks at home, and for whoever plays a flow: persons stand for the pseudonyms
that labels show, and equal inputs for equal outputs of the PRF. Spec 60, "Label" and "Persons".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_linkage.direct.inputs import KeyInputs, key_inputs, requester_inputs
from padan_linkage.direct.labelling.deciding import Encounters
from padan_linkage.direct.labelling.rarity import Rarities, value_words
from padan_linkage.direct.schema import MOST_LABELS, DirectKey
from padan_linkage.schema import Schema

Numbers = NDArray[np.int64]
Bool = NDArray[np.bool_]


@dataclass(frozen=True, repr=False)
class KeyLabels:
    """Whom one key's labels are of: those of value i are ``persons[starts[i] : starts[i + 1]]``.

    One more than there are labels for, where so many have the value: who it is that has none shows
    only once it is known whose labels are looked past.
    """

    values: pa.LargeBinaryArray
    starts: Numbers
    persons: Numbers

    def __repr__(self) -> str:
        return f"KeyLabels(values={len(self.values)})"

    @classmethod
    def of(cls, inputs: KeyInputs) -> KeyLabels:
        """Of a registry's inputs."""
        encoded = inputs.messages.dictionary_encode()
        value = encoded.indices.to_numpy().astype(np.int64)
        return cls.held(encoded.dictionary, value, inputs.record)

    @classmethod
    def held(cls, values: pa.LargeBinaryArray, value: Numbers, person: Numbers) -> KeyLabels:
        """Of values and who has them: ``value``, which of ``values``, and ``person``, int64[m]."""
        order = np.argsort(value, kind="stable")
        sizes = np.bincount(value, minlength=len(values))
        among = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        starts = np.append(0, np.cumsum(np.minimum(sizes, MOST_LABELS + 1)))
        return cls(values, starts, person[order[among <= MOST_LABELS]])

    def met(self, inputs: KeyInputs, but: Numbers | None = None) -> tuple[Numbers, Numbers]:
        """Inputs and whom they meet, int64[m] both.

        ``but``: by record, the person whose labels are not there, as if nobody had registered it.
        """
        found = pc.fill_null(pc.index_in(inputs.messages, value_set=self.values), -1)
        value = found.to_numpy(zero_copy_only=False).astype(np.int64)
        there = np.flatnonzero(value >= 0)
        at, person = self.whose(value[there], None if but is None else but[inputs.record[there]])
        return there[at], person

    def whose(self, value: Numbers, but: Numbers | None = None) -> tuple[Numbers, Numbers]:
        """The same for known ``value``: which of them, and whom it meets; ``but``: of each."""
        start, sizes = self.starts[value], np.diff(self.starts)[value]
        at = np.repeat(np.arange(len(value)), sizes)
        person = self.persons[
            np.repeat(start - np.cumsum(sizes) + sizes, sizes) + np.arange(len(at))
        ]
        if but is not None:
            others = person != but[at]
            at, person = at[others], person[others]
        labelled = np.arange(len(at)) - np.searchsorted(at, at) < MOST_LABELS
        return at[labelled], person[labelled]


@dataclass(frozen=True, repr=False)
class LabelledRegistry:
    """A registry as its labels show it: of each key whose they are, and how rare words are."""

    fields: Schema
    keys: tuple[DirectKey, ...]
    labels: tuple[KeyLabels, ...]
    rarities: Rarities

    def __repr__(self) -> str:
        return f"LabelledRegistry(keys={len(self.keys)})"

    @classmethod
    def of(
        cls,
        fields: Schema,
        keys: Sequence[DirectKey],
        records: Mapping[str, pa.StringArray],
        rarities: Rarities,
    ) -> LabelledRegistry:
        """That of these people, numbered as they stand; ``records``: normalised columns."""
        labels = tuple(KeyLabels.of(key_inputs(fields, key, records)) for key in keys)
        return cls(fields, tuple(keys), labels, rarities)

    def asked(
        self, records: Mapping[str, pa.StringArray], but: Numbers | None = None
    ) -> tuple[Encounters, Bool]:
        """Whom ``records`` meet, and under which keys each asks anything, bool[records, keys].

        ``but`` as in :meth:`KeyLabels.met`.
        """
        pieces = []
        count = len(next(iter(records.values())))
        under = np.zeros((count, len(self.keys)), np.bool_)
        for number, key in enumerate(self.keys):
            inputs = requester_inputs(self.fields, key, records)
            under[inputs.record, number] = True
            at, person = self.labels[number].met(inputs, but)
            words = value_words(self.fields, key, number, inputs)
            rarity = self.rarities.of_values(words)[at]
            pieces.append((inputs.record[at], person, np.full(len(at), number), rarity))
        return Encounters(*map(np.concatenate, zip(*pieces, strict=True))), under
