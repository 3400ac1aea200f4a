"""Datasets: opened, committed and erased here; rows arrive in :mod:`.uploads`."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta

from padan_linkage.agreement import Risk
from padan_linkage.answering.policy import MatchPolicy
from padan_linkage.schema import Layout, Schema
from padan_server.admission.compatibility import check_epoch, check_schema, check_sides
from padan_server.admission.enforcement import Grant
from padan_server.admission.quotas import check_batch, count_list
from padan_server.admission.requests import remember, replayed
from padan_server.base.errors import Reason, Refusal, field_invalid
from padan_server.base.failpoints import Failpoints
from padan_server.base.model import (
    Dataset,
    DatasetState,
    DatasetTable,
    EditionRecord,
    Encoding,
    RequestKey,
    Role,
    Seal,
)
from padan_server.datasets.deltas import merge
from padan_server.datasets.editions import HandedEdition, checked, edition_of
from padan_server.datasets.storage_share import StorageShare
from padan_server.datasets.table_locks import TableLocks
from padan_server.store.column_files import ColumnFiles
from padan_server.store.port import Store, StoreFullError, Transaction

#: Retention where an agreement that passed its checks still names none.
_DEFAULT_RETENTION_DAYS = 30
MOST_IN_DATASET = 1_000_000_000


@dataclass(frozen=True)
class NewDataset:
    """What a caller asks to open. ``tables`` are (pass id, rows); ``base`` is a dataset id."""

    role: Role
    record_count: int
    encoding: Encoding
    tables: tuple[tuple[str, int], ...]
    seal: Seal | None
    base: str


@dataclass(frozen=True)
class Followers:
    """Who hears of what happens to datasets: of a real-time registry's commit, of any erasure."""

    committed: Callable[[Schema, MatchPolicy, str], None]
    erased: Callable[[str], None]


