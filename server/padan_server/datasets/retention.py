"""How long a dataset stays: for its retention once committed, before that while it is gone on with.

Spec: ``proto/spec/30-unit-mode.md``, "Uploads that come to nothing".
"""

from __future__ import annotations

from datetime import datetime, timedelta

from padan_server.admission.enforcement import Grant
from padan_server.base.model import Dataset
from padan_server.store.port import Transaction

#: After its last safe row an upload may be gone on with for so long: over a week's holidays.
RESUMABLE = timedelta(days=7)
#: Retention where an agreement that passed its checks still names none.
_DEFAULT_RETENTION_DAYS = 30


def retention_end(grant: Grant, opened: datetime) -> datetime:
    """When what was opened then is erased at the latest."""
    days = grant.flow.retention_days or _DEFAULT_RETENTION_DAYS
    # Nothing outlives the agreement that allowed it.
    return min(opened + timedelta(days=days), grant.end_time)


def upload_end(grant: Grant, opened: datetime) -> datetime:
    """Until when an upload that was opened then, and of which rows came now, may be resumed."""
    return min(grant.now + RESUMABLE, retention_end(grant, opened))


def superseded_by(tx: Transaction, committed: Dataset) -> list[Dataset]:
    """What its owner still has open and can use no more, now that ``committed`` is.

    Deltas, whose base is the newest registry no longer, and uploads of an earlier epoch.
    """
    mine = tx.datasets.uploads(committed.flow, committed.owner)
    epoch = committed.encoding.epoch
    return [upload for upload in mine if upload.is_delta or upload.encoding.epoch < epoch]
