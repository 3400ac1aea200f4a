"""What the worker processes of a table's building do: a block of records, a partition of values.

1. :func:`run_block`: inputs of some records, evaluated; labels to be go to a part file, by
   partition, and beside them how many people have which words.
2. :func:`run_count`: for a delta, the words of those who stay as they were.
3. :func:`run_merge`: one partition of all part files: persons who share a value get its labels'
   numbers, and rows go to the part of the table that their tags are of.

The spawned processes get the seed once, when they start.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from padan_client.protocol.direct.part_files import PartFiles
from padan_linkage.agreement import Flow
from padan_linkage.crypto.process import keep_memory_private
from padan_linkage.direct.inputs import KeyInputs, key_inputs
from padan_linkage.direct.labelling.bodies import BODY, Bodies, LabelAnswers, masked
from padan_linkage.direct.labelling.hkdf import extract
from padan_linkage.direct.labelling.labels import label_rows, numbered
from padan_linkage.direct.labelling.persons import (
    PersonSecrets,
    base_secret,
    places,
    pseudonyms,
)
from padan_linkage.direct.labelling.rarity import (
    COUNT,
    WORDS,
    Counts,
    Rarities,
    counted,
    value_words,
)
from padan_linkage.direct.oprf import EvaluationKey, epoch_keys
from padan_linkage.direct.schema import MOST_LABELS, DirectKey, DirectSchema
from padan_linkage.schema import Schema

#: A table is sorted in so many parts, by the first bits of what is sorted by.
PARTITIONS = 64
_SHIFT = 2  # of a first byte
#: The piece of a part file behind its partitions: how many people have which words.
_COUNTS = PARTITIONS

#: A label to be: HKDF-Extract of its PRF output, the value's words, and the body without rarity.
_SPILL = np.dtype([("secret", np.uint8, 32), ("words", WORDS), ("body", BODY)])

Spill = NDArray[np.void]  # of _SPILL


@dataclass(frozen=True, repr=False)
class BlockPlan:
    """What every worker needs to know of the table; holds the seed, so it shows nothing.

    ``base_id``: of the table itself, or of the base whose delta number ``sequence`` it is;
    ``part_key``: 32 bytes, the job's own.
    """

    fields: Schema
    direct: DirectSchema
    agreement_digest: bytes
    flow_id: str
    epoch: int
    table_id: bytes
    base_id: bytes
    sequence: int
    seed: bytes
    part_key: bytes

    @classmethod
    def of(
        cls,
        flow: Flow,
        digest: bytes,
        epoch: int,
        tables: tuple[bytes, bytes, int],
        seed: bytes,
        part_key: bytes,
    ) -> BlockPlan:
        """The plan of a flow's table; ``tables``: its id, its base's, and its sequence."""
        assert flow.schema is not None
        assert flow.direct is not None
        return cls(flow.schema, flow.direct, digest, flow.id, epoch, *tables, seed, part_key)

    def keys(self) -> dict[str, EvaluationKey]:
        """The epoch's evaluation key of each direct key, by id."""
        return epoch_keys(
            self.seed,
            agreement_digest=self.agreement_digest,
            flow_id=self.flow_id,
            epoch=self.epoch,
            key_ids=[key.id for key in self.direct.keys],
        )

    def pseudonyms(self, references: pa.StringArray) -> NDArray[np.uint8]:
        """``uint8[n, 8]`` of persons by their references."""
        return pseudonyms(base_secret(self.seed, self.base_id), references)


