"""Records of runs in SQL: leases are compare-and-set updates, so no two workers share one."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from padan_linkage.answering.answers import PassCounts
from padan_server.base.model import ENDED, FlowKey, Run, RunState
from padan_server.store.sql.datasets import of_flow
from padan_server.store.sql.tables import from_micros, run_passes, runs, to_micros

_PENDING = RunState.PENDING.value
_RUNNING = RunState.RUNNING.value


class SqlRuns:
    """:class:`padan_server.store.port.RunStore` over one connection."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add(self, run: Run) -> Run:
        """Keep a new run; returns it with its sequence number."""
        result = self._connection.execute(
            runs.insert().values(
                id=run.id,
                agreement=run.flow.agreement,
                agreement_digest=run.flow.digest,
                flow=run.flow.flow,
                owner=run.owner,
                requester_dataset=run.requester_dataset,
                provider_dataset=run.provider_dataset,
                state=run.state.value,
                record_count=run.record_count,
                edition=run.edition,
                attempts=0,
                deaths=0,
                lease_owner="",
                lease_until=0,
                failure_reason="",
                create_time=to_micros(run.create_time),
            )
        )
        key = result.inserted_primary_key
        return replace(run, sequence=int(key[0]) if key else 0)

    def get(self, run_id: str) -> Run | None:
        """One run with the passes that have ended, in the order they ended."""
        found = self._load(sa.select(runs).where(runs.c.id == run_id))
        return found[0] if found else None

    def page(self, flow: FlowKey, owner: str, *, before: int, limit: int) -> list[Run]:
        """Runs with ``sequence < before``, newest first."""
        return self._load(_newest(owner, before, limit).where(*of_flow(runs, flow)))

    def of_owner(self, owner: str, *, before: int, limit: int) -> list[Run]:
        """Runs of every flow with ``sequence < before``, newest first."""
        return self._load(_newest(owner, before, limit))

    def of_dataset(self, dataset_id: str) -> list[Run]:
        """Runs that compare this dataset, on either side."""
        return self._load(
            sa.select(runs)
            .where(
                sa.or_(
                    runs.c.requester_dataset == dataset_id, runs.c.provider_dataset == dataset_id
                )
            )
            .order_by(runs.c.sequence)
        )

    def lease(self, worker: str, now: datetime, until: datetime) -> Run | None:
        """Take the oldest run that waits or whose lease is over; counts an attempt."""
        waiting = sa.or_(
            runs.c.state == _PENDING,
            sa.and_(runs.c.state == _RUNNING, runs.c.lease_until < to_micros(now)),
        )
        run_id = self._connection.scalar(
            sa.select(runs.c.id).where(waiting).order_by(runs.c.sequence).limit(1)
        )
        if run_id is None:
            return None
        taken = self._connection.execute(
            runs.update()
            .where(runs.c.id == run_id, waiting)
            .values(
                state=_RUNNING,
                lease_owner=worker,
                lease_until=to_micros(until),
                attempts=runs.c.attempts + 1,
            )
        )
        return self.get(run_id) if taken.rowcount == 1 else None

    def renew(self, run_id: str, worker: str, until: datetime) -> bool:
        """Lengthen a lease; False if the run is no longer this worker's to work on."""
        return self._under_lease(run_id, worker, lease_until=to_micros(until))

    def release(self, run_id: str, worker: str, *, counted: bool) -> None:
        """Give a run back to wait again; ``counted`` says whether the attempt counts."""
        attempts = runs.c.attempts - (0 if counted else 1)
        self._under_lease(
            run_id, worker, state=_PENDING, lease_owner="", lease_until=0, attempts=attempts
        )

    def release_all(self) -> int:
        """Let every leased run wait again (start-up of the only worker); returns how many."""
        return self._connection.execute(
            runs.update()
            .where(runs.c.state == _RUNNING)
            .values(
                state=_PENDING,
                lease_owner="",
                lease_until=0,
                attempts=runs.c.attempts - 1,
                deaths=runs.c.deaths + 1,
            )
        ).rowcount

    def progressed(self, run_id: str, worker: str) -> bool:
        """Clear attempts and deaths: something is kept; False if the lease is lost."""
        return self._under_lease(run_id, worker, attempts=1, deaths=0)

    def add_pass(self, run_id: str, worker: str, counts: PassCounts) -> bool:
        """Record a finished pass and clear the attempts; False if the lease is lost."""
        if not self.progressed(run_id, worker):
            return False
        place = self._connection.scalar(
            sa.select(sa.func.count()).select_from(run_passes).where(run_passes.c.run == run_id)
        )
        self._connection.execute(
            run_passes.insert().values(run=run_id, place=place, **asdict(counts))
        )
        return True

    def end(
        self, run_id: str, state: RunState, now: datetime, *, worker: str = "", reason: str = ""
    ) -> bool:
        """End a run that has not ended (with ``worker``: only under its lease)."""
        update = runs.update().where(
            runs.c.id == run_id, runs.c.state.not_in([s.value for s in ENDED])
        )
        if worker:
            update = update.where(runs.c.state == _RUNNING, runs.c.lease_owner == worker)
        ended = self._connection.execute(
            update.values(
                state=state.value,
                lease_owner="",
                lease_until=0,
                failure_reason=reason,
                end_time=to_micros(now),
            )
        )
        return ended.rowcount == 1

    def _under_lease(self, run_id: str, worker: str, **values: Any) -> bool:
        changed = self._connection.execute(
            runs.update()
            .where(runs.c.id == run_id, runs.c.state == _RUNNING, runs.c.lease_owner == worker)
            .values(**values)
        )
        return changed.rowcount == 1

    def _load(self, query: sa.Select[Any]) -> list[Run]:
        return [self._with_passes(row) for row in self._connection.execute(query).mappings().all()]

    def _with_passes(self, row: sa.RowMapping) -> Run:
        passes = self._connection.execute(
            sa.select(run_passes).where(run_passes.c.run == row["id"]).order_by(run_passes.c.place)
        ).mappings()
        return Run(
            id=row["id"],
            flow=FlowKey(row["agreement"], bytes(row["agreement_digest"]), row["flow"]),
            owner=row["owner"],
            requester_dataset=row["requester_dataset"],
            provider_dataset=row["provider_dataset"],
            state=RunState(row["state"]),
            record_count=row["record_count"],
            edition=row["edition"],
            create_time=from_micros(row["create_time"]),
            passes=tuple(_counts(p) for p in passes),
            attempts=row["attempts"],
            deaths=row["deaths"],
            failure_reason=row["failure_reason"],
            end_time=None if row["end_time"] is None else from_micros(row["end_time"]),
            sequence=row["sequence"],
        )


def _counts(row: sa.RowMapping) -> PassCounts:
    return PassCounts(**{f.name: row[f.name] for f in fields(PassCounts)})


def _newest(owner: str, before: int, limit: int) -> sa.Select[Any]:
    return (
        sa.select(runs)
        .where(runs.c.owner == owner, runs.c.sequence < before)
        .order_by(runs.c.sequence.desc())
        .limit(limit)
    )
