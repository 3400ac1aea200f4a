"""Negative vectors of direct mode: elements, proofs, labels, tables, lists, manifests (spec 60)."""

from __future__ import annotations

from typing import Any

from direct_vectors import COMMITTED, direct, element
from faults import Faults, L, P, flip, little, negative
from material import EPOCH, FLOW, key_bytes
from negative_labels import labels
from negative_manifests import agreed_manifests, manifests, sequences, signed_manifests

from padan_linkage.crypto.merkle import Tree, leaf_hash, node_hash
from padan_linkage.direct.blinding import blind
from padan_linkage.direct.commitment import CHUNK_ELEMENTS, Commitment, ListLayout
from padan_linkage.direct.oprf import epoch_key

#: A point whose encoding is so small a number that the same number plus P fits into its bits.
SMALL = 4
#: No points, from RFC 9496, appendix A.2.
NON_SQUARE = "26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371"
NEGATIVE_XY = "3eb858e78f5a7254d8c9731174a94f76755fd3941c0ac93735c07ba14579630e"
INPUTS = [b"a", b"b"]


def negative_direct() -> dict[str, Any]:
    """Faults of everything that the two parties hand each other."""
    made = direct()
    return negative(
        "60-direct-mode.md",
        elements(made),
        evaluations(made),
        labels(made),
        label_tables(made),
        committed_chunks(),
        manifests(made),
        signed_manifests(made),
        agreed_manifests(made),
        sequences(made),
    )


def wrong_points(good: bytes) -> dict[str, bytes]:
    """What is no element: bad encodings beside ``good``, one that is right."""
    return {
        "identity": bytes(32),
        "non_canonical_identity": little(P),
        "non_canonical_point": little(SMALL + P),
        "high_bit": flip(good, 31, 7),
        "negative_field_element": little(1),
        "minus_one": little(P - 1),
        "non_square": bytes.fromhex(NON_SQUARE),
        "negative_xy": bytes.fromhex(NEGATIVE_XY),
        "all_ones": b"\xff" * 32,
    }


def elements(made: dict[str, Any]) -> Faults:
    """Blinded elements, before the provider evaluates any."""
    first, second = bytes.fromhex(made["public_keys"]["nik"]), little(SMALL)
    names = ("seed", "agreement_digest", "flow_id", "epoch")
    given = {n: made[n] for n in names} | {"key_id": "nik"}
    call = Faults("element", "Evaluation", **given, elements=first + second)
    for name, raw in wrong_points(first).items():
        call.fault(name, "OprfError", elements=first + raw)
    call.fault("truncated", "OprfError", elements=(first + second)[:-1])
    call.fault("none", "OprfError", elements=b"")
    return call


def evaluations(made: dict[str, Any]) -> Faults:
    """The provider's answer to two blinded elements, and the proof of it."""
    digest = bytes.fromhex(made["agreement_digest"])
    seed = bytes.fromhex(made["seed"])
    flow = {"agreement_digest": digest, "flow_id": FLOW}
    key, wrong = (
        epoch_key(seed, **flow, epoch=epoch, key_id="nik") for epoch in (EPOCH, EPOCH + 1)
    )
    sibling = epoch_key(seed, **flow, epoch=EPOCH, key_id="nik-depan")
    randomness = b"".join(key_bytes(f"blind {i}") for i in range(4))
    blinded = blind(INPUTS, randomness).elements
    evaluated, proof = key.evaluate_blinded(blinded, key_bytes("proof"))
    theirs, _ = wrong.evaluate_blinded(blinded, key_bytes("proof"))
    others, their_proof = sibling.evaluate_blinded(blinded, key_bytes("proof"))
    one, two = evaluated[:32], evaluated[32:]
    call = Faults(
        "evaluation",
        "Evaluation",
        inputs=INPUTS,
        randomness=randomness,
        evaluated=evaluated,
        proof=proof,
        public_key=key.public_key,
    )

    def fault(name: str, **change: Any) -> None:
        call.fault(name, "OprfError", **change)

    fault("proof_bad_challenge", proof=flip(proof, 0))
    fault("proof_bad_response", proof=flip(proof, 32))
    for half, name in enumerate(("challenge", "response")):
        number = int.from_bytes(proof[32 * half :][:32], "little") + L
        spelt = proof[: 32 * half] + little(number) + proof[32 * half + 32 :]
        fault(f"proof_non_canonical_{name}", proof=spelt)
    fault("proof_zero", proof=bytes(64))
    fault("proof_truncated", proof=proof[:-1])
    fault("swapped_elements", evaluated=two + one)
    fault("repeated_element", evaluated=one + one)
    fault("unevaluated", evaluated=blinded)
    fault("wrong_epoch", evaluated=theirs)
    fault("key_of_another_key_id", evaluated=others, proof=their_proof)
    fault("public_key_of_another_key_id", public_key=sibling.public_key)
    fault("one_of_another_key", evaluated=one + theirs[32:])
    fault("truncated", evaluated=evaluated[:-1])
    fault("too_few_elements", evaluated=one)
    fault("wrong_public_key", public_key=wrong.public_key)
    fault("wrong_blinds", randomness=randomness[64:] + randomness[:64])
    for name, raw in wrong_points(key.public_key).items():
        fault(f"public_key_{name}", public_key=raw)
    for name, raw in wrong_points(two).items():
        fault(f"element_{name}", evaluated=one + raw)
    return call


