"""Negative vectors of keys, contributions and sealed codes (spec 20 and 25)."""

from __future__ import annotations

from typing import Any

from faults import Faults, L, P, flip, little, negative
from key_vectors import keys, sealed_codes
from material import EPOCH, FLOW, key_bytes

from padan_linkage.crypto.epochs import contribution_statement
from padan_linkage.crypto.keys import exchange_public_key
from padan_linkage.crypto.signatures import sign

#: Numbers of small order on Curve25519, which force an all-zero result (RFC 7748, section 6.1).
SMALL_ORDER = {
    "zero": 0,
    "one": 1,
    "order_8": 325606250916557431795983626356110631294008115727848805560023387167927233504,
    "other_order_8": 39382357235489614581723060781553021112529911719440698176882885853963445705823,
    "minus_one": P - 1,
    "non_canonical_zero": P,
    "non_canonical_one": P + 1,
    "high_bit_zero": 2**255,
}
AGREEMENT = "kemnaker-bkn-2024"


def negative_keys() -> dict[str, Any]:
    """Faults of exchanges, contributions, derivations and subkeys."""
    made = keys()
    return negative(
        "20-keys.md", exchanges(made), contributions(made), linkage_keys(made), subkeys(made)
    )


def side(made: dict[str, Any], party: str) -> dict[str, bytes]:
    """One party's bytes of the positive vectors."""
    return {name: bytes.fromhex(value) for name, value in made[party].items()}


def exchanges(made: dict[str, Any]) -> Faults:
    """X25519."""
    private = side(made, "provider")["epoch_private"]
    public = side(made, "requester")["epoch_public"]
    call = Faults("exchange", "Derivation", private=private, public=public)
    for name, number in SMALL_ORDER.items():
        call.fault(f"public_key_{name}", "KeyAgreementError", public=little(number))
    call.fault("public_key_truncated", "KeyAgreementError", public=public[:-1])
    call.fault("public_key_too_long", "KeyAgreementError", public=public + b"\x00")
    call.fault("private_key_truncated", "KeyAgreementError", private=private[:-1])
    return call


def contributions(made: dict[str, Any]) -> Faults:
    """A contribution as the unit relays it, and its peer takes it."""
    mine = side(made, "provider")
    digest, public, signature = key_bytes("agreement"), mine["epoch_public"], mine["signature"]
    place = f"agreements/{AGREEMENT}/flows/{FLOW}/epochs"
    call = Faults(
        "contribution",
        "Contributions",
        agreement=AGREEMENT,
        agreement_digest=digest,
        flow_id=FLOW,
        epoch=f"{place}/{EPOCH}",
        party="provider",
        sign_public=mine["sign_public"],
        public_key=public,
        signature=signature,
    )
    response = int.from_bytes(signature[32:], "little")
    point = little(1)  # the neutral element, under which anybody can sign anything
    faults: dict[str, dict[str, Any]] = {
        "bad_signature": {"signature": flip(signature, 40)},
        "truncated_signature": {"signature": signature[:-1]},
        "non_canonical_signature": {"signature": signature[:32] + little(response + L)},
        "unlabelled_signature": {"signature": unlabelled(digest, public)},
        "wrong_signer": {"sign_public": side(made, "requester")["sign_public"]},
        "small_order_signer": {"sign_public": point, "signature": point + bytes(32)},
        "wrong_agreement": {"agreement_digest": key_bytes("other agreement")},
        "wrong_flow": {"epoch": f"agreements/{AGREEMENT}/flows/jf-binaan/epochs/{EPOCH}"},
        "wrong_epoch": {"epoch": f"{place}/{EPOCH + 1}"},
        "epoch_zero": {"epoch": f"{place}/0"},
        "epoch_with_leading_zero": {"epoch": f"{place}/0{EPOCH}"},
        "wrong_party": {"party": "requester"},
        "strange_party": {"party": "bps"},
        "wrong_public_key": {"public_key": side(made, "requester")["epoch_public"]},
        "truncated_public_key": {"public_key": public[:-1]},
    }
    for name, change in faults.items():
        call.fault(name, "VerificationError", **change)
    return call


def unlabelled(digest: bytes, public: bytes) -> bytes:
    """A signature over the statement without the label that no other signature has."""
    statement = contribution_statement(digest, FLOW, EPOCH, "provider", public)
    return sign(key_bytes("provider sign"), statement.partition(b"\x00")[2])


