"""Whether two sides' encodings may be compared; a refusal names what differs."""

from __future__ import annotations

import hmac

from padan_server.admission.enforcement import Grant
from padan_server.base.errors import Reason, Refusal
from padan_server.base.model import Contribution, Encoding


def check_epoch(grant: Grant, encoding: Encoding, contributions: list[Contribution]) -> None:
    """Refuse an epoch to which not both sides have contributed."""
    parties = {c.party for c in contributions if c.epoch == encoding.epoch}
    missing = sorted({grant.flow.provider, grant.flow.requester} - parties)
    if missing:
        raise Refusal(
            Reason.EPOCH_MISMATCH,
            f"Epoch {encoding.epoch} belum lengkap: {', '.join(missing)} belum berkontribusi.",
            f"Epoch {encoding.epoch} is not complete: {', '.join(missing)} has not contributed.",
            metadata={**grant.metadata, "differs": "epoch"},
        )


def check_schema(grant: Grant, encoding: Encoding) -> None:
    """Refuse a linkage schema that is not the agreement's."""
    if not hmac.compare_digest(encoding.schema_digest, grant.schema_digest):
        raise _differs(
            grant,
            Reason.SCHEMA_MISMATCH,
            "schema",
            "Skema pemadanan berbeda dari skema di perjanjian; ambil ulang perjanjian dari unit.",
            "The linkage schema differs from the agreement's; fetch the agreement anew.",
        )


def check_sides(grant: Grant, mine: Encoding, theirs: Encoding) -> None:
    """Refuse to compare two sides that differ in schema, epoch, normaliser or key, in this order.

    Another epoch always means another key, so it is named before the key.
    """
    if not hmac.compare_digest(mine.schema_digest, theirs.schema_digest):
        raise _differs(
            grant,
            Reason.SCHEMA_MISMATCH,
            "schema",
            "Skema pemadanan kedua pihak berbeda; kedua pihak perlu skema dari perjanjian ini.",
            "The two sides' linkage schemas differ; both need the one in this agreement.",
        )
    if mine.epoch != theirs.epoch:
        raise _differs(
            grant,
            Reason.EPOCH_MISMATCH,
            "epoch",
            f"Epoch kunci berbeda: Anda {mine.epoch}, pihak lain {theirs.epoch}; sandikan ulang.",
            f"Key epochs differ: yours {mine.epoch}, theirs {theirs.epoch}; encode again.",
        )
    if mine.normaliser_version != theirs.normaliser_version:
        raise _differs(
            grant,
            Reason.NORMALISER_MISMATCH,
            "normaliser",
            f"Versi penormal berbeda: Anda {mine.normaliser_version}, pihak lain "
            f"{theirs.normaliser_version}; samakan versi Padan lalu sandikan ulang.",
            f"Normaliser versions differ: yours {mine.normaliser_version}, theirs "
            f"{theirs.normaliser_version}; use the same Padan version and encode again.",
        )
    # Spec 20, step 6.
    if not hmac.compare_digest(mine.key_check_value, theirs.key_check_value):
        raise _differs(
            grant,
            Reason.KEY_CHECK_MISMATCH,
            "key",
            "Kunci pemadanan kedua pihak berbeda; periksa identitas dan kontribusi epoch, lalu "
            "sandikan ulang.",
            "The two sides' linkage keys differ; check identities and epoch contributions, then "
            "encode again.",
        )


def _differs(grant: Grant, reason: Reason, what: str, indonesian: str, english: str) -> Refusal:
    return Refusal(reason, indonesian, english, metadata={**grant.metadata, "differs": what})
