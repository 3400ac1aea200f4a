"""Suspensions, key epochs, quotas and request ids in SQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

import sqlalchemy as sa

from padan_linkage.crypto.heads import RESTORED
from padan_server.base.model import (
    AnsweredRequest,
    AskedSoFar,
    Contribution,
    FlowKey,
    RequestKey,
    StoreMark,
    Suspension,
)
from padan_server.store.sql.datasets import of_flow
from padan_server.store.sql.heads import SqlHeads
from padan_server.store.sql.tables import (
    contributions,
    datasets,
    from_micros,
    marks,
    quota_days,
    quota_epochs,
    releases,
    requests,
    runs,
    suspensions,
    to_micros,
)


class SqlAgreements:
    """:class:`padan_server.store.port.AgreementStore` over one connection."""

    def __init__(self, connection: sa.Connection, heads: SqlHeads) -> None:
        self._connection = connection
        self._heads = heads
        self.changed = False

    def suspend(self, suspension: Suspension) -> None:
        """Keep a suspension; a party's second one replaces its first."""
        self._drop(suspension.agreement, suspension.party)
        self._connection.execute(
            suspensions.insert().values(
                agreement=suspension.agreement,
                party=suspension.party,
                article=suspension.article,
                create_time=to_micros(suspension.create_time),
            )
        )
        told = {"party": suspension.party, "article": suspension.article}
        self._heads.append(suspension.agreement, "", "suspended", **told)

    def resume(self, agreement: str, party: str) -> None:
        """Drop a party's suspension, if there is one."""
        if self._drop(agreement, party):
            self._heads.append(agreement, "", "resumed", party=party)

    def begin_restored(self, agreement: str) -> None:
        """Say in the agreement's chain that it begins anew, by a restore that was declared."""
        # Spec 30, "Heads", step 6.
        self._heads.append(agreement, "", RESTORED)

    def _drop(self, agreement: str, party: str) -> bool:
        self.changed = True
        dropped = self._connection.execute(
            suspensions.delete().where(
                suspensions.c.agreement == agreement, suspensions.c.party == party
            )
        )
        return bool(dropped.rowcount)

    def suspensions(self, agreement: str) -> list[Suspension]:
        """Standing suspensions, oldest first."""
        rows = self._connection.execute(
            sa.select(suspensions)
            .where(suspensions.c.agreement == agreement)
            .order_by(suspensions.c.create_time, suspensions.c.party)
        )
        return [
            Suspension(r.agreement, r.party, r.article, from_micros(r.create_time)) for r in rows
        ]

    def add_contribution(self, contribution: Contribution) -> None:
        """Keep a contribution; one per flow, epoch and party."""
        self._connection.execute(
            contributions.insert().values(
                agreement=contribution.flow.agreement,
                agreement_digest=contribution.flow.digest,
                flow=contribution.flow.flow,
                epoch=contribution.epoch,
                party=contribution.party,
                public_key=contribution.public_key,
                signature=contribution.signature,
                create_time=to_micros(contribution.create_time),
            )
        )
        flow = contribution.flow
        self._heads.append(
            flow.agreement,
            flow.flow,
            "joined",
            document=flow.digest.hex(),
            epoch=contribution.epoch,
            party=contribution.party,
        )

    def contributions(
        self, flow: FlowKey, *, epoch: int | None = None, skip: int = 0, limit: int | None = None
    ) -> list[Contribution]:
        """Contributions of a flow, newest epoch first, then by party."""
        query = (
            sa.select(contributions)
            .where(*of_flow(contributions, flow))
            .order_by(contributions.c.epoch.desc(), contributions.c.party)
            .offset(skip)
            .limit(limit)
        )
        if epoch is not None:
            query = query.where(contributions.c.epoch == epoch)
        rows = self._connection.execute(query)
        return [
            Contribution(
                flow,
                r.epoch,
                r.party,
                bytes(r.public_key),
                bytes(r.signature),
                from_micros(r.create_time),
            )
            for r in rows
        ]


