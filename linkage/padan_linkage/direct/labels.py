"""Labels: the row of a table that a PRF output leads to. Spec 60, "Label".

From an output y and the table's id come a 16-byte tag, which finds the row, and the AES-256-GCM key
that opens it. The table's id is part of it, so that a base and its deltas never use a key twice and
nobody can tell which row of one replaces which row of another.
"""

from __future__ import annotations

import hashlib
import hmac

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from numpy.typing import NDArray

from padan_linkage.answering.payloads import PAYLOAD_BYTES
from padan_linkage.crypto.randomness import Drbg
from padan_linkage.direct.label_payloads import LabelPayloads
from padan_linkage.direct.oprf import OUTPUT_BYTES
from padan_linkage.direct.table import (
    ROW_BYTES,
    TABLE_ID_BYTES,
    TAG_BYTES,
    require_ascending,
)

KEY_BYTES = 32
_INFO = b"padan/v1 label\x00"
#: Each key seals one payload once, so the nonce may stand still (spec 60, "Label").
_NONCE = bytes(12)
_SALT = bytes(32)

#: A row before it is sealed, 64 bytes: what a builder spills to its own disk. Secret.
MATERIAL = np.dtype(
    [
        ("tag", np.uint8, TAG_BYTES),
        ("key", np.uint8, KEY_BYTES),
        ("payload", np.uint8, PAYLOAD_BYTES),
    ]
)
Material = NDArray[np.void]  # of MATERIAL


def label_keys(
    outputs: NDArray[np.uint8], table_id: bytes
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Tags ``uint8[n, 16]`` and keys ``uint8[n, 32]`` of PRF outputs ``uint8[n, 64]`` in a table.

    ``HKDF-SHA-256(salt = "", y, info = "padan/v1 label" ‖ 0x00 ‖ table id, 48 bytes)``, RFC 5869.
    Raises ValueError for a table id that is not 16 bytes long.
    """
    if len(table_id) != TABLE_ID_BYTES:
        raise ValueError(f"a table id has {TABLE_ID_BYTES} bytes")
    first, second = _INFO + table_id + b"\x01", _INFO + table_id + b"\x02"
    made = []
    digest = hmac.digest
    data = outputs.tobytes()
    for at in range(0, len(data), OUTPUT_BYTES):
        secret = digest(_SALT, data[at : at + OUTPUT_BYTES], hashlib.sha256)
        head = digest(secret, first, hashlib.sha256)
        made.append(head + digest(secret, head + second, hashlib.sha256)[:16])
    both = np.frombuffer(b"".join(made), np.uint8).reshape(-1, TAG_BYTES + KEY_BYTES)
    return both[:, :TAG_BYTES], both[:, TAG_BYTES:]


def label_material(outputs: NDArray[np.uint8], table_id: bytes, answers: LabelPayloads) -> Material:
    """Rows to be, ``MATERIAL[n]``, from PRF outputs ``uint8[n, 64]`` and the answer of each."""
    if len(outputs) != len(answers):
        raise ValueError("outputs and answers differ in number")
    made = np.zeros(len(outputs), MATERIAL)
    made["tag"], made["key"] = label_keys(outputs, table_id)
    made["payload"] = answers.pack()
    return made


def dummies(count: int, drbg: Drbg) -> Material:
    """``count`` rows that lead from nobody: random tags, random keys. ``MATERIAL[count]``."""
    made = np.zeros(count, MATERIAL)
    for name, width in (("tag", TAG_BYTES), ("key", KEY_BYTES), ("payload", PAYLOAD_BYTES)):
        made[name] = np.frombuffer(drbg.bytes(count * width), np.uint8).reshape(count, width)
    return made


def seal(material: Material) -> NDArray[np.uint8]:
    """Table rows ``uint8[n, 48]`` of sorted material: tag, ciphertext and GCM tag, 16 bytes each.

    Raises ValueError unless the tags ascend strictly: a key that seals twice gives codes away, so
    records that share an input are one row before (:func:`.registry.label_inputs`).
    """
    require_ascending(material["tag"])
    texts = [tag.tobytes() for tag in material["tag"]]
    keys, payloads = material["key"].tobytes(), material["payload"].tobytes()
    rows = [
        tag
        + AESGCM(keys[i * KEY_BYTES : (i + 1) * KEY_BYTES]).encrypt(
            _NONCE, payloads[i * PAYLOAD_BYTES : (i + 1) * PAYLOAD_BYTES], None
        )
        for i, tag in enumerate(texts)
    ]
    return np.frombuffer(b"".join(rows), np.uint8).reshape(-1, ROW_BYTES)


def open_rows(
    keys: NDArray[np.uint8], rows: NDArray[np.uint8]
) -> tuple[LabelPayloads, NDArray[np.bool_]]:
    """The answers of found rows, and which rows opened, ``bool[n]``.

    ``keys`` ``uint8[n, 32]`` with their rows ``uint8[n, 48]``. A row whose tag was found but which
    does not open, or holds no known form, is a wrong label: valid and opened are False.
    """
    payloads = np.zeros((len(rows), PAYLOAD_BYTES), np.uint8)
    opened = np.zeros(len(rows), np.bool_)
    for i in range(len(rows)):
        try:
            text = AESGCM(keys[i].tobytes()).decrypt(_NONCE, rows[i, TAG_BYTES:].tobytes(), None)
        except InvalidTag:
            continue
        payloads[i] = np.frombuffer(text, np.uint8)
        opened[i] = True
    answers = LabelPayloads.unpack(payloads)
    return answers, opened & answers.valid
