"""From a registry's inputs to labels: one answer for each distinct input. Spec 60, "Label".

Records that share an input are merged here, before anything is evaluated or sealed, so that no
label key ever seals twice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from padan_linkage.direct.inputs import KeyInputs
from padan_linkage.direct.label_payloads import LabelPayloads
from padan_linkage.direct.schema import DirectKey


@dataclass(frozen=True, repr=False)
class Labelled:
    """Distinct inputs of one key, large_binary[m], with the answer of each."""

    messages: pa.LargeBinaryArray
    answers: LabelPayloads

    def __len__(self) -> int:
        return len(self.messages)

    def __repr__(self) -> str:
        return f"Labelled(inputs={len(self)})"


def label_inputs(key: DirectKey, inputs: KeyInputs, codes: NDArray[np.uint64]) -> Labelled:
    """One answer for each distinct input of a whole registry under ``key``.

    ``codes``: uint64[n], the codes of each record, 0 for a person who is set aside, and ambiguous.
    Where several records share an input: under an identifier the answer stays if all have the same
    codes, and is ambiguous otherwise; under a weak key it is ambiguous, for the key does not
    say which of them is meant.
    """
    columns = {"message": inputs.messages, "code": pa.array(codes[inputs.record])}
    grouped = (
        pa.table(columns)
        .group_by("message", use_threads=False)
        .aggregate([("code", "min"), ("code", "max"), ("code", "count")])
    )
    lowest, highest, shared = (
        grouped[f"code_{name}"].to_numpy() for name in ("min", "max", "count")
    )
    ambiguous = (shared > 1 if key.weak else lowest != highest) | (highest == 0)
    answers = LabelPayloads.of(highest.astype(np.uint64), ambiguous)
    return Labelled(_whole(grouped["message"]), answers)


def changes(old: Labelled, new: Labelled) -> Labelled:
    """What a delta has to say: inputs of one key whose answer is new, another, or gone.

    Both are whole registries, so that a record's removal also mends what it made ambiguous.
    """
    before = pa.table({"message": old.messages, "old": np.arange(len(old))})
    after = pa.table({"message": new.messages, "new": np.arange(len(new))})
    both = after.join(before, "message", join_type="full outer", use_threads=False)
    at_new, at_old = (
        both[name].fill_null(-1).to_numpy().astype(np.int64) for name in ("new", "old")
    )
    gone = at_new < 0
    now = _answers_at(new.answers, at_new)
    then = _answers_at(old.answers, at_old)
    same = (now.codes == then.codes) & (now.ambiguous == then.ambiguous)
    changed = np.flatnonzero(gone | (at_old < 0) | ~same)
    answers = LabelPayloads.of(now.codes, now.ambiguous, removed=gone).take(changed)
    return Labelled(_whole(both["message"]).take(pa.array(changed)), answers)


def _answers_at(answers: LabelPayloads, rows: NDArray[np.int64]) -> LabelPayloads:
    """The answers of those rows; an empty one where the row is -1."""
    empty = np.zeros(1, np.bool_)
    none = LabelPayloads.of(np.zeros(1, np.uint64))
    return LabelPayloads(
        np.concatenate([answers.codes, none.codes]),
        np.concatenate([answers.ambiguous, empty]),
        np.concatenate([answers.removed, empty]),
        np.concatenate([answers.valid, ~empty]),
    ).take(rows)


def _whole(column: pa.ChunkedArray) -> pa.LargeBinaryArray:
    whole = column.combine_chunks()
    return whole.combine_chunks() if isinstance(whole, pa.ChunkedArray) else whole
