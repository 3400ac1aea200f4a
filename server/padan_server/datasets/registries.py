"""Which registry answers."""

from __future__ import annotations

from padan_server.admission.enforcement import Grant
from padan_server.base.errors import Reason, Refusal
from padan_server.base.model import Dataset, DatasetState, FlowKey, Role
from padan_server.datasets.owners import state_invalid
from padan_server.store.cache import StoreCache
from padan_server.store.port import Store, Transaction


class KnownRegistries:
    """Registries as questions ask for them: read once for as long as the store stays the same."""

    def __init__(self, store: Store) -> None:
        self._newest = StoreCache[FlowKey, Dataset | None](store, _newest)
        self._known = StoreCache[str, Dataset | None](store, lambda tx, name: tx.datasets.get(name))

    def answering(self, grant: Grant, before: str | None) -> Dataset:
        """The registry that answered this request before, while it is there; else the newest."""
        known = self._known.get(before) if before else None
        if known is not None and known.state is DatasetState.COMMITTED:
            return known
        return _published(grant, self._newest.get(grant.key))


def registry_of(tx: Transaction, grant: Grant, registry_id: str) -> Dataset:
    """The committed registry of the flow with that id, the newest one if it is empty."""
    if not registry_id:
        return _published(grant, _newest(tx, grant.key))
    registry = tx.datasets.get(registry_id)
    if registry is None or registry.flow != grant.key or registry.role is not Role.PROVIDER:
        raise Refusal(Reason.DATASET_NOT_FOUND, **grant.metadata)
    if registry.state is not DatasetState.COMMITTED:
        raise state_invalid(registry)
    return registry


def _newest(tx: Transaction, flow: FlowKey) -> Dataset | None:
    return tx.datasets.newest(flow, Role.PROVIDER)


def _published(grant: Grant, newest: Dataset | None) -> Dataset:
    if newest is None:
        raise Refusal(Reason.REGISTRY_NOT_PUBLISHED, **grant.metadata)
    return newest
