"""How right the codes were: only the demonstration can tell, because it made the people.

A found code is right if the candidate is in the registry and every code answered is one of that
registry row's own, and none is left out. So a code that came from the wrong row counts as wrong
unless that row happens to have the same code: the requester cannot tell those apart either, and
candidates outside the registry show how often wrong rows answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from padan_lab.generate import Demo
from padan_linkage.agreement import Flow
from padan_linkage.answering.outcomes import MATCHED, OUTCOME_WORDS

_FOUND = OUTCOME_WORDS[MATCHED]
#: Columns of a result with the codes of further groups start so.
_GROUP = "jawaban_"


@dataclass(frozen=True)
class Score:
    """``precision``: right of the found; ``recall``: right of those who are in the registry.

    Either is None where nobody was found, or nobody is in the registry.
    """

    in_registry: int
    found: int
    right: int

    def __add__(self, other: Score) -> Score:
        return Score(
            self.in_registry + other.in_registry,
            self.found + other.found,
            self.right + other.right,
        )

    @property
    def precision(self) -> float | None:
        """Share of the found codes that are right."""
        return self.right / self.found if self.found else None

    @property
    def recall(self) -> float | None:
        """Share of the candidates in the registry whose right code was found."""
        return self.right / self.in_registry if self.in_registry else None

    def as_json(self) -> dict[str, object]:
        """For scripts."""
        return {"precision": self.precision, "recall": self.recall, **self.__dict__}


def score(flow: Flow, demo: Demo, codes: pa.Table) -> Score:
    """Compare ``codes``, the requester's result (hasil, kode, jawaban_…), with the truth."""
    truth = demo.truth["registry_row"].fill_null(-1).to_numpy()
    inside = truth >= 0
    own = registry_codes(flow.registry, demo.registry)
    expected = np.full(len(truth), "", object)
    expected[inside] = own[truth[inside]]
    found = codes["hasil"].to_numpy(zero_copy_only=False) == _FOUND
    answered = np.array(answered_codes(codes), object)
    right = found & inside & (answered == expected)
    return Score(int(inside.sum()), int(found.sum()), int(right.sum()))


def registry_codes(
    mapping: Mapping[str, Mapping[str, str]], registry: pa.Table
) -> NDArray[np.object_]:
    """The codes of every registry row, of all groups, sorted and joined."""
    columns = [
        [codes.get(value, "") for value in registry[column].to_pylist()]
        for column, codes in mapping.items()
        if column in registry.column_names
    ]
    return np.array([joined(row) for row in zip(*columns, strict=True)], object)


def answered_codes(codes: pa.Table) -> list[str]:
    """The codes that each row of a result says, of all groups, sorted and joined."""
    names = [n for n in codes.column_names if n == "kode" or n.startswith(_GROUP)]
    return [joined(row) for row in zip(*(codes[name].to_pylist() for name in names), strict=True)]


def joined(cells: Iterable[str | None]) -> str:
    """The codes of some cells, sorted; a cell may hold several."""
    return "; ".join(sorted({code for cell in cells for code in (cell or "").split("; ") if code}))
