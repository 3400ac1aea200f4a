"""A known answer for the compiled kernels, asked for before a key or a blind is made.

A kernel that computes something else (left over on disk from another version, or built for another
processor) would show as people who are not found. So the first thing that they compute is a batch
of RFC 9497, appendix A.1.2, from the seed to the output.
"""

from __future__ import annotations

import functools

from padan_linkage.direct.lanes import group
from padan_linkage.direct.suite import hashing, proofs, scalars
from padan_linkage.direct.suite.elements import Elements, split
from padan_linkage.direct.suite.sha512 import HashInputs

_INPUTS = [b"\x00", b"\x5a" * 17]
_BLINDS = (
    "64d37aed22a27f5191de1c1d69fadb899d8862b58eb4220029e036ec4c1f6706"
    "222a5e897cf59db8145db8d16e597e8facb80ae7d4e26d9881aa6f61d645fc0e"
)
_NONCE = "419c4f4f5052c53c45f3da494d2b67b220d02118e0857cdbcf037f9ea84bbe0c"
_PUBLIC = "c803e2cc6b05fc15064549b5920659ca4a77b2cca6f04f6b357009335476ad4e"
_PROOF = (
    "cc203910175d786927eeb44ea847328047892ddf8590e723c37205cb74600b0a"
    "5ab5337c8eb4ceae0494c2cf89529dcf94572ed267473d567aeed6ab873dee08"
)
_OUTPUTS = (
    "b58cfbe118e0cb94d79b5fd6a6dafb98764dff49c14e1770b566e42402da1a7d"
    "a4d8527693914139caee5bd03903af43a491351d23b430948dd50cde10d32b3c"
    "8a9a2f3c7f085b65933594309041fc1898d42d0858e59f90814ae90571a6df60"
    "356f4610bf816f27afdd84f47719e480906d27ecd994985890e5f539e7ea74b6"
)


class WrongKernelError(RuntimeError):
    """The compiled kernels do not compute the oblivious PRF."""


@functools.cache
def check_kernels() -> None:
    """Returns if they give the known answer; raises WrongKernelError otherwise."""
    if _known_answer() != (_PUBLIC, _PROOF, _OUTPUTS, True):
        raise WrongKernelError(
            "the compiled kernels of direct mode give a wrong answer, most likely left over from "
            "another version: delete the __pycache__ folders below padan_linkage/direct (or the "
            "folder that NUMBA_CACHE_DIR names) and start again"
        )


def _known_answer() -> tuple[str, str, str, bool]:
    """Public key, proof and outputs in hexadecimal; whether the proof verifies."""
    secret = hashing.derive_secret(b"\xa3" * 32, b"test key")
    public = group.encode(group.base_multiply_each(secret))
    inputs, blinds = HashInputs.of(_INPUTS), scalars.rows(bytes.fromhex(_BLINDS))
    mapped = group.map_to_group(hashing.hash_to_uniform(inputs))
    raw = group.encode_products_each(mapped, blinds)
    blinded = Elements.decode(raw)
    evaluated = Elements.decode(group.encode(group.multiply_all(blinded.points, secret[0])))
    nonce = split(bytes.fromhex(_NONCE))
    proof = proofs.prove_with(secret, public, blinded, evaluated.raw, nonce)
    holds = proofs.proof_holds(public, blinded, evaluated, proof)
    unblinded = group.encode_products_each(evaluated.points, scalars.invert(blinds))
    outputs = hashing.finalize(inputs, unblinded)
    return public.tobytes().hex(), proof.hex(), outputs.tobytes().hex(), holds
