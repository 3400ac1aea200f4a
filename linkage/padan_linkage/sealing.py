"""Sealed codes: answers that travel through the linkage unit and open only at the requester.

One HPKE encapsulation an upload (RFC 9180, auth mode) keys AES-256-GCM for each pass; one seal a
row. The row's token is authenticated with the code, so a code moved to another person's row does
not open. Spec: ``proto/spec/25-sealed-codes.md``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

import numpy as np
from Crypto.Protocol import HPKE
from Crypto.Protocol.DH import import_x25519_private_key, import_x25519_public_key
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from numpy.typing import NDArray

from padan_linkage.answers import PAYLOAD_BYTES
from padan_linkage.epochs import EXCHANGE_KEY_BYTES, flow_context, framed
from padan_linkage.schema import SEALED_CODE_BYTES, TOKEN_BYTES

SEAL_ID_BYTES = 16
NONCE_BYTES = 12
_SEAL_KEY_BYTES = 32


class SealError(Exception):
    """Keys or an encapsulated key cannot be used; the message says which."""


class _SealContext:
    """What sealing and opening have in common: the HPKE context and the upload's name."""

    __slots__ = ("_context", "_hpke")

    def __init__(
        self,
        receiver: bytes,
        sender: bytes,
        *,
        opening: bool,
        agreement_digest: bytes,
        flow_id: str,
        epoch: int,
        seal_id: bytes,
        encapsulated_key: bytes | None,
    ) -> None:
        if len(seal_id) != SEAL_ID_BYTES:
            raise SealError(f"a seal id has {SEAL_ID_BYTES} bytes")
        if not len(receiver) == len(sender) == EXCHANGE_KEY_BYTES:
            raise SealError(f"an X25519 key has {EXCHANGE_KEY_BYTES} bytes")
        flow = flow_context(agreement_digest, flow_id, epoch)
        self._context = b"padan/v1 seal\x00" + flow + seal_id
        import_receiver = import_x25519_private_key if opening else import_x25519_public_key
        import_sender = import_x25519_public_key if opening else import_x25519_private_key
        try:
            self._hpke: Any = HPKE.new(
                receiver_key=import_receiver(receiver),
                sender_key=import_sender(sender),
                aead_id=HPKE.AEAD.AES256_GCM,
                enc=encapsulated_key,
                info=self._context,
            )
        except ValueError as error:
            raise SealError("the keys do not make a seal") from error

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"

    def _pass_key(self, pass_id: str) -> bytes:
        key: bytes = self._hpke.export(b"pass\x00" + pass_id.encode(), _SEAL_KEY_BYTES)
        return key

    def _cipher(self, pass_id: str) -> AESGCM:
        return AESGCM(self._pass_key(pass_id))

    def _associated(self, pass_id: str) -> bytes:
        """What every row's associated data starts with; the row's token follows."""
        return self._context + framed(pass_id)


