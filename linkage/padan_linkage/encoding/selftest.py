"""A known answer for the compiled kernels, asked for before the first table is made.

Numba keeps compiled kernels on disk and looks only at the file of the kernel itself when it decides
whether they are still true. After an upgrade it could run an old one, and what the two sides encode
would silently not match. So nothing is encoded until the kernels give the answer that they must.
"""

from __future__ import annotations

import functools
import hashlib
import hmac

import numpy as np
import pyarrow as pa

from padan_linkage.compiled.sha256 import hmac_sha256
from padan_linkage.encoding import kernel
from padan_linkage.encoding.columns import text_of
from padan_linkage.encoding.diffusion import diffusion_rows
from padan_linkage.encoding.qgrams import ATOM, CALENDAR, SYMBOLS, WORDS

_ANSWER = "e64a8507ed3e5587950a0514a4d1157ee85044ee9f206ec2957da4aae3162de1"


class StaleKernelError(RuntimeError):
    """The compiled kernels do not compute the encoding of this version."""


@functools.cache
def check_kernels() -> None:
    """Returns if hashes, filters, presence and tags of fixed records are right.

    Raises StaleKernelError otherwise; it names the folder to empty.
    """
    if known_answer() != _ANSWER or not _hashes_right():
        raise StaleKernelError(
            "the compiled encoding kernels give a wrong answer, most likely left over from another "
            "version: delete the __pycache__ folder beside padan_linkage/encoding/kernel.py (or "
            "the folder that NUMBA_CACHE_DIR names) and start again"
        )


def _hashes_right() -> bool:
    """Whether messages around the ends of blocks hash as the standard library has it."""
    messages = [bytes(length) for length in (0, 55, 56, 119, 120)]
    made = hmac_sha256(b"key", pa.array(messages, pa.large_binary()))
    right = [hmac.digest(b"key", message, "sha256") for message in messages]
    return made.tobytes() == b"".join(right)


def known_answer() -> str:
    """SHA-256, in hexadecimal, of what the kernels make of two fixed records and a decoy row."""
    columns = [["sri ayu ay", ""], ["1988-08-08", "1988"], ["A1A1", ""], ["L", ""], ["islam", ""]]
    cuts = np.array([WORDS, CALENDAR, SYMBOLS, ATOM], np.int64)
    text = text_of([pa.array(values) for values in columns])
    salts = np.arange(1, 7, dtype=np.uint64).reshape(3, 2) * np.uint64(0x9E3779B97F4A7C15)
    source = (salts, np.array([0, 1, -1], np.int64), salts[:, ::-1] + np.uint64(5))
    filters, presence = np.zeros((3, 10), np.uint64), np.zeros((3, 1), np.uint8)
    tags = np.zeros((3, 1), np.uint64)
    segment = (diffusion_rows(bytes(32), 576, 3), cuts, 3, (300, 9), 2, 1)
    kernel.encode_segment(segment, text, source, (filters, presence), (0, 3))
    kernel.encode_tags(0, text_of([pa.array(columns[0])]), source, tags, (0, 3))
    made = [filters.astype("<u8"), presence, tags.astype("<u8")]
    return hashlib.sha256(b"".join(column.tobytes() for column in made)).hexdigest()
