"""Vectors of keys and sealed codes: what derives and opens, and what must be refused."""

from __future__ import annotations

from functools import partial
from typing import Any
from unittest import mock

import numpy as np
import pyarrow as pa
from Crypto.Protocol import HPKE
from Crypto.Protocol.DH import import_x25519_private_key
from material import EPOCH, FLOW, key_bytes

from padan_linkage.answering.payloads import Payloads
from padan_linkage.compiled.sha256 import hmac_sha256
from padan_linkage.crypto.epochs import contribution_statement
from padan_linkage.crypto.keys import derive_linkage_key, exchange, exchange_public_key
from padan_linkage.crypto.randomness import Drbg
from padan_linkage.crypto.sealing import Opener, Sealer
from padan_linkage.crypto.signatures import public_key, sign


def keys() -> dict[str, Any]:
    """One epoch: identities, contributions, statements, signatures, the linkage key."""
    digest = key_bytes("agreement")
    sides = {name: side(name, digest) for name in ("provider", "requester")}
    private = {n: {k: bytes.fromhex(v) for k, v in s.items()} for n, s in sides.items()}
    mine, peer = private["provider"], private["requester"]
    key = derive_linkage_key(
        exchange_static=partial(exchange, mine["exchange_private"]),
        peer_static=peer["exchange_public"],
        my_epoch=mine["epoch_private"],
        peer_epoch=peer["epoch_public"],
        agreement_digest=digest,
        flow_id=FLOW,
        epoch=EPOCH,
        provider_contribution=mine["epoch_public"],
        requester_contribution=peer["epoch_public"],
    )
    shared = {
        "shared_static": exchange(mine["exchange_private"], peer["exchange_public"]),
        "shared_epoch": exchange(mine["epoch_private"], peer["epoch_public"]),
        "linkage_secret": key._secret,  # noqa: SLF001 (a made-up secret is the point of a vector)
        "check_value": key.check_value(),
    }
    return {
        "spec": "proto/spec/20-keys.md",
        "agreement_digest": digest.hex(),
        "flow_id": FLOW,
        "epoch": EPOCH,
        **sides,
        **{name: value.hex() for name, value in shared.items()},
        "refused_public_keys": {
            "zero": bytes(32).hex(),
            "one": bytes([1] + [0] * 31).hex(),
            "short": bytes(31).hex(),
        },
    }


def side(name: str, digest: bytes) -> dict[str, str]:
    """One party's identity and contribution."""
    exchange_private = key_bytes(f"{name} exchange")
    epoch_private = key_bytes(f"{name} epoch")
    sign_private = key_bytes(f"{name} sign")
    public = exchange_public_key(epoch_private)
    statement = contribution_statement(digest, FLOW, EPOCH, name, public)
    values = {
        "sign_private": sign_private,
        "sign_public": public_key(sign_private),
        "exchange_private": exchange_private,
        "exchange_public": exchange_public_key(exchange_private),
        "epoch_private": epoch_private,
        "epoch_public": public,
        "statement": statement,
        "signature": sign(sign_private, statement),
    }
    return {key: value.hex() for key, value in values.items()}


def sealed_codes() -> dict[str, Any]:
    """Payloads, an upload's seals that open, and ones that must not, each for its one fault."""
    provider, requester = key_bytes("provider exchange"), key_bytes("requester exchange")
    context = {
        "agreement_digest": key_bytes("agreement"),
        "flow_id": FLOW,
        "epoch": EPOCH,
        "seal_id": key_bytes("seal id")[:16],
    }
    ephemeral = import_x25519_private_key(key_bytes("ephemeral"))
    with mock.patch.object(HPKE.ECC, "generate", return_value=ephemeral):
        sealer = Sealer(provider, exchange_public_key(requester), **context)
    answers = Payloads.of(
        np.array([1, 1 << 63, 5, 0], np.uint64),
        np.array([0, 1 << 31, 2, 0], np.uint32),
        np.array([False, False, False, True]),
    )
    payloads = answers.pack()
    numbers = pa.array([bytes([i]) for i in range(len(answers))], pa.large_binary())
    tokens = hmac_sha256(b"tokens", numbers)[:, :16]
    tokens = np.ascontiguousarray(tokens)
    pass_keys, drbg = sealer.keep(["lahir", "nik"]).pass_keys, Drbg(key_bytes("nonces"))
    codes = {pass_id: sealer.seal(pass_id, tokens, payloads, drbg) for pass_id in pass_keys}
    kept = {k: v.hex() if isinstance(v, bytes) else v for k, v in context.items()}
    return {
        "spec": "proto/spec/25-sealed-codes.md",
        **kept,
        "provider_public": exchange_public_key(provider).hex(),
        "requester_private": requester.hex(),
        "encapsulated_key": sealer.encapsulated_key.hex(),
        "pass_keys": {pass_id: key.hex() for pass_id, key in pass_keys.items()},
        "payloads": [
            {"codes": c, "empty": e, "decoy": d, "payload": payload.tobytes().hex()}
            for c, e, d, payload in zip(
                answers.codes.tolist(),
                answers.empty.tolist(),
                answers.decoy.tolist(),
                payloads,
                strict=True,
            )
        ],
        "tokens": [token.tobytes().hex() for token in tokens],
        "sealed": {p: [c.tobytes().hex() for c in column] for p, column in codes.items()},
        "refused": refused(
            context, requester, exchange_public_key(provider), sealer, codes, tokens
        ),
    }


def refused(
    context: dict[str, Any],
    requester: bytes,
    provider_public: bytes,
    sealer: Sealer,
    codes: dict[str, np.ndarray],
    tokens: np.ndarray,
) -> list[dict[str, Any]]:
    """One sealed code, presented with one fault at a time."""
    good = {
        "pass": "nik",
        "token": tokens[0].tobytes(),
        "sealed": codes["nik"][0].tobytes(),
        "encapsulated_key": sealer.encapsulated_key,
        "provider_public": provider_public,
        **context,
    }
    flipped, renumbered = bytearray(good["sealed"]), bytearray(good["sealed"])
    flipped[20] ^= 1
    renumbered[11] ^= 1
    faults = {
        "token_of_another_row": {"token": tokens[1].tobytes()},
        "another_pass": {"pass": "lahir"},
        "flipped_bit": {"sealed": bytes(flipped)},
        "another_nonce": {"sealed": bytes(renumbered)},
        "another_registry": {"seal_id": key_bytes("other seal id")[:16]},
        "another_epoch": {"epoch": EPOCH + 1},
        "another_flow": {"flow_id": "jf-binaan"},
        "another_agreement": {"agreement_digest": key_bytes("other agreement")},
        "another_sender": {"provider_public": exchange_public_key(key_bytes("impostor"))},
        "another_encapsulation": {"encapsulated_key": exchange_public_key(key_bytes("other"))},
    }
    result = []
    for fault, change in faults.items():
        case = good | change
        assert not opens(case, requester), fault
        shown = {k: v.hex() if isinstance(v, bytes) else v for k, v in case.items()}
        result.append({"fault": fault, **shown})
    return result


def opens(case: dict[str, Any], requester: bytes) -> bool:
    """Whether the requester can open the one code of a case."""
    names = ("agreement_digest", "flow_id", "epoch", "seal_id", "encapsulated_key")
    opener = Opener(requester, case["provider_public"], **{name: case[name] for name in names})
    token = np.frombuffer(case["token"], np.uint8).reshape(1, 16)
    code = np.frombuffer(case["sealed"], np.uint8).reshape(1, 44)
    return bool(opener.open(case["pass"], token, code)[1][0])
