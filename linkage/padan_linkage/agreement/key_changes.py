"""New keys of a party within a signed agreement: documents beside it. Spec 40, "Key changes".

A :class:`KeyChange` names the keys that it replaces, the new ones, and for each flow the first
epoch that is theirs. Old and new key sign it; where the old one is lost, every other party and the
new key do. Nothing here is secret.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from typing import Any, Literal

from pydantic import AwareDatetime, Field, field_validator
from pydantic_core import from_json

from padan_linkage.agreement.findings import (
    AgreementError,
    Finding,
    error,
    of_a_later_version,
)
from padan_linkage.agreement.model import (
    Agreement,
    AgreementModel,
    HexDigest,
    Id,
    Line,
    Mode,
    PositiveCount,
    PublicKeys,
)
from padan_linkage.agreement.rules.structure import structural_findings
from padan_linkage.crypto import signatures
from padan_linkage.crypto.software import FormatAge, format_age

FORMAT: Literal["padan key change 1"] = "padan key change 1"
SUFFIX = ".keys"
#: Whose signature it is, where not another party's.
OLD, NEW = "old", "new"
_STATEMENT = b"padan/v1 key change\x00"


class KeyChange(AgreementModel):
    """One change of one party's keys, numbered from 1.

    ``agreement``: digest of the file that it stands beside; ``lost``: the old keys are lost or in
    other hands, and nothing that they sign counts any more; ``first_epochs``: of every flow of
    unit mode that the party is a side of, the first epoch of the new keys.
    """

    format: Literal["padan key change 1"] = FORMAT
    agreement: HexDigest
    party: Id
    number: PositiveCount
    made: AwareDatetime
    lost: bool = False
    first_epochs: dict[Id, PositiveCount]
    old: PublicKeys
    new: PublicKeys

    @field_validator("old", "new")
    @classmethod
    def _whole(cls, keys: PublicKeys) -> PublicKeys:
        lengths = {len(keys.sign_key_bytes), len(keys.exchange_key_bytes)}
        if lengths != {signatures.PUBLIC_KEY_BYTES}:
            raise ValueError("a key has another length")
        return keys

    def document(self) -> bytes:
        """Canonical bytes: JSON, names sorted, no spaces, ASCII."""
        value = self.model_dump(mode="json")
        return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")

    def statement(self) -> bytes:
        """What every signer signs: a label that no other signature uses, then the document."""
        return _STATEMENT + self.document()

    def signers(self, agreement: Agreement) -> tuple[str, ...]:
        """Who has to sign: ``new``, and ``old`` or, without it, the other parties' ids."""
        others = tuple(p.id for p in agreement.parties if p.id != self.party)
        return (NEW, *(others if self.lost else (OLD,)))


class SignedKeyChange(AgreementModel):
    """A change with the signatures that it has so far, base64 by signer: what its file holds."""

    change: KeyChange
    signatures: dict[str, Line] = Field(default_factory=dict)

    @property
    def name(self) -> str:
        """What the file's name ends in, after that of the agreement."""
        return f".{self.change.party}.{self.change.number}{SUFFIX}"

    def signed(self, signer: str, signature: bytes) -> SignedKeyChange:
        """With one more signature."""
        more = {**self.signatures, signer: base64.b64encode(signature).decode("ascii")}
        return self.model_copy(update={"signatures": more})

    def text(self) -> bytes:
        """The file's content."""
        value = self.model_dump(mode="json")
        return (json.dumps(value, indent=2, sort_keys=True) + "\n").encode("ascii")

    @classmethod
    def read(cls, content: bytes) -> SignedKeyChange:
        """From a file. Raises AgreementError if it is none, or of a later version's."""
        try:
            if _is_later(from_json(content)):
                found = "Pergantian kunci ini", "This change of keys"
                raise AgreementError([of_a_later_version("key-change", *found)])
            return cls.model_validate_json(content)
        except ValueError:
            raise AgreementError(
                [
                    error(
                        "key-change-malformed",
                        "key-change",
                        "Berkas ini bukan pergantian kunci Padan.",
                        "This file is no Padan key change.",
                    )
                ]
            ) from None

    def missing(self, agreement: Agreement) -> list[str]:
        """Whose signatures are not there yet, or do not verify under their present keys."""
        statement = self.change.statement()
        keys = {p.id: p.sign_key_bytes for p in agreement.parties}
        keys |= {OLD: self.change.old.sign_key_bytes, NEW: self.change.new.sign_key_bytes}
        return [
            signer
            for signer in self.change.signers(agreement)
            if not signatures.holds(keys[signer], statement, self._given(signer))
        ]

    def _given(self, signer: str) -> bytes:
        try:
            return base64.b64decode(self.signatures.get(signer, ""), validate=True)
        except ValueError:
            return b""


