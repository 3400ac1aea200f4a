"""Which label tables answered, and what they are known by: to compare with whom else they answered.

A requester has the signed manifests that it was answered by, a provider those that it published.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from padan_client.base.place import FlowPlace
from padan_client.home.folder import Home
from padan_client.protocol.direct.publishing import published_tables
from padan_client.protocol.direct.session import table_cache
from padan_client.results.table import AnsweredBy
from padan_linkage.direct.manifest import Manifest, fingerprint


@dataclass(frozen=True)
class KnownTables:
    """A base with its deltas up to one of them: what answered between two publications."""

    fingerprint: str
    by: AnsweredBy
    epoch: int
    sequence: int
    created: str


def known_tables(home: Home, place: FlowPlace) -> tuple[KnownTables, ...]:
    """Those of the flow that this home took or published, the newest last."""
    if place.party == place.flow.provider:
        mine = (place.flow.id, place.digest.hex())
        signed = [m for m in published_tables(home) if (m.flow, m.agreement_digest) == mine]
    else:
        signed = [table.manifest for table in table_cache(home, place).signed()]
    return tuple(_known(signed))


def _known(signed: Iterable[Manifest]) -> list[KnownTables]:
    by_number: dict[str, Mapping[int, Manifest]] = {}
    for manifest in signed:
        base = manifest.base or manifest.table
        by_number[base] = {**by_number.get(base, {}), manifest.sequence: manifest}
    found = []
    for base, numbered in by_number.items():
        chain: list[Manifest] = []
        while len(chain) in numbered:
            last = numbered[len(chain)]
            chain.append(last)
            by = AnsweredBy(base, last.table)
            print_of = fingerprint(chain)
            found.append(KnownTables(print_of, by, last.epoch, last.sequence, last.created))
    return sorted(found, key=lambda known: (known.epoch, known.created, known.sequence))
