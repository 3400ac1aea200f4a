"""The people of an epoch: a registry, and lists that turn over from one to the next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from padan_lab.generate import generate_demo
from padan_linkage.agreement import Flow

#: The share of a list's people who are others in the next one.
TURNOVER = 0.05


@dataclass(frozen=True, repr=False)
class Lists:
    """A registry, and lists whose people are partly others each time.

    ``registered``: the registry's id of everybody on a list, None for who is not there.
    """

    registry: pa.Table
    lists: tuple[pa.Table, ...]
    registered: dict[str, str | None]


def turning_lists(flow: Flow, people: int, lists: int, seed: int) -> Lists:
    """``lists`` lists of ``people``, ``TURNOVER`` new in each, and a registry a quarter larger.

    Half of those who are ever asked about are in the registry.
    """
    leaving = round(people * TURNOVER)
    asked = people + leaving * (lists - 1)
    demo = generate_demo(flow, people + people // 4, asked, seed)
    rng = np.random.default_rng(seed)
    order = rng.permutation(asked)
    here, waiting = order[:people], order[people:]
    made = []
    for number in range(lists):
        if number:
            staying = rng.permutation(people)[leaving:]
            joining = waiting[(number - 1) * leaving : number * leaving]
            here = np.concatenate([here[np.sort(staying)], joining])
        made.append(demo.requests.take(pa.array(rng.permutation(here))))
    ids, there = (demo.truth[name].to_pylist() for name in ("request_id", "registry_id"))
    return Lists(demo.registry, tuple(made), dict(zip(ids, there, strict=True)))