def _is_later(raw: Any) -> bool:
    try:
        return format_age(raw["change"]["format"], FORMAT) is FormatAge.LATER
    except (ValueError, TypeError, KeyError):
        return False  # the model says that it is none


def with_key_changes(
    agreement: Agreement, digest: bytes, found: Iterable[SignedKeyChange]
) -> Agreement:
    """The agreement with its parties' present keys, every change verified, in the order made.

    Raises AgreementError where a change is of other bytes, out of order, without a signature that
    it needs, or would break a rule of the agreement's keys.
    """
    for signed in sorted(found, key=lambda s: (s.change.made, s.change.party, s.change.number)):
        agreement = _changed(agreement, digest, signed)
    return agreement


def _changed(agreement: Agreement, digest: bytes, signed: SignedKeyChange) -> Agreement:
    change = signed.change
    fault = _fault(agreement, digest, change)
    if fault is None and (missing := signed.missing(agreement)):
        who = ", ".join(missing)
        fault = (f"belum ditandatangani {who}", f"not signed by {who} yet")
    if fault is None:
        changed = agreement.with_keys(change.party, change.new, change.first_epochs, change.lost)
        if not structural_findings(changed):
            return changed
        fault = ("kunci barunya tidak dapat dipakai", "its new keys are not usable")
    raise AgreementError([_refused(change, *fault)])


def _fault(agreement: Agreement, digest: bytes, change: KeyChange) -> tuple[str, str] | None:
    """Why the change does not belong here, as (Indonesian, English)."""
    party = next((p for p in agreement.parties if p.id == change.party), None)
    if change.agreement != digest.hex() or party is None:
        return "milik perjanjian lain", "it is of another agreement"
    if change.number != len(agreement.former_keys(change.party)) + 1 or change.old != party.keys:
        return "kunci yang digantinya bukan yang berlaku", "the keys it replaces are not in use"
    before = agreement.former_keys(change.party)
    had = {k for f in before for k in _both(f.keys)} | set(_both(change.old))
    if had & set(_both(change.new)):
        return "kunci barunya pernah dipakai", "its new keys were in use before"
    wanted = set(unit_flows(agreement, change.party))
    if set(change.first_epochs) != wanted:
        return "epok pertamanya tidak lengkap", "its first epochs are not those of its flows"
    if any(k.first_epochs.get(f, 1) > change.first_epochs[f] for k in before for f in wanted):
        return "epok pertamanya mundur", "its first epochs go backwards"
    return None


def unit_flows(agreement: Agreement, party: str) -> list[str]:
    """The flows of unit mode that ``party`` is a side of: those that have epochs of both."""
    return [
        f.id for f in agreement.flows if Mode.UNIT in f.modes and party in {f.provider, f.requester}
    ]


def _both(keys: PublicKeys) -> tuple[str, str]:
    return keys.sign_key, keys.exchange_key


def _refused(change: KeyChange, indonesian: str, english: str) -> Finding:
    return error(
        "key-change-refused",
        f"party[{change.party}].keys[{change.number}]",
        f"Pergantian kunci tidak berlaku: {indonesian}.",
        f"The change of keys does not hold: {english}.",
    )
