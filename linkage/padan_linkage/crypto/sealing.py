"""Sealed codes: answers that travel through the linkage unit and open only at the requester.

One HPKE encapsulation a registry (RFC 9180, auth mode) keys AES-256-GCM for each pass, of the whole
registry and of its deltas; one seal a row. The row's token is authenticated with the code, so a
code moved to another person's row does not open. Spec: ``proto/spec/25-sealed-codes.md``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from Crypto.Protocol import HPKE
from Crypto.Protocol.DH import import_x25519_private_key, import_x25519_public_key
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from numpy.typing import NDArray

from padan_linkage.answering.payloads import PAYLOAD_BYTES
from padan_linkage.crypto.epochs import EXCHANGE_KEY_BYTES, flow_context, framed
from padan_linkage.crypto.randomness import Drbg
from padan_linkage.schema import SEALED_CODE_BYTES, TOKEN_BYTES

SEAL_ID_BYTES = 16
NONCE_BYTES = 12
_SEAL_KEY_BYTES = 32
#: Seals that a key may make: so many random nonces repeat with less than 2⁻³² (SP 800-38D, 8.3).
MOST_SEALS = 1 << 32
#: Rows that are sealed or opened at a time.
_BLOCK = 1 << 14


class SealError(Exception):
    """Keys or an encapsulated key cannot be used; the message says which."""


@dataclass(frozen=True, repr=False)
class KeptSeal:
    """What a registry's owner keeps to go on sealing: its upload after a crash, and its deltas.

    ``pass_keys`` are secret, 32 bytes each; ``receiver`` is the exchange key of whoever opens the
    codes; ``rows``: how many rows of each pass were sealed in the uploads before.
    """

    seal_id: bytes
    encapsulated_key: bytes
    receiver: bytes
    pass_keys: Mapping[str, bytes]
    rows: int = 0


class _SealContext:
    """What sealing and opening have in common: the registry's name and a key for each pass."""

    __slots__ = ("_context", "_pass_key")

    def __init__(self, context: bytes, pass_key: Callable[[str], bytes]) -> None:
        self._context = context
        self._pass_key = pass_key

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"

    def _cipher(self, pass_id: str) -> AESGCM:
        return AESGCM(self._pass_key(pass_id))

    def _associated(self, pass_id: str) -> bytes:
        """What every row's associated data starts with; the row's token follows."""
        return self._context + framed(pass_id)

    def _associated_rows(self, pass_id: str, tokens: NDArray[np.uint8]) -> list[bytes]:
        """Every row's associated data."""
        prefix = np.frombuffer(self._associated(pass_id), np.uint8)
        rows = np.empty((len(tokens), prefix.size + TOKEN_BYTES), np.uint8)
        rows[:, : prefix.size] = prefix
        rows[:, prefix.size :] = tokens
        return _each(rows)


