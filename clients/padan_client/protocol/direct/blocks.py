"""What the worker processes of a table's building do: a block of records, a partition of tags.

1. :func:`run_block`: inputs of some records, evaluated; rows to be go to a part file, by partition.
2. :func:`run_merge`: one partition of all part files, sorted, duplicates merged, sealed.
3. :func:`run_inputs`: for a delta, what the records of a block share with changed ones.

The spawned processes get the seed once, when they start.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_client.protocol.direct.part_files import PartFiles
from padan_linkage.agreement import Flow
from padan_linkage.crypto.process import keep_memory_private
from padan_linkage.direct.inputs import key_inputs
from padan_linkage.direct.label_payloads import LabelPayloads
from padan_linkage.direct.labels import MATERIAL, label_material, seal
from padan_linkage.direct.oprf import EvaluationKey, epoch_keys
from padan_linkage.direct.registry import Labelled, label_inputs
from padan_linkage.direct.schema import DirectKey, DirectSchema
from padan_linkage.direct.table import tag_words
from padan_linkage.schema import Schema

#: A table is sorted in so many parts, by the first bits of the tags.
PARTITIONS = 64
_SHIFT = 2  # of a tag's first byte

_SPILL = np.dtype([("row", MATERIAL), ("weak", np.uint8)])

Spill = NDArray[np.void]  # of _SPILL
Touched = Mapping[str, pa.LargeBinaryArray]
#: By key id: inputs, and the codes ``uint64[m]`` of the record that each is of.
Inputs: TypeAlias = "dict[str, tuple[pa.LargeBinaryArray, NDArray[np.uint64]]]"


@dataclass(frozen=True, repr=False)
class BlockPlan:
    """What every worker needs to know of the table; holds the seed, so it shows nothing."""

    fields: Schema
    direct: DirectSchema
    agreement_digest: bytes
    flow_id: str
    epoch: int
    table_id: bytes
    seed: bytes
    part_key: bytes

    @classmethod
    def of(
        cls, flow: Flow, digest: bytes, epoch: int, table_id: bytes, seed: bytes, part_key: bytes
    ) -> BlockPlan:
        """The plan of a flow's table; ``part_key``, 32 bytes, is the job's own."""
        assert flow.schema is not None
        assert flow.direct is not None
        return cls(flow.schema, flow.direct, digest, flow.id, epoch, table_id, seed, part_key)

    def keys(self) -> dict[str, EvaluationKey]:
        """The epoch's evaluation key of each direct key, by id."""
        return epoch_keys(
            self.seed,
            agreement_digest=self.agreement_digest,
            flow_id=self.flow_id,
            epoch=self.epoch,
            key_ids=[key.id for key in self.direct.keys],
        )


@dataclass(frozen=True, repr=False)
class LabelBlock:
    """Some records: normalised columns by field, and the codes of each, ``uint64[n]``."""

    records: dict[str, pa.StringArray]
    codes: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.codes)


