"""From the bytes of an agreement file to a checked agreement, and its detached signatures.

Everything here is about exact bytes: the digest and the signatures cover the file as it stands,
comments and spaces too. Spec 40, "File" and "Signatures".
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from padan_linkage.agreement.bounded_toml import TomlTextError, read_toml
from padan_linkage.agreement.findings import (
    AgreementError,
    Finding,
    Severity,
    error,
    of_a_later_version,
)
from padan_linkage.agreement.model import FORMAT, Agreement
from padan_linkage.agreement.problems import explain
from padan_linkage.agreement.rules.direct import DIRECT_STRUCTURE
from padan_linkage.agreement.rules.releases import RELEASE_STRUCTURE
from padan_linkage.agreement.rules.structure import structural_findings
from padan_linkage.crypto import signatures
from padan_linkage.crypto.software import FormatAge, format_age

_STATEMENT = b"padan/v1 agreement\x00"
#: Documents whose agreements are kept: a command reads its own several times, a server those of
#: its folder every minute, and reading one takes as long as asking a question.
_KEPT = 16


def agreement_digest(document: bytes) -> bytes:
    """SHA-256 of the exact bytes, 32 bytes: the salt of every linkage key under the agreement."""
    return hashlib.sha256(document).digest()


def signature_statement(document: bytes) -> bytes:
    """The message that each party signs: a label that no other signature uses, then the bytes."""
    return _STATEMENT + document


def parse_agreement(document: bytes) -> Agreement:
    """The agreement as typed values, checked for types alone; raises AgreementError.

    Of one in a later form nothing else is told: what it holds is not known here.
    """
    raw = _toml(document)
    if _is_later(raw):
        raise AgreementError([of_a_later_version("format", "Perjanjian ini", "This agreement")])
    try:
        return Agreement.model_validate(raw)
    except ValidationError as e:
        raise AgreementError(explain(e, raw)) from None


def _is_later(raw: Mapping[str, Any]) -> bool:
    try:
        return format_age(raw.get("format", FORMAT), FORMAT) is FormatAge.LATER
    except ValueError:
        return False  # the model says what it should have been


@lru_cache(_KEPT)
def load_agreement(document: bytes) -> Agreement:
    """The agreement, safe to run on: types and references hold. Raises AgreementError otherwise.

    What a lawyer or engineer would object to beyond that is :func:`lint`'s. The same bytes give
    the same values, which are not made again.
    """
    agreement = parse_agreement(document)
    found = structural_findings(agreement)
    found += [f for rule in (*DIRECT_STRUCTURE, *RELEASE_STRUCTURE) for f in rule(agreement)]
    broken = [f for f in found if f.severity is Severity.ERROR]
    if broken:
        raise AgreementError(broken)
    return agreement


def verify_signatures(document: bytes, signed: Mapping[str, bytes]) -> Agreement:
    """The agreement, if every party signed these exact bytes; raises AgreementError otherwise.

    ``signed`` maps party ids to 64-byte signatures; one of a stranger is an error too.
    """
    agreement = load_agreement(document)
    statement = signature_statement(document)
    wrong = [
        f
        for p in agreement.parties
        if (f := _signature_problem(p.id, p.sign_key_bytes, statement, signed))
    ]
    wrong += [
        error(
            "signature-stranger",
            f"signature[{party}]",
            "Ada tanda tangan dari yang bukan pihak perjanjian ini; hapus berkasnya.",
            "Signed by somebody who is no party to this agreement; remove the file.",
        )
        for party in sorted(set(signed) - {p.id for p in agreement.parties})
    ]
    if wrong:
        raise AgreementError(wrong)
    return agreement


def signature_name(agreement_id: str, party: str) -> str:
    """File name of a party's detached signature."""
    return f"{agreement_id}.toml.{party}.sig"


def signature_text(signature: bytes) -> str:
    """Content of a signature file: base64 on one line."""
    return _base64(signature) + "\n"


def parse_signature(text: str) -> bytes:
    """The 64 bytes of a signature file. Raises ValueError if it is anything else."""
    try:
        signature = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, UnicodeError) as e:
        raise ValueError("not base64") from e
    if len(signature) != signatures.SIGNATURE_BYTES:
        raise ValueError(f"{len(signature)} bytes, not {signatures.SIGNATURE_BYTES}")
    return signature


def _toml(document: bytes) -> dict[str, Any]:
    try:
        return read_toml(document)
    except TomlTextError as e:
        raise AgreementError([error(e.code, e.where, e.indonesian, e.english)]) from None


def _signature_problem(
    party: str, key: bytes, statement: bytes, signed: Mapping[str, bytes]
) -> Finding | None:
    where = f"signature[{party}]"
    if not key:
        return error(
            "key-missing",
            f"party[{party}].sign_key",
            "Kunci tanda tangan pihak ini belum diisi, jadi tidak ada yang dapat diperiksa.",
            "The party's signing key is not filled in, so nothing can be verified.",
        )
    if party not in signed:
        return error(
            "signature-missing",
            where,
            "Pihak ini belum menandatangani; jalankan `padan agreement sign`.",
            "This party has not signed; run `padan agreement sign`.",
        )
    try:
        signatures.verify(key, statement, signed[party])
    except signatures.SignatureError:
        return error(
            "signature-invalid",
            where,
            "Tanda tangan tidak cocok: berkas berubah setelah ditandatangani, atau kuncinya lain.",
            "The signature does not verify: the file changed after signing, or the key is another.",
        )
    return None


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")
