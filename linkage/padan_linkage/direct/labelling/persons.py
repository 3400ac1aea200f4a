"""What the labels of one person share: a pseudonym, and the secret that opens the answer.

Both follow from the epoch's seed and the base table's id, so a provider keeps nothing for them; the
pseudonym is the person's through all deltas of a base, the secret is another in each table. Spec
60, "Persons".
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from padan_linkage.compiled.sha256 import hmac_sha256
from padan_linkage.direct.labelling.bodies import PSEUDONYM_BYTES
from padan_linkage.direct.labelling.shares import SHARE_BYTES, share
from padan_linkage.direct.schema import DirectSchema

_BASE = b"padan/v2 direct persons\x00"
_PSEUDONYM, _SECRET = b"pseudonym\x00", b"secret\x00"

Bytes = NDArray[np.uint8]


def base_secret(seed: bytes, base_id: bytes) -> bytes:
    """32 bytes from which everything of a base's persons is made: HKDF of the epoch's seed."""
    key = hmac.digest(bytes(32), seed, hashlib.sha256)
    return hmac.digest(key, _BASE + base_id + b"\x01", hashlib.sha256)


def pseudonyms(secret: bytes, references: pa.StringArray) -> Bytes:
    """``uint8[n, 8]`` of persons by their references, under a base's secret."""
    return hmac_sha256(secret, _prefixed(_PSEUDONYM, references))[:, :PSEUDONYM_BYTES]


@dataclass(frozen=True, repr=False)
class PersonSecrets:
    """Of ``n`` persons in one table: ``secret`` and ``slope`` of the line, ``uint8[n, 16]``."""

    secret: Bytes
    slope: Bytes

    @classmethod
    def of(cls, secret: bytes, sequence: int, references: pa.StringArray) -> PersonSecrets:
        """Those of table number ``sequence`` of a base."""
        label = _SECRET + sequence.to_bytes(8, "big")
        both = hmac_sha256(secret, _prefixed(label, references))
        return cls(both[:, :SHARE_BYTES], both[:, SHARE_BYTES:])

    def openers(self, place: int) -> Bytes:
        """What a key's labels hold, ``uint8[n, 16]``; ``place`` as :func:`places` has it."""
        return share(self.secret, self.slope, place)


def places(schema: DirectSchema) -> Mapping[str, int]:
    """Where on the line each key's labels stand: 0, the secret itself, where one key opens.

    Weak keys that may not open alone are counted from 1 in the schema's order.
    """
    found, last = {}, 0
    for key in schema.keys:
        last += key.shared
        found[key.id] = last if key.shared else 0
    return found


def _prefixed(label: bytes, references: pa.StringArray) -> pa.LargeBinaryArray:
    texts = [label + reference.encode() for reference in references.to_pylist()]
    return pa.array(texts, pa.large_binary())