class Sealer(_SealContext):
    """The provider's side of one registry: one encapsulation, then a seal for every row.

    ``provider_private`` and ``requester_public`` are X25519 keys, ``seal_id`` 16 random bytes that
    no other registry has. ``kept`` goes on under the same keys: after a crash, and in deltas.
    Raises SealError.
    """

    __slots__ = ("_kept_rows", "_receiver", "_seal_id", "encapsulated_key")

    def __init__(
        self,
        provider_private: bytes,
        requester_public: bytes,
        *,
        agreement_digest: bytes,
        flow_id: str,
        epoch: int,
        seal_id: bytes,
        kept: KeptSeal | None = None,
    ) -> None:
        context = _context(seal_id, flow_context(agreement_digest, flow_id, epoch))
        self._seal_id, self._receiver = seal_id, requester_public
        self._kept_rows = 0
        if kept is not None:
            if (kept.seal_id, kept.receiver) != (seal_id, requester_public):
                raise SealError("the kept seal is another registry's, or for another receiver")
            self._kept_rows = kept.rows
            self.encapsulated_key = kept.encapsulated_key
            super().__init__(context, kept.pass_keys.__getitem__)
            return
        receiver = _key(import_x25519_public_key, requester_public)
        # Spec 25, step 1.
        hpke = _hpke(receiver, _key(import_x25519_private_key, provider_private), context)
        self.encapsulated_key = bytes(hpke.enc)
        super().__init__(context, lambda pass_id: _export(hpke, pass_id))

    def keep(self, pass_ids: Iterable[str], rows: int = 0) -> KeptSeal:
        """What it takes to go on sealing these passes; as secret as the codes.

        ``rows``: how many rows of each are sealed now, beside those that were kept.
        """
        keys = {p: self._pass_key(p) for p in pass_ids}
        total = self._kept_rows + rows
        return KeptSeal(self._seal_id, self.encapsulated_key, self._receiver, keys, total)

    def seal(
        self, pass_id: str, tokens: NDArray[np.uint8], payloads: NDArray[np.uint8], drbg: Drbg
    ) -> NDArray[np.uint8]:
        """Sealed codes ``uint8[n, 44]`` of a pass table, or of some of its rows.

        ``tokens`` and ``payloads`` are ``uint8[n, 16]`` in the table's row order. Nonces are drawn
        from ``drbg``, so they say nothing of order or upload. Raises SealError beyond what one key
        may seal (:data:`MOST_SEALS`).
        """
        count = _rows(tokens, TOKEN_BYTES)
        if count != _rows(payloads, PAYLOAD_BYTES):
            raise ValueError("tokens and payloads differ in length")
        if self._kept_rows + count > MOST_SEALS:
            raise SealError(f"pass {pass_id}: its key has sealed all that it may; make a new seal")
        encrypt = self._cipher(pass_id).encrypt
        sealed = np.empty((count, SEALED_CODE_BYTES), np.uint8)
        nonces, bodies = sealed[:, :NONCE_BYTES], sealed[:, NONCE_BYTES:]
        nonces[:] = _nonces(pass_id, tokens, payloads, drbg)
        for rows in _blocks(count):
            associated = self._associated_rows(pass_id, tokens[rows])
            # Spec 25, step 4.
            made = map(encrypt, _each(nonces[rows]), _each(payloads[rows]), associated)
            bodies[rows] = np.frombuffer(b"".join(made), np.uint8).reshape(-1, bodies.shape[1])
        return sealed


def _nonces(
    pass_id: str, tokens: NDArray[np.uint8], payloads: NDArray[np.uint8], drbg: Drbg
) -> NDArray[np.uint8]:
    """Random nonces, ``uint8[n, 12]``, drawn anew for every table.

    The generator is forked by what is sealed: the same job makes the same codes again, and where a
    seed came to be used for another table, no nonce of the first would meet another row.
    """
    table = hashlib.sha256(np.ascontiguousarray(tokens).data)
    table.update(np.ascontiguousarray(payloads).data)
    mine = drbg.fork(f"nonces {pass_id} {table.hexdigest()}")
    return np.frombuffer(mine.bytes(len(tokens) * NONCE_BYTES), np.uint8).reshape(-1, NONCE_BYTES)


class Opener(_SealContext):
    """The requester's side of one registry: opens the codes that the unit hands over.

    Takes the public parts that came with the registry and the requester's X25519 private key.
    Raises SealError if the encapsulated key is unusable.
    """

    __slots__ = ()

    def __init__(
        self,
        requester_private: bytes,
        provider_public: bytes,
        *,
        agreement_digest: bytes,
        flow_id: str,
        epoch: int,
        seal_id: bytes,
        encapsulated_key: bytes,
    ) -> None:
        context = _context(seal_id, flow_context(agreement_digest, flow_id, epoch))
        receiver = _key(import_x25519_private_key, requester_private)
        sender = _key(import_x25519_public_key, provider_public)
        # Spec 25, step 5.
        hpke = _hpke(receiver, sender, context, encapsulated_key)
        super().__init__(context, lambda pass_id: _export(hpke, pass_id))

    def open(
        self, pass_id: str, tokens: NDArray[np.uint8], sealed: NDArray[np.uint8]
    ) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Payloads ``uint8[n, 16]`` and which of them are genuine, ``bool[n]``.

        ``tokens`` ``uint8[n, 16]`` are the requester's own, of the rows that were answered with
        ``sealed`` ``uint8[n, 44]``. A code that does not open (altered, of another row, pass,
        registry or agreement) gives a zero payload and False.
        """
        count = _rows(tokens, TOKEN_BYTES)
        if count != _rows(sealed, SEALED_CODE_BYTES):
            raise ValueError("tokens and sealed codes differ in length")
        # Spec 25, step 6.
        decrypt = self._cipher(pass_id).decrypt
        payloads = np.zeros((count, PAYLOAD_BYTES), np.uint8)
        genuine = np.ones(count, np.bool_)
        for rows in _blocks(count):
            nonces, bodies = sealed[rows, :NONCE_BYTES], sealed[rows, NONCE_BYTES:]
            associated = self._associated_rows(pass_id, tokens[rows])
            codes = _each(nonces), _each(bodies), associated
            try:
                opened = list(map(decrypt, *codes))
            except InvalidTag:
                opened = [_opened(decrypt, *code) for code in zip(*codes, strict=True)]
                genuine[rows] = [len(payload) > 0 for payload in opened]
            whole = b"".join(payload or bytes(PAYLOAD_BYTES) for payload in opened)
            payloads[rows] = np.frombuffer(whole, np.uint8).reshape(-1, PAYLOAD_BYTES)
        return payloads, genuine


def _opened(
    decrypt: Callable[[bytes, bytes, bytes], bytes], nonce: bytes, body: bytes, associated: bytes
) -> bytes:
    """A payload, or nothing where the code does not open."""
    try:
        return decrypt(nonce, body, associated)
    except InvalidTag:
        return b""


def _blocks(count: int) -> Iterator[slice]:
    """``count`` rows, so many at a time that what Python makes of them stays small."""
    for first in range(0, count, _BLOCK):
        yield slice(first, min(first + _BLOCK, count))


def _each(rows: NDArray[np.uint8]) -> list[bytes]:
    """Every row's bytes."""
    whole = np.ascontiguousarray(rows)
    each: list[bytes] = whole.view(f"V{whole.shape[1]}").reshape(-1).tolist()
    return each


