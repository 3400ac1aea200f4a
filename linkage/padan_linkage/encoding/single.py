"""One row of a pass table as bits, for a reviewer to count, slice and compare by hand.

An upload keeps filters as packed bytes; ``padan encode --show`` prints what is here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bitarray import bitarray

from padan_linkage.schema import Pass
from padan_linkage.tables import PassTable


@dataclass(frozen=True, repr=False)
class RowBits:
    """What leaves the house of one row of a pass.

    ``key`` is the token (16 bytes) or the bucket (2 bytes, little-endian); ``segments`` has a
    ``bitarray`` for each of the pass's segments, bit 0 first; ``present`` says which of them the
    row has, None where no mask is sent; ``others`` has the further columns, packed, by name. The
    repr shows none of it.
    """

    pass_id: str
    key: bytes
    segments: tuple[bitarray, ...]
    present: tuple[bool, ...] | None
    others: Mapping[str, bytes]

    @classmethod
    def of(cls, p: Pass, table: PassTable, row: int = 0) -> RowBits:
        """A row of the pass's table (spec 10, "Tables")."""
        columns = table.rows(row, row + 1)
        key, mask = columns.pop("keys"), columns.pop("presence", None)
        bits = _bits(columns.pop("filters", b""))
        ends = [sum(s.bits for s in p.similar[: n + 1]) for n in range(len(p.similar))]
        return cls(
            pass_id=p.id,
            key=key,
            segments=tuple(bits[e - s.bits : e] for s, e in zip(p.similar, ends, strict=True)),
            present=None if mask is None else tuple(map(bool, _bits(mask)[: len(ends)])),
            others=columns,
        )

    def __repr__(self) -> str:
        return f"RowBits({self.pass_id!r}, segments={len(self.segments)})"


def _bits(packed: bytes) -> bitarray:
    bits = bitarray(endian="little")
    bits.frombytes(packed)
    return bits
