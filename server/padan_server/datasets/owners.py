"""Whose a dataset is, and what its state and its place among the others allow."""

from __future__ import annotations

from padan_server.admission.enforcement import Grant
from padan_server.base.errors import Reason, Refusal
from padan_server.base.model import Dataset, DatasetState, Role
from padan_server.store.port import Transaction


def owned(tx: Transaction, grant: Grant, dataset_id: str) -> Dataset:
    """A dataset of the caller in the admitted flow, or the refusal that hides all others."""
    dataset = tx.datasets.get(dataset_id)
    if dataset is None or dataset.flow != grant.key or dataset.owner != grant.party:
        raise Refusal(Reason.DATASET_NOT_FOUND, **grant.metadata)
    return dataset


def state_invalid(dataset: Dataset) -> Refusal:
    """The refusal of a call that the dataset's state does not allow."""
    shown = "deleted" if dataset.state is DatasetState.DELETING else dataset.state.value
    return Refusal(Reason.DATASET_STATE_INVALID, dataset=dataset.id, state=shown)


def newest_base(tx: Transaction, grant: Grant, dataset_id: str) -> Dataset:
    """The base of a delta: the newest registry, so that no other update is lost."""
    base = owned(tx, grant, dataset_id)
    newest = tx.datasets.newest(grant.key, Role.PROVIDER)
    if base.state is not DatasetState.COMMITTED or newest is None or newest.id != base.id:
        raise Refusal(Reason.DATASET_STATE_INVALID, **grant.metadata, dataset=dataset_id)
    return base
