"""A secret locked by a passphrase: scrypt (RFC 7914), then AES-256-GCM (NIST SP 800-38D).

Every guess costs whoever has the file 128 MiB and some tenths of a second. The file names its
parameters; what they may be is bounded here, so that no file can ask for all the memory, nor for
less work than this version demands.
"""

from __future__ import annotations

import base64
import json
import unicodedata
from collections.abc import Callable
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from pydantic_core import from_json

from padan_client.base.errors import BadInputError
from padan_client.base.language import t

#: Memory is 128 · N · r bytes: 128 MiB, and at most 1 GiB.
SCRYPT_N, _SCRYPT_N_MAX = 2**17, 2**20
SCRYPT_R, SCRYPT_P = 8, 1
_SALT_BYTES, _NONCE_BYTES, _KEY_BYTES = 16, 12, 32


class LockedError(BadInputError):
    """What is locked does not open; the message says why and what to do."""


def lock(
    secret: dict[str, Any], passphrase: str, context: bytes, randomness: Callable[[int], bytes]
) -> dict[str, Any]:
    """``secret`` locked by ``passphrase``, as JSON may have it. ``context`` is authenticated."""
    salt, nonce = randomness(_SALT_BYTES), randomness(_NONCE_BYTES)
    cipher = AESGCM(_stretched(passphrase, salt, SCRYPT_N))
    sealed = cipher.encrypt(nonce, json.dumps(secret).encode(), context)
    numbers = {"kdf": "scrypt", "n": SCRYPT_N, "r": SCRYPT_R, "p": SCRYPT_P}
    return numbers | {"salt": _b64(salt), "nonce": _b64(nonce), "ciphertext": _b64(sealed)}


def unlock(box: object, passphrase: str | None, context: bytes) -> dict[str, Any]:
    """What :func:`lock` locked. Raises LockedError."""
    if not passphrase:
        raise _no_passphrase()
    try:
        salt, nonce, sealed, n = _checked(box)
        plain = AESGCM(_stretched(passphrase, salt, n)).decrypt(nonce, sealed, context)
        secret: dict[str, str] = from_json(plain)
    except InvalidTag:
        raise LockedError(
            t(
                "Frasa sandi salah, atau berkas kunci diubah.",
                "The passphrase is wrong, or the key file was altered.",
            )
        ) from None
    except (KeyError, TypeError, ValueError):
        raise LockedError(
            t(
                "Berkas kunci rusak. Pulihkan dari cadangan.",
                "The key file is damaged. Restore it from a backup.",
            )
        ) from None
    return secret


def _checked(box: Any) -> tuple[bytes, bytes, bytes, int]:
    """Salt, nonce, ciphertext and N of a box. Raises KeyError, TypeError or ValueError."""
    n, r, p = box["n"], box["r"], box["p"]
    if (box["kdf"], r, p) != ("scrypt", SCRYPT_R, SCRYPT_P) or type(n) is not int:
        raise ValueError
    if not SCRYPT_N <= n <= _SCRYPT_N_MAX or n & (n - 1):
        raise ValueError
    salt, nonce = (base64.b64decode(box[name], validate=True) for name in ("salt", "nonce"))
    if (len(salt), len(nonce)) != (_SALT_BYTES, _NONCE_BYTES):
        raise ValueError
    return salt, nonce, base64.b64decode(box["ciphertext"], validate=True), n


def _stretched(passphrase: str, salt: bytes, n: int) -> bytes:
    """The key; letters that can be typed in two ways count as one (NFKC)."""
    typed = unicodedata.normalize("NFKC", passphrase).encode()
    return Scrypt(salt=salt, length=_KEY_BYTES, n=n, r=SCRYPT_R, p=SCRYPT_P).derive(typed)


def _no_passphrase() -> LockedError:
    return LockedError(
        t(
            "Kunci instansi terlindung frasa sandi. Isi PADAN_PASSPHRASE_FILE atau "
            "PADAN_PASSPHRASE, atau jalankan dari terminal.",
            "The agency's keys are protected by a passphrase. Set PADAN_PASSPHRASE_FILE or "
            "PADAN_PASSPHRASE, or run from a terminal.",
        )
    )


def _b64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")
