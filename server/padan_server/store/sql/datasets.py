"""Records of datasets in SQL."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from padan_server.base.model import (
    Dataset,
    DatasetState,
    DatasetTable,
    EditionRecord,
    Encoding,
    FlowKey,
    HeldRows,
    Role,
    Seal,
)
from padan_server.store.sql.heads import SqlHeads
from padan_server.store.sql.held_rows import SqlHeldRows
from padan_server.store.sql.tables import (
    dataset_tables,
    datasets,
    editions,
    from_micros,
    seals,
    to_micros,
)

_ERASED = frozenset({DatasetState.DELETING, DatasetState.DELETED})


class SqlDatasets:
    """:class:`padan_server.store.port.DatasetStore` over one connection."""

    def __init__(self, connection: sa.Connection, heads: SqlHeads) -> None:
        self._connection = connection
        self._heads = heads
        self._held = SqlHeldRows(connection)
        self.changed = False

    def add(self, dataset: Dataset) -> Dataset:
        """Keep a new dataset; returns it with its sequence number."""
        self.changed = True
        result = self._connection.execute(
            datasets.insert().values(
                id=dataset.id,
                agreement=dataset.flow.agreement,
                agreement_digest=dataset.flow.digest,
                flow=dataset.flow.flow,
                owner=dataset.owner,
                role=dataset.role.value,
                record_count=dataset.record_count,
                epoch=dataset.encoding.epoch,
                key_check_value=dataset.encoding.key_check_value,
                schema_digest=dataset.encoding.schema_digest,
                normaliser_version=dataset.encoding.normaliser_version,
                made_by=dataset.encoding.made_by,
                base=dataset.base,
                create_time=to_micros(dataset.create_time),
                commit_sequence=0,
                **_changing(dataset),
            )
        )
        self._number_commit(dataset)
        with self._held.follow(dataset.id):
            self._write_parts(dataset)
        key = result.inserted_primary_key
        return replace(dataset, sequence=int(key[0]) if key else 0)

    def get(self, dataset_id: str) -> Dataset | None:
        """One dataset with its tables and seals."""
        found = self._load(sa.select(datasets).where(datasets.c.id == dataset_id))
        return found[0] if found else None

    def page(self, flow: FlowKey, owner: str, *, before: int, limit: int) -> list[Dataset]:
        """Datasets with ``sequence < before``, newest first."""
        query = (
            sa.select(datasets)
            .where(*of_flow(datasets, flow))
            .where(datasets.c.owner == owner, datasets.c.sequence < before)
            .order_by(datasets.c.sequence.desc())
            .limit(limit)
        )
        return self._load(query)

    def begun(self, flow: FlowKey, owner: str, epoch: int) -> bool:
        """Whether the owner ever opened a dataset of that epoch, whatever became of it."""
        query = (
            sa.select(sa.true())
            .where(*of_flow(datasets, flow))
            .where(datasets.c.owner == owner, datasets.c.epoch == epoch)
            .limit(1)
        )
        return self._connection.scalar(query) is not None

    def open(self, flow: FlowKey, owner: str, most: int) -> int:
        """How many datasets of the flow the owner has open, counted up to ``most``."""
        query = (
            sa.select(datasets.c.id)
            .where(*of_flow(datasets, flow))
            .where(datasets.c.owner == owner, datasets.c.state == DatasetState.OPEN.value)
            .limit(most)
        )
        return len(self._connection.execute(query).all())

    def newest(self, flow: FlowKey, role: Role, *, epoch: int = 0) -> Dataset | None:
        """The committed dataset committed last; of one epoch unless ``epoch`` is 0."""
        query = (
            sa.select(datasets)
            .where(*of_flow(datasets, flow))
            .where(datasets.c.role == role.value)
            .where(datasets.c.state == DatasetState.COMMITTED.value)
            .order_by(datasets.c.commit_sequence.desc())
            .limit(1)
        )
        if epoch:
            query = query.where(datasets.c.epoch == epoch)
        found = self._load(query)
        return found[0] if found else None

    def set_table(self, dataset_id: str, table: DatasetTable, until: datetime) -> None:
        """Replace one table's record, and keep its dataset until then."""
        self._connection.execute(
            datasets.update()
            .where(datasets.c.id == dataset_id)
            .values(expire_time=to_micros(until))
        )
        with self._held.follow(dataset_id):
            self._connection.execute(
                dataset_tables.update()
                .where(dataset_tables.c.dataset == dataset_id)
                .where(dataset_tables.c.pass_id == table.pass_id)
                .values(
                    rows=table.rows,
                    uploaded=table.uploaded,
                    complete=table.complete,
                    digest=table.digest,
                )
            )

    def replace(self, dataset: Dataset) -> None:
        """Replace state, times, edition, tables and seals of a dataset."""
        self.changed = True
        self._tell_erasure(dataset)
        with self._held.follow(dataset.id):
            self._connection.execute(
                datasets.update().where(datasets.c.id == dataset.id).values(**_changing(dataset))
            )
            self._number_commit(dataset)
            for part in (dataset_tables, seals):
                self._connection.execute(part.delete().where(part.c.dataset == dataset.id))
            self._write_parts(dataset)

    def keep_edition(self, edition: EditionRecord) -> None:
        """Keep an edition; harmless to repeat."""
        if self.edition(edition.flow, edition.name) is None:
            self._connection.execute(
                editions.insert().values(
                    agreement=edition.flow.agreement,
                    agreement_digest=edition.flow.digest,
                    flow=edition.flow.flow,
                    name=edition.name,
                    document=edition.document,
                    signature=edition.signature,
                )
            )

    def edition(self, flow: FlowKey, name: str) -> EditionRecord | None:
        """The flow's edition of that name."""
        found = self._connection.execute(
            sa.select(editions.c.document, editions.c.signature)
            .where(*of_flow(editions, flow))
            .where(editions.c.name == name)
        ).one_or_none()
        if found is None:
            return None
        return EditionRecord(flow, name, bytes(found.document), bytes(found.signature))

    def held(self, flow: FlowKey, owner: str) -> list[HeldRows]:
        """What the owner's datasets of the flow that have files hold, by pass and kind."""
        return self._held.of(flow, owner)

    def are_counted(self) -> bool:
        """Whether the sums of :meth:`held` are what adding up all datasets gives."""
        return self._held.are_counted()

    def uploads(self, flow: FlowKey, owner: str) -> list[Dataset]:
        """The owner's datasets of the flow that are open, oldest first."""
        found = self._load(
            sa.select(datasets)
            .where(*of_flow(datasets, flow))
            .where(datasets.c.owner == owner, datasets.c.state == DatasetState.OPEN.value)
        )
        # Ordered here: in SQL it would be read in this order, erased ones and all.
        return sorted(found, key=lambda dataset: dataset.sequence)

    def in_state(self, states: Collection[DatasetState]) -> list[Dataset]:
        """All datasets in one of the states, oldest first."""
        return self._load(
            sa.select(datasets)
            .where(datasets.c.state.in_([s.value for s in states]))
            .order_by(datasets.c.sequence)
        )

    def _number_commit(self, dataset: Dataset) -> None:
        """Give a dataset that has just been committed the next number."""
        if dataset.state is not DatasetState.COMMITTED:
            return
        last = self._connection.scalar(sa.select(sa.func.max(datasets.c.commit_sequence)))
        numbered = self._connection.execute(
            datasets.update()
            .where(datasets.c.id == dataset.id, datasets.c.commit_sequence == 0)
            .values(commit_sequence=(last or 0) + 1)
        )
        if numbered.rowcount and dataset.role is Role.PROVIDER:
            self._tell(dataset, "committed")

    def _tell_erasure(self, dataset: Dataset) -> None:
        """Tell the chain, once, that a dataset is to be erased: from then on nobody may use it."""
        if dataset.state not in _ERASED:
            return
        before = sa.select(datasets.c.state).where(datasets.c.id == dataset.id)
        if self._connection.scalar(before) not in {state.value for state in _ERASED}:
            self._tell(dataset, "erased")

    def _tell(self, dataset: Dataset, event: str) -> None:
        self._heads.append(dataset.flow.agreement, dataset.flow.flow, event, dataset=dataset.id)

    def _write_parts(self, dataset: Dataset) -> None:
        if dataset.tables:
            self._connection.execute(
                dataset_tables.insert(),
                [
                    {
                        "dataset": dataset.id,
                        "pass_id": t.pass_id,
                        "place": place,
                        "upload_rows": t.upload_rows,
                        "rows": t.rows,
                        "uploaded": t.uploaded,
                        "complete": t.complete,
                        "digest": t.digest,
                    }
                    for place, t in enumerate(dataset.tables)
                ],
            )
        if dataset.seal is not None:
            self._connection.execute(seals.insert(), {"dataset": dataset.id, **vars(dataset.seal)})

    def _load(self, query: sa.Select[Any]) -> list[Dataset]:
        rows = self._connection.execute(query).mappings().all()
        return [self._with_parts(row) for row in rows]

    def _with_parts(self, row: sa.RowMapping) -> Dataset:
        tables = self._connection.execute(
            sa.select(dataset_tables)
            .where(dataset_tables.c.dataset == row["id"])
            .order_by(dataset_tables.c.place)
        ).mappings()
        sealed = self._connection.execute(
            sa.select(seals).where(seals.c.dataset == row["id"])
        ).one_or_none()
        return Dataset(
            id=row["id"],
            flow=FlowKey(row["agreement"], bytes(row["agreement_digest"]), row["flow"]),
            owner=row["owner"],
            role=Role(row["role"]),
            state=DatasetState(row["state"]),
            record_count=row["record_count"],
            encoding=Encoding(
                row["epoch"],
                bytes(row["key_check_value"]),
                bytes(row["schema_digest"]),
                row["normaliser_version"],
                row["made_by"],
            ),
            tables=tuple(
                DatasetTable(
                    t["pass_id"],
                    t["upload_rows"],
                    t["rows"],
                    t["uploaded"],
                    bool(t["complete"]),
                    bytes(t["digest"]),
                )
                for t in tables
            ),
            seal=None
            if sealed is None
            else Seal(bytes(sealed.seal_id), bytes(sealed.encapsulated_key)),
            base=row["base"],
            create_time=from_micros(row["create_time"]),
            expire_time=from_micros(row["expire_time"]),
            commit_time=None if row["commit_time"] is None else from_micros(row["commit_time"]),
            edition=row["edition"],
            sequence=row["sequence"],
        )


def of_flow(table: sa.Table, flow: FlowKey) -> list[sa.ColumnElement[bool]]:
    """Conditions that keep the rows of one flow of one exact agreement document."""
    return [
        table.c.agreement == flow.agreement,
        table.c.agreement_digest == flow.digest,
        table.c.flow == flow.flow,
    ]


def _changing(dataset: Dataset) -> dict[str, Any]:
    committed = dataset.commit_time
    return {
        "state": dataset.state.value,
        "expire_time": to_micros(dataset.expire_time),
        "commit_time": None if committed is None else to_micros(committed),
        "edition": dataset.edition,
    }