@dataclass(frozen=True, repr=False)
class LabelBlock:
    """Some persons: references, normalised columns by field, the codes of each, ``uint64[n]``."""

    references: pa.StringArray
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
        """Evaluate a block's inputs and write the part file."""
        # Spec 60, step 2.
        keyed = list(self._inputs(block))
        bodies, secrets = self._bodies(block)
        pieces, place = [np.zeros(0, _SPILL)], places(self._plan.direct)
        for key, inputs, words in keyed:
            rows = np.zeros(len(inputs), _SPILL)
            # Spec 60, step 3.
            rows["secret"] = extract(self._keys[key.id].evaluate(inputs.messages.to_pylist()))
            rows["words"], rows["body"] = words, bodies[inputs.record]
            rows["body"]["opener"] = secrets.openers(place[key.id])[inputs.record]
            pieces.append(rows)
        counts = counted([(inputs.record, words) for _, inputs, words in keyed])
        self._write(part, np.concatenate(pieces), counts)

    def count_block(self, block: LabelBlock) -> Counts:
        """How many of a block's people have which words."""
        return counted([(inputs.record, words) for _, inputs, words in self._inputs(block)])

    def _inputs(self, block: LabelBlock) -> Iterator[tuple[DirectKey, KeyInputs, NDArray[np.void]]]:
        plan = self._plan
        for number, key in enumerate(plan.direct.keys):
            inputs = key_inputs(plan.fields, key, block.records)
            yield key, inputs, value_words(plan.fields, key, number, inputs)

    def _bodies(self, block: LabelBlock) -> tuple[Bodies, PersonSecrets]:
        """What a person's labels have in common, and what their openers are made of."""
        plan = self._plan
        secret = base_secret(plan.seed, plan.base_id)
        persons = PersonSecrets.of(secret, plan.sequence, block.references)
        bodies = np.zeros(len(block), BODY)
        bodies["pseudonym"] = plan.pseudonyms(block.references)
        answers = LabelAnswers.of(block.codes).pack()
        bodies["answer"] = masked(answers, persons.secret, plan.table_id)
        return bodies, persons

    def _write(self, part: Path, rows: Spill, counts: Counts) -> None:
        slices = [piece.tobytes() for piece in _parted(rows, rows["secret"][:, 0])]
        self._parts.write(part, [*slices, counts.tobytes()])

    def merge_partition(
        self, parts: Sequence[Path], number: int, merged: Path, common: Path
    ) -> tuple[int, int]:
        """Make the rows of one partition of all parts, by the part of the table they go to.

        ``common``: the file of the words that are not of the rarest. Returns how many labels there
        are, and how many persons' values have none, for more than MOST_LABELS share them.
        """
        slices = [np.frombuffer(self._parts.read(part, number), _SPILL) for part in parts]
        spilled = np.concatenate([np.zeros(0, _SPILL), *slices])
        order, numbers = numbered(spilled["secret"], spilled["body"]["pseudonym"])
        kept = numbers < MOST_LABELS
        labels = spilled[order[kept]]
        rarities = read_rarities(self._parts, common)
        labels["body"]["rarity"] = rarities.of_values(labels["words"])
        rows = label_rows(labels["secret"], numbers[kept], labels["body"], self._plan.table_id)
        self._parts.write(merged, [piece.tobytes() for piece in _parted(rows, rows[:, 0])])
        return len(rows), len(spilled) - len(rows)


def _parted(rows: NDArray[np.generic], first: NDArray[np.uint8]) -> list[NDArray[np.generic]]:
    """Rows by the partition that their ``first`` byte says."""
    partition = first >> _SHIFT
    order = np.argsort(partition, kind="stable")
    ends = np.searchsorted(partition[order], np.arange(PARTITIONS + 1)).tolist()
    return [rows[order[ends[n] : ends[n + 1]]] for n in range(PARTITIONS)]


def read_counts(files: PartFiles, part: Path) -> Counts:
    """How many of a part's people have which words."""
    return np.frombuffer(files.read(part, _COUNTS), COUNT)


def write_rarities(files: PartFiles, path: Path, rarities: Rarities) -> None:
    """Keep the words for all partitions."""
    files.write(path, [rarities.words.tobytes(), rarities.level.tobytes()])


def read_rarities(files: PartFiles, path: Path) -> Rarities:
    """The words that are not of the rarest."""
    words = np.frombuffer(files.read(path, 0), np.uint64)
    return Rarities(words, np.frombuffer(files.read(path, 1), np.uint8))


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


def run_count(block: LabelBlock) -> Counts:
    """:meth:`Worker.count_block` in a pool."""
    assert _worker
    return _worker.count_block(block)


def run_merge(parts: Sequence[Path], number: int, merged: Path, common: Path) -> tuple[int, int]:
    """:meth:`Worker.merge_partition` in a pool."""
    assert _worker
    return _worker.merge_partition(parts, number, merged, common)