class Datasets:
    """Opens, shows, commits and erases the datasets of the parties."""

    def __init__(
        self,
        store: Store,
        files: ColumnFiles,
        locks: TableLocks,
        share: StorageShare,
        followers: Followers,
        failpoints: Failpoints,
    ) -> None:
        self._store = store
        self._share = share
        self._files = files
        self._locks = locks
        self._followers = followers
        self._failpoints = failpoints

    def create(self, grant: Grant, new: NewDataset, request: RequestKey | None) -> Dataset:
        """Open a dataset after every check that needs no row."""
        _check_request(grant, new)
        with self._store.write() as tx:
            known = replayed(tx, request)
            if known is not None:
                return owned(tx, grant, known)
            check_epoch(grant, new.encoding, tx.agreements.contributions(grant.key))
            _check_other_side(tx, grant, new)
            if grant.role is Role.REQUESTER:
                # Before a row travels: what was begun and given up has been seen as well.
                count_list(tx, grant, new.encoding.epoch)
            base = _base(tx, grant, new)
            opened = _opened(grant, new)
            self._share.check(tx, grant, opened, base)
            made = tx.datasets.add(opened)
            remember(tx, request, made.id, grant.now)
        return made

    def get(self, grant: Grant, dataset_id: str) -> Dataset:
        """One of the caller's datasets."""
        with self._store.read() as tx:
            return owned(tx, grant, dataset_id)

    def page(self, grant: Grant, *, before: int, limit: int) -> list[Dataset]:
        """The caller's datasets of the flow, newest first."""
        with self._store.read() as tx:
            return tx.datasets.page(grant.key, grant.party, before=before, limit=limit)

    def edition(self, grant: Grant, name: str) -> EditionRecord:
        """An edition of the flow, which both its parties may read."""
        return edition_of(self._store, grant, name)

    def registry(self, grant: Grant, registry_id: str) -> Dataset:
        """A registry of the flow, which both its parties may know of, though its rows be gone.

        The one that answers now if ``registry_id`` is empty.
        """
        with self._store.read() as tx:
            if not registry_id:
                found = tx.datasets.newest(grant.key, Role.PROVIDER)
                missing = Reason.REGISTRY_NOT_PUBLISHED
            else:
                found, missing = tx.datasets.get(registry_id), Reason.DATASET_NOT_FOUND
        if found is None or not _is_registry(grant, found):
            raise Refusal(missing, **grant.metadata)
        return found

    def commit(
        self,
        grant: Grant,
        dataset_id: str,
        handed: HandedEdition | None,
        request: RequestKey | None,
    ) -> Dataset:
        """Close a dataset whose tables are complete; a delta is merged into its base first.

        A whole registry's edition is checked and kept with it, a delta has that of its base.
        """
        with self._locks.exclusive((dataset_id, ""), lambda: None):
            with self._store.read() as tx:
                replayed(tx, request)
                dataset = owned(tx, grant, dataset_id)
            if dataset.state is DatasetState.COMMITTED:
                return dataset
            _check_complete(dataset)
            edition = checked(grant, dataset, handed)
            if edition is not None and handed is not None:
                # Spec 36, "Carried", step 4.
                self._keep_calibrations(dataset_id, handed.calibrations)
                dataset = replace(dataset, edition=edition.name)
            merged = self._merged(grant, dataset) if dataset.is_delta else dataset
            with self._store.write() as tx:
                known = replayed(tx, request)
                current = owned(tx, grant, dataset_id)
                if current.state is not DatasetState.OPEN:
                    raise state_invalid(current)
                if dataset.is_delta:
                    _newest_base(tx, grant, dataset.base)
                committed = replace(merged, state=DatasetState.COMMITTED, commit_time=grant.now)
                if edition is not None:
                    tx.datasets.keep_edition(edition)
                tx.datasets.replace(committed)
                if known is None:
                    remember(tx, request, dataset_id, grant.now)
            self._failpoints.hit("commit.recorded")
            self._files.drop_delta(dataset_id)
        if grant.role is Role.PROVIDER and grant.flow.real_time:
            self._followers.committed(grant.schema, grant.flow.match, dataset_id)
        return committed

    def _keep_calibrations(self, dataset_id: str, document: bytes) -> None:
        try:
            self._files.keep_calibrations(dataset_id, document)
        except StoreFullError:
            raise Refusal(Reason.STORAGE_FULL) from None
        self._failpoints.hit("commit.edition_kept")

    def _merged(self, grant: Grant, dataset: Dataset) -> Dataset:
        with self._store.read() as tx:
            base = _newest_base(tx, grant, dataset.base)
        try:
            tables = merge(self._files, grant.schema, base, dataset, self._failpoints)
        except StoreFullError:
            raise Refusal(Reason.STORAGE_FULL) from None
        return replace(dataset, tables=tables, edition=base.edition)

    def delete(self, grant: Grant, dataset_id: str, request: RequestKey | None) -> None:
        """Erase a dataset and, with a list, the answers made of it. Harmless to repeat."""
        with self._store.read() as tx:
            replayed(tx, request)
            dataset = owned(tx, grant, dataset_id)
        with ExitStack() as stack:
            for key in [(dataset_id, t.pass_id) for t in dataset.tables] + [(dataset_id, "")]:
                stack.enter_context(self._locks.exclusive(key, lambda: None))
            with self._store.write() as tx:
                if replayed(tx, request) is None:
                    remember(tx, request, dataset_id, grant.now)
                dataset = owned(tx, grant, dataset_id)
                if dataset.state is not DatasetState.DELETED:
                    tx.datasets.replace(replace(dataset, state=DatasetState.DELETING))
            self._failpoints.hit("delete.marked")
            self.erase(dataset)

    def erase(self, dataset: Dataset) -> None:
        """Erase the files of a dataset that is marked, then say so; also ends a broken erasure."""
        self._followers.erased(dataset.id)
        self._files.erase_dataset(dataset.id)
        with self._store.read() as tx:
            runs = tx.runs.of_dataset(dataset.id)
        for run in runs:
            if run.requester_dataset == dataset.id:
                self._files.erase_run(run.id)
        self._failpoints.hit("delete.erased")
        with self._store.write() as tx:
            current = tx.datasets.get(dataset.id)
            if current is not None:
                tx.datasets.replace(replace(current, state=DatasetState.DELETED))


def owned(tx: Transaction, grant: Grant, dataset_id: str) -> Dataset:
    """A dataset of the caller in the admitted flow, or the refusal that hides all others."""
    dataset = tx.datasets.get(dataset_id)
    if dataset is None or dataset.flow != grant.key or dataset.owner != grant.party:
        raise Refusal(Reason.DATASET_NOT_FOUND, **grant.metadata)
    return dataset


def _is_registry(grant: Grant, dataset: Dataset) -> bool:
    provided = dataset.flow == grant.key and dataset.role is Role.PROVIDER
    return provided and dataset.commit_time is not None


def state_invalid(dataset: Dataset) -> Refusal:
    """The refusal of a call that the dataset's state does not allow."""
    shown = "deleted" if dataset.state is DatasetState.DELETING else dataset.state.value
    return Refusal(Reason.DATASET_STATE_INVALID, dataset=dataset.id, state=shown)


def layout_of(grant: Grant, dataset: Dataset, pass_id: str, *, uploaded: bool = False) -> Layout:
    """Columns of a committed table, or (``uploaded``) of the table as its owner sends it."""
    return Layout.of(
        grant.schema,
        grant.schema.get_pass(pass_id),
        provider=dataset.role is Role.PROVIDER,
        delta=uploaded and dataset.is_delta,
    )