def linkage_keys(made: dict[str, Any]) -> Faults:
    """The provider derives the key, and its check value meets the requester's."""
    mine, peer = side(made, "provider"), side(made, "requester")
    foreign = exchange_public_key(key_bytes("other epoch"))
    call = Faults(
        "linkage_key",
        "Derivation; Check value",
        my_static=mine["exchange_private"],
        peer_static=peer["exchange_public"],
        my_epoch=mine["epoch_private"],
        peer_epoch=peer["epoch_public"],
        agreement_digest=key_bytes("agreement"),
        flow_id=FLOW,
        epoch=EPOCH,
        provider_contribution=mine["epoch_public"],
        requester_contribution=peer["epoch_public"],
        check_value=made["check_value"],
    )
    unusable, differs = "KeyAgreementError", "Refusal:KEY_CHECK_MISMATCH"
    own = mine["epoch_public"]
    call.fault("foreign_contribution", unusable, requester_contribution=foreign)
    call.fault("foreign_peer_epoch", unusable, peer_epoch=foreign)
    call.fault("reflected_contribution", unusable, peer_epoch=own, requester_contribution=own)
    call.fault("peer_static_zero", unusable, peer_static=bytes(32))
    call.fault("peer_static_truncated", unusable, peer_static=peer["exchange_public"][:-1])
    call.fault("truncated_agreement_digest", "ValueError", agreement_digest=key_bytes("x")[:-1])
    call.fault("epoch_zero", "ValueError", epoch=0)
    call.fault("wrong_static", differs, my_static=key_bytes("impostor"))
    call.fault("wrong_peer_static", differs, peer_static=foreign)
    call.fault("wrong_agreement", differs, agreement_digest=key_bytes("other agreement"))
    call.fault("wrong_flow", differs, flow_id="jf-binaan")
    call.fault("wrong_epoch", differs, epoch=EPOCH + 1)
    call.fault(
        "swapped_contributions",
        differs,
        provider_contribution=peer["epoch_public"],
        requester_contribution=mine["epoch_public"],
    )
    call.fault("bad_check_value", differs, check_value=flip(bytes.fromhex(made["check_value"]), 0))
    return call


def subkeys(made: dict[str, Any]) -> Faults:
    """A subkey of a linkage secret."""
    digest = key_bytes("schema")
    secret = bytes.fromhex(made["linkage_secret"])
    call = Faults(
        "subkey",
        "Subkeys",
        linkage_secret=secret,
        schema_digest=digest,
        label="token",
        names=["nik"],
    )
    call.fault("truncated_secret", "ValueError", linkage_secret=secret[:-1])
    call.fault("truncated_schema_digest", "ValueError", schema_digest=digest[:-1])
    return call


# Sealed codes


def negative_sealed_codes() -> dict[str, Any]:
    """Faults of a sealed code on its way, and of the payload in it."""
    made = sealed_codes()
    return negative("25-sealed-codes.md", codes(made), payloads(made))


def codes(made: dict[str, Any]) -> Faults:
    """One code, opened by the requester; what ``refused`` of the positive file has, and more."""
    public = ("agreement_digest", "seal_id", "encapsulated_key", "provider_public")
    valid: dict[str, Any] = {name: bytes.fromhex(made[name]) for name in public}
    sealed = bytes.fromhex(made["sealed"]["nik"][0])
    call = Faults(
        "sealed_code",
        "Opening",
        **valid,
        flow_id=made["flow_id"],
        epoch=made["epoch"],
        requester_private=made["requester_private"],
        token=made["tokens"][0],
        sealed=sealed,
        **{"pass": "nik"},
    )
    for case in made["refused"]:
        name = case["fault"].replace("another_", "wrong_")
        change = {
            key: case[key] for key, value in call.valid.items() if case.get(key, value) != value
        }
        call.fault(name, "", **change)
    call.fault("wrong_receiver", "", requester_private=key_bytes("impostor"))
    call.fault("bad_tag", "", sealed=flip(sealed, 43))
    call.fault("zero_tag", "", sealed=sealed[:28] + bytes(16))
    call.fault("truncated", "ValueError", sealed=sealed[:-1])
    call.fault("truncated_token", "ValueError", token=bytes.fromhex(made["tokens"][0])[:-1])
    call.fault("truncated_seal_id", "SealError", seal_id=valid["seal_id"][:-1])
    key = valid["encapsulated_key"]
    call.fault("truncated_encapsulation", "SealError", encapsulated_key=key[:-1])
    call.fault("small_order_encapsulation", "SealError", encapsulated_key=little(1))
    call.fault("small_order_sender", "SealError", provider_public=bytes(32))
    return call


def payloads(made: dict[str, Any]) -> Faults:
    """A payload that a seal held."""
    payload = bytes.fromhex(made["payloads"][0]["payload"])
    call = Faults("payload", "Payload", payload=payload)
    call.fault("version_zero", "", payload=b"\x00" + payload[1:])
    call.fault("unknown_version", "", payload=b"\x02" + payload[1:])
    call.fault("unknown_flag", "", payload=payload[:1] + b"\x02" + payload[2:])
    call.fault("unknown_flag_beside_decoy", "", payload=payload[:1] + b"\x81" + payload[2:])
    call.fault("truncated", "ValueError", payload=payload[:-1])
    call.fault("too_long", "ValueError", payload=payload + b"\x00")
    return call
