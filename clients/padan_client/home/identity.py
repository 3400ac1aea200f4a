"""The agency's own keys: Ed25519 to sign, X25519 to agree on linkage keys and to seal codes.

``identity.json`` is encrypted with a passphrase (scrypt, RFC 7914; AES-256-GCM), or, for services
that start unattended, plain with file permissions 0600 that are checked at every load.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from Crypto.Hash import SHA256
from Crypto.Protocol.KDF import HKDF
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from padan_client.base.errors import BadInputError
from padan_client.base.files import require_private, write_private, write_public
from padan_client.base.language import t
from padan_linkage.crypto import signatures
from padan_linkage.crypto.keys import exchange_public_key

Randomness = Callable[[int], bytes]

_FILE = "identity.json"
#: As :data:`padan_linkage.agreement.model.Id` has it.
_PARTY = re.compile(r"[a-z][a-z0-9-]{0,62}")
_FORMAT = "padan identity 1"
_SCRYPT_N, _SCRYPT_R, _SCRYPT_P = 2**16, 8, 1
_SCRYPT_N_MAX = 2**20


@dataclass(frozen=True)
class PublicIdentity:
    """What the agency hands out to be written into agreements; raw 32-byte keys."""

    party: str
    sign_key: bytes
    exchange_key: bytes

    def as_json(self) -> dict[str, str]:
        """The content of ``<party>.public.json``."""
        return {
            "party": self.party,
            "sign_key": _b64(self.sign_key),
            "exchange_key": _b64(self.exchange_key),
        }

    def fingerprints(self) -> dict[str, str]:
        """First 16 bytes of each key's SHA-256, in groups of four hex digits, to read aloud."""
        return {
            "sign_key": _fingerprint(self.sign_key),
            "exchange_key": _fingerprint(self.exchange_key),
        }


class Identity:
    """The agency's private keys. The repr shows the party only."""

    def __init__(self, party: str, sign_private: bytes, exchange_private: bytes) -> None:
        self.party = party
        self._sign = sign_private
        self._exchange = exchange_private

    def __repr__(self) -> str:
        return f"Identity({self.party!r}, keys=<redacted>)"

    def __reduce__(self) -> str | tuple[Any, ...]:
        raise TypeError("an Identity is not serialised")

    @property
    def public(self) -> PublicIdentity:
        """The public half."""
        return PublicIdentity(
            self.party, signatures.public_key(self._sign), exchange_public_key(self._exchange)
        )

    def sign(self, message: bytes) -> bytes:
        """Ed25519 signature over ``message``, 64 bytes (RFC 8032)."""
        return signatures.sign(self._sign, message)

    def exchange_private(self) -> bytes:
        """The static X25519 private key, 32 bytes; for key derivation only."""
        return self._exchange

    def derive(self, label: bytes) -> bytes:
        """A 32-byte secret of this agency alone: HKDF-SHA-256 of the exchange key."""
        secret = HKDF(self._exchange, 32, b"padan/v1 identity", SHA256, 1, b"padan/v1 own " + label)
        assert isinstance(secret, bytes)
        return secret


def create_identity(party: str, randomness: Randomness) -> Identity:
    """New keys for ``party`` from ``randomness(n) -> n bytes``.

    Raises BadInputError if ``party`` is no party id of an agreement: it also names a file.
    """
    if not _PARTY.fullmatch(party):
        raise BadInputError(
            t(
                "Id pihak ditulis seperti pada perjanjian: huruf kecil, angka dan tanda hubung, "
                "diawali huruf; misalnya kemnaker.",
                "A party id is written as in the agreements: lower-case letters, digits and "
                "hyphens, a letter first; for example kemnaker.",
            )
        )
    return Identity(party, signatures.generate(randomness(32)), randomness(32))


def save_identity(
    home: Path, identity: Identity, *, passphrase: str | None, randomness: Randomness
) -> Path:
    """Write ``identity.json`` (never over an existing one) and ``<party>.public.json``.

    Without protection by a ``passphrase`` only where it is None. Returns the path of the public
    file. Raises BadInputError if there already is an identity, or the passphrase is empty.
    """
    if passphrase == "":
        raise BadInputError(
            t(
                "Frasa sandi kosong. Isi, atau pakai --no-passphrase bila berkas kunci memang "
                "hanya dilindungi izin berkas.",
                "The passphrase is empty. Give one, or use --no-passphrase if file permissions "
                "alone are to protect the keys.",
            )
        )
    path = home / _FILE
    if path.exists():
        raise BadInputError(
            t(
                f"{path} sudah ada. Kunci instansi tidak ditimpa; pindahkan dahulu bila memang "
                "harus diganti (perjanjian perlu diubah bersama).",
                f"{path} exists. An agency's keys are never overwritten; move the file away first "
                "if they must change (the agreements change with them).",
            )
        )
    secret = {"sign": _b64(identity._sign), "exchange": _b64(identity._exchange)}  # noqa: SLF001 - its own file format
    document: dict[str, Any] = {"format": _FORMAT, "party": identity.party}
    if passphrase is not None:
        document["encrypted"] = _encrypt(secret, identity.party, passphrase, randomness)
    else:
        document["plain"] = secret
    write_private(path, _dump(document))
    public = home / f"{identity.party}.public.json"
    write_public(public, _dump(identity.public.as_json()))
    return public


