"""How right the codes were: only the demonstration can tell, because it made the people.

A found code is right if the candidate is in the registry and every code answered is one of that
registry row's own, and none is left out. So a code that came from the wrong row counts as wrong
unless that row happens to have the same code: the requester cannot tell those apart either, and
candidates outside the registry show how often wrong rows answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from padan_client.generate import Demo
from padan_linkage.agreement import Flow

_FOUND = "ditemukan"


@dataclass(frozen=True)
class Score:
    """``precision``: right of the found; ``recall``: right of those who are in the registry.

    Either is None where nobody was found, or nobody is in the registry.
    """

    in_registry: int
    found: int
    right: int

    @property
    def precision(self) -> float | None:
        """Share of the found codes that are right."""
        return self.right / self.found if self.found else None

    @property
    def recall(self) -> float | None:
        """Share of the candidates in the registry whose right code was found."""
        return self.right / self.in_registry if self.in_registry else None


def score(flow: Flow, demo: Demo, codes: pa.Table) -> Score:
    """Compare ``codes``, the requester's result (columns hasil, kode), with the truth."""
    truth = demo.truth["registry_row"].fill_null(-1).to_numpy()
    inside = truth >= 0
    own = registry_codes(flow.registry, demo.registry)
    expected = np.full(len(truth), "", object)
    expected[inside] = own[truth[inside]]
    found = codes["hasil"].to_numpy(zero_copy_only=False) == _FOUND
    answered = _sorted_codes(codes["kode"].to_numpy(zero_copy_only=False))
    right = found & inside & (answered == expected)
    return Score(int(inside.sum()), int(found.sum()), int(right.sum()))


def registry_codes(
    mapping: Mapping[str, Mapping[str, str]], registry: pa.Table
) -> NDArray[np.object_]:
    """The status codes of every registry row, sorted and joined as in a result table."""
    columns = [
        [codes.get(value, "") for value in registry[column].to_pylist()]
        for column, codes in mapping.items()
        if column in registry.column_names
    ]
    joined = ["; ".join(sorted({c for c in row if c})) for row in zip(*columns, strict=True)]
    return np.array(joined, object)


def _sorted_codes(joined: NDArray[np.object_]) -> NDArray[np.object_]:
    return np.array(["; ".join(sorted(text.split("; "))) for text in joined], object)
