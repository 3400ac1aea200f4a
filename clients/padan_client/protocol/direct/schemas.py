"""What a flow of direct mode compares: its fields, its keys, and which records those can use."""

from __future__ import annotations

from padan.v1.reason_texts import Reason, ServerKind
from padan_client.base.place import FlowPlace
from padan_client.base.reasons import refused
from padan_linkage.agreement import Flow, FlowKind, Mode
from padan_linkage.direct.schema import DirectSchema
from padan_linkage.normalise import FILLED_APART
from padan_linkage.schema import Pass, Schema


def direct_schemas(place: FlowPlace) -> tuple[Schema, DirectSchema]:
    """Fields and keys of a flow that may run directly. Raises RefusedError otherwise."""
    flow = place.flow
    if (
        flow.kind is not FlowKind.CONFIRMATION
        or Mode.DIRECT not in flow.modes
        or flow.schema is None
        or flow.direct is None
    ):
        reason = Reason.MODE_NOT_PERMITTED
        raise refused(reason, place, ServerKind.PROVIDER, article=place.article)
    return flow.schema, flow.direct


def usable_schema(flow: Flow, *, unit: bool) -> Schema:
    """A schema whose passes say which rows can be asked: by the direct keys, and by ``unit`` too.

    Only for preparing records: a key is usable where its fields are there, whatever it derives,
    unless a derivation is made of less or more than whole values.
    """
    assert flow.schema is not None
    assert flow.direct is not None
    ways = [(way, key.without) for key in flow.direct.keys for way in key.ways]
    keys = tuple(
        Pass(
            id=f"langsung-{n}",
            exact=tuple(_usable_part(flow.schema, part) for part in way),
            without=without,
        )
        for n, (way, without) in enumerate(ways)
    )
    passes = (*keys, *flow.schema.passes) if unit else keys
    return Schema(fields=flow.schema.fields, passes=passes[:32])


def _usable_part(fields: Schema, part: str) -> str:
    """The field of a key's part, with its derivation where that decides who has it."""
    name, _, derivation = part.partition(":")
    return part if (fields.kind(name), derivation) in FILLED_APART else name
