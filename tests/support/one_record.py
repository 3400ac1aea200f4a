"""One raw record encoded by itself, and how far two such encodings are apart."""

from __future__ import annotations

import pyarrow as pa
from bitarray.util import count_xor

from padan_linkage.crypto.randomness import Drbg
from padan_linkage.encoding import RowBits, encode_table
from padan_linkage.normalise import normalise


def normalised(schema, *records):
    """Normalised columns of raw records; what a record leaves out is missing."""
    return {
        f.name: normalise(f.kind, pa.array([r.get(f.name, "") for r in records])).values
        for f in schema.fields
    }


def encode_record(schema, p, key, record, seed=b"1"):
    """The record's row in pass ``p``, None where it lacks the exact fields."""
    columns = normalised(schema, record)
    encoded = encode_table(schema, p, key, columns, drbg=Drbg(seed * 32))
    return RowBits.of(p, encoded.table) if encoded.record_of_row[0] >= 0 else None


def distances(a, b):
    """Hamming distance over length of each segment: 0 alike, about 0.5 unrelated."""
    return tuple(count_xor(x, y) / len(x) for x, y in zip(a.segments, b.segments, strict=True))