def label_tables(made: dict[str, Any]) -> Faults:
    """The only chunk of a downloaded table of three rows, the hashes, and the manifest's root."""
    rows = bytes.fromhex("".join(made["rows"][:3]))
    hashes = leaf_hash(rows)
    call = Faults(
        "label_table",
        "Table",
        row_count=3,
        root=Tree([hashes]).root,
        chunk_hashes=hashes,
        chunk=0,
        rows=rows,
    )

    def fault(name: str, **change: Any) -> None:
        call.fault(name, "TableError", **change)

    fault("wrong_root", root=key_bytes("root"))
    fault("bad_hash", chunk_hashes=flip(hashes, 0))
    fault("truncated_hashes", chunk_hashes=hashes[:-1])
    fault("hash_too_many", chunk_hashes=hashes * 2)
    fault("rows_of_two_chunks", row_count=4097)
    fault("no_such_chunk", chunk=1)
    fault("bad_row", rows=flip(rows, 60))
    fault("rows_out_of_order", rows=rows[40:80] + rows[:40] + rows[80:])
    fault("truncated_rows", rows=rows[:-1])
    fault("row_missing", rows=rows[:-40])
    return call


def committed_chunks() -> Faults:
    """The last chunk of a committed list, as the provider takes it before it evaluates."""
    whole = b"".join(map(element, range(COMMITTED.element_count)))
    committed = Commitment.to(COMMITTED, whole)
    number = COMMITTED.chunk_count - 1
    last, path = whole[32 * COMMITTED.chunk(number).start :], committed.audit_path(number)
    call = Faults(
        "committed_chunk",
        "Commitment",
        root=committed.root,
        records=COMMITTED.records,
        widths=COMMITTED.widths,
        chunk=number,
        elements=last,
        audit_path=path,
    )

    def fault(name: str, **change: Any) -> None:
        call.fault(name, "CommitmentError", **change)

    fault("bad_element", elements=flip(last, 0))
    fault("swapped_elements", elements=last[32:64] + last[:32] + last[64:])
    fault("element_missing", elements=last[:-32])
    fault("element_too_many", elements=last + element(COMMITTED.element_count))
    fault("truncated_element", elements=last[:-1])
    fault("wrong_root", root=flip(committed.root, 0))
    fault("wrong_records", records=COMMITTED.records + 1)
    fault("wrong_widths", widths=COMMITTED.widths[::-1])
    fault("another_key", chunk=1)
    fault("wrong_chunk", chunk=number - 1)
    fault("no_such_chunk", chunk=number + 1)
    fault("negative_chunk", chunk=-1)
    fault("no_audit_path", audit_path=b"")
    fault("truncated_audit_path", audit_path=path[:-1])
    fault("bad_audit_path", audit_path=flip(path, 0))
    fault("audit_path_of_another_chunk", audit_path=committed.audit_path(0))
    fault("step_too_many", audit_path=path + bytes(32))
    long = ListLayout(COMMITTED.element_count, (1,))
    uncut = Commitment.to(long, whole)
    fault(
        "runs_on_into_the_next_key",
        root=uncut.root,
        chunk=1,
        elements=whole[32 * CHUNK_ELEMENTS :][: 32 * CHUNK_ELEMENTS],
        audit_path=uncut.audit_path(1),
    )
    fault("root_below_the_top", root=leaf_hash(last), audit_path=b"")
    above = node_hash(bytes(32), committed.root)
    fault("root_above_the_top", root=above, audit_path=path + bytes(32))
    return call