def seal_whole(content: bytes, info: bytes, sender_private: bytes, receiver_public: bytes) -> bytes:
    """``content`` sealed at once: encapsulated key (32) ‖ AES-256-GCM ciphertext and tag.

    HPKE auth mode under ``info``; keys are X25519, 32 bytes. Raises SealError.
    """
    receiver = _key(import_x25519_public_key, receiver_public)
    hpke = _hpke(receiver, _key(import_x25519_private_key, sender_private), info)
    return bytes(hpke.enc) + bytes(hpke.seal(content))


def open_whole(sealed: bytes, info: bytes, receiver_private: bytes, sender_public: bytes) -> bytes:
    """What :func:`seal_whole` sealed. Raises SealError where it does not open."""
    receiver = _key(import_x25519_private_key, receiver_private)
    sender = _key(import_x25519_public_key, sender_public)
    hpke = _hpke(receiver, sender, info, sealed[:EXCHANGE_KEY_BYTES])
    try:
        return bytes(hpke.unseal(sealed[EXCHANGE_KEY_BYTES:]))
    except ValueError as error:
        raise SealError("the seal does not open with these keys") from error


def _context(seal_id: bytes, flow: bytes) -> bytes:
    """The HPKE info string, and the start of every row's associated data."""
    if len(seal_id) != SEAL_ID_BYTES:
        raise SealError(f"a seal id has {SEAL_ID_BYTES} bytes")
    return b"padan/v1 seal\x00" + flow + seal_id


def _key(import_key: Callable[[bytes], Any], raw: bytes) -> Any:
    if len(raw) != EXCHANGE_KEY_BYTES:
        raise SealError(f"an X25519 key has {EXCHANGE_KEY_BYTES} bytes")
    try:
        return import_key(raw)
    except ValueError as error:
        raise SealError("the keys do not make a seal") from error


def _hpke(receiver: Any, sender: Any, context: bytes, encapsulated_key: bytes | None = None) -> Any:
    """An HPKE context in auth mode: sending without an encapsulated key, receiving with one.

    The one place where a hybrid post-quantum encapsulation would go (spec 25, "What it gives").
    """
    try:
        return HPKE.new(
            receiver_key=receiver,
            sender_key=sender,
            aead_id=HPKE.AEAD.AES256_GCM,
            enc=encapsulated_key,
            info=context,
        )
    except ValueError as error:
        raise SealError("the keys do not make a seal") from error


def _export(hpke: Any, pass_id: str) -> bytes:
    # Spec 25, step 2.
    key: bytes = hpke.export(b"pass\x00" + pass_id.encode(), _SEAL_KEY_BYTES)
    return key


def _rows(column: NDArray[np.uint8], width: int) -> int:
    if column.dtype != np.uint8 or column.ndim != 2 or column.shape[1] != width:
        raise ValueError(f"a column of uint8[n, {width}] is expected")
    return int(column.shape[0])
