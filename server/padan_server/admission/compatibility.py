"""Whether two sides' encodings may be compared; a refusal names what differs."""

from __future__ import annotations

import hmac

from padan_linkage.crypto.software import software
from padan_server.admission.enforcement import Grant
from padan_server.base.errors import Reason, Refusal
from padan_server.base.model import Contribution, Encoding


def check_epoch(grant: Grant, epoch: int, contributions: list[Contribution]) -> None:
    """Refuse an epoch to which not both sides have contributed."""
    parties = {c.party for c in contributions if c.epoch == epoch}
    missing = sorted({grant.flow.provider, grant.flow.requester} - parties)
    if missing:
        raise Refusal(Reason.EPOCH_MISMATCH, **grant.metadata, differs="epoch")


def check_schema(grant: Grant, encoding: Encoding) -> None:
    """Refuse a linkage schema that is not the agreement's."""
    if not hmac.compare_digest(encoding.schema_digest, grant.schema_digest):
        raise _of_another_version(Reason.SCHEMA_MISMATCH, grant, software(), encoding.made_by)


def check_sides(grant: Grant, mine: Encoding, theirs: Encoding) -> None:
    """Refuse to compare two sides that differ in schema, epoch, normaliser or key, in this order.

    Another epoch always means another key, so it is named before the key.
    """
    if not hmac.compare_digest(mine.schema_digest, theirs.schema_digest):
        raise _of_another_version(Reason.SCHEMA_MISMATCH, grant, mine.made_by, theirs.made_by)
    if mine.epoch != theirs.epoch:
        raise Refusal(Reason.EPOCH_MISMATCH, **grant.metadata, differs="epoch")
    if mine.normaliser_version != theirs.normaliser_version:
        raise _of_another_version(Reason.NORMALISER_MISMATCH, grant, mine.made_by, theirs.made_by)
    # Spec 20, step 6.
    if not hmac.compare_digest(mine.key_check_value, theirs.key_check_value):
        raise Refusal(Reason.KEY_CHECK_MISMATCH, **grant.metadata, differs="key")


def _of_another_version(reason: Reason, grant: Grant, here: str, opposite: str) -> Refusal:
    """Both made it of the same agreement, whose digest was compared: so their versions differ."""
    names = {"made_by": here, "theirs": opposite}
    differs = "schema" if reason is Reason.SCHEMA_MISMATCH else "normaliser"
    known = {name: version for name, version in names.items() if version}
    return Refusal(reason, **grant.metadata, differs=differs, **known)