class SqlQuotas:
    """:class:`padan_server.store.port.QuotaStore` over one connection."""

    def __init__(self, connection: sa.Connection, heads: SqlHeads) -> None:
        self._connection = connection
        self._heads = heads

    def charge(self, agreement: str, flow: str, day: date, records: int, limit: int) -> int | None:
        """Add ``records`` to the day unless that exceeds ``limit``; returns the new sum or None."""
        used = self.used(agreement, flow, day)
        if used == 0 and not self._exists(agreement, flow, day):
            self._connection.execute(
                quota_days.insert().values(
                    agreement=agreement, flow=flow, day=day.isoformat(), used=0
                )
            )
        # The condition stands in the update itself, so that no isolation level can overshoot.
        charged = self._connection.execute(
            quota_days.update()
            .where(*_of_day(agreement, flow, day), quota_days.c.used + records <= limit)
            .values(used=quota_days.c.used + records)
        )
        if charged.rowcount != 1:
            return None
        self._heads.append(agreement, flow, "charged", day=day.isoformat(), records=records)
        return self.used(agreement, flow, day)

    def give_back(self, agreement: str, flow: str, day: date, records: int) -> None:
        """Take off what was charged ahead and not used."""
        self._connection.execute(
            quota_days.update()
            .where(*_of_day(agreement, flow, day))
            .values(used=quota_days.c.used - records)
        )
        self._heads.append(agreement, flow, "returned", day=day.isoformat(), records=records)

    def used(self, agreement: str, flow: str, day: date) -> int:
        """Records used on a day."""
        used = self._connection.scalar(
            sa.select(quota_days.c.used).where(*_of_day(agreement, flow, day))
        )
        return int(used or 0)

    def asked(self, flow: FlowKey, epoch: int, year: int) -> AskedSoFar:
        """Lists of an epoch, and lists and epochs of a year, over all the agreement's documents."""
        rows = self._connection.execute(
            sa.select(quota_epochs).where(
                quota_epochs.c.agreement == flow.agreement, quota_epochs.c.flow == flow.flow
            )
        ).all()
        this = [r for r in rows if bytes(r.agreement_digest) == flow.digest and r.epoch == epoch]
        of_year = [r for r in rows if r.year == year]
        return AskedSoFar(
            lists_of_epoch=sum(r.lists for r in this),
            lists_of_year=sum(r.lists for r in of_year),
            epochs_of_year=len(of_year),
            known=any(r.year == year for r in this),
        )

    def epochs(self) -> list[tuple[FlowKey, int]]:
        """Every flow and epoch that was ever asked."""
        c = quota_epochs.c
        rows = self._connection.execute(
            sa.select(c.agreement, c.agreement_digest, c.flow, c.epoch).distinct()
        )
        return [
            (FlowKey(r.agreement, bytes(r.agreement_digest), r.flow), int(r.epoch)) for r in rows
        ]

    def count_lists(self, flow: FlowKey, epoch: int, year: int, lists: int) -> None:
        """Note that an epoch was asked in a year, by so many more lists; 0: by questions alone."""
        counted = self._connection.execute(
            quota_epochs.update()
            .where(*of_flow(quota_epochs, flow))
            .where(quota_epochs.c.epoch == epoch, quota_epochs.c.year == year)
            .values(lists=quota_epochs.c.lists + lists)
        )
        if not counted.rowcount:
            self._connection.execute(
                quota_epochs.insert().values(
                    agreement=flow.agreement,
                    agreement_digest=flow.digest,
                    flow=flow.flow,
                    epoch=epoch,
                    year=year,
                    lists=lists,
                )
            )
        self._heads.append(
            flow.agreement,
            flow.flow,
            "asked",
            document=flow.digest.hex(),
            epoch=epoch,
            year=year,
            lists=lists,
        )

    def _exists(self, agreement: str, flow: str, day: date) -> bool:
        return (
            self._connection.scalar(sa.select(sa.true()).where(*_of_day(agreement, flow, day)))
            is not None
        )


#: What a request is known by, as parameters of a statement that is made for many at once.
_NAME = ("of_party", "of_method", "of_id")
_FORGET = requests.delete().where(
    requests.c.party == sa.bindparam(_NAME[0]),
    requests.c.method == sa.bindparam(_NAME[1]),
    requests.c.request_id == sa.bindparam(_NAME[2]),
)


class SqlRequests:
    """:class:`padan_server.store.port.RequestStore` over one connection."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def find(self, key: RequestKey) -> tuple[bytes, str] | None:
        """Digest and resource of the request kept under this party, method and id."""
        row = self._connection.execute(
            sa.select(requests.c.digest, requests.c.resource).where(
                requests.c.party == key.party,
                requests.c.method == key.method,
                requests.c.request_id == key.request_id,
            )
        ).one_or_none()
        return None if row is None else (bytes(row.digest), row.resource)

    def names(self) -> Iterator[tuple[str, str, str]]:
        """Party, method and id of every request kept."""
        rows = self._connection.execute(
            sa.select(requests.c.party, requests.c.method, requests.c.request_id)
        )
        for row in rows:
            yield row.party, row.method, row.request_id

    def remember(self, *kept: AnsweredRequest) -> None:
        """Keep requests; a later answer of one takes the place of an earlier one."""
        rows = {
            each.key.name: {
                "party": each.key.party,
                "method": each.key.method,
                "request_id": each.key.request_id,
                "digest": each.key.digest,
                "resource": each.resource,
                "create_time": to_micros(each.moment),
            }
            for each in kept
        }
        if rows:
            named = [dict(zip(_NAME, name, strict=True)) for name in rows]
            self._connection.execute(_FORGET, named)
            self._connection.execute(requests.insert(), list(rows.values()))

    def forget(self, before: datetime) -> int:
        """Drop requests older than ``before``; returns how many."""
        return self._connection.execute(
            requests.delete().where(requests.c.create_time < to_micros(before))
        ).rowcount


class SqlMarks:
    """:class:`padan_server.store.port.MarkStore` over one connection."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def get(self) -> StoreMark | None:
        """The mark; None in a store that has none yet."""
        row = self._connection.execute(sa.select(marks)).one_or_none()
        if row is None:
            return None
        latest, restored = (
            None if micros is None else from_micros(micros) for micros in (row.latest, row.restored)
        )
        return StoreMark(row.name, row.starts, latest, restored)

    def keep(self, mark: StoreMark) -> None:
        """Replace the mark."""
        latest, restored = (
            None if moment is None else to_micros(moment) for moment in (mark.latest, mark.restored)
        )
        self._connection.execute(marks.delete())
        values = {"name": mark.name, "starts": mark.starts, "latest": latest, "restored": restored}
        self._connection.execute(marks.insert().values(values))

    def is_unused(self) -> bool:
        """Whether the store has never had a dataset, a run or a release."""
        records = (datasets.c.id, runs.c.id, releases.c.id)
        return not any(self._connection.scalar(sa.select(c).limit(1)) for c in records)


def _of_day(agreement: str, flow: str, day: date) -> list[sa.ColumnElement[bool]]:
    return [
        quota_days.c.agreement == agreement,
        quota_days.c.flow == flow,
        quota_days.c.day == day.isoformat(),
    ]
