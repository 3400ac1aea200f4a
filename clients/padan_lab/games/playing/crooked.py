"""Label tables that sort: a provider bends what it says of some people, to see them asked about."""

from __future__ import annotations

import pyarrow as pa

from padan_lab.games.playing.casting import Casting
from padan_lab.generate import ID_COLUMN

#: Names and dates that nobody has: whoever is told so is met under the other keys alone.
_NAME, _DATE = "XQWYVZ QXZWVY", "1899-12-31"


def bent(casting: Casting) -> tuple[pa.Table, pa.Table | None]:
    """A registry of bent targets, and what a delta bends later.

    In turn a target is left out; under the keys without a name alone; under those without a date
    alone; told as it is, and under other keys by the delta. Who stands in for one is told as it is.
    """
    rows = casting.registry.to_pylist()
    later: list[dict[str, object]] = []
    targets = [int(casting.rows[who]) for who in casting.pairs[:, 0] if casting.rows[who] >= 0]
    gone = set()
    for turn, at in enumerate(targets):
        match turn % 4:
            case 0:
                gone.add(at)
            case 1:
                rows[at] = {**rows[at], "nama": _NAME}
            case 2:
                rows[at] = {**rows[at], "tanggal_lahir": _DATE}
            case _:
                later.append({**rows[at], "nama": _NAME})
    kept = [row for at, row in enumerate(rows) if at not in gone]
    schema = casting.registry.schema
    assert ID_COLUMN in schema.names
    return pa.Table.from_pylist(kept, schema), pa.Table.from_pylist(later, schema)
