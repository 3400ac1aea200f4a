"""Which registry of a flow answers at the unit: asked for free, naming no row.

Spec: ``proto/spec/36-editions.md``, "Which registry answers".
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from padan.v1 import dataset_service_pb2 as pb
from padan.v1.reason_texts import Reason
from padan_client.base.effects import Patience, Steps, call
from padan_client.base.errors import RefusedError
from padan_client.base.place import FlowPlace
from padan_client.protocol.unit.datasets import not_as_requested
from padan_client.results.changes import RegistryFacts
from padan_client.results.table import AnsweredBy


def present_registry(place: FlowPlace, patience: Patience) -> Steps[RegistryFacts | None]:
    """The registry that answers now; None where none was published."""
    return (yield from _asked(place, "", patience, Reason.REGISTRY_NOT_PUBLISHED))


def past_registry(
    place: FlowPlace, registry: str, patience: Patience
) -> Steps[RegistryFacts | None]:
    """The registry of that id; None where the unit knows of none under this agreement."""
    if not re.fullmatch("[0-9a-f]{32}", registry):
        return None
    name = f"{place.name}/datasets/{registry}"
    return (yield from _asked(place, name, patience, Reason.DATASET_NOT_FOUND))


def answered_by(place: FlowPlace, dataset: str, edition: str) -> AnsweredBy:
    """The ids of these resource names. Raises VerificationError for names of something else."""
    ids = (
        re.fullmatch(re.escape(place.name) + "/editions/([0-9a-f]{16})", edition),
        re.fullmatch(re.escape(place.name) + "/datasets/([0-9a-f]{32})", dataset),
    )
    if None in ids:
        raise not_as_requested()
    return AnsweredBy(*(found[1] for found in ids if found))


def _asked(
    place: FlowPlace, dataset: str, patience: Patience, none: Reason
) -> Steps[RegistryFacts | None]:
    request = pb.GetRegistryRequest(parent=place.name, dataset=dataset)
    try:
        found = yield from call("DatasetService.GetRegistry", request, pb.Registry, patience)
    except RefusedError as refusal:
        if refusal.reason == none:
            return None
        raise
    if dataset and found.dataset != dataset:
        raise not_as_requested()
    return RegistryFacts(
        by=answered_by(place, found.dataset, found.edition),
        since=datetime.fromtimestamp(found.commit_time.seconds, UTC),
        epoch=found.encoding.epoch,
        normaliser=found.encoding.normaliser_version,
    )
