"""The agency's own keys: Ed25519 to sign, X25519 to agree on linkage keys and to seal codes.

``identity.json`` is locked by a passphrase (:mod:`.protection.locked`), or plain where that was
asked for. Whose it is and who may read it is checked at every load.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from Crypto.Hash import SHA256
from Crypto.Protocol.KDF import HKDF
from pydantic_core import from_json

from padan_client.base.errors import BadInputError, VerificationError
from padan_client.base.files import open_private, write_private, write_public
from padan_client.base.language import t
from padan_client.base.ownership import require_own_folder
from padan_client.home.protection.home_format import made_by_newer, require_known_format
from padan_client.home.protection.locked import lock, unlock
from padan_client.home.protection.passphrase import require_strong
from padan_client.home.protection.private_keys import PrivateKeys
from padan_linkage.agreement import AgreementError, PublicKeys, load_agreement, read_bounded
from padan_linkage.crypto import keys, signatures
from padan_linkage.crypto.software import FormatAge, format_age

Randomness = Callable[[int], bytes]

_FILE = "identity.json"
#: As :data:`padan_linkage.agreement.model.Id` has it.
_PARTY = re.compile(r"[a-z][a-z0-9-]{0,62}")
_FORMAT = "padan identity 2"
_MOST_BYTES, _KEY_BYTES = 1 << 16, 32


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


class Identity(PrivateKeys):
    """The agency's private keys, in memory. The repr shows the party only.

    ``former``: the keys before these, oldest first (spec 40, "Key changes"); they go on opening
    what was sealed to them.
    """

    def __init__(
        self,
        party: str,
        sign_private: bytes,
        exchange_private: bytes,
        former: tuple[Identity, ...] = (),
    ) -> None:
        self.party = party
        self._sign = sign_private
        self._exchange = exchange_private
        self._former = former

    def __repr__(self) -> str:
        return f"Identity({self.party!r}, keys=<redacted>)"

    def __reduce__(self) -> str | tuple[Any, ...]:
        raise TypeError("an Identity is not serialised")

    @property
    def public(self) -> PublicIdentity:
        """The public half."""
        return PublicIdentity(
            self.party, signatures.public_key(self._sign), keys.exchange_public_key(self._exchange)
        )

    def sign(self, message: bytes) -> bytes:
        """Ed25519 signature over ``message``, 64 bytes (RFC 8032)."""
        return signatures.sign(self._sign, message)

    def exchange(self, public: bytes) -> bytes:
        """X25519 with a public key, 32 bytes (RFC 7748). Raises KeyAgreementError."""
        return keys.exchange(self._exchange, public)

    def exchange_private(self) -> bytes:
        """The static X25519 private key, 32 bytes; for HPKE, whose library takes nothing else."""
        return self._exchange

    def every(self) -> tuple[Identity, ...]:
        """These keys, then the former ones, newest first."""
        return (self, *reversed(self._former))

    def holding(self, keys: PublicKeys) -> Identity:
        """These keys or the former ones, whichever ``keys`` are public of.

        Raises VerificationError where they are another's, or lost.
        """
        wanted = keys.sign_key_bytes, keys.exchange_key_bytes
        for each in self.every():
            if (each.public.sign_key, each.public.exchange_key) == wanted:
                return each
        raise VerificationError(
            t(
                f"Kunci {self.party} yang berlaku untuk ini tidak ada di folder ini. Pakai folder "
                "kunci yang benar; bila kuncinya hilang, buka epok baru (padan keys rotate).",
                f"The keys of {self.party} that hold here are not in this folder. Use the right "
                "home folder; where the keys are lost, open a new epoch (padan keys rotate).",
            )
        )

    def derive(self, label: bytes) -> bytes:
        """A 32-byte secret of this agency alone: HKDF-SHA-256 of its first exchange key."""
        first = self.every()[-1].exchange_private()
        secret = HKDF(first, 32, b"padan/v1 identity", SHA256, 1, b"padan/v1 own " + label)
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


def renewed(identity: Identity, randomness: Randomness) -> Identity:
    """New keys that remember those of ``identity`` as former ones."""
    former = tuple(reversed(identity.every()))
    return Identity(identity.party, signatures.generate(randomness(32)), randomness(32), former)


def replace_identity(
    home: Path, identity: Identity, *, passphrase: str | None, randomness: Randomness
) -> Path:
    """Write renewed keys in place of those of ``home``, which must be among their former ones.

    Returns the path of ``<party>.public.json``.
    """
    assert identity.every()[1:], "only keys that remember those before them"
    _write(home / _FILE, identity, passphrase, randomness)
    return write_public_half(home, identity)


def write_public_half(home: Path, identity: Identity) -> Path:
    """Write ``<party>.public.json``, which is handed out. Returns its path."""
    public = home / f"{identity.party}.public.json"
    write_public(public, _dump(identity.public.as_json()))
    return public


def save_identity(
    home: Path, identity: Identity, *, passphrase: str | None, randomness: Randomness
) -> Path:
    """Write ``identity.json`` (never over an existing one) and ``<party>.public.json``.

    Without protection by a ``passphrase`` only where it is None. Returns the path of the public
    file. Raises BadInputError if there already is an identity, or the passphrase is too weak.
    """
    require_own_folder(home)
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
    _write(path, identity, passphrase, randomness)
    return write_public_half(home, identity)


def change_passphrase(
    home: Path, identity: Identity, passphrase: str, randomness: Randomness
) -> None:
    """Lock the identity of ``home`` anew, whether it was locked or plain; its keys stay.

    Raises BadInputError for a passphrase that is too weak. Backups keep the one they were made
    with.
    """
    _write(home / _FILE, identity, passphrase, randomness)


def _write(path: Path, identity: Identity, passphrase: str | None, randomness: Randomness) -> None:
    """Write ``identity.json``. Raises BadInputError if the passphrase is too weak."""
    if passphrase is not None:
        require_strong(passphrase, own_words(path.parent, identity.party))
    own, *former = [_secret_of(each) for each in identity.every()]
    secret: dict[str, Any] = {**own, "former": former[::-1]} if former else own
    document: dict[str, Any] = {"format": _FORMAT, "party": identity.party}
    if passphrase is not None:
        document["encrypted"] = lock(secret, passphrase, _context(identity.party), randomness)
    else:
        document["plain"] = secret
    write_private(path, _dump(document))


def _secret_of(identity: Identity) -> dict[str, str]:
    return {"sign": _b64(identity._sign), "exchange": _b64(identity._exchange)}  # noqa: SLF001 - its own file format


def own_words(home: Path, party: str) -> list[str]:
    """What a passphrase of this home had better not be made of: its agreements, their parties."""
    words = [party]
    for path in sorted(home.glob("agreements/*.toml")):
        words.append(path.stem)
        with suppress(AgreementError, OSError):
            for each in load_agreement(read_bounded(path)).parties:
                words += [each.id, each.name, each.short]
    return words


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
        secret = unlock(document["encrypted"], passphrase, _context(party))
    else:
        secret = document.get("plain", {})
    try:
        former: tuple[Identity, ...] = ()
        for each in secret.get("former", []):
            former = (*former, _identity_of(party, each, former))
        return _identity_of(party, secret, former)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise _malformed(path) from None


def _identity_of(party: str, secret: dict[str, Any], former: tuple[Identity, ...]) -> Identity:
    sign, exchange = _unb64(secret["sign"]), _unb64(secret["exchange"])
    if len(sign) != _KEY_BYTES or len(exchange) != _KEY_BYTES:
        raise ValueError
    return Identity(party, sign, exchange, former)


def _document(path: Path) -> dict[str, Any]:
    require_own_folder(path.parent)
    require_known_format(path.parent)
    if not path.exists():
        raise BadInputError(
            t(
                f"Belum ada kunci instansi di {path.parent}. Jalankan padan keys init.",
                f"There are no agency keys in {path.parent}. Run padan keys init.",
            )
        )
    try:
        with open_private(path) as file:
            document = from_json(file.read(_MOST_BYTES))
    except (ValueError, RecursionError):
        raise _malformed(path) from None
    _require_present(path, document)
    if "party" not in document:
        raise _malformed(path)
    assert isinstance(document, dict)
    return document


def _require_present(path: Path, document: Any) -> None:
    try:
        age = format_age(document["format"], _FORMAT)
    except (TypeError, KeyError, ValueError):
        raise _malformed(path) from None
    if age is FormatAge.FORMER:
        raise _former(path)
    if age is FormatAge.LATER:
        raise made_by_newer(path)


def _malformed(path: Path) -> BadInputError:
    return BadInputError(
        t(
            f"Isi {path} rusak atau bukan berkas kunci Padan. Pulihkan dari cadangan.",
            f"{path} is damaged or not a Padan key file. Restore it from a backup.",
        )
    )


def _former(path: Path) -> BadInputError:
    return BadInputError(
        t(
            f"{path} dibuat versi Padan yang terdahulu dan kurang terlindung; versi ini tidak "
            "membacanya. Pindahkan, buat kunci baru (padan keys init), dan tanda tangani "
            "perjanjian dengan kunci itu.",
            f"{path} was made by an earlier version of Padan and is less protected; this version "
            "does not read it. Move it away, make new keys (padan keys init), and have the "
            "agreements signed with those.",
        )
    )


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
