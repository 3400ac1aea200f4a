"""People in groups as large as those of a whole registry."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pyarrow as pa

from padan_lab.assess.material.population import people, sharing
from padan_linkage.agreement.group_sizes import distinct_combinations
from padan_linkage.normalise import exact_values
from padan_linkage.schema import Kind, Pass, Schema

#: What people share whatever they are called.
SHARED = frozenset({Kind.DATE, Kind.PLACE, Kind.NATIONALITY})


def registry_part(
    schema: Schema, p: Pass, rows: int, count: int, seed: int
) -> dict[str, pa.StringArray]:
    """About ``count`` people of a registry of ``rows``, in whole salt groups of pass ``p``.

    Groups have the sizes that they have there: some dates and places are filled with as many people
    as a registry of that size has for each, and of those whole groups are drawn.
    """
    shared = [k for k in p.exact if schema.kind(k.partition(":")[0]) in SHARED]
    each = max(1, round(rows / distinct_combinations(schema, shared)))
    born = people(schema, each * max(1, round(count / each)), seed)
    born = sharing(schema, born, shared, each)
    columns = [c.to_pylist() for c in exact_values(schema, p, born)]
    groups: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for person, values in enumerate(zip(*columns, strict=True)):
        groups[values].append(person)
    members = list(groups.values())
    drawn: list[int] = []
    for g in np.random.default_rng(seed + 1).permutation(len(members)):
        if len(drawn) >= count:
            break
        drawn += members[g]
    return {name: column.take(pa.array(sorted(drawn))) for name, column in born.items()}
