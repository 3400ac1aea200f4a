"""What building a label table leaves on disk until it is done: files of sealed pieces.

They open labels and tell rows from dummies, so they are sealed under the job (AES-256-GCM, a random
nonce a piece), lie in its private folder and go when it ends.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from padan_client.base.errors import VerificationError
from padan_client.base.language import t

_NONCE_BYTES, _NUMBER_BYTES = 12, 8


class PartFiles:
    """Files of pieces that are read one by one: where each ends, then nonce and ciphertext."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def write(self, path: Path, pieces: Sequence[bytes]) -> None:
        """Write a file of these pieces; it is there whole or not at all."""
        sealed = [self._sealed(path, number, piece) for number, piece in enumerate(pieces)]
        ends = np.cumsum([0, *map(len, sealed)])
        count = len(sealed).to_bytes(_NUMBER_BYTES, "little")
        _write_whole(path, b"".join([count, ends.astype("<i8").tobytes(), *sealed]))

    def read(self, path: Path, number: int) -> bytes:
        """A piece. Raises VerificationError if the file was altered or cut."""
        try:
            with path.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                count = int.from_bytes(file.read(_NUMBER_BYTES), "little")
                ends = np.frombuffer(file.read(min(_NUMBER_BYTES * (count + 1), size)), "<i8")
                start, end = (int(at) for at in ends[number : number + 2])
                if not 0 <= start <= end <= size:
                    raise ValueError
                file.seek(start, os.SEEK_CUR)
                text = file.read(end - start)
            nonce, sealed = text[:_NONCE_BYTES], text[_NONCE_BYTES:]
            return self._cipher.decrypt(nonce, sealed, _piece(path, number))
        except (InvalidTag, ValueError, OverflowError):
            raise _altered(path) from None

    def _sealed(self, path: Path, number: int, piece: bytes) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, piece, _piece(path, number))


def _piece(path: Path, number: int) -> bytes:
    return f"padan/v1 part {path.name}/{number}".encode()


def _write_whole(path: Path, content: bytes) -> None:
    """A private file that is there whole or not at all; a power cut may lose it, not tear it."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _altered(path: Path) -> VerificationError:
    return VerificationError(
        t(
            f"Berkas {path} diubah atau terpotong. Hapus, lalu ulangi perintah yang sama.",
            f"The file {path} was altered or cut. Delete it and repeat the same command.",
        )
    )
