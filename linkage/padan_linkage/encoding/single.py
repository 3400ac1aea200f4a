"""One record as plain bits: for notebooks, reviewers and tests, not for uploads.

The bulk way keeps filters as packed bytes; here they are bit sequences that can be counted, sliced
and compared by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
from bitarray import bitarray
from bitarray.util import count_xor

from padan_linkage.crypto.keys import LinkageKey
from padan_linkage.crypto.randomness import Drbg
from padan_linkage.encoding.table import encode_table
from padan_linkage.normalise import normalise
from padan_linkage.schema import Pass, Schema


@dataclass(frozen=True, repr=False)
class SingleEncoding:
    """What a pass makes of one record.

    ``key`` is the token (16 bytes) or the bucket (2 bytes, little-endian) as uploaded;
    ``segments`` has a ``bitarray`` for each of the pass's segments, bit 0 first. The repr shows
    neither.
    """

    pass_id: str
    key: bytes
    segments: tuple[bitarray, ...]

    def __repr__(self) -> str:
        return f"SingleEncoding({self.pass_id!r}, segments={len(self.segments)})"


def encode_record(
    schema: Schema, p: Pass, key: LinkageKey, record: Mapping[str, str], drbg: Drbg
) -> SingleEncoding | None:
    """Encode one raw record in pass ``p``, exactly as an upload does (spec 10).

    ``record`` maps field names to values as written; fields left out are missing. Gives None where
    the record lacks the pass's exact fields: an upload has a decoy in its place.
    """
    columns = {
        field.name: normalise(field.kind, pa.array([record.get(field.name, "")])).values
        for field in schema.fields
    }
    encoded = encode_table(schema, p, key, columns, rows=1, drbg=drbg)
    if encoded.record_of_row[0] < 0:
        return None
    row = encoded.table.rows(0, 1)
    bits = bitarray(endian="little")
    bits.frombytes(row.get("filters", b""))
    segments = []
    for segment in p.similar:
        segments.append(bits[: segment.bits])
        bits = bits[segment.bits :]
    return SingleEncoding(p.id, row["keys"], tuple(segments))


def distances(a: SingleEncoding, b: SingleEncoding) -> tuple[float, ...]:
    """Hamming distance over length of each segment: 0 alike, about 0.5 unrelated.

    Raises ValueError if the two are of different passes.
    """
    if a.pass_id != b.pass_id or len(a.segments) != len(b.segments):
        raise ValueError(f"encodings of different passes: {a.pass_id} and {b.pass_id}")
    return tuple(count_xor(x, y) / len(x) for x, y in zip(a.segments, b.segments, strict=True))