def is_encrypted(home: Path) -> bool:
    """Whether the identity of ``home`` asks for a passphrase. Raises BadInputError without one."""
    return "encrypted" in _document(home / _FILE)


def load_identity(home: Path, *, passphrase: str | None = None) -> Identity:
    """The identity of ``home``.

    Raises BadInputError if the file is missing, malformed, open to others, or the passphrase is
    missing or wrong.
    """
    path = home / _FILE
    document = _document(path)
    party = str(document["party"])
    if "encrypted" in document:
        secret = _decrypt(document["encrypted"], party, passphrase)
    else:
        require_private(path)
        secret = document.get("plain", {})
    try:
        sign, exchange = _unb64(secret["sign"]), _unb64(secret["exchange"])
    except (KeyError, TypeError, ValueError):
        raise _malformed(path) from None
    return Identity(party, sign, exchange)


def _document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise BadInputError(
            t(
                f"Belum ada kunci instansi di {path.parent}. Jalankan padan keys init.",
                f"There are no agency keys in {path.parent}. Run padan keys init.",
            )
        ) from None
    except ValueError:
        raise _malformed(path) from None
    if (
        not isinstance(document, dict)
        or document.get("format") != _FORMAT
        or ("party" not in document)
    ):
        raise _malformed(path)
    return document


def _malformed(path: Path) -> BadInputError:
    return BadInputError(
        t(
            f"Isi {path} rusak atau bukan berkas kunci Padan. Pulihkan dari cadangan.",
            f"{path} is damaged or not a Padan key file. Restore it from a backup.",
        )
    )


def _encrypt(
    secret: dict[str, str], party: str, passphrase: str, randomness: Randomness
) -> dict[str, Any]:
    salt, nonce = randomness(16), randomness(12)
    key = _stretch(passphrase, salt, _SCRYPT_N, _SCRYPT_R, _SCRYPT_P)
    sealed = AESGCM(key).encrypt(nonce, json.dumps(secret).encode(), _context(party))
    return {
        "kdf": "scrypt",
        "n": _SCRYPT_N,
        "r": _SCRYPT_R,
        "p": _SCRYPT_P,
        "salt": _b64(salt),
        "nonce": _b64(nonce),
        "ciphertext": _b64(sealed),
    }


def _decrypt(box: dict[str, Any], party: str, passphrase: str | None) -> dict[str, str]:
    if not passphrase:
        raise BadInputError(
            t(
                "Kunci instansi terlindung frasa sandi. Isi PADAN_PASSPHRASE atau jalankan dari "
                "terminal.",
                "The agency's keys are protected by a passphrase. Set PADAN_PASSPHRASE or run "
                "from a terminal.",
            )
        )
    try:
        n, r, p = int(box["n"]), int(box["r"]), int(box["p"])
        if not (1 < n <= _SCRYPT_N_MAX and 1 <= r <= 16 and 1 <= p <= 4):
            raise ValueError
        key = _stretch(passphrase, _unb64(box["salt"]), n, r, p)
        plain = AESGCM(key).decrypt(
            _unb64(box["nonce"]), _unb64(box["ciphertext"]), _context(party)
        )
        secret: dict[str, str] = json.loads(plain)
    except InvalidTag:
        raise BadInputError(
            t(
                "Frasa sandi salah, atau berkas kunci diubah.",
                "The passphrase is wrong, or the key file was altered.",
            )
        ) from None
    except (KeyError, TypeError, ValueError):
        raise BadInputError(
            t(
                "Berkas kunci rusak. Pulihkan dari cadangan.",
                "The key file is damaged. Restore it from a backup.",
            )
        ) from None
    return secret


def _stretch(passphrase: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return Scrypt(salt=salt, length=32, n=n, r=r, p=p).derive(passphrase.encode())


def _context(party: str) -> bytes:
    return b"padan/v1 identity\x00" + party.encode()


def _fingerprint(key: bytes) -> str:
    digits = hashlib.sha256(key).hexdigest()[:32]
    return " ".join(digits[i : i + 4] for i in range(0, 32, 4))


def _dump(document: object) -> bytes:
    return (json.dumps(document, indent=2) + "\n").encode()


def _b64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _unb64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
