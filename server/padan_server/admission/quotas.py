"""What a flow may ask for: of a list at once, and of a day in Jakarta over all its calls.

Lists are charged here, in the transaction that takes them; single questions are charged ahead, by
:mod:`.ledger`. Spec: ``proto/spec/30-unit-mode.md``, "Quotas".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from padan_linkage.agreement import Mode, Quota
from padan_server.admission.enforcement import Grant
from padan_server.base.clock import jakarta_day
from padan_server.base.errors import Reason, Refusal
from padan_server.base.model import AskedSoFar, FlowKey
from padan_server.base.pieces import InPieces
from padan_server.store.port import Store, Transaction


@dataclass(frozen=True)
class Account:
    """A flow's quota of one day; another limit, after an amendment, is another account."""

    agreement: str
    flow: str
    day: date
    limit: int

    @classmethod
    def of(cls, grant: Grant) -> Account:
        """The account that a call admitted now is charged to."""
        limit = quota_of(grant).records_per_day
        return cls(grant.key.agreement, grant.key.flow, jakarta_day(grant.now), limit)

    def used(self, tx: Transaction) -> int:
        """Records charged so far."""
        return tx.quotas.used(self.agreement, self.flow, self.day)

    def charge(self, tx: Transaction, records: int) -> bool:
        """Charge ``records``; False, and nothing charged, if the day has not so much left."""
        day = self.agreement, self.flow, self.day
        return tx.quotas.charge(*day, records, self.limit) is not None

    def give_back(self, tx: Transaction, records: int) -> None:
        """Take off what was charged ahead and not used."""
        if records:
            tx.quotas.give_back(self.agreement, self.flow, self.day, records)


def charge(tx: Transaction, grant: Grant, records: int) -> None:
    """Charge ``records`` to the flow's day in Jakarta, or refuse; atomic with all of ``tx``."""
    account = Account.of(grant)
    if not account.charge(tx, records):
        raise day_exceeded(grant, account.used(tx))


def count_list(tx: Transaction, grant: Grant, epoch: int) -> None:
    """Count a list to its epoch and year, or refuse; atomic with all of ``tx``."""
    # Spec 32, "Lists", step 1.
    quota, year = quota_of(grant), jakarta_day(grant.now).year
    asked = tx.quotas.asked(grant.key, epoch, year)
    for reason, limit, used in (
        (Reason.EPOCH_LISTS_EXCEEDED, quota.lists_per_epoch, asked.lists_of_epoch),
        (Reason.YEAR_LISTS_EXCEEDED, quota.lists_per_year, asked.lists_of_year),
    ):
        if used >= limit:
            raise Refusal(reason, **grant.metadata, limit=limit, used=used)
    check_epochs(grant, asked)
    tx.quotas.count_lists(grant.key, epoch, year, 1)


def check_epochs(grant: Grant, asked: AskedSoFar) -> None:
    """Refuse a new epoch in a year that has had as many as the agreement allows."""
    limit, used = quota_of(grant).epochs_per_year, asked.epochs_of_year
    if not asked.known and used >= limit:
        raise Refusal(Reason.YEAR_EPOCHS_EXCEEDED, **grant.metadata, limit=limit, used=used)


def day_exceeded(grant: Grant, used: int) -> Refusal:
    """The refusal of records on a day of which ``used`` are used."""
    limit = quota_of(grant).records_per_day
    return Refusal(Reason.QUOTA_DAY_EXCEEDED, **grant.metadata, limit=limit, used=used)


def questions_closed(grant: Grant) -> Refusal:
    """The refusal of single questions on a day on which they asked too often about one row."""
    return Refusal(Reason.QUESTIONS_CLOSED, **grant.metadata)


def check_batch(grant: Grant, records: int) -> None:
    """Refuse a list that is longer than the flow allows, or shorter."""
    quota = quota_of(grant)
    if records > quota.records_per_list:
        raise Refusal(Reason.QUOTA_LIST_EXCEEDED, **grant.metadata, limit=quota.records_per_list)
    if records < quota.minimum_batch:
        raise Refusal(Reason.BATCH_TOO_SMALL, **grant.metadata, limit=quota.minimum_batch)


def quota_of(grant: Grant) -> Quota:
    """What the agreement lets the flow ask for, in the mode that is admitted."""
    # No quota in the agreement means nothing may be asked.
    quota = grant.flow.quota or Quota(records_per_day=0, records_per_list=0)
    direct = grant.flow.direct
    if grant.mode is Mode.UNIT or direct is None:
        return quota
    return Quota(
        records_per_day=direct.records_per_day,
        records_per_list=direct.records_per_list,
        minimum_batch=direct.minimum_batch,
    )


class AskedEpochs:
    """The epochs that single questions were asked in, each noted once a year; for many threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._noted: set[tuple[FlowKey, int, int]] = set()

    def note(self, grant: Grant, epoch: int, pieces: InPieces) -> None:
        """Note the epoch of a question, or refuse one too many; durable on return."""
        year = jakarta_day(grant.now).year
        if (grant.key, epoch, year) in self._noted:
            return
        with pieces.waiting(), self._store.write() as tx:
            check_epochs(grant, tx.quotas.asked(grant.key, epoch, year))
            tx.quotas.count_lists(grant.key, epoch, year, 0)
        self._noted.add((grant.key, epoch, year))
