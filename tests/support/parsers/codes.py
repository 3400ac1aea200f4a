"""Bytes of the protocol itself: group elements, proofs, audit paths, envelopes, sealed codes."""

from __future__ import annotations

import hashlib
from functools import cache

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from padan_linkage.crypto import signatures
from padan_linkage.crypto.merkle import HASH_BYTES, Tree, leaf_hash
from padan_linkage.crypto.sealing import SealError, open_whole, seal_whole
from padan_linkage.direct.blinding import verify_proof
from padan_linkage.direct.commitment import (
    CHUNK_ELEMENTS,
    Commitment,
    CommitmentError,
    ListLayout,
    verify_chunk,
)
from padan_linkage.direct.lanes.constants import GENERATOR
from padan_linkage.direct.manifest import ManifestError
from padan_linkage.direct.oprf import OprfError, epoch_key
from padan_linkage.direct.table import ROW_BYTES, TableError, split_hashes
from padan_linkage.direct.table import verify_chunk as verify_table_chunk
from padan_linkage.release.envelope import open_release, seal_release
from padan_linkage.release.manifest import Release, release_statement
from padan_server.base.model import FlowKey
from padan_server.direct.worker import EvaluationRequest, answer
from parsers.documents import LINE, PRIVATE, PUBLIC
from parsers.target import Target

OWN, OTHER = (bytes([n]) * 32 for n in (1, 2))


def _public(private: bytes) -> bytes:
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


@cache
def _envelope() -> bytes:
    content = b"kode,nama\nA1,Satu\n"
    release = Release(
        agreement=LINE.agreement, agreement_digest="ab" * 32, flow=LINE.flow, line=LINE.line,
        kind="reference", publisher=LINE.publisher, receiver=LINE.receiver, version=2,
        previous="cd" * 32, created="2026-11-20T03:00:00Z", as_of="2026-11-20",
        content_bytes=len(content), content_sha256=hashlib.sha256(content).hexdigest(), rows=1,
    )  # fmt: skip
    signature = signatures.sign(PRIVATE, release_statement(release.document()))
    return seal_release(release, signature, content, OWN, _public(OTHER))


def _read_envelope(content: bytes) -> None:
    """As it comes, and as it would be inside a seal that its publisher made."""
    inside = seal_whole(content, b"inside", OWN, _public(OTHER))
    assert open_whole(inside, b"inside", OTHER, _public(OWN)) == content
    open_release(
        content, LINE, 2,
        receiver_private=OTHER, publisher_public=_public(OWN), publisher_sign_key=PUBLIC,
    )  # fmt: skip


_KEY = epoch_key(OWN, agreement_digest=OTHER, flow_id="asn-status", epoch=3, key_id="nik")


def _proof() -> bytes:
    """Blinded and evaluated element, the proof, the public key."""
    evaluated, proof = _KEY.evaluate_blinded(GENERATOR, bytes(32))
    return GENERATOR + evaluated + proof + _KEY.public_key


def _read_proof(content: bytes) -> None:
    verify_proof(content[:32], content[32:64], content[64:128], content[128:])


_LAYOUT = ListLayout(CHUNK_ELEMENTS + 1, (1,))
_LIST = Commitment.to(_LAYOUT, GENERATOR * (CHUNK_ELEMENTS + 1))


def _read_chunk(content: bytes) -> None:
    path, elements = content[:HASH_BYTES], content[HASH_BYTES:]
    verify_chunk(_LIST.root, _LAYOUT, 1, elements, path)


_LEAF = leaf_hash(bytes(ROW_BYTES))


def _read_rows(content: bytes) -> None:
    leaves = split_hashes(content[:HASH_BYTES], 1, Tree([_LEAF]).root)
    verify_table_chunk(leaves, 1, 0, content[HASH_BYTES:])


def _request() -> bytes:
    flow = FlowKey("kemnaker-bkn-2024", OTHER, "asn-status")
    return EvaluationRequest.of(OWN, _KEY.public_key, flow, 3, "nik", GENERATOR).pack()


def _read_request(content: bytes) -> None:
    assert isinstance(answer(content), bytes)


CODES = (
    Target(
        "release-envelope", _read_envelope, lambda: [_envelope()], (SealError, ManifestError),
        ("linkage.release.envelope.open_release", "linkage.crypto.sealing.open_whole"),
    ),
    Target(
        "oprf-proof", _read_proof, lambda: [_proof()], (OprfError,),
        ("linkage.direct.blinding.verify_proof",),
    ),
    Target(
        "list-chunk", _read_chunk, lambda: [_LIST.audit_path(1) + GENERATOR], (CommitmentError,),
        ("linkage.direct.commitment.verify_chunk",),
    ),
    Target(
        "table-chunk", _read_rows, lambda: [_LEAF + bytes(ROW_BYTES)], (TableError,),
        ("linkage.direct.table.verify_chunk",),
    ),
    Target(
        "evaluation-request", _read_request, lambda: [_request()], (),
        ("server.direct.worker.EvaluationRequest.unpack",),
    ),
)  # fmt: skip
