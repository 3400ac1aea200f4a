"""Datasets: opened, committed and erased here; rows arrive in :mod:`.uploads`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from padan_linkage.answering.policy import MatchPolicy
from padan_linkage.schema import Schema
from padan_server.admission.compatibility import check_epoch
from padan_server.admission.enforcement import Grant
from padan_server.admission.quotas import count_list
from padan_server.admission.requests import remember, replayed
from padan_server.base.errors import Reason, Refusal
from padan_server.base.failpoints import Failpoints
from padan_server.base.model import Dataset, DatasetState, EditionRecord, RequestKey, Role
from padan_server.datasets.deltas import merge
from padan_server.datasets.editions import HandedEdition, checked, edition_of
from padan_server.datasets.opening import (
    NewDataset,
    base_of,
    check_other_side,
    check_request,
    opened,
)
from padan_server.datasets.owners import newest_base, owned, state_invalid
from padan_server.datasets.retention import retention_end, superseded_by
from padan_server.datasets.storage_share import StorageShare
from padan_server.datasets.table_locks import TableLocks
from padan_server.store.files.columns import ColumnFiles
from padan_server.store.port import Store, StoreFullError, Transaction


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
        most_open: int,
    ) -> None:
        self._store = store
        self._most_open = most_open
        self._share = share
        self._files = files
        self._locks = locks
        self._followers = followers
        self._failpoints = failpoints

    def create(self, grant: Grant, new: NewDataset, request: RequestKey | None) -> Dataset:
        """Open a dataset after every check that needs no row."""
        check_request(grant, new)
        with self._store.write() as tx:
            known = replayed(tx, request)
            if known is not None:
                return owned(tx, grant, known)
            self._check_open(tx, grant)
            epoch = new.encoding.epoch
            check_epoch(grant, epoch, tx.agreements.contributions(grant.key, epoch=epoch))
            check_other_side(tx, grant, new)
            if grant.role is Role.REQUESTER:
                # Before a row travels: what was begun and given up has been seen as well.
                count_list(tx, grant, epoch)
            base = base_of(tx, grant, new)
            wanted = opened(grant, new)
            self._share.check(tx, grant, wanted, base)
            made = tx.datasets.add(wanted)
            remember(tx, request, made.id, grant.now)
        return made

    def _check_open(self, tx: Transaction, grant: Grant) -> None:
        """Refuse to open one more upload beside those that a party has open in the flow."""
        # Spec 30, "Datasets".
        used = tx.datasets.open(grant.key, grant.party, self._most_open)
        if used >= self._most_open:
            limit = self._most_open
            raise Refusal(Reason.OPEN_DATASETS_EXCEEDED, **grant.metadata, limit=limit, used=used)

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
                    newest_base(tx, grant, dataset.base)
                committed = _committed(grant, merged)
                if edition is not None:
                    tx.datasets.keep_edition(edition)
                tx.datasets.replace(committed)
                # Spec 30, "Uploads that come to nothing", step 3.
                superseded = superseded_by(tx, committed)
                for upload in superseded:
                    tx.datasets.replace(replace(upload, state=DatasetState.DELETING))
                if known is None:
                    remember(tx, request, dataset_id, grant.now)
            self._failpoints.hit("commit.recorded")
            self._files.drop_delta(dataset_id)
        for upload in superseded:
            with self._alone(upload):
                self.erase(upload)
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
        try:
            with self._store.read() as tx:
                base = newest_base(tx, grant, dataset.base)
            tables = merge(self._files, grant.schema, base, dataset, self._failpoints)
        except StoreFullError:
            raise Refusal(Reason.STORAGE_FULL) from None
        except Refusal:
            # Spec 30, "Uploads that come to nothing", step 2.
            self._give_up(dataset)
            raise
        return replace(dataset, tables=tables, edition=base.edition)

    def _give_up(self, dataset: Dataset) -> None:
        """Erase an open upload that no repetition can bring to an end."""
        with self._store.write() as tx:
            current = tx.datasets.get(dataset.id)
            if current is None or current.state is not DatasetState.OPEN:
                return
            tx.datasets.replace(replace(current, state=DatasetState.DELETING))
        self.erase(dataset)

    def delete(self, grant: Grant, dataset_id: str, request: RequestKey | None) -> None:
        """Erase a dataset and, with a list, the answers made of it. Harmless to repeat."""
        # Spec 30, "Uploads that come to nothing", step 1.
        with self._store.read() as tx:
            replayed(tx, request)
            dataset = owned(tx, grant, dataset_id)
        with self._alone(dataset):
            with self._store.write() as tx:
                if replayed(tx, request) is None:
                    remember(tx, request, dataset_id, grant.now)
                dataset = owned(tx, grant, dataset_id)
                if dataset.state is not DatasetState.DELETED:
                    tx.datasets.replace(replace(dataset, state=DatasetState.DELETING))
            self._failpoints.hit("delete.marked")
            self.erase(dataset)

    @contextmanager
    def _alone(self, dataset: Dataset) -> Iterator[None]:
        """While nobody else writes to any table of the dataset, or commits it."""
        with ExitStack() as stack:
            for pass_id in (*(t.pass_id for t in dataset.tables), ""):
                stack.enter_context(self._locks.exclusive((dataset.id, pass_id), lambda: None))
            yield

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


def _committed(grant: Grant, dataset: Dataset) -> Dataset:
    end = retention_end(grant, dataset.create_time)
    return replace(dataset, state=DatasetState.COMMITTED, commit_time=grant.now, expire_time=end)


def _is_registry(grant: Grant, dataset: Dataset) -> bool:
    provided = dataset.flow == grant.key and dataset.role is Role.PROVIDER
    return provided and dataset.commit_time is not None


def _check_complete(dataset: Dataset) -> None:
    if dataset.state is not DatasetState.OPEN:
        raise state_invalid(dataset)
    lacking = [t.pass_id for t in dataset.tables if not t.complete]
    if lacking:
        raise Refusal(Reason.TABLE_INCOMPLETE, dataset=dataset.id, tables=",".join(lacking))
