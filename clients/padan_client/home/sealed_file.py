"""Sealed files of a home: of no use to whoever has the disk and not the identity.

AES-256-GCM (NIST SP 800-38D) under a key of the identity, one for each purpose, with a fresh nonce
for every piece. The associated data says what the file is, so that none passes for another. Spec
``proto/spec/20-keys.md``, "Files at home". ``identity.json`` is none of them (a passphrase protects
it), nor is a seed of direct mode (a server without an identity reads it), nor what a direct job has
received (:class:`padan_client.protocol.direct.evaluating.Outputs`: slots that are written and read
in any order, under the job's own seed).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from padan_client.base.errors import BadInputError, VerificationError
from padan_client.base.files import open_private, read_private, write_private
from padan_client.base.language import t
from padan_client.base.version import software
from padan_client.home.identity import Randomness
from padan_client.home.protection.private_keys import PrivateKeys

_NONCE_BYTES, _LENGTH_BYTES = 12, 8


class Purpose(Enum):
    """What a file is for: the label of its key, on which every home depends."""

    EPOCH_KEY = b"epoch store"
    COVER = b"cover"
    LIST_COVER = b"list cover"
    REGISTRY = b"direct registry"
    JOB = b"job"
    RELEASE = b"release"
    TOLD_ROWS = b"told rows"


class SealedFileError(VerificationError):
    """A sealed file does not open: it was altered or cut, or another identity sealed it."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            t(
                f"Berkas {path} diubah, terpotong, atau milik identitas lain. Pulihkan dari "
                "cadangan; tanpa cadangan, buka epok baru (padan keys rotate) dan terbitkan "
                "registri lengkap.",
                f"The file {path} was altered or cut, or belongs to another identity. Restore it "
                "from a backup; without one, open a new epoch (padan keys rotate) and publish the "
                "whole registry.",
            )
        )


class OtherFormError(BadInputError):
    """A sealed file opens, and its content is of another version of Padan."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            t(
                f"{path} utuh dan dari folder ini, tetapi bentuknya tidak dibaca versi ini, "
                f"{software()}: dibuat Padan versi lain. Tidak ada yang disentuh: pakai versi itu.",
                f"{path} is whole and this home's, but of a form that this version, {software()}, "
                "does not read: another version of Padan made it. Nothing was touched: use that "
                "version.",
            )
        )


@contextmanager
def understood(path: Path) -> Iterator[None]:
    """While the content of a sealed file is read: what cannot be is no damage, for it was opened.

    Raises OtherFormError.
    """
    # Spec 20, "Files at home".
    try:
        yield
    except (ValueError, TypeError, AttributeError, LookupError, NotImplementedError, StopIteration):
        raise OtherFormError(path) from None


class SealedFiles:
    """Seals and opens the files of one purpose. ``context`` is a file's associated data.

    Opening raises SealedFileError for a file that is not as it was sealed, BadInputError for one
    that is missing or open to others.
    """

    def __init__(self, purpose: Purpose, keys: PrivateKeys, randomness: Randomness) -> None:
        self._cipher = AESGCM(keys.derive(purpose.value))
        self._randomness = randomness

    def write(self, path: Path, context: bytes, content: bytes) -> None:
        """Seal a file of one piece: nonce, then the ciphertext with its tag."""
        write_private(path, self._seal(content, context))

    def read(self, path: Path, context: bytes) -> bytes:
        """Content of a file of one piece."""
        return read_private(path, lambda text: self._open(path, text, context))

    def write_pieces(self, path: Path, context: bytes, count: int, pieces: Iterable[bytes]) -> None:
        """Seal a file that no memory need hold: the count, then each piece after its length."""

        def sealed() -> Iterator[bytes]:
            yield count.to_bytes(_LENGTH_BYTES, "big")
            for number, piece in enumerate(pieces):
                text = self._seal(piece, _of_piece(context, number, count))
                yield len(text).to_bytes(_LENGTH_BYTES, "big") + text

        write_private(path, sealed())

    def read_pieces(self, path: Path, context: bytes) -> Iterator[bytes]:
        """The pieces of such a file, one at a time."""
        with open_private(path) as file:
            size = os.fstat(file.fileno()).st_size
            count = int.from_bytes(file.read(_LENGTH_BYTES), "big")
            if not count:
                raise SealedFileError(path)
            for number in range(count):
                length = int.from_bytes(file.read(_LENGTH_BYTES), "big")
                text = file.read(min(length, size))
                yield self._open(path, text, _of_piece(context, number, count))

    def _seal(self, content: bytes, context: bytes) -> bytes:
        nonce = self._randomness(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, content, context)

    def _open(self, path: Path, text: bytes, context: bytes) -> bytes:
        try:
            return self._cipher.decrypt(text[:_NONCE_BYTES], text[_NONCE_BYTES:], context)
        except (InvalidTag, ValueError):
            raise SealedFileError(path) from None


def _of_piece(context: bytes, number: int, count: int) -> bytes:
    """Which piece it is of how many: none can be left out, moved or added."""
    return context + f"/{number}/{count}".encode()
