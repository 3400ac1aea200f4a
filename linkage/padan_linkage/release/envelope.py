"""A release sealed to its receiver: what the server carries and cannot read.

HPKE auth mode (RFC 9180), so that nobody but the publisher could have sealed it, over manifest,
signature and content, padded. Spec 70, "Envelope".
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from padan_linkage.crypto.epochs import DIGEST_BYTES, framed
from padan_linkage.crypto.sealing import SealError, open_whole, seal_whole
from padan_linkage.direct.manifest import ManifestError
from padan_linkage.release.manifest import MAX_CONTENT_BYTES, Line, Release, verify_release

SIGNATURE_BYTES = 64
_LENGTH_BYTES = 4
#: Padding comes to at most a sixteenth; small contents look alike.
_SMALLEST = 4096
#: An upper bound of what a content of the largest size becomes.
MAX_SEALED_BYTES = MAX_CONTENT_BYTES + MAX_CONTENT_BYTES // 8


@dataclass(frozen=True, repr=False)
class OpenedRelease:
    """A verified release: manifest, its exact bytes, signature, content."""

    release: Release
    document: bytes
    signature: bytes
    content: bytes


def seal_release(
    release: Release,
    signature: bytes,
    content: bytes,
    publisher_private: bytes,
    receiver_public: bytes,
) -> bytes:
    """The envelope; keys are X25519, 32 bytes. Raises SealError for an unusable key."""
    document = release.document()
    inner = len(document).to_bytes(_LENGTH_BYTES, "big") + document + signature + content
    inner += bytes(padded_length(len(inner)) - len(inner))
    info = _info(release.of_line, release.version)
    return seal_whole(inner, info, publisher_private, receiver_public)


def open_release(
    sealed: bytes,
    line: Line,
    version: int,
    *,
    receiver_private: bytes,
    publisher_public: bytes,
    publisher_sign_key: bytes,
) -> OpenedRelease:
    """The release in an envelope, sealed and signed by the publisher as this version of the line.

    Raises SealError where it does not open, ManifestError where the inside is not what it says.
    """
    inner = open_whole(sealed, _info(line, version), receiver_private, publisher_public)
    length = int.from_bytes(inner[:_LENGTH_BYTES], "big")
    begin = _LENGTH_BYTES + length
    document, signature = inner[_LENGTH_BYTES:begin], inner[begin : begin + SIGNATURE_BYTES]
    release = verify_release(document, signature, publisher_sign_key, line, version)
    begin += SIGNATURE_BYTES
    end = begin + release.content_bytes
    content, padding = inner[begin:end], inner[end:]
    if hashlib.sha256(content).hexdigest() != release.content_sha256:
        raise ManifestError("content", "not what the manifest says")
    if any(padding) or len(inner) != padded_length(begin + len(content)):
        raise ManifestError("padding", "not as specified")
    return OpenedRelease(release, document, signature, content)


def padded_length(length: int) -> int:
    """``length`` rounded up to a sixteenth of its power of two, or to 4,096 bytes."""
    step = max(_SMALLEST, 1 << max(0, length.bit_length() - 5))
    return -(-length // step) * step


def _info(line: Line, version: int) -> bytes:
    if len(line.agreement_digest) != DIGEST_BYTES:
        raise SealError("an agreement digest has 32 bytes")
    names = (line.flow, line.line, line.publisher, line.receiver)
    return (
        b"padan/v1 release seal\x00"
        + line.agreement_digest
        + b"".join(framed(name) for name in names)
        + version.to_bytes(8, "big")
    )