def _opened(grant: Grant, new: NewDataset) -> Dataset:
    days = grant.flow.retention_days or _DEFAULT_RETENTION_DAYS
    order = [p.id for p in grant.schema.passes]
    return Dataset(
        id=secrets.token_hex(16),
        flow=grant.key,
        owner=grant.party,
        role=grant.role,
        state=DatasetState.OPEN,
        record_count=new.record_count,
        encoding=new.encoding,
        tables=tuple(
            DatasetTable(pass_id, rows, rows)
            for pass_id, rows in sorted(new.tables, key=lambda t: order.index(t[0]))
        ),
        seal=new.seal,
        base=new.base,
        create_time=grant.now,
        # Nothing outlives the agreement that allowed it.
        expire_time=min(grant.now + timedelta(days=days), grant.end_time),
    )


def _check_request(grant: Grant, new: NewDataset) -> None:
    if new.role is not grant.role:
        raise Refusal(Reason.ROLE_NOT_PERMITTED, **grant.metadata)
    provider = grant.role is Role.PROVIDER
    if (new.seal is not None) != provider:
        raise field_invalid(
            "dataset.seal",
            "wajib untuk penyedia dan dilarang untuk peminta",
            "required of a provider and forbidden to a requester",
        )
    if new.base and not provider:
        raise field_invalid(
            "dataset.base_dataset", "hanya untuk registri penyedia", "only for a registry"
        )
    if new.base and Risk.DELTAS not in grant.flow.accepts:
        raise Refusal(Reason.DELTAS_NOT_ACCEPTED, **grant.metadata)
    check_schema(grant, new.encoding)
    if not provider:
        check_batch(grant, new.record_count)
    _check_tables(grant, new)


def _check_tables(grant: Grant, new: NewDataset) -> None:
    wanted = {p.id for p in grant.schema.passes}
    given = [pass_id for pass_id, _ in new.tables]
    # Spec 10, "Deltas": how many of a delta's rows are people's is nobody's but their owner's.
    rows = new.record_count if new.base else grant.schema.padded_rows(new.record_count)
    if sorted(given) != sorted(wanted):
        raise Refusal(Reason.TABLES_INVALID, **grant.metadata, field="dataset.tables")
    for pass_id, count in new.tables:
        if count != rows:
            raise Refusal(
                Reason.TABLES_INVALID,
                **grant.metadata,
                field=f"dataset.tables[{pass_id}].row_count",
            )


def _check_other_side(tx: Transaction, grant: Grant, new: NewDataset) -> None:
    """Compare with what the other side last committed.

    A provider may begin a new epoch while lists of the old one are still there; a requester must
    follow the newest registry.
    """
    if grant.role is Role.REQUESTER:
        other = tx.datasets.newest(grant.key, Role.PROVIDER)
    else:
        other = tx.datasets.newest(grant.key, Role.REQUESTER, epoch=new.encoding.epoch)
        _check_whole_once(tx, grant, new)
    if other is not None:
        check_sides(grant, new.encoding, other.encoding)


def _check_whole_once(tx: Transaction, grant: Grant, new: NewDataset) -> None:
    """A registry that is published anew in its epoch is an update too: what recurs would show."""
    if new.base or Risk.DELTAS in grant.flow.accepts:
        return
    if tx.datasets.begun(grant.key, grant.party, new.encoding.epoch):
        raise Refusal(Reason.DELTAS_NOT_ACCEPTED, **grant.metadata)


def _base(tx: Transaction, grant: Grant, new: NewDataset) -> Dataset | None:
    if not new.base:
        return None
    base = _newest_base(tx, grant, new.base)
    check_sides(grant, new.encoding, base.encoding)
    if new.seal != base.seal:
        raise field_invalid(
            "dataset.seal",
            "harus sama dengan segel registri dasarnya; dengan segel baru terbitkan registri penuh",
            "must be that of its base; with a new seal publish the whole registry",
        )
    return base


def _newest_base(tx: Transaction, grant: Grant, dataset_id: str) -> Dataset:
    """The base of a delta: the newest registry, so that no other update is lost."""
    base = owned(tx, grant, dataset_id)
    newest = tx.datasets.newest(grant.key, Role.PROVIDER)
    if base.state is not DatasetState.COMMITTED or newest is None or newest.id != base.id:
        raise Refusal(Reason.DATASET_STATE_INVALID, **grant.metadata, dataset=dataset_id)
    return base


def _check_complete(dataset: Dataset) -> None:
    if dataset.state is not DatasetState.OPEN:
        raise state_invalid(dataset)
    lacking = [t.pass_id for t in dataset.tables if not t.complete]
    if lacking:
        raise Refusal(Reason.TABLE_INCOMPLETE, dataset=dataset.id, tables=",".join(lacking))
