"""What a flow of direct mode compares: its fields, its keys, and which records those can use."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product
from typing import TypeAlias

from padan.v1.reason_texts import Reason, ServerKind
from padan_client.base.place import FlowPlace
from padan_client.base.reasons import refused
from padan_linkage.agreement import Flow, FlowKind, Mode
from padan_linkage.direct.schema import DirectSchema
from padan_linkage.normalise import FILLED_APART
from padan_linkage.schema import Pass, Schema

#: Parts that a row must have, and fields that it must not.
Way: TypeAlias = tuple[tuple[str, ...], tuple[str, ...]]


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

    Only for preparing records: a row is usable where it has the fields of keys that open, whatever
    they derive, unless a derivation is made of less or more than whole values.
    """
    assert flow.schema is not None
    assert flow.direct is not None
    ways = _fewest(_opening_ways(flow.schema, flow.direct))
    keys = tuple(
        Pass(id=f"langsung-{n}", exact=parts, without=without)
        for n, (parts, without) in enumerate(ways)
    )
    passes = (*keys, *flow.schema.passes) if unit else keys
    return Schema(fields=flow.schema.fields, passes=passes[:32])


def _opening_ways(fields: Schema, direct: DirectSchema) -> list[Way]:
    """What a row must have for its keys to open: those of one key, or of two that hold shares.

    Under one share alone a row is asked about and nobody's code can come of it.
    """
    alone = [(key,) for key in direct.keys if not key.shared]
    pairs = combinations((key for key in direct.keys if key.shared), 2)
    return [
        (
            tuple(dict.fromkeys(_usable_part(fields, part) for way in ways for part in way)),
            tuple(dict.fromkeys(name for key in keys for name in key.without)),
        )
        for keys in (*alone, *pairs)
        for ways in product(*(key.ways for key in keys))
    ]


def _fewest(ways: Sequence[Way]) -> list[Way]:
    """The ways without those that ask for all that another does, and more."""
    found: list[Way] = []
    for parts, without in sorted(dict.fromkeys(ways), key=lambda way: len(way[0]) + len(way[1])):
        if not any({*less} <= {*parts} and {*free} <= {*without} for less, free in found):
            found.append((parts, without))
    return [way for way in dict.fromkeys(ways) if way in found]


def _usable_part(fields: Schema, part: str) -> str:
    """The field of a key's part, with its derivation where that decides who has it."""
    name, _, derivation = part.partition(":")
    return part if (fields.kind(name), derivation) in FILLED_APART else name
