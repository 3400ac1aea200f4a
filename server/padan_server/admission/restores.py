"""What is done where a store may have forgotten: its past is counted in favour of the careful.

Spec: ``proto/spec/30-unit-mode.md``, "Doubt", step 6.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from padan_linkage.agreement import Agreement, Flow, SignedAgreement
from padan_server.base.clock import jakarta_day
from padan_server.base.model import FlowKey, Suspension
from padan_server.store.port import Store, Transaction

#: What the suspensions rest on, for people to read.
_CAUSE = "basis data dipulihkan, menunggu semua pihak / store restored, waits for all"
#: Lists that an epoch counts as used up by are of no year: nobody put them.
_NO_YEAR = 0


def hold(
    store: Store, agreements: Collection[SignedAgreement], restored: datetime, now: datetime
) -> list[str]:
    """Suspend each agreement in the name of all its parties, and use up what may have been used.

    A suspension may be among what was forgotten, so each party has to say that it goes on. Those
    that were held since the store was ``restored`` are left alone. Returns the others' ids.
    """
    # Spec 30, "Doubt", step 6.
    with store.read() as tx:
        unheld = [signed for signed in agreements if not tx.heads.head(signed.id, "").generation]
    if not unheld:
        return []
    with store.write() as tx:
        for signed in unheld:
            assert signed.agreement is not None
            tx.agreements.begin_restored(signed.id)
            _suspend(tx, signed.agreement, now)
            for flow in signed.agreement.flows:
                _use_up_day(tx, signed.id, flow, restored)
                _use_up_epochs(tx, signed, flow)
    return sorted(signed.id for signed in unheld)


def use_up_day(store: Store, agreements: Collection[SignedAgreement], moment: datetime) -> None:
    """Count the quota of a day of each flow as used; repeating it changes nothing."""
    with store.write() as tx:
        for signed in agreements:
            for flow in signed.agreement.flows if signed.agreement else ():
                _use_up_day(tx, signed.id, flow, moment)


def _suspend(tx: Transaction, agreement: Agreement, now: datetime) -> None:
    already = {s.party for s in tx.agreements.suspensions(agreement.id)}
    for party in agreement.parties:
        if party.id not in already:
            tx.agreements.suspend(Suspension(agreement.id, party.id, _CAUSE, now))


def _use_up_day(tx: Transaction, agreement: str, flow: Flow, restored: datetime) -> None:
    limits = [quota.records_per_day for quota in (flow.quota, flow.direct) if quota]
    day, limit = jakarta_day(restored), max(limits, default=0)
    left = limit - tx.quotas.used(agreement, flow.id, day)
    if left > 0:
        tx.quotas.charge(agreement, flow.id, day, left, limit)


def _use_up_epochs(tx: Transaction, signed: SignedAgreement, flow: Flow) -> None:
    """Let no epoch that was begun take another list: how many it had is not known."""
    key = FlowKey(signed.id, signed.digest, flow.id)
    for epoch in sorted({c.epoch for c in tx.agreements.contributions(key)} if flow.quota else ()):
        assert flow.quota is not None
        left = flow.quota.lists_per_epoch - tx.quotas.asked(key, epoch, _NO_YEAR).lists_of_epoch
        if left > 0:
            tx.quotas.count_lists(key, epoch, _NO_YEAR, left)