class Worker:
    """One process's share of the building."""

    def __init__(self, plan: BlockPlan) -> None:
        self._plan = plan
        self._keys = plan.keys()
        self._parts = PartFiles(plan.part_key)

    def make_block(self, block: LabelBlock, part: Path) -> None:
        """Evaluate a block's distinct inputs and write the part file."""
        self._write(part, [self._rows(key.id, inputs) for key, inputs in self._labelled(block)])

    def make_labels(self, labels: Mapping[str, Labelled], part: Path) -> None:
        """The same for inputs whose answers are known already: a delta's changes, by key id."""
        self._write(part, [self._rows(key, inputs) for key, inputs in labels.items()])

    def inputs_of(self, block: LabelBlock, touched: Touched | None = None) -> Inputs:
        """By key id, the inputs of the block's records, of which only those in ``touched``."""
        found: Inputs = {}
        for key in self._plan.direct.keys:
            inputs = key_inputs(self._plan.fields, key, block.records)
            messages, codes = inputs.messages, block.codes[inputs.record]
            if touched is not None:
                kept = pc.is_in(messages, value_set=touched[key.id])
                messages = messages.filter(kept)
                codes = codes[kept.to_numpy(zero_copy_only=False)]
            found[key.id] = messages, codes
        return found

    def _labelled(self, block: LabelBlock) -> list[tuple[DirectKey, Labelled]]:
        plan = self._plan
        return [
            # Spec 60, step 2.
            (key, label_inputs(key, key_inputs(plan.fields, key, block.records), block.codes))
            for key in plan.direct.keys
        ]

    def _rows(self, key_id: str, labelled: Labelled) -> Spill:
        outputs = self._keys[key_id].evaluate(labelled.messages.to_pylist())
        rows = np.zeros(len(labelled), _SPILL)
        # Spec 60, step 3.
        rows["row"] = label_material(outputs, self._plan.table_id, labelled.answers)
        rows["weak"] = self._plan.direct.key(key_id).weak
        return rows

    def _write(self, part: Path, pieces: Sequence[Spill]) -> None:
        rows = np.concatenate([np.zeros(0, _SPILL), *pieces])
        partition = rows["row"]["tag"][:, 0] >> _SHIFT
        rows = rows[np.argsort(partition, kind="stable")]
        ends = np.searchsorted(np.sort(partition), np.arange(PARTITIONS + 1)).tolist()
        slices = [rows[ends[n] : ends[n + 1]].tobytes() for n in range(PARTITIONS)]
        self._parts.write(part, slices)

    def merge_partition(self, parts: Sequence[Path], number: int, merged: Path) -> int:
        """Sort, merge and seal one partition of all parts; keep rows of 48 bytes, return how many.

        Records that share an input meet here at the latest: one label answers for them, ambiguous
        where they differ or the key is a weak one.
        """
        slices = [np.frombuffer(self._parts.read(part, number), _SPILL) for part in parts]
        rows = np.concatenate([np.zeros(0, _SPILL), *slices])
        high, low = tag_words(rows["row"]["tag"])
        rows = rows[np.lexsort((low, high))]
        sealed = seal(_merged(rows))
        self._parts.write(merged, [sealed.tobytes()])
        return len(sealed)


def _merged(rows: Spill) -> NDArray[np.void]:
    """Sorted rows without repeated tags, as MATERIAL."""
    material = rows["row"]
    if not len(rows):
        return material
    tags, payloads = material["tag"], material["payload"]
    first = np.ones(len(rows), np.bool_)
    first[1:] = (tags[1:] != tags[:-1]).any(axis=1)
    starts = np.flatnonzero(first)
    run = np.cumsum(first) - 1
    differs = (payloads != payloads[starts[run]]).any(axis=1)
    shared = np.diff(np.append(starts, len(rows))) > 1
    unclear = np.zeros(len(starts), np.bool_)
    np.logical_or.at(unclear, run, differs)
    unclear |= shared & rows["weak"][starts].astype(np.bool_)
    distinct = material[starts].copy()
    none = np.zeros(1, np.uint64)
    distinct["payload"][unclear] = LabelPayloads.of(none, np.ones(1, np.bool_)).pack()[0]
    return distinct


# What the pool's processes run; the worker is made when they start.

_worker: Worker | None = None


def start_process(plan: BlockPlan) -> None:
    """Initialise a process of the pool, which is handed the seed."""
    keep_memory_private()
    start_worker(plan)


def start_worker(plan: BlockPlan) -> None:
    """Make the worker of this process."""
    global _worker  # noqa: PLW0603 - a process of a pool has no other place
    _worker = Worker(plan)


def run_block(block: LabelBlock, part: Path) -> None:
    """:meth:`Worker.make_block` in a pool."""
    assert _worker
    _worker.make_block(block, part)


def run_inputs(block: LabelBlock, touched: Touched) -> Inputs:
    """:meth:`Worker.inputs_of` in a pool."""
    assert _worker
    return _worker.inputs_of(block, touched)


def run_merge(parts: Sequence[Path], number: int, merged: Path) -> int:
    """:meth:`Worker.merge_partition` in a pool."""
    assert _worker
    return _worker.merge_partition(parts, number, merged)
