"""A registry of generated people as the unit holds it, made in one process as publishing does."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from padan_client.records.preparing import prepare
from padan_lab.demo.registries import in_words
from padan_lab.generate import generate_demo
from padan_linkage.agreement import Flow
from padan_linkage.answering.policy import MatchPolicy
from padan_linkage.crypto.keys import LinkageKey
from padan_linkage.crypto.randomness import Drbg
from padan_linkage.edition.measuring import EditionMaker
from padan_linkage.encoding import EncodedPass, PassEncoder
from padan_linkage.matching.scoring.calibration import Calibration
from padan_linkage.schema import HANDLE_BYTES, Pass, Schema


@dataclass(frozen=True, repr=False)
class AskedRegistry:
    """A flow's registry: its people, tables and calibrations by pass, and the linkage key."""

    schema: Schema
    policy: MatchPolicy
    people: Mapping[str, pa.StringArray]
    key: LinkageKey
    drbg: Drbg
    tables: Mapping[str, EncodedPass]
    calibrations: Mapping[str, Calibration]

    def renewed(self, epoch: int) -> AskedRegistry:
        """The same people published anew in another epoch: another key, the same calibrations."""
        key = _key(self.drbg.fork(f"epoch {epoch}").bytes(32), self.key.flow_id, self.schema, epoch)
        tables = {
            p.id: _table(self.schema, p, key, self.people, self.drbg) for p in self.schema.passes
        }
        return replace(self, key=key, tables=tables)


def publish(flow: Flow, people: int, seed: int, *, threads: int = 1) -> AskedRegistry:
    """Generate ``people`` for a flow, encode them, measure the edition.

    Without cover people, of whom nobody asks. All is the same for the same ``seed``. Raises
    ValueError for a flow without a schema.
    """
    if (schema := flow.schema) is None:
        raise ValueError(f"flow {flow.id} has no schema")
    registry = generate_demo(in_words(flow), people, 16, seed).registry
    fields = prepare(registry, schema, id_column="id").fields
    drbg = Drbg(hashlib.sha256(f"oracle {seed}".encode()).digest())
    key = _key(drbg.fork("linkage").bytes(32), flow.id, schema, 1)
    codes = np.ones(people, np.uint64)
    maker = EditionMaker.of(
        schema, flow.match, fields, codes, drbg.fork("edition"), threads=threads
    )
    tables = {}
    for p in schema.passes:
        made = _table(schema, p, key, fields, drbg)
        asked = PassEncoder(schema, p, key, threads=threads).encode(
            maker.questions, drbg=drbg.fork(f"asked {p.id}")
        )
        maker.take(p, made.table, made.record_of_row, asked.table, asked.record_of_row)
        tables[p.id] = made
    _, calibrations = maker.made("0" * 64, flow.id)
    return AskedRegistry(schema, flow.match, fields, key, drbg, tables, calibrations)


def _key(secret: bytes, flow_id: str, schema: Schema, epoch: int) -> LinkageKey:
    return LinkageKey(secret, schema.digest(), flow_id, epoch)


def _table(
    schema: Schema, p: Pass, key: LinkageKey, people: Mapping[str, pa.StringArray], drbg: Drbg
) -> EncodedPass:
    """A registry's rows with their handles: those who have a field of ``without`` are there too."""
    everybody = p.model_copy(update={"without": ()})
    made = PassEncoder(schema, everybody, key).encode(people, drbg=drbg.fork(p.id))
    rows = len(made.table)
    handles = np.frombuffer(drbg.bytes(HANDLE_BYTES * rows), np.uint8).reshape(rows, HANDLE_BYTES)
    layout = made.table.layout.model_copy(update={"handles": HANDLE_BYTES})
    columns = {**made.table.columns, "handles": handles}
    return replace(made, table=replace(made.table, layout=layout, columns=columns))
