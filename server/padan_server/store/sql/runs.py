"""Records of runs in SQL: leases are compare-and-set updates, so no two workers share one."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from padan_linkage.answering.answers import PassCounts
from padan_server.base.model import ENDED, FlowKey, Run, RunState
from padan_server.store.sql.datasets import of_flow
from padan_server.store.sql.tables import from_micros, run_passes, run_turns, runs, to_micros

_PENDING = RunState.PENDING.value
_RUNNING = RunState.RUNNING.value


class SqlRuns:
    """:class:`padan_server.store.port.RunStore` over one connection."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._turns = SqlRunTurns(connection)

    def add(self, run: Run) -> Run:
        """Keep a new run; returns it with its sequence number."""
        self._turns.join(run.owner)
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
        """Take the run whose turn it is; counts an attempt. One whose lease is over waits again."""
        self._connection.execute(
            runs.update()
            .where(runs.c.state == _RUNNING, runs.c.lease_until < to_micros(now))
            .values(state=_PENDING, lease_owner="", lease_until=0)
        )
        run_id = self._turns.next()
        if run_id is None:
            return None
        self._connection.execute(
            runs.update()
            .where(runs.c.id == run_id)
            .values(
                state=_RUNNING,
                lease_owner=worker,
                lease_until=to_micros(until),
                attempts=runs.c.attempts + 1,
            )
        )
        leased = self.get(run_id)
        if leased is not None:
            self._turns.took(leased.owner)
        return leased

    def is_awaited(self, owner: str) -> bool:
        """Whether a run waits of a party that has fewer under way than ``owner``."""
        return self._turns.is_awaited(owner)

    def renew(self, run_id: str, worker: str, until: datetime) -> bool:
        """Lengthen a lease; False if the run is no longer this worker's to work on."""
        return self._under_lease(run_id, worker, lease_until=to_micros(until))

    def release(self, run_id: str, worker: str, *, counted: bool) -> bool:
        """Let a run wait again, behind other parties'; False if the lease is lost."""
        attempts = runs.c.attempts - (0 if counted else 1)
        given = self._under_lease(
            run_id, worker, state=_PENDING, lease_owner="", lease_until=0, attempts=attempts
        )
        owner = self._connection.scalar(sa.select(runs.c.owner).where(runs.c.id == run_id))
        if given and owner is not None:
            self._turns.took(owner)
        return given

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


class SqlRunTurns:
    """Whose turn it is: no more work because of how many runs wait.

    Each party that ever had a run has a row, and the index of runs by state finds its oldest that
    waits and counts those that are worked on, of which there are no more than workers.
    """

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def join(self, owner: str) -> None:
        """Let a party take turns; one that does already keeps its place."""
        known = sa.select(run_turns.c.owner).where(run_turns.c.owner == owner)
        if self._connection.scalar(known) is None:
            self._connection.execute(run_turns.insert().values(owner=owner, turn=0))

    def took(self, owner: str) -> None:
        """A party has a worker, or had one until now: it is behind all others."""
        last = sa.select(sa.func.max(run_turns.c.turn) + 1).scalar_subquery()
        self._connection.execute(
            run_turns.update().where(run_turns.c.owner == owner).values(turn=last)
        )

    def next(self) -> str | None:
        """The id of the run whose turn it is.

        Of the party with the fewest under way, then of the one whose turn is longest ago, then of
        the one whose run is oldest: its oldest run that waits.
        """
        # Spec 30, "Runs", step 2.
        owner = run_turns.c.owner
        first = _oldest(owner)
        return self._connection.scalar(
            sa.select(runs.c.id)
            .select_from(run_turns.join(runs, runs.c.sequence == first))
            .order_by(_under_way(owner), run_turns.c.turn, runs.c.sequence)
            .limit(1)
        )

    def is_awaited(self, owner: str) -> bool:
        """Whether a party waits that has fewer runs under way than ``owner``."""
        other = run_turns.c.owner
        waits = sa.select(other).where(
            other != owner, _oldest(other).is_not(None), _under_way(other) < _under_way(owner)
        )
        return self._connection.scalar(waits.limit(1)) is not None


def _oldest(owner: sa.ColumnElement[str]) -> sa.ScalarSelect[int]:
    """The sequence number of a party's oldest run that waits, or NULL."""
    run = runs.alias()
    waiting = sa.select(sa.func.min(run.c.sequence))
    return waiting.where(run.c.state == _PENDING, run.c.owner == owner).scalar_subquery()


def _under_way(owner: sa.ColumnElement[str] | str) -> sa.ScalarSelect[int]:
    """How many of a party's runs a worker has."""
    run = runs.alias()
    count = sa.select(sa.func.count()).select_from(run)
    return count.where(run.c.state == _RUNNING, run.c.owner == owner).scalar_subquery()