class Sealer(_SealContext):
    """The provider's side of one upload: one encapsulation, then a seal for every row.

    ``provider_private`` and ``requester_public`` are X25519 keys, ``seal_id`` 16 random bytes that
    no other upload has. Seal every pass once: nonces are row numbers. Raises SealError.
    """

    __slots__ = ("_kept", "_sealed_passes", "encapsulated_key")

    def __init__(
        self,
        provider_private: bytes,
        requester_public: bytes,
        *,
        agreement_digest: bytes,
        flow_id: str,
        epoch: int,
        seal_id: bytes,
    ) -> None:
        super().__init__(
            requester_public,
            provider_private,
            opening=False,
            agreement_digest=agreement_digest,
            flow_id=flow_id,
            epoch=epoch,
            seal_id=seal_id,
            encapsulated_key=None,
        )
        self.encapsulated_key: bytes = self._hpke.enc
        self._kept: dict[str, bytes] | None = None
        self._sealed_passes: set[str] = set()

    @classmethod
    def resumed(
        cls,
        pass_keys: Mapping[str, bytes],
        encapsulated_key: bytes,
        *,
        agreement_digest: bytes,
        flow_id: str,
        epoch: int,
        seal_id: bytes,
    ) -> Self:
        """The sealer of an upload that broke off, from its :meth:`pass_keys`.

        Only for the very same tables: another row under the same key would repeat its nonce.
        """
        sealer = cls.__new__(cls)
        flow = flow_context(agreement_digest, flow_id, epoch)
        sealer._context = b"padan/v1 seal\x00" + flow + seal_id
        sealer._hpke = None
        sealer._kept = dict(pass_keys)
        sealer._sealed_passes = set()
        sealer.encapsulated_key = encapsulated_key
        return sealer

    def pass_keys(self, pass_ids: Iterable[str]) -> dict[str, bytes]:
        """The secret key of each pass, 32 bytes: what the owner keeps to resume an upload."""
        return {pass_id: self._pass_key(pass_id) for pass_id in pass_ids}

    def _pass_key(self, pass_id: str) -> bytes:
        if self._kept is None:
            return super()._pass_key(pass_id)
        if pass_id not in self._kept:
            raise SealError(f"no key was kept for pass {pass_id}")
        return self._kept[pass_id]

    def seal(
        self, pass_id: str, tokens: NDArray[np.uint8], payloads: NDArray[np.uint8]
    ) -> NDArray[np.uint8]:
        """Sealed codes ``uint8[n, 44]`` of a whole pass table, row i with nonce i.

        ``tokens`` and ``payloads`` are ``uint8[n, 16]`` in the table's row order. Raises SealError
        when the pass was sealed before: a second table under the same key would repeat nonces.
        """
        count = _rows(tokens, TOKEN_BYTES)
        if count != _rows(payloads, PAYLOAD_BYTES):
            raise ValueError("tokens and payloads differ in length")
        if pass_id in self._sealed_passes:
            raise SealError(f"pass {pass_id} is sealed already; a new upload needs a new Sealer")
        self._sealed_passes.add(pass_id)
        encrypt = self._cipher(pass_id).encrypt
        prefix = self._associated(pass_id)
        token_bytes, payload_bytes = tokens.tobytes(), payloads.tobytes()
        sealed: list[bytes] = []
        for row in range(count):
            nonce = row.to_bytes(NONCE_BYTES, "big")
            at = row * 16
            sealed.append(nonce)
            sealed.append(
                encrypt(nonce, payload_bytes[at : at + 16], prefix + token_bytes[at : at + 16])
            )
        return np.frombuffer(b"".join(sealed), np.uint8).reshape(count, SEALED_CODE_BYTES)


class Opener(_SealContext):
    """The requester's side of one upload: opens the codes that the unit hands over.

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
        super().__init__(
            requester_private,
            provider_public,
            opening=True,
            agreement_digest=agreement_digest,
            flow_id=flow_id,
            epoch=epoch,
            seal_id=seal_id,
            encapsulated_key=encapsulated_key,
        )

    def open(
        self, pass_id: str, tokens: NDArray[np.uint8], sealed: NDArray[np.uint8]
    ) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Payloads ``uint8[n, 16]`` and which of them are genuine, ``bool[n]``.

        ``tokens`` ``uint8[n, 16]`` are the requester's own, of the rows that were answered with
        ``sealed`` ``uint8[n, 44]``. A code that does not open (altered, of another row, pass,
        upload or agreement) gives a zero payload and False.
        """
        count = _rows(tokens, TOKEN_BYTES)
        if count != _rows(sealed, SEALED_CODE_BYTES):
            raise ValueError("tokens and sealed codes differ in length")
        decrypt = self._cipher(pass_id).decrypt
        prefix = self._associated(pass_id)
        token_bytes, sealed_bytes = tokens.tobytes(), sealed.tobytes()
        payloads: list[bytes] = []
        genuine = np.ones(count, np.bool_)
        for row in range(count):
            at = row * SEALED_CODE_BYTES
            nonce = sealed_bytes[at : at + NONCE_BYTES]
            body = sealed_bytes[at + NONCE_BYTES : at + SEALED_CODE_BYTES]
            token = token_bytes[row * TOKEN_BYTES : (row + 1) * TOKEN_BYTES]
            try:
                payloads.append(decrypt(nonce, body, prefix + token))
            except InvalidTag:
                payloads.append(bytes(PAYLOAD_BYTES))
                genuine[row] = False
        return np.frombuffer(b"".join(payloads), np.uint8).reshape(count, PAYLOAD_BYTES), genuine


def _rows(column: NDArray[np.uint8], width: int) -> int:
    if column.dtype != np.uint8 or column.ndim != 2 or column.shape[1] != width:  # noqa: PLR2004
        raise ValueError(f"a column of uint8[n, {width}] is expected")
    return int(column.shape[0])
