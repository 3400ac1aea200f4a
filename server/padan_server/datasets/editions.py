"""What a registry's answers rest on, as its provider hands it in with the commit.

Spec: ``proto/spec/36-editions.md``. The document is for both parties; the calibrations stay here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from padan_linkage.edition.checking import (
    EditionError,
    Wanted,
    checked_calibrations,
    checked_edition,
)
from padan_server.admission.enforcement import Grant
from padan_server.base.errors import Reason, Refusal, field_invalid
from padan_server.base.model import Dataset, EditionRecord, Role
from padan_server.store.port import Store


@dataclass(frozen=True)
class HandedEdition:
    """An edition as it comes over the wire, nothing of it checked."""

    document: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    calibrations: bytes = field(repr=False)


def checked(grant: Grant, dataset: Dataset, given: HandedEdition | None) -> EditionRecord | None:
    """The edition of a whole registry; None of a delta or a list, which bring none.

    Raises a refusal where it is missing, not wanted, or cannot be relied on.
    """
    whole = dataset.role is Role.PROVIDER and not dataset.is_delta
    if whole is not (given is not None):
        raise field_invalid(
            "edition",
            "wajib untuk registri utuh dan dilarang untuk delta dan daftar",
            "required of a whole registry and forbidden to a delta or a list",
        )
    if given is None:
        return None
    # Spec 36, "Carried", step 3.
    try:
        edition = checked_edition(given.document, given.signature, _wanted(grant))
        checked_calibrations(given.calibrations, edition, grant.schema)
    except EditionError as e:
        raise Refusal(Reason.EDITION_INVALID, **grant.metadata, differs=e.differs) from None
    return EditionRecord(grant.key, edition.name(), given.document, given.signature)


def edition_of(store: Store, grant: Grant, name: str) -> EditionRecord:
    """The flow's edition of that name, or the refusal that there is none."""
    with store.read() as tx:
        found = tx.datasets.edition(grant.key, name)
    if found is None:
        raise Refusal(Reason.EDITION_NOT_FOUND, **grant.metadata)
    return found


def _wanted(grant: Grant) -> Wanted:
    return Wanted(
        agreement=grant.key.digest.hex(),
        flow=grant.flow.id,
        schema=grant.schema,
        rate=grant.flow.match.max_false_match_rate,
        keys=grant.agreement.signers(grant.flow.provider),
    )
