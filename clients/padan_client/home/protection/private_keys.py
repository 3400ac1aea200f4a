"""What an agency's private keys are asked to do: the one place where a hardware key would stand.

The one implementation is :class:`padan_client.home.identity.Identity`, with keys in memory. A token
(PKCS#11, TPM) that signs by Ed25519 and agrees by X25519 would be another, and would take
``derive`` from a secret that it wraps. What it lacks is RFC 9180's auth mode, for which the library
wants the raw key (``Identity.exchange_private``): spec 20, "Where a hardware key would go".
"""

from __future__ import annotations

from typing import Protocol

from padan_linkage.agreement import PublicKeys


class PrivateKeys(Protocol):
    """Private keys that need not be at hand."""

    def sign(self, message: bytes) -> bytes:
        """Ed25519 signature over ``message``, 64 bytes (RFC 8032)."""

    def exchange(self, public: bytes) -> bytes:
        """X25519 with a public key, 32 bytes (RFC 7748). Raises KeyAgreementError."""

    def holding(self, keys: PublicKeys) -> PrivateKeys:
        """The present keys or former ones, whichever these belong to. Raises VerificationError."""

    def derive(self, label: bytes) -> bytes:
        """A 32-byte secret of this agency alone, the same for the same label."""
