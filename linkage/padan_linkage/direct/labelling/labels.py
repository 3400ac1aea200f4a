"""Labels: the rows of a table that a PRF output leads to. Spec 60, "Label".

From an output and the table's id come, for label number 0, 1, …, a tag, which finds the row, and a
pad that its body is hidden under, used once. The table's id is part of it, so that a base and its
deltas share no tag and no pad, and nobody can tell which row of one replaces which row of another.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from padan_linkage.direct.labelling.bodies import BODY, Bodies
from padan_linkage.direct.labelling.hkdf import expand, same_info
from padan_linkage.direct.table import BODY_BYTES, ROW_BYTES, TABLE_ID_BYTES, TAG_BYTES

_INFO, _GONE = b"padan/v2 label\x00", b"padan/v2 gone\x00"

Bytes = NDArray[np.uint8]


def label_keys(keys: Bytes, numbers: NDArray[np.int64], table_id: bytes) -> tuple[Bytes, Bytes]:
    """Tags ``uint8[n, 10]`` and pads ``uint8[n, 30]`` of labels in a table.

    ``keys``: ``uint8[n, 32]``, HKDF-Extract of the PRF outputs; ``numbers``: int64[n], of each
    label. HKDF-Expand with ``"padan/v2 label" ‖ 0x00 ‖ table id ‖ number``. Raises ValueError for a
    table id that is not 16 bytes long.
    """
    if len(table_id) != TABLE_ID_BYTES:
        raise ValueError(f"a table id has {TABLE_ID_BYTES} bytes")
    number = numbers.astype(np.uint8)[:, None]
    infos = np.hstack([same_info(_INFO + table_id, len(keys)), number])
    both = expand(keys, infos, TAG_BYTES + BODY_BYTES)
    return both[:, :TAG_BYTES], both[:, TAG_BYTES:]


def label_rows(keys: Bytes, numbers: NDArray[np.int64], bodies: Bodies, table_id: bytes) -> Bytes:
    """Table rows ``uint8[n, 40]``, in no order: tag, body under its pad."""
    tags, pads = label_keys(keys, numbers, table_id)
    return np.hstack([tags, as_bytes(bodies) ^ pads])


def read_bodies(rows: Bytes, pads: Bytes) -> Bodies:
    """The bodies of rows ``uint8[n, 40]`` under their pads."""
    plain = np.ascontiguousarray(rows[:, TAG_BYTES:] ^ pads)
    return plain.view(BODY).reshape(-1)


def numbered(keys: Bytes, pseudonyms: Bytes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Labels in an order by value, and their numbers, int64[n] both.

    Of one value's labels those of the lowest pseudonyms come first; numbers count from 0.
    """
    words = [np.ascontiguousarray(each).view(">u8") for each in (pseudonyms, keys)]
    order = np.lexsort((words[0][:, 0], words[1][:, 1], words[1][:, 0]))
    ordered = keys[order]
    fresh = np.ones(len(order), np.bool_)
    fresh[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    starts = np.flatnonzero(fresh)
    return order, np.arange(len(order)) - starts[np.cumsum(fresh) - 1]


def gone_tags(pseudonyms: Bytes, table_id: bytes) -> Bytes:
    """Tags ``uint8[n, 10]`` by which a delta says that earlier labels of these persons are void.

    Whoever met no label of the person cannot tell such a row from a dummy.
    """
    head = _GONE + table_id
    made = [hashlib.sha256(head + each.tobytes()).digest()[:TAG_BYTES] for each in pseudonyms]
    return np.frombuffer(b"".join(made), np.uint8).reshape(-1, TAG_BYTES)


def as_bytes(bodies: Bodies) -> Bytes:
    """Bodies as ``uint8[n, 30]``."""
    return np.ascontiguousarray(bodies).view(np.uint8).reshape(len(bodies), BODY_BYTES)


assert TAG_BYTES + BODY_BYTES == ROW_BYTES
