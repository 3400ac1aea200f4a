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
        raise Refusal(Reason.EPOCH_MISMATCH, **grant.metadata, differs="epoch")


def check_schema(grant: Grant, encoding: Encoding) -> None:
    """Refuse a linkage schema that is not the agreement's."""
    if not hmac.compare_digest(encoding.schema_digest, grant.schema_digest):
        raise Refusal(Reason.SCHEMA_MISMATCH, **grant.metadata, differs="schema")


def check_sides(grant: Grant, mine: Encoding, theirs: Encoding) -> None:
    """Refuse to compare two sides that differ in schema, epoch, normaliser or key, in this order.

    Another epoch always means another key, so it is named before the key.
    """
    if not hmac.compare_digest(mine.schema_digest, theirs.schema_digest):
        raise Refusal(Reason.SCHEMA_MISMATCH, **grant.metadata, differs="schema")
    if mine.epoch != theirs.epoch:
        raise Refusal(Reason.EPOCH_MISMATCH, **grant.metadata, differs="epoch")
    if mine.normaliser_version != theirs.normaliser_version:
        raise Refusal(Reason.NORMALISER_MISMATCH, **grant.metadata, differs="normaliser")
    # Spec 20, step 6.
    if not hmac.compare_digest(mine.key_check_value, theirs.key_check_value):
        raise Refusal(Reason.KEY_CHECK_MISMATCH, **grant.metadata, differs="key")
